// Matrices packed for tile units, from rows and from columns: see tiles.h.
//
// Whole blocks are cut sixteen columns at a time. A call may begin or end inside of a block: what lies in
// such a block is written number by number, because its other rows are another call's.
#include "compute/cpu/tiles.h"

#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include "compute/cpu/tiles_split.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl")

namespace hone::compute::cpu::tiles {

namespace {

// rows[i] holds sixteen words; afterwards rows[i] holds word i of each.
inline __attribute__((always_inline)) void transpose(__m512i* rows) {
  __m512i pairs[16], fours[16];
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {  // words i, 4 + i, 8 + i, 12 + i of rows 0-3, 4-7, 8-11 and 12-15
    const __m512i low01 = _mm512_shuffle_i32x4(fours[i], fours[i + 4], 0x88);
    const __m512i high01 = _mm512_shuffle_i32x4(fours[i], fours[i + 4], 0xDD);
    const __m512i low23 = _mm512_shuffle_i32x4(fours[i + 8], fours[i + 12], 0x88);
    const __m512i high23 = _mm512_shuffle_i32x4(fours[i + 8], fours[i + 12], 0xDD);
    rows[i] = _mm512_shuffle_i32x4(low01, low23, 0x88);
    rows[i + 4] = _mm512_shuffle_i32x4(high01, high23, 0x88);
    rows[i + 8] = _mm512_shuffle_i32x4(low01, low23, 0xDD);
    rows[i + 12] = _mm512_shuffle_i32x4(high01, high23, 0xDD);
  }
}

Word* lane_at(const Strips& to, int64_t lane) {
  return reinterpret_cast<Word*>(to.data) + lane * lane_floats(to.rows, to.parts);
}
int64_t lanes_of(const Strips& to) {
  return to.count() * to.width / kLane;
}

// One number, its three parts each in its half of a word.
void put(const Strips& to, int64_t k, int64_t column, float value) {
  const int64_t pair = k % 16, place = column % kLane;
  const int64_t word = to.width == kLane ? place * 16 + pair : pair * kLane + place;
  Word* block = lane_at(to, column / kLane) + k / kBlockDepth * block_words(to.parts) + word;
  const __m512 number = _mm512_set1_ps(value);
  const Split<kExact> parts = split<kExact>(number, number);
  for (int p = 0; p < to.parts; ++p) {
    // of two parts the second is rounded, of three it is too
    const auto half = static_cast<uint16_t>(_mm_cvtsi128_si32(_mm512_castsi512_si128(parts.part[p])));
    std::memcpy(reinterpret_cast<char*>(block + p * kPartWords) + k % kBlockDepth / 16 * 2, &half, 2);
  }
}

// Sixteen columns of a whole block, from up to 32 rows; `columns` of them exist.
template <int P>
void pack_block(const float* from, int64_t ld, int64_t rows, int64_t columns, bool left, Word* out) {
  const __mmask16 there = first_lanes(columns);
  alignas(64) __m512i words[P][16];
  for (int64_t r = 0; r < 16; ++r) {
    const Split<P> s =
        split<P>(r < rows ? _mm512_maskz_loadu_ps(there, from + r * ld) : _mm512_setzero_ps(),
                 r + 16 < rows ? _mm512_maskz_loadu_ps(there, from + (r + 16) * ld) : _mm512_setzero_ps());
    if (left) {
      for (int p = 0; p < P; ++p) words[p][r] = s.part[p];
    } else {
      store(s, out + r * 16);
    }
  }
  for (int p = 0; left && p < P; ++p) {
    transpose(words[p]);
    for (int r = 0; r < 16; ++r) _mm512_store_si512(out + p * kPartWords + r * 16, words[p][r]);
  }
}

// The same from up to sixteen columns that lie in rows of `from`, `depth` numbers of each.
template <int P>
void pack_columns_block(const float* from, int64_t ld, int64_t columns, int64_t depth, bool left, Word* out) {
  alignas(64) __m512i words[P][16];
  for (int64_t c = 0; c < 16; ++c) {
    const Split<P> s = split_row<P>(from + c * ld, c < columns ? depth : 0);
    for (int p = 0; p < P; ++p) words[p][c] = s.part[p];
  }
  for (int p = 0; p < P; ++p) {
    if (!left) transpose(words[p]);
    for (int r = 0; r < 16; ++r) _mm512_store_si512(out + p * kPartWords + r * 16, words[p][r]);
  }
}

}  // namespace

int64_t lane_floats(int64_t rows, int parts) {
  return depth_blocks(rows) * block_words(parts);
}

void pack_rows(const float* from, int64_t ld, int64_t rows, int64_t first_row, const Strips& to) {
  const int64_t end = first_row + rows, lanes = lanes_of(to);
  for (int64_t k = first_row; k < end;) {
    const int64_t block = k / kBlockDepth, block_end = (block + 1) * kBlockDepth;
    const float* row = from + (k - first_row) * ld;
    const int64_t filled = end == to.rows ? block_end : std::min(end, block_end);
    if (k % kBlockDepth == 0 && filled == block_end) {
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const int64_t column = lane * kLane;
        const auto pack = to.parts == kShort ? pack_block<kShort> : pack_block<kExact>;
        pack(row + column, ld, std::min(end, block_end) - k, to.columns - column, to.width == kLane,
             lane_at(to, lane) + block * block_words(to.parts));
      }
    } else {
      for (int64_t i = k; i < std::min(filled, block_end); ++i) {
        for (int64_t c = 0; c < lanes * kLane; ++c)
          put(to, i, c, i < end && c < to.columns ? from[(i - first_row) * ld + c] : 0.0F);
      }
    }
    k = block_end;
  }
}

void pack_transposed(const float* from, int64_t ld, int64_t columns, int64_t first_column, const Strips& to) {
  const int64_t end = first_column + columns, blocks = depth_blocks(to.rows);
  const bool left = to.width == kLane;
  // The last call fills the strip up.
  const int64_t filled = end == to.columns ? lanes_of(to) * kLane : end;
  for (int64_t c = first_column; c < filled;) {
    const int64_t lane_end = (c / kLane + 1) * kLane;
    if (c % kLane == 0 && filled >= lane_end) {
      const float* rows = from + (c - first_column) * ld;
      Word* out = lane_at(to, c / kLane);
      const auto pack = to.parts == kShort ? pack_columns_block<kShort> : pack_columns_block<kExact>;
      for (int64_t b = 0; b < blocks; ++b, out += block_words(to.parts))
        pack(rows + b * kBlockDepth, ld, end - c, to.rows - b * kBlockDepth, left, out);
    } else {
      for (int64_t i = c; i < std::min(filled, lane_end); ++i) {
        for (int64_t k = 0; k < blocks * kBlockDepth; ++k)
          put(to, k, i, i < end && k < to.rows ? from[(i - first_column) * ld + k] : 0.0F);
      }
    }
    c = lane_end;
  }
}

}  // namespace hone::compute::cpu::tiles

HWY_POP_ATTRIBUTES

#endif
