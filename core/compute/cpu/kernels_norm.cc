// Dropout, residual and layer normalisation of rows, forward and backward.
#include "compute/cpu/targets.h"
// Highway compiles this file once per instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/kernels_norm.cc"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target first.
#include <hwy/highway.h>

#include <cmath>

#include "compute/cpu/kernels.h"
#include "compute/cpu/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::compute::cpu::HWY_NAMESPACE {

void feature_mask(float* mask, int64_t n, const MaskKey& key, const TokenName& token) {
  const D d;
  const DU du;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const VU threshold = hn::Set(du, key.threshold);
  const V scale = hn::Set(d, key.scale);
  const VU c1 = hn::Set(du, token.token), c2 = hn::Set(du, token.row);
  const VU c3 = hn::Set(du, token.role << 24 | key.site);
  for (int64_t group = 0; group * 128 < n; ++group) {
    // 16 counters give 128 features; a vector of more than 16 lanes would reach into the next group's
    // counters.
    static_assert(HWY_MAX_BYTES <= 64);
    for (int64_t sub = 0; sub < 16; sub += lanes) {
      const VU c0 = hn::Iota(du, static_cast<uint32_t>(group * 16 + sub));
      const PhiloxWords words = philox_vector(du, c0, c1, c2, c3, key.k0, key.k1);
      for (int half = 0; half < 8; ++half) {
        const int64_t feature = group * 128 + half * 16 + sub;
        if (feature >= n) break;
        store(keep_factor(d, du, words, half, threshold, scale), d, mask + feature, n - feature);
      }
    }
  }
}

HWY_INLINE void mask_or_ones(float* mask, int64_t n, const MaskKey& key, const TokenName* names, int64_t row,
                             int64_t named) {
  if (row < named) {
    HWY_NAMESPACE::feature_mask(mask, n, key, names[row]);
  } else {
    for (int64_t i = 0; i < n; ++i) mask[i] = 1;
  }
}

void dropout_add_norm(const float* x, const float* residual, int64_t rows, int64_t named, int64_t n,
                      const MaskKey& key, const TokenName* names, const float* gamma, const float* beta,
                      float eps, float* sum, float* y, float* stats, float* mask) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const float inverse_n = 1.0F / static_cast<float>(n);
  for (int64_t r = 0; r < rows; ++r) {
    const bool masked = key.threshold != 0;
    if (masked) mask_or_ones(mask, n, key, names, r, named);
    V total = hn::Zero(d);
    for (int64_t i = 0; i < n; i += lanes) {
      V s = load(d, x + i, n - i);
      if (masked) s = hn::Mul(s, load(d, mask + i, n - i));
      if (residual != nullptr) s = hn::Add(s, load(d, residual + i, n - i));
      store(s, d, sum + i, n - i);
      total = hn::Add(total, s);
    }
    const float mean = hn::GetLane(hn::SumOfLanes(d, total)) * inverse_n;
    const V vmean = hn::Set(d, mean);
    V squares = hn::Zero(d);
    for (int64_t i = 0; i < n; i += lanes) {
      V c = hn::Sub(load(d, sum + i, n - i), vmean);
      if (n - i < lanes) c = hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(n - i)), c);
      squares = hn::MulAdd(c, c, squares);
    }
    const float rstd = 1.0F / std::sqrt(hn::GetLane(hn::SumOfLanes(d, squares)) * inverse_n + eps);
    const V vrstd = hn::Set(d, rstd);
    for (int64_t i = 0; i < n; i += lanes) {
      const V c = hn::Mul(hn::Sub(load(d, sum + i, n - i), vmean), vrstd);
      store(hn::MulAdd(c, load(d, gamma + i, n - i), load(d, beta + i, n - i)), d, y + i, n - i);
    }
    if (stats != nullptr) {
      stats[2 * r] = mean;
      stats[2 * r + 1] = rstd;
    }
    x += n;
    sum += n;
    y += n;
    if (residual != nullptr) residual += n;
  }
}

void dropout_add_norm_backward(const float* dy, const float* sum, const float* stats, int64_t rows,
                               int64_t named, int64_t n, const MaskKey& key, const TokenName* names,
                               const float* gamma, float* dsum, float* dx, float* dgamma, float* dbeta,
                               float* mask) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const float inverse_n = 1.0F / static_cast<float>(n);
  for (int64_t r = 0; r < rows; ++r) {
    const V mean = hn::Set(d, stats[2 * r]), rstd = hn::Set(d, stats[2 * r + 1]);
    V sum_g = hn::Zero(d), sum_gx = hn::Zero(d);
    for (int64_t i = 0; i < n; i += lanes) {
      const V up = load(d, dy + i, n - i);
      V centred = hn::Mul(hn::Sub(load(d, sum + i, n - i), mean), rstd);
      if (n - i < lanes) centred = hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(n - i)), centred);
      const V g = hn::Mul(up, load(d, gamma + i, n - i));
      sum_g = hn::Add(sum_g, g);
      sum_gx = hn::MulAdd(g, centred, sum_gx);
      store(hn::MulAdd(up, centred, load(d, dgamma + i, n - i)), d, dgamma + i, n - i);
      store(hn::Add(up, load(d, dbeta + i, n - i)), d, dbeta + i, n - i);
    }
    const V c1 = hn::Set(d, hn::GetLane(hn::SumOfLanes(d, sum_g)) * inverse_n);
    const V c2 = hn::Set(d, hn::GetLane(hn::SumOfLanes(d, sum_gx)) * inverse_n);
    const bool masked = dx != nullptr && key.threshold != 0;
    if (masked) mask_or_ones(mask, n, key, names, r, named);
    for (int64_t i = 0; i < n; i += lanes) {
      const V centred = hn::Mul(hn::Sub(load(d, sum + i, n - i), mean), rstd);
      const V g = hn::Mul(load(d, dy + i, n - i), load(d, gamma + i, n - i));
      const V ds = hn::Mul(rstd, hn::Sub(hn::Sub(g, c1), hn::Mul(centred, c2)));
      store(ds, d, dsum + i, n - i);
      if (dx != nullptr) store(masked ? hn::Mul(ds, load(d, mask + i, n - i)) : ds, d, dx + i, n - i);
    }
    dy += n;
    sum += n;
    dsum += n;
    if (dx != nullptr) dx += n;
  }
}

void dropout_rows(const float* x, int64_t rows, int64_t n, const MaskKey& key, const TokenName* names,
                  float* out, float* mask) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t r = 0; r < rows; ++r, x += n, out += n) {
    HWY_NAMESPACE::feature_mask(mask, n, key, names[r]);
    for (int64_t i = 0; i < n; i += lanes) {
      store(hn::Mul(load(d, x + i, n - i), load(d, mask + i, n - i)), d, out + i, n - i);
    }
  }
}

}  // namespace hone::compute::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::compute::cpu {
HWY_EXPORT(feature_mask);
HWY_EXPORT(dropout_add_norm);
HWY_EXPORT(dropout_add_norm_backward);
HWY_EXPORT(dropout_rows);

void feature_mask(float* mask, int64_t n, const MaskKey& key, const TokenName& token) {
  HWY_DYNAMIC_DISPATCH(feature_mask)(mask, n, key, token);
}
void dropout_add_norm(const float* x, const float* residual, int64_t rows, int64_t named, int64_t n,
                      const MaskKey& key, const TokenName* names, const float* gamma, const float* beta,
                      float eps, float* sum, float* y, float* stats, float* mask) {
  HWY_DYNAMIC_DISPATCH(dropout_add_norm)
  (x, residual, rows, named, n, key, names, gamma, beta, eps, sum, y, stats, mask);
}
void dropout_add_norm_backward(const float* dy, const float* sum, const float* stats, int64_t rows,
                               int64_t named, int64_t n, const MaskKey& key, const TokenName* names,
                               const float* gamma, float* dsum, float* dx, float* dgamma, float* dbeta,
                               float* mask) {
  HWY_DYNAMIC_DISPATCH(dropout_add_norm_backward)
  (dy, sum, stats, rows, named, n, key, names, gamma, dsum, dx, dgamma, dbeta, mask);
}
void dropout_rows(const float* x, int64_t rows, int64_t n, const MaskKey& key, const TokenName* names,
                  float* out, float* mask) {
  HWY_DYNAMIC_DISPATCH(dropout_rows)(x, rows, n, key, names, out, mask);
}
}  // namespace hone::compute::cpu
#endif
