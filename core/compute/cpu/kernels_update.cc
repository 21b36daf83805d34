// Sums and the optimizer's update.
#include "compute/cpu/targets.h"
// Highway compiles this file once per instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/kernels_update.cc"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target first.
#include <hwy/highway.h>

#include "compute/cpu/kernels.h"
#include "compute/cpu/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::compute::cpu::HWY_NAMESPACE {

double squared_norm(const float* x, int64_t n) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  double total = 0;
  constexpr int64_t kRun = 2048;  // floats summed in float before they join the double
  for (int64_t start = 0; start < n; start += kRun) {
    const int64_t end = HWY_MIN(n, start + kRun);
    V sum = hn::Zero(d);
    for (int64_t i = start; i < end; i += lanes) {
      const V v = load(d, x + i, end - i);
      sum = hn::MulAdd(v, v, sum);
    }
    total += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
  }
  return total;
}

void add_to(float* y, const float* x, int64_t n) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < n; i += lanes) {
    store(hn::Add(load(d, y + i, n - i), load(d, x + i, n - i)), d, y + i, n - i);
  }
}

void column_sums(const float* x, int64_t rows, int64_t n, int64_t ld, float* out) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < n; i += lanes) {
    V sum = hn::Zero(d);
    for (int64_t r = 0; r < rows; ++r) sum = hn::Add(sum, load(d, x + r * ld + i, n - i));
    store(hn::Add(load(d, out + i, n - i), sum), d, out + i, n - i);
  }
}

// The order of operations is that of torch.optim.AdamW.
HWY_INLINE void adamw_vector(D d, V& p, V& m, V& v, V g, const AdamWConstants& c) {
  p = hn::Mul(p, hn::Set(d, c.keep));
  m = hn::MulAdd(hn::Sub(g, m), hn::Set(d, 1.0F - c.beta1), m);
  v = hn::MulAdd(hn::Mul(g, g), hn::Set(d, 1.0F - c.beta2), hn::Mul(v, hn::Set(d, c.beta2)));
  const V denominator = hn::Add(hn::Div(hn::Sqrt(v), hn::Set(d, c.root_correction)), hn::Set(d, c.eps));
  p = hn::NegMulAdd(hn::Set(d, c.step_size), hn::Div(m, denominator), p);
}

void adamw_update(float* p, float* m, float* v, const float* g, int64_t n, const AdamWConstants& c) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const V scale = hn::Set(d, c.gradient_scale);
  for (int64_t i = 0; i < n; i += lanes) {
    const int64_t left = n - i;
    V pv = load(d, p + i, left), mv = load(d, m + i, left), vv = load(d, v + i, left);
    adamw_vector(d, pv, mv, vv, hn::Mul(scale, load(d, g + i, left)), c);
    store(pv, d, p + i, left);
    store(mv, d, m + i, left);
    store(vv, d, v + i, left);
  }
}

void adamw_replay(float* p, float* m, float* v, int64_t n, const AdamWConstants* first,
                  const AdamWConstants* last) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < n; i += lanes) {
    const int64_t left = n - i;
    V pv = load(d, p + i, left), mv = load(d, m + i, left), vv = load(d, v + i, left);
    for (const AdamWConstants* c = first; c != last; ++c) adamw_vector(d, pv, mv, vv, hn::Zero(d), *c);
    store(pv, d, p + i, left);
    store(mv, d, m + i, left);
    store(vv, d, v + i, left);
  }
}

}  // namespace hone::compute::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::compute::cpu {
HWY_EXPORT(squared_norm);
HWY_EXPORT(add_to);
HWY_EXPORT(column_sums);
HWY_EXPORT(adamw_update);
HWY_EXPORT(adamw_replay);

double squared_norm(const float* x, int64_t n) {
  return HWY_DYNAMIC_DISPATCH(squared_norm)(x, n);
}
void add_to(float* y, const float* x, int64_t n) {
  HWY_DYNAMIC_DISPATCH(add_to)(y, x, n);
}
void column_sums(const float* x, int64_t rows, int64_t n, int64_t ld, float* out) {
  HWY_DYNAMIC_DISPATCH(column_sums)(x, rows, n, ld, out);
}
void adamw_update(float* p, float* m, float* v, const float* g, int64_t n, const AdamWConstants& c) {
  HWY_DYNAMIC_DISPATCH(adamw_update)(p, m, v, g, n, c);
}
void adamw_replay(float* p, float* m, float* v, int64_t n, const AdamWConstants* first,
                  const AdamWConstants* last) {
  HWY_DYNAMIC_DISPATCH(adamw_replay)(p, m, v, n, first, last);
}
}  // namespace hone::compute::cpu
#endif
