// Floats cut into three bfloat16 each, or two, two numbers a word: what products on tile units read
// (tiles.h).
//
// Rules: high and middle are rounded (halves away from zero), so that the next part is small and of either
// sign; low is what is left, which a bfloat16 holds exactly. The last part of what is no number is none.
// Included only by files compiled for AVX-512.
#pragma once

#include <hwy/base.h>
#include <immintrin.h>

#include <cstdint>

#include "compute/cpu/tiles.h"

namespace hone::compute::cpu::tiles {

using Word = uint32_t;
inline constexpr int64_t kBlockDepth = 32;                      // numbers of K in a block
inline constexpr int64_t kPartWords = kLane * kBlockDepth / 2;  // 256
constexpr int64_t block_words(int parts) {
  return parts * kPartWords;
}
inline int64_t depth_blocks(int64_t rows) {
  return (rows + kBlockDepth - 1) / kBlockDepth;
}

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl")

template <int P>
struct Split {
  __m512i part[P];
};

inline __attribute__((always_inline)) __m512i rounded(__m512 x) {
  const __m512i up = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
  return _mm512_and_si512(up, _mm512_set1_epi32(static_cast<int>(0xFFFF0000U)));
}

// Part p of P, in the upper halves, of what is left of x after those before.
template <int P>
inline __attribute__((always_inline)) __m512i next_part(__m512 x, int p) {
  if (p == 2) return _mm512_castps_si512(x);
  if (p + 1 < P) return rounded(x);
  // Rounding would carry some payloads of what is no number into the sign.
  return _mm512_mask_mov_epi32(rounded(x), _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), _mm512_castps_si512(x));
}

// Words of k (first) and k + 16 (second).
template <int P>
inline __attribute__((always_inline)) Split<P> split(__m512 first, __m512 second) {
  Split<P> words;
  for (int p = 0; p < P; ++p) {
    const __m512i a = next_part<P>(first, p), b = next_part<P>(second, p);
    // the upper half of b over the upper half of a
    words.part[p] = _mm512_mask_blend_epi16(0xAAAAAAAAU, _mm512_srli_epi32(a, 16), b);
    if (p + 1 == P) break;
    first = _mm512_sub_ps(first, _mm512_castsi512_ps(a));
    second = _mm512_sub_ps(second, _mm512_castsi512_ps(b));
  }
  return words;
}

template <int P>
inline __attribute__((always_inline)) void store(const Split<P>& words, Word* row) {
  for (int p = 0; p < P; ++p) _mm512_store_si512(row + p * kPartWords, words.part[p]);
}

inline __mmask16 first_lanes(int64_t n) {
  return static_cast<__mmask16>(n >= 16 ? 0xFFFF : n <= 0 ? 0 : (1 << n) - 1);
}

// k numbers from `x` on, of which up to 32 make one row of a block of A.
template <int P>
inline __attribute__((always_inline)) Split<P> split_row(const float* x, int64_t k) {
  return split<P>(_mm512_maskz_loadu_ps(first_lanes(k), x),
                  _mm512_maskz_loadu_ps(first_lanes(k - 16), x + 16));
}

// Rows of A, `depth` numbers of each, as lanes of 16 rows: [rows / 16][depth / 32] blocks. Missing rows of
// the last lane are zero.
template <int P>
void split_rows(const float* a, int64_t lda, int64_t rows, int64_t depth, Word* out) {
  const int64_t blocks = depth_blocks(depth);
  for (int64_t r = 0; r < (rows + kLane - 1) / kLane * kLane; ++r) {
    Word* row = out + r / kLane * blocks * block_words(P) + r % kLane * 16;
    for (int64_t k = 0; k < blocks; ++k, row += block_words(P))
      store(split_row<P>(a + r * lda + k * kBlockDepth, r < rows ? depth - k * kBlockDepth : 0), row);
  }
}

HWY_POP_ATTRIBUTES

}  // namespace hone::compute::cpu::tiles
