// Similarities and their exponentials (contrast.h).
//
// Where exponentials decide a loss, what is in the exponent is summed in double: a scale of 100 would make
// 1e-5 of what a float leaves out of a product of vectors of length 1. e^x itself is a float's: it is right
// to 1e-7, and so is the logarithm of a sum.
#include <limits>

#include "compute/cpu/targets.h"
// Highway compiles this file once per instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/kernels_contrast.cc"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target first.
#include <hwy/highway.h>

#include "compute/cpu/kernels.h"
#include "compute/cpu/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::compute::cpu::HWY_NAMESPACE {

float largest(const float* x, int64_t n) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  float most = x[0];
  int64_t i = 0;
  if (n >= lanes) {
    V v = hn::LoadU(d, x);
    for (i = lanes; i + lanes <= n; i += lanes) v = hn::Max(v, hn::LoadU(d, x + i));
    most = hn::GetLane(hn::MaxOfLanes(d, v));
  }
  for (; i < n; ++i) most = HWY_MAX(most, x[i]);
  return most;
}

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
constexpr int kExactRows = 8;  // as many sums as registers hold (kernels_product.cc)
#else
constexpr int kExactRows = 4;
#endif
constexpr int kExactVectors = 3;
using DD = hn::ScalableTag<double>;
using DHalf = hn::Rebind<float, DD>;  // as many floats as a vector has doubles

int64_t exact_width() {
  return kExactVectors * static_cast<int64_t>(hn::Lanes(DD()));
}
int64_t exact_height() {
  return kExactRows;
}

void pack_exact_strips(const float* from, int64_t ld, int64_t n, int64_t depth, float* to) {
  const int64_t width = exact_width();
  for (int64_t first = 0; first < n; first += width, to += depth * width) {
    const int64_t take = HWY_MIN(width, n - first);
    transpose(from + first * ld, take, depth, ld, to, width);
    for (int64_t k = 0; take < width && k < depth; ++k)
      for (int64_t c = take; c < width; ++c) to[k * width + c] = 0;
  }
}

// A tile of out stays in registers for the whole depth; floats become doubles as they are read.
HWY_INLINE void exact_tile(const double* x, int64_t depth, const float* y, double* out, int64_t ld) {
  const DD d;
  const DHalf half;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  hn::Vec<DD> sum[kExactRows][kExactVectors];
  HWY_UNROLL(8)
  for (int r = 0; r < kExactRows; ++r) {
    HWY_UNROLL(4)
    for (int v = 0; v < kExactVectors; ++v) sum[r][v] = hn::Zero(d);
  }
  HWY_UNROLL(1)
  for (int64_t k = 0; k < depth; ++k) {
    hn::Vec<DD> yv[kExactVectors];
    HWY_UNROLL(4)
    for (int v = 0; v < kExactVectors; ++v) yv[v] = hn::PromoteTo(d, hn::LoadU(half, y + v * lanes));
    y += kExactVectors * lanes;
    HWY_UNROLL(8)
    for (int r = 0; r < kExactRows; ++r) {
      const hn::Vec<DD> xv = hn::Set(d, x[r * depth + k]);
      HWY_UNROLL(4)
      for (int v = 0; v < kExactVectors; ++v) sum[r][v] = hn::MulAdd(xv, yv[v], sum[r][v]);
    }
  }
  HWY_UNROLL(8)
  for (int r = 0; r < kExactRows; ++r) {
    HWY_UNROLL(4)
    for (int v = 0; v < kExactVectors; ++v) hn::StoreU(sum[r][v], d, out + r * ld + v * lanes);
  }
}

void multiply_exact_strips(const double* x, int64_t m, int64_t depth, const float* strips, int64_t n,
                           double* out, int64_t ld) {
  const int64_t width = exact_width();
  for (int64_t column = 0; column < n; column += width, strips += depth * width) {
    for (int64_t r = 0; r < m; r += kExactRows)
      exact_tile(x + r * depth, depth, strips, out + r * ld + column, ld);
  }
}

double scale_columns(double* x, int64_t n, const double* factor) {
  const DD d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  auto most = hn::Set(d, -std::numeric_limits<double>::infinity());
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto product = hn::Mul(hn::LoadU(d, x + i), hn::LoadU(d, factor + i));
    hn::StoreU(product, d, x + i);
    most = hn::Max(most, product);
  }
  double result = hn::GetLane(hn::MaxOfLanes(d, most));
  for (; i < n; ++i) {
    x[i] *= factor[i];
    result = HWY_MAX(result, x[i]);
  }
  return result;
}

constexpr float kLeastExponent = -87;  // e^x is a normal number from here on

double exp_weights(const double* x, int64_t n, double shift, float* weight) {
  const D d;
  const DD dd;
  const DHalf half;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d)), lanes2 = static_cast<int64_t>(hn::Lanes(dd));
  const auto offset = hn::Set(dd, shift);
  int64_t i = 0;
  for (; i + lanes2 <= n; i += lanes2)
    hn::StoreU(hn::DemoteTo(half, hn::Sub(hn::LoadU(dd, x + i), offset)), half, weight + i);
  for (; i < n; ++i) weight[i] = static_cast<float>(x[i] - shift);
  const V least = hn::Set(d, kLeastExponent);
  V sum = hn::Zero(d);
  for (i = 0; i < n; i += lanes) {
    const V exponent = load(d, weight + i, n - i);
    V e = hn::IfThenElseZero(hn::Ge(exponent, least), exp_vector(d, exponent));
    if (n - i < lanes) e = hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(n - i)), e);
    sum = hn::Add(sum, e);
    store(e, d, weight + i, n - i);
  }
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
}

void exp_columns(float* x, int64_t n, float scale, const float* shift, const float* weight) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const V factor = hn::Set(d, scale), least = hn::Set(d, kLeastExponent);
  for (int64_t i = 0; i < n; i += lanes) {
    const int64_t left = n - i;
    const V exponent =
        hn::Min(hn::MulSub(factor, load(d, x + i, left), load(d, shift + i, left)), hn::Zero(d));
    const V e = hn::IfThenElseZero(hn::Ge(exponent, least), exp_vector(d, exponent));
    store(hn::Mul(load(d, weight + i, left), e), d, x + i, left);
  }
}

}  // namespace hone::compute::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::compute::cpu {
HWY_EXPORT(largest);
HWY_EXPORT(exact_width);
HWY_EXPORT(exact_height);
HWY_EXPORT(pack_exact_strips);
HWY_EXPORT(multiply_exact_strips);
HWY_EXPORT(scale_columns);
HWY_EXPORT(exp_weights);
HWY_EXPORT(exp_columns);

float largest(const float* x, int64_t n) {
  return HWY_DYNAMIC_DISPATCH(largest)(x, n);
}
int64_t exact_columns() {
  return HWY_DYNAMIC_DISPATCH(exact_width)();
}
int64_t exact_rows() {
  return HWY_DYNAMIC_DISPATCH(exact_height)();
}
void pack_exact(const float* from, int64_t ld, int64_t n, int64_t depth, float* to) {
  HWY_DYNAMIC_DISPATCH(pack_exact_strips)(from, ld, n, depth, to);
}
void multiply_exact(const double* x, int64_t m, int64_t depth, const float* strips, int64_t n, double* out,
                    int64_t ld) {
  HWY_DYNAMIC_DISPATCH(multiply_exact_strips)(x, m, depth, strips, n, out, ld);
}
double scale_columns(double* x, int64_t n, const double* factor) {
  return HWY_DYNAMIC_DISPATCH(scale_columns)(x, n, factor);
}
double exp_weights(const double* x, int64_t n, double shift, float* weight) {
  return HWY_DYNAMIC_DISPATCH(exp_weights)(x, n, shift, weight);
}
void exp_columns(float* x, int64_t n, float scale, const float* shift, const float* weight) {
  HWY_DYNAMIC_DISPATCH(exp_columns)(x, n, scale, shift, weight);
}
}  // namespace hone::compute::cpu
#endif
