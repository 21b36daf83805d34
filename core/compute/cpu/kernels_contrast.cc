// Exponentials of rows of similarities (contrast.h).
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

double exp_sum(const float* x, int64_t n, float scale, float shift) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const V factor = hn::Set(d, scale), offset = hn::Set(d, shift);
  V sum = hn::Zero(d);
  for (int64_t i = 0; i < n; i += lanes) {
    const V e = exp_vector(d, hn::MulSub(factor, load(d, x + i, n - i), offset));
    sum = hn::Add(sum, n - i >= lanes ? e : hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(n - i)), e));
  }
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
}

void exp_row(float* x, int64_t n, float scale, float shift, float weight) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const V factor = hn::Set(d, scale), offset = hn::Set(d, shift), times = hn::Set(d, weight);
  for (int64_t i = 0; i < n; i += lanes) {
    const V e = exp_vector(d, hn::MulSub(factor, load(d, x + i, n - i), offset));
    store(hn::Mul(times, e), d, x + i, n - i);
  }
}

void exp_columns(float* x, int64_t n, float scale, const float* shift, const float* weight) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const V factor = hn::Set(d, scale);
  for (int64_t i = 0; i < n; i += lanes) {
    const int64_t left = n - i;
    const V e = exp_vector(d, hn::MulSub(factor, load(d, x + i, left), load(d, shift + i, left)));
    store(hn::Mul(load(d, weight + i, left), e), d, x + i, left);
  }
}

}  // namespace hone::compute::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::compute::cpu {
HWY_EXPORT(largest);
HWY_EXPORT(exp_sum);
HWY_EXPORT(exp_row);
HWY_EXPORT(exp_columns);

float largest(const float* x, int64_t n) {
  return HWY_DYNAMIC_DISPATCH(largest)(x, n);
}
double exp_sum(const float* x, int64_t n, float scale, float shift) {
  return HWY_DYNAMIC_DISPATCH(exp_sum)(x, n, scale, shift);
}
void exp_row(float* x, int64_t n, float scale, float shift, float weight) {
  HWY_DYNAMIC_DISPATCH(exp_row)(x, n, scale, shift, weight);
}
void exp_columns(float* x, int64_t n, float scale, const float* shift, const float* weight) {
  HWY_DYNAMIC_DISPATCH(exp_columns)(x, n, scale, shift, weight);
}
}  // namespace hone::compute::cpu
#endif
