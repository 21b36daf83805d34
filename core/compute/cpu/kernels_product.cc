// The matrix product's inner loops (product.h).
//
// A tile of C, kRows x kVectors vectors, stays in registers for a whole depth of K: eight rows of three
// vectors are the most that 32 registers hold beside the three vectors of B and the value of A in flight;
// four where there are 16. Twelve and more independent sums hide the latency of a multiply-add.
#include "compute/cpu/targets.h"
// Highway compiles this file once per instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/kernels_product.cc"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target first.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "compute/cpu/product.h"
#include "compute/cpu/tiles.h"
#include "compute/cpu/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::compute::cpu::HWY_NAMESPACE {

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
constexpr int kRows = 8;
#else
constexpr int kRows = 4;
#endif
constexpr int kVectors = 3;
constexpr int64_t kLine = 16;  // floats of a cache line
constexpr int64_t kMostLanes = HWY_MAX_BYTES / sizeof(float);

int64_t strip_width() {
  return kVectors * static_cast<int64_t>(hn::Lanes(D()));
}
int64_t group_height() {
  return kRows;
}

struct TileLeft {  // where the tile's rows of A lie
  const float* at;
  int64_t row_step, depth_step;
};
struct Ahead {  // cache lines to fetch while the tile is summed
  const float* at;
  int64_t lines;
};

template <int NV>
HWY_INLINE void tile_step(const float* a, int64_t row_step, const float* b, V (&sum)[kRows][NV]) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  V bv[NV];
  HWY_UNROLL(4)
  for (int v = 0; v < NV; ++v) bv[v] = hn::LoadU(d, b + v * lanes);
  HWY_UNROLL(8)
  for (int r = 0; r < kRows; ++r) {
    const V av = hn::Set(d, a[r * row_step]);
    HWY_UNROLL(4)
    for (int v = 0; v < NV; ++v) sum[r][v] = hn::MulAdd(av, bv[v], sum[r][v]);
  }
}

// C tile (+)= A[kRows, depth] B[depth, NV vectors]; `rows` x `columns` of it exist.
template <int NV>
HWY_INLINE void tile(int64_t depth, const TileLeft& left, const float* b, int64_t strip, const Out& out,
                     int64_t rows, int64_t columns, const Ahead& ahead) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  V sum[kRows][NV];
  HWY_UNROLL(4)
  for (int v = 0; v < NV; ++v) {
    const V start = out.bias != nullptr ? load(d, out.bias + v * lanes, columns - v * lanes) : hn::Zero(d);
    HWY_UNROLL(8)
    for (int r = 0; r < kRows; ++r) sum[r][v] = start;
  }
  const float* a = left.at;
  const float* fetch = ahead.at;
  int64_t k = 0;
  HWY_UNROLL(1)
  for (; k < ahead.lines; ++k) {
    hwy::Prefetch(fetch);
    fetch += kLine;
    tile_step<NV>(a, left.row_step, b, sum);
    a += left.depth_step;
    b += strip;
  }
  HWY_UNROLL(1)
  for (; k < depth; ++k) {
    tile_step<NV>(a, left.row_step, b, sum);
    a += left.depth_step;
    b += strip;
  }
  if (rows >= kRows && columns >= NV * lanes) {
    HWY_UNROLL(8)
    for (int r = 0; r < kRows; ++r) {
      HWY_UNROLL(4)
      for (int v = 0; v < NV; ++v) {
        float* to = out.data + r * out.ldc + v * lanes;
        hn::StoreU(out.accumulate ? hn::Add(hn::LoadU(d, to), sum[r][v]) : sum[r][v], d, to);
      }
    }
    return;
  }
  HWY_ALIGN float edge[kRows * NV * kMostLanes];
  HWY_UNROLL(8)
  for (int r = 0; r < kRows; ++r) {
    HWY_UNROLL(4)
    for (int v = 0; v < NV; ++v) hn::StoreU(sum[r][v], d, edge + (r * NV + v) * lanes);
  }
  for (int64_t r = 0; r < HWY_MIN(rows, int64_t{kRows}); ++r) {
    for (int64_t j = 0; j < HWY_MIN(columns, NV * lanes); ++j) {
      const float value = edge[r * NV * lanes + j];
      float& to = out.data[r * out.ldc + j];
      to = out.accumulate ? to + value : value;
    }
  }
}

template <int NV>
HWY_INLINE void strip_product(int64_t depth, TileLeft left, int64_t group_step, const float* b, int64_t strip,
                              Out out, int64_t m, int64_t columns, Ahead ahead) {
  for (int64_t i = 0; i < m; i += kRows) {
    tile<NV>(depth, left, b, strip, out, m - i, columns, ahead);
    left.at += group_step;
    ahead.at += ahead.lines * kLine;
    out.data += kRows * out.ldc;
  }
}

void multiply_strips(const Left& a, const Strips& b, int64_t first_strip, int64_t m, int64_t n, const Out& c,
                     const Depth& range) {
  if (m <= 0) return;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(D())), strip = b.width;
  const int64_t groups = (m + kRows - 1) / kRows;
  const int64_t count = (n + strip - 1) / strip;
  const int64_t parts = HWY_MAX(int64_t{1}, (range.count + kProductDepth - 1) / kProductDepth);
  const int64_t whole = (range.count + parts - 1) / parts;
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t k = part * whole, depth = HWY_MIN(whole, range.count - k);
    const TileLeft left = a.packed ? TileLeft{a.data + k * kRows, 1, kRows} : TileLeft{a.data + k, a.lda, 1};
    const int64_t group_step = kRows * a.lda;
    const int64_t lines = HWY_MIN(depth, (depth * strip + kLine * groups - 1) / (kLine * groups));
    for (int64_t s = 0; s < count; ++s) {
      const float* from = b.strip(first_strip + s) + (range.first + k) * strip;
      const bool more = s + 1 < count;
      const Ahead ahead{
          more ? from + strip * b.rows : b.strip(first_strip) + (range.first + k + depth) * strip,
          more || part + 1 < parts ? lines : 0};
      const int64_t column = s * strip, columns = n - column;
      Out out{c.data + column, c.ldc, c.accumulate || part > 0, nullptr};
      if (part == 0 && c.bias != nullptr) out.bias = c.bias + column;
      if (columns > 2 * lanes) {
        strip_product<3>(depth, left, group_step, from, strip, out, m, columns, ahead);
      } else if (columns > lanes) {
        strip_product<2>(depth, left, group_step, from, strip, out, m, columns, ahead);
      } else {
        strip_product<1>(depth, left, group_step, from, strip, out, m, columns, ahead);
      }
    }
  }
}

// Narrow strips are filled a cache line of `from` at a time.
void pack_rows_strips(const float* from, int64_t ld, int64_t rows, int64_t first_row, const Strips& to) {
  const D d;
  const hn::CappedTag<float, 4> d4;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d)), lanes4 = static_cast<int64_t>(hn::Lanes(d4));
  const int64_t together = HWY_MAX(int64_t{1}, kLine / to.width);
  for (int64_t first = 0; first < to.count(); first += together) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t s = first; s < HWY_MIN(first + together, to.count()); ++s) {
        const int64_t begin = s * to.width, columns = HWY_MIN(to.width, to.columns - begin);
        const float* in = from + r * ld + begin;
        float* out = to.strip(s) + (first_row + r) * to.width;
        int64_t c = 0;
        for (; c + lanes <= columns; c += lanes) hn::StoreU(hn::LoadU(d, in + c), d, out + c);
        for (; c + lanes4 <= columns; c += lanes4) hn::StoreU(hn::LoadU(d4, in + c), d4, out + c);
        for (; c < columns; ++c) out[c] = in[c];
        for (; c < to.width; ++c) out[c] = 0;
      }
    }
  }
}

void pack_transposed_strips(const float* from, int64_t ld, int64_t columns, int64_t first_column,
                            const Strips& to) {
  const int64_t width = to.width, end = first_column + columns;
  for (int64_t column = first_column; column < end;) {
    const int64_t inside = column % width, take = HWY_MIN(width - inside, end - column);
    float* out = to.strip(column / width) + inside;
    transpose(from, take, to.rows, ld, out, width);
    const bool last = column + take == to.columns;
    for (int64_t c = inside + take; last && c < width; ++c) {
      for (int64_t r = 0; r < to.rows; ++r) out[r * width + c - inside] = 0;
    }
    from += take * ld;
    column += take;
  }
}

}  // namespace hone::compute::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::compute::cpu {
HWY_EXPORT(strip_width);
HWY_EXPORT(group_height);
HWY_EXPORT(multiply_strips);
HWY_EXPORT(pack_rows_strips);
HWY_EXPORT(pack_transposed_strips);

namespace {
// Decided by the first product or packing of the process, as is what the kernels run on.
bool on_tiles() {
  if constexpr (tiles::kBuilt) {
    static const bool used = allow_tiles && tiles::available();
    return used;
  }
  return false;
}
}  // namespace

bool allow_tiles = true;
bool products_on_tiles() {
  return on_tiles();
}
bool tiles_refused() {
  if constexpr (tiles::kBuilt) return allow_tiles && !on_tiles() && tiles::refused();
  return false;
}

int64_t strip_columns() {
  return on_tiles() ? tiles::kStrip : HWY_DYNAMIC_DISPATCH(strip_width)();
}
int64_t group_rows() {
  return on_tiles() ? tiles::kLane : HWY_DYNAMIC_DISPATCH(group_height)();
}
int64_t strip_floats(int64_t rows, int64_t width, int parts) {
  if constexpr (tiles::kBuilt) {
    if (on_tiles()) return width / tiles::kLane * tiles::lane_floats(rows, parts);
  }
  return width * rows;
}
void multiply(const Left& a, const Strips& b, int64_t first_strip, int64_t m, int64_t n, const Out& c,
              const Depth& depth) {
  if constexpr (tiles::kBuilt) {
    if (on_tiles()) return tiles::multiply(a, b, first_strip, m, n, c, depth);
  }
  HWY_DYNAMIC_DISPATCH(multiply_strips)(a, b, first_strip, m, n, c, depth);
}
void pack_rows(const float* from, int64_t ld, int64_t rows, int64_t first_row, const Strips& to) {
  if constexpr (tiles::kBuilt) {
    if (on_tiles()) return tiles::pack_rows(from, ld, rows, first_row, to);
  }
  HWY_DYNAMIC_DISPATCH(pack_rows_strips)(from, ld, rows, first_row, to);
}
void pack_transposed(const float* from, int64_t ld, int64_t columns, int64_t first_column, const Strips& to) {
  if constexpr (tiles::kBuilt) {
    if (on_tiles()) return tiles::pack_transposed(from, ld, columns, first_column, to);
  }
  HWY_DYNAMIC_DISPATCH(pack_transposed_strips)(from, ld, columns, first_column, to);
}
}  // namespace hone::compute::cpu
#endif
