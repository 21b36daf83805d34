// Matrix products of the cpu engine: C[M,N] (+)= A[M,K] B[K,N], float, on one thread.
//
// Rules
// - B is packed: strips of strip_columns() columns, one after the other, each [K, strip] without gaps;
//   columns beyond N are zero. How wide a strip is depends on the instruction set, and on processors with
//   tile units what is packed is no floats at all (tiles.h): packed matrices are for the functions here, and
//   never kept beyond the process.
// - A lies either in rows (`lda` floats apart) or packed in groups of group_rows() of its rows: that is A
//   transposed, [K,M], packed like B in strips of that width. Rows of A are readable, and their values
//   irrelevant, up to a multiple of group_rows(); token matrices are padded to kRowPad rows for it.
// - An element of C is the sum of equal parts of K, none longer than kProductDepth, each summed in order: it
//   depends on neither M, N nor the number of threads.
//
// While one strip is multiplied the next is fetched into the second cache: the weights of a layer do not fit
// there, and waiting for them costs more than a tenth of a product's time (docs/performance.md).
#pragma once

#include <cstdint>

namespace hone::compute::cpu {

int64_t strip_columns();
int64_t group_rows();
inline constexpr int64_t kProductDepth = 384;
// Parts of a number on tile units (tiles.h). Three: products as exact as in float. Two, for both sides: what
// is left out is below 2^-16 of a product and of either sign, in a sum over some hundred tokens not much more
// than rounding takes in float; for gradients of weights, where half the time and a third of the memory
// matter more.
inline constexpr int kExact = 3, kShort = 2;
int64_t strip_floats(int64_t rows, int64_t width, int parts);  // room, in floats, that a strip takes

// Whether products run on tile units. To be set, if at all, before the first product or packing.
extern bool allow_tiles;
bool products_on_tiles();
bool tiles_refused();  // by the system, where the processor has them and they are allowed

// A [rows, columns] matrix packed in strips of `width` columns.
struct Strips {
  float* data = nullptr;
  int64_t rows = 0, columns = 0, width = 0;
  int parts = kExact;
  int64_t count() const { return (columns + width - 1) / width; }
  int64_t size() const { return count() * strip_floats(rows, width, parts); }  // floats
  float* strip(int64_t i) const { return data + i * strip_floats(rows, width, parts); }
  // `n` columns from `first` on, which begins a strip.
  Strips some(int64_t first, int64_t n) const {
    return {data != nullptr ? strip(first / width) : nullptr, rows, n, width, parts};
  }
};

// Rows first_row.. of `to`: from[rows, to.columns], rows `ld` floats apart.
void pack_rows(const float* from, int64_t ld, int64_t rows, int64_t first_row, const Strips& to);
// Columns first_column.. of `to`: the rows of from[columns, to.rows], `ld` floats apart.
void pack_transposed(const float* from, int64_t ld, int64_t columns, int64_t first_column, const Strips& to);

struct Left {  // A
  const float* data = nullptr;
  int64_t lda = 0;  // packed: K of the whole packing
  bool packed = false;
};
struct Out {  // C
  float* data = nullptr;
  int64_t ldc = 0;
  bool accumulate = false;
  const float* bias = nullptr;  // [N], where sums start; not together with accumulate
};
// Rows of B that take part; A then has `count` columns. Where it is not all of B, first is a multiple of
// kDepthStep, and A is not packed.
struct Depth {
  int64_t first = 0, count = 0;
};
inline constexpr int64_t kDepthStep = 32;

// Columns of C are those of strips first_strip.. of `b`, of which the last may be cut short: n says.
void multiply(const Left& a, const Strips& b, int64_t first_strip, int64_t m, int64_t n, const Out& c,
              const Depth& depth);
inline void multiply(const Left& a, const Strips& b, int64_t first_strip, int64_t m, int64_t n,
                     const Out& c) {
  multiply(a, b, first_strip, m, n, c, {0, b.rows});
}

}  // namespace hone::compute::cpu
