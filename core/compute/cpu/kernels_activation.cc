// Activations and their derivatives.
#include "compute/cpu/targets.h"
// Highway compiles this file once per instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/cpu/kernels_activation.cc"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target first.
#include <hwy/highway.h>

#include "compute/cpu/kernels.h"
#include "compute/cpu/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::compute::cpu::HWY_NAMESPACE {

// y = act(z), slope = act'(z)
template <Activation kind>
HWY_INLINE void activate(D d, V z, V& y, V& slope) {
  const V one = hn::Set(d, 1.0F), half = hn::Set(d, 0.5F);
  if constexpr (kind == Activation::gelu) {
    V cdf, pdf;
    normal_cdf_pdf(d, z, cdf, pdf);
    y = hn::Mul(z, cdf);
    slope = hn::MulAdd(z, pdf, cdf);
  } else if constexpr (kind == Activation::gelu_tanh) {
    const V c = hn::Set(d, 0.7978845608F), a = hn::Set(d, 0.044715F);
    const V square = hn::Mul(z, z);
    const V t = tanh_vector(d, hn::Mul(hn::Mul(c, z), hn::MulAdd(a, square, one)));
    y = hn::Mul(hn::Mul(half, z), hn::Add(one, t));
    const V inner = hn::Mul(c, hn::MulAdd(hn::Set(d, 3 * 0.044715F), square, one));
    slope = hn::MulAdd(hn::Mul(hn::Mul(half, z), hn::NegMulAdd(t, t, one)), inner,
                       hn::Mul(half, hn::Add(one, t)));
  } else if constexpr (kind == Activation::relu) {
    y = hn::Max(z, hn::Zero(d));
    slope = hn::IfThenElseZero(hn::Gt(z, hn::Zero(d)), one);
  } else if constexpr (kind == Activation::tanh) {
    y = tanh_vector(d, z);
    slope = hn::NegMulAdd(y, y, one);
  } else {
    y = z;
    slope = one;
  }
}

template <Activation kind>
void forward(const float* z, int64_t count, float* out) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < count; i += lanes) {
    V y, slope;
    activate<kind>(d, load(d, z + i, count - i), y, slope);
    store(y, d, out + i, count - i);
  }
}

template <Activation kind>
void backward(const float* dh, const float* z, int64_t count, float* dz, float* h) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < count; i += lanes) {
    V y, slope;
    const V dy = load(d, dh + i, count - i);
    activate<kind>(d, load(d, z + i, count - i), y, slope);
    if (h != nullptr) store(y, d, h + i, count - i);
    store(hn::Mul(dy, slope), d, dz + i, count - i);
  }
}

void activation_forward(const float* z, int64_t count, Activation activation, float* out) {
  switch (activation) {
    case Activation::none:
      return forward<Activation::none>(z, count, out);
    case Activation::gelu:
      return forward<Activation::gelu>(z, count, out);
    case Activation::gelu_tanh:
      return forward<Activation::gelu_tanh>(z, count, out);
    case Activation::relu:
      return forward<Activation::relu>(z, count, out);
    case Activation::tanh:
      return forward<Activation::tanh>(z, count, out);
  }
}

void activation_backward(const float* dh, const float* z, int64_t count, Activation activation, float* dz,
                         float* h) {
  switch (activation) {
    case Activation::none:
      return backward<Activation::none>(dh, z, count, dz, h);
    case Activation::gelu:
      return backward<Activation::gelu>(dh, z, count, dz, h);
    case Activation::gelu_tanh:
      return backward<Activation::gelu_tanh>(dh, z, count, dz, h);
    case Activation::relu:
      return backward<Activation::relu>(dh, z, count, dz, h);
    case Activation::tanh:
      return backward<Activation::tanh>(dh, z, count, dz, h);
  }
}

const char* target() {
  return hwy::TargetName(HWY_TARGET);
}

}  // namespace hone::compute::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::compute::cpu {
HWY_EXPORT(activation_forward);
HWY_EXPORT(activation_backward);
HWY_EXPORT(target);

void activation_forward(const float* z, int64_t ld, int64_t rows, int64_t n, Activation activation,
                        float* out) {
  if (ld == n) return HWY_DYNAMIC_DISPATCH(activation_forward)(z, rows * n, activation, out);
  for (int64_t r = 0; r < rows; ++r)
    HWY_DYNAMIC_DISPATCH(activation_forward)(z + r * ld, n, activation, out + r * n);
}
void activation_backward(const float* dh, const float* z, int64_t ld, int64_t rows, int64_t n,
                         Activation activation, float* dz, float* h) {
  if (ld == n) return HWY_DYNAMIC_DISPATCH(activation_backward)(dh, z, rows * n, activation, dz, h);
  for (int64_t r = 0; r < rows; ++r) {
    HWY_DYNAMIC_DISPATCH(activation_backward)
    (dh + r * n, z + r * ld, n, activation, dz + r * n, h != nullptr ? h + r * n : nullptr);
  }
}
const char* kernel_target() {
  return HWY_DYNAMIC_DISPATCH(target)();
}
}  // namespace hone::compute::cpu
#endif
