// Matrix products on the tile units of x86 processors (AMX), as exact as in float.
//
// The units multiply bfloat16, which holds 8 of a float's 24 bits. A float is cut into three of them, high,
// middle and low, whose sum it is; of the nine products of parts the six that matter in float are summed, in
// float: hh, hm, mh, mm, hl, lh. What is left out is at most 2^-23 of a product and usually below 2^-26: less
// than a float's rounding. (Henry, Tang & Heinecke 2019, "Leveraging the bfloat16 Artificial Intelligence
// Datatype For Higher-Precision Computations".) Six passes of a unit that is sixteen times as fast as vectors
// of floats. Of two parts (kShort) hh, hm and mh are summed.
//
// Rules
// - Packed matrices (product.h) are other bytes here: lanes of 16 columns, one after the other, each [K/32]
//   blocks of their parts, 1 KB each. A word of a block holds the parts of two numbers, k and k + 16 of
//   its 32. In a strip of B a part is [16 words, 16 columns], two lanes make a strip; in packed A [16
//   columns, 16 words]. K is filled up with zeros.
// - An element of C is summed in the order of K, blocks of one after the other, in parts no longer than
//   kProductDepth: it depends on neither M, N nor the number of threads.
// - All this is so for floats between 2^-110 and 2^127, and 0. Parts of smaller ones are lost as denormals,
//   down to 8 bits of a number. One that is infinite, or rounds to it as a bfloat16, makes a product that is
//   no number, where the vector units would make an infinite one. What is no number stays so.
#pragma once

#include <cstdint>

#include "compute/cpu/product.h"

namespace hone::compute::cpu::tiles {

#if defined(__x86_64__)
inline constexpr bool kBuilt = true;
#else
inline constexpr bool kBuilt = false;  // nothing of this is there
#endif

// Whether processor and system have tile units and let this process use them. Asks the system once; it says
// no where a thread has an alternate signal stack that is too small for tiles (about 12 KB), and from a yes
// on refuses such stacks.
bool available();
bool refused();  // they are there, and the system said no

inline constexpr int64_t kLane = 16;           // columns
inline constexpr int64_t kStrip = 2 * kLane;   // columns of a strip of B
int64_t lane_floats(int64_t rows, int parts);  // room that a lane of K = rows takes

void multiply(const Left& a, const Strips& b, int64_t first_strip, int64_t m, int64_t n, const Out& c,
              const Depth& depth);
void pack_rows(const float* from, int64_t ld, int64_t rows, int64_t first_row, const Strips& to);
void pack_transposed(const float* from, int64_t ld, int64_t columns, int64_t first_column, const Strips& to);

}  // namespace hone::compute::cpu::tiles
