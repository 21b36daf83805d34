// Attention of one head of one sequence, forward and backward.
//
// Rules: query rows are taken in blocks of kBlock, so scratch is [kBlock, L] scores and not [L, L].
// Probabilities are recomputed in backward from the kept log-sum-exp. Sums over queries run in the order of
// the blocks. Keys and values are laid out in scratch as their products want them: transposed [d, L] for
// scores, padded to whole vectors.
#include "compute/cpu/targets.h"
// Highway compiles this file once per instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/kernels_attention.cc"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target first.
#include <hwy/highway.h>

#include <cmath>

#include "compute/cpu/kernels.h"
#include "compute/cpu/vector_math-inl.h"

#ifndef HONE_ATTENTION_SHARED
#define HONE_ATTENTION_SHARED
namespace hone::compute::cpu {
inline constexpr int64_t kBlock =
    64;  // query rows at a time; a multiple of 8 (the unit of the dropout masks)
inline constexpr int64_t kVector = 16;  // floats rows are padded to: the widest vector
inline int64_t padded(int64_t n) {
  return (n + kVector - 1) / kVector * kVector;
}
}  // namespace hone::compute::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace hone::compute::cpu::HWY_NAMESPACE {

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
constexpr int kMostRows = 8;  // of two vectors: what 32 registers hold
#else
constexpr int kMostRows = 6;
#endif

// C[M,N] (+)= alpha * A[M,K] B[K,N] for MB rows and NV vectors of C. A(m,k) = a[m*ars + k*acs]; rows of B are
// readable in whole vectors.
template <int MB, int NV>
HWY_INLINE void product_tile(int64_t depth, const float* a, int64_t ars, int64_t acs, const float* b,
                             int64_t ldb, float* c, int64_t ldc, int64_t cols, float alpha, bool accumulate) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  V sum[MB][NV];
  HWY_UNROLL(8)
  for (int m = 0; m < MB; ++m) {
    HWY_UNROLL(2)
    for (int v = 0; v < NV; ++v) sum[m][v] = hn::Zero(d);
  }
  HWY_UNROLL(1)
  for (int64_t k = 0; k < depth; ++k) {
    V bv[NV];
    HWY_UNROLL(2)
    for (int v = 0; v < NV; ++v) bv[v] = hn::LoadU(d, b + k * ldb + v * lanes);
    HWY_UNROLL(8)
    for (int m = 0; m < MB; ++m) {
      const V av = hn::Set(d, a[m * ars + k * acs]);
      HWY_UNROLL(2)
      for (int v = 0; v < NV; ++v) sum[m][v] = hn::MulAdd(av, bv[v], sum[m][v]);
    }
  }
  const V scale = hn::Set(d, alpha);
  if (cols >= NV * lanes) {  // sums that are never addressed stay in registers
    HWY_UNROLL(8)
    for (int m = 0; m < MB; ++m) {
      HWY_UNROLL(2)
      for (int v = 0; v < NV; ++v) {
        float* out = c + m * ldc + v * lanes;
        const V value = hn::Mul(scale, sum[m][v]);
        hn::StoreU(accumulate ? hn::Add(value, hn::LoadU(d, out)) : value, d, out);
      }
    }
    return;
  }
  for (int m = 0; m < MB; ++m) {
    for (int v = 0; v < NV; ++v) {
      const int64_t left = cols - v * lanes;
      float* out = c + m * ldc + v * lanes;
      V value = hn::Mul(scale, sum[m][v]);
      if (accumulate) value = hn::Add(value, load(d, out, left));
      store(value, d, out, left);
    }
  }
}

template <int NV>
HWY_INLINE void product_columns(int64_t rows, int64_t depth, const float* a, int64_t ars, int64_t acs,
                                const float* b, int64_t ldb, float* c, int64_t ldc, int64_t cols, float alpha,
                                bool accumulate) {
  int64_t m = 0;
  for (; m + kMostRows <= rows; m += kMostRows) {
    product_tile<kMostRows, NV>(depth, a + m * ars, ars, acs, b, ldb, c + m * ldc, ldc, cols, alpha,
                                accumulate);
  }
  a += m * ars;
  c += m * ldc;
  switch (rows - m) {
    case 1:
      return product_tile<1, NV>(depth, a, ars, acs, b, ldb, c, ldc, cols, alpha, accumulate);
    case 2:
      return product_tile<2, NV>(depth, a, ars, acs, b, ldb, c, ldc, cols, alpha, accumulate);
    case 3:
      return product_tile<3, NV>(depth, a, ars, acs, b, ldb, c, ldc, cols, alpha, accumulate);
    case 4:
      return product_tile<4, NV>(depth, a, ars, acs, b, ldb, c, ldc, cols, alpha, accumulate);
    case 5:
      return product_tile<5, NV>(depth, a, ars, acs, b, ldb, c, ldc, cols, alpha, accumulate);
    case 6:
      return product_tile<6, NV>(depth, a, ars, acs, b, ldb, c, ldc, cols, alpha, accumulate);
    case 7:
      return product_tile<7, NV>(depth, a, ars, acs, b, ldb, c, ldc, cols, alpha, accumulate);
    default:
      return;
  }
}

void product(int64_t rows, int64_t cols, int64_t depth, const float* a, int64_t ars, int64_t acs,
             const float* b, int64_t ldb, float* c, int64_t ldc, float alpha, bool accumulate) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t n = 0;
  for (; n + lanes < cols; n += 2 * lanes) {
    product_columns<2>(rows, depth, a, ars, acs, b + n, ldb, c + n, ldc, cols - n, alpha, accumulate);
  }
  if (n < cols)
    product_columns<1>(rows, depth, a, ars, acs, b + n, ldb, c + n, ldc, cols - n, alpha, accumulate);
}

// out[width, padded(length)] = x[length, width]^T, zeros in the padding
void transpose_padded(const float* x, int64_t length, int64_t width, int64_t ld, float* out) {
  const int64_t columns = padded(length);
  transpose(x, length, width, ld, out, columns);
  if (columns == length) return;
  for (int64_t i = 0; i < width; ++i) {
    for (int64_t j = length; j < columns; ++j) out[i * columns + j] = 0;
  }
}

// The rows of x side by side, padded to whole vectors: as they lie in a token matrix, a power of two apart or
// nearly, they would share a few sets of the first cache.
HWY_INLINE const float* vector_rows(const float* x, int64_t length, int64_t width, int64_t ld, float* copy) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d)), columns = padded(width);
  for (int64_t j = 0; j < length; ++j) {
    for (int64_t i = 0; i < columns; i += lanes)
      hn::StoreU(load(d, x + j * ld + i, width - i), d, copy + j * columns + i);
  }
  return copy;
}

// Multiplies p [rows, padded] by the keep factors of query rows first.. (first is a multiple of 8).
void mask_block(float* p, int64_t rows, int64_t length, int64_t ld, int64_t first, const HeadMask& mask) {
  const D d;
  const DU du;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const VU threshold = hn::Set(du, mask.key.threshold);
  const V scale = hn::Set(d, mask.key.scale);
  const VU c2 = hn::Set(du, mask.row), c3 = hn::Set(du, mask.role << 24 | mask.key.site);
  for (int64_t i = 0; i < rows; i += 8) {
    const VU c1 = hn::Set(du, static_cast<uint32_t>((first + i) / 8));
    for (int64_t j = 0; j < length; j += lanes) {
      const VU c0 = hn::Iota(du, mask.head << 16 | static_cast<uint32_t>(j));
      const PhiloxWords words = philox_vector(du, c0, c1, c2, c3, mask.key.k0, mask.key.k1);
      for (int r = 0; r < 8 && i + r < rows; ++r) {
        float* at = p + (i + r) * ld + j;
        hn::StoreU(hn::Mul(hn::LoadU(d, at), keep_factor(d, du, words, r, threshold, scale)), d, at);
      }
    }
  }
}

void attention_head(const HeadShape& s, const HeadMask& mask, const float* q, const float* k, const float* v,
                    float* out, float* lse, float* scratch) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t columns = padded(s.length);
  float* kt = scratch;                                 // [d, columns]
  float* vcopy = kt + s.width * columns;               // [L, padded(d)]
  float* scores = vcopy + s.length * padded(s.width);  // [kBlock, columns]
  transpose_padded(k, s.length, s.width, s.ld, kt);
  const int64_t ldv = padded(s.width);
  v = vector_rows(v, s.length, s.width, s.ld, vcopy);
  for (int64_t first = 0; first < s.length; first += kBlock) {
    const int64_t rows = HWY_MIN(kBlock, s.length - first);
    product(rows, columns, s.width, q + first * s.ld, s.ld, 1, kt, columns, scores, columns, s.scale, false);
    for (int64_t i = 0; i < rows; ++i) {
      float* row = scores + i * columns;
      for (int64_t j = s.length; j < columns; ++j) row[j] = -INFINITY;
      V top = hn::LoadU(d, row);
      for (int64_t j = lanes; j < columns; j += lanes) top = hn::Max(top, hn::LoadU(d, row + j));
      const float highest = hn::GetLane(hn::MaxOfLanes(d, top));
      V total = hn::Zero(d);
      for (int64_t j = 0; j < columns; j += lanes) {
        V e = exp_vector(d, hn::Sub(hn::LoadU(d, row + j), hn::Set(d, highest)));
        if (j + lanes > s.length) {
          const int64_t left = HWY_MAX(int64_t{0}, s.length - j);
          e = hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(left)), e);
        }
        hn::StoreU(e, d, row + j);
        total = hn::Add(total, e);
      }
      const float sum = hn::GetLane(hn::SumOfLanes(d, total));
      const V inverse = hn::Set(d, 1.0F / sum);
      for (int64_t j = 0; j < columns; j += lanes)
        hn::StoreU(hn::Mul(hn::LoadU(d, row + j), inverse), d, row + j);
      if (lse != nullptr) lse[first + i] = highest + std::log(sum);
    }
    if (mask.key.threshold != 0) mask_block(scores, rows, s.length, columns, first, mask);
    product(rows, s.width, s.length, scores, columns, 1, v, ldv, out + first * s.ld_out, s.ld_out, 1, false);
  }
}

void attention_head_backward(const HeadShape& s, const HeadMask& mask, const float* q, const float* k,
                             const float* v, const float* out, const float* lse, const float* dout, float* dq,
                             float* dk, float* dv, float* scratch) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t columns = padded(s.length), width = padded(s.width);
  float* kt = scratch;                      // [d, columns]
  float* vt = kt + s.width * columns;       // [d, columns]
  float* kcopy = vt + s.width * columns;    // [L, width]
  float* qcopy = kcopy + s.length * width;  // [L, width]
  float* ocopy = qcopy + s.length * width;  // [L, width]
  float* p = ocopy + s.length * width;      // [kBlock, columns] probabilities
  float* pm = p + kBlock * columns;         // masked probabilities
  float* ds = pm + kBlock * columns;        // gradient of the scores
  transpose_padded(k, s.length, s.width, s.ld, kt);
  transpose_padded(v, s.length, s.width, s.ld, vt);
  const float* krows = vector_rows(k, s.length, s.width, s.ld, kcopy);
  const float* qrows = vector_rows(q, s.length, s.width, s.ld, qcopy);
  const float* orows = vector_rows(dout, s.length, s.width, s.ld_out, ocopy);
  const bool masked = mask.key.threshold != 0;
  for (int64_t first = 0; first < s.length; first += kBlock) {
    const int64_t rows = HWY_MIN(kBlock, s.length - first);
    const float* dout_block = dout + first * s.ld_out;
    product(rows, columns, s.width, qrows + first * width, width, 1, kt, columns, p, columns, s.scale, false);
    product(rows, columns, s.width, orows + first * width, width, 1, vt, columns, ds, columns, 1, false);
    for (int64_t i = 0; i < rows; ++i) {
      float* row = p + i * columns;
      const V shift = hn::Set(d, lse[first + i]);
      for (int64_t j = 0; j < columns; j += lanes) {
        V e = exp_vector(d, hn::Sub(hn::LoadU(d, row + j), shift));
        if (j + lanes > s.length) {
          const int64_t left = HWY_MAX(int64_t{0}, s.length - j);
          e = hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(left)), e);
        }
        hn::StoreU(e, d, row + j);
      }
    }
    const float* kept = p;
    if (masked) {
      // pm = keep factors, then: ds *= pm (gradient through the mask), pm *= p (what multiplied the values)
      for (int64_t i = 0; i < rows * columns; ++i) pm[i] = 1;
      mask_block(pm, rows, s.length, columns, first, mask);
      for (int64_t i = 0; i < rows * columns; i += lanes) {
        const V factor = hn::LoadU(d, pm + i);
        hn::StoreU(hn::Mul(hn::LoadU(d, ds + i), factor), d, ds + i);
        hn::StoreU(hn::Mul(hn::LoadU(d, p + i), factor), d, pm + i);
      }
      kept = pm;
    }
    for (int64_t i = 0; i < rows; ++i) {
      // sum over j of p dp = dout . out, because out already holds the masked sum
      float dot = 0;
      const float* o = out + (first + i) * s.ld_out;
      for (int64_t c = 0; c < s.width; ++c) dot += o[c] * dout_block[i * s.ld_out + c];
      const V shift = hn::Set(d, dot);
      for (int64_t j = 0; j < columns; j += lanes) {
        const V g = hn::Sub(hn::LoadU(d, ds + i * columns + j), shift);
        hn::StoreU(hn::Mul(hn::LoadU(d, p + i * columns + j), g), d, ds + i * columns + j);
      }
    }
    const bool later = first > 0;
    product(s.length, s.width, rows, kept, 1, columns, orows + first * width, width, dv, s.ld, 1, later);
    product(rows, s.width, s.length, ds, columns, 1, krows, width, dq + first * s.ld, s.ld, s.scale, false);
    product(s.length, s.width, rows, ds, 1, columns, qrows + first * width, width, dk, s.ld, s.scale, later);
  }
}

}  // namespace hone::compute::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::compute::cpu {
HWY_EXPORT(attention_head);
HWY_EXPORT(attention_head_backward);

int64_t attention_scratch(const HeadShape& s) {
  const int64_t columns = padded(s.length);
  return 2 * s.width * columns + 3 * s.length * padded(s.width) + 3 * kBlock * columns;
}
void attention_head(const HeadShape& shape, const HeadMask& mask, const float* q, const float* k,
                    const float* v, float* out, float* lse, float* scratch) {
  HWY_DYNAMIC_DISPATCH(attention_head)(shape, mask, q, k, v, out, lse, scratch);
}
void attention_head_backward(const HeadShape& shape, const HeadMask& mask, const float* q, const float* k,
                             const float* v, const float* out, const float* lse, const float* dout, float* dq,
                             float* dk, float* dv, float* scratch) {
  HWY_DYNAMIC_DISPATCH(attention_head_backward)(shape, mask, q, k, v, out, lse, dout, dq, dk, dv, scratch);
}
}  // namespace hone::compute::cpu
#endif
