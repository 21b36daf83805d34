// Transposing, exponential, normal distribution function and random bits on vectors. Included once per
// instruction set.
#include <hwy/highway.h>

#if defined(HONE_VECTOR_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef HONE_VECTOR_MATH_INL
#undef HONE_VECTOR_MATH_INL
#else
#define HONE_VECTOR_MATH_INL
#endif

HWY_BEFORE_NAMESPACE();
namespace hone::compute::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using DU = hn::RebindToUnsigned<D>;
using DI = hn::RebindToSigned<D>;
using V = hn::Vec<D>;
using VU = hn::Vec<DU>;

// A row's last, partial vector goes through the stack, so that nothing beyond the row is touched.
HWY_INLINE V load_some(D d, const float* p, int64_t n) {
  HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)] = {};
  for (int64_t i = 0; i < n; ++i) buffer[i] = p[i];
  return hn::Load(d, buffer);
}
HWY_INLINE void store_some(V v, D d, float* p, int64_t n) {
  HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(v, d, buffer);
  for (int64_t i = 0; i < n; ++i) p[i] = buffer[i];
}
HWY_INLINE V load(D d, const float* p, int64_t left) {
  return left >= static_cast<int64_t>(hn::Lanes(d)) ? hn::LoadU(d, p) : load_some(d, p, left);
}
HWY_INLINE void store(V v, D d, float* p, int64_t left) {
  if (left >= static_cast<int64_t>(hn::Lanes(d))) {
    hn::StoreU(v, d, p);
  } else {
    store_some(v, d, p, left);
  }
}

// out[columns, rows] = x[rows, columns]^T; `ld` and `ld_out` floats from row to row.
HWY_INLINE void transpose(const float* x, int64_t rows, int64_t columns, int64_t ld, float* out,
                          int64_t ld_out) {
  int64_t c = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d4;
  for (; c + 4 <= columns; c += 4) {
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4) {
      const float* from = x + r * ld + c;
      float* to = out + c * ld_out + r;
      const auto a0 = hn::LoadU(d4, from), a1 = hn::LoadU(d4, from + ld), a2 = hn::LoadU(d4, from + 2 * ld),
                 a3 = hn::LoadU(d4, from + 3 * ld);
      const auto low0 = hn::InterleaveLower(d4, a0, a2), low1 = hn::InterleaveLower(d4, a1, a3);
      const auto high0 = hn::InterleaveUpper(d4, a0, a2), high1 = hn::InterleaveUpper(d4, a1, a3);
      hn::StoreU(hn::InterleaveLower(d4, low0, low1), d4, to);
      hn::StoreU(hn::InterleaveUpper(d4, low0, low1), d4, to + ld_out);
      hn::StoreU(hn::InterleaveLower(d4, high0, high1), d4, to + 2 * ld_out);
      hn::StoreU(hn::InterleaveUpper(d4, high0, high1), d4, to + 3 * ld_out);
    }
    for (; r < rows; ++r) {
      for (int64_t i = 0; i < 4; ++i) out[(c + i) * ld_out + r] = x[r * ld + c + i];
    }
  }
#endif
  for (; c < columns; ++c) {
    for (int64_t r = 0; r < rows; ++r) out[c * ld_out + r] = x[r * ld + c];
  }
}

// e^x for x <= 0 and a little above; below -87.3 it gives the smallest normal number's neighbourhood, i.e.
// nothing that matters. e^x = 2^n e^r with |r| <= ln2/2 and a Taylor polynomial of degree 7 (error below 1
// ulp there).
HWY_INLINE V exp_vector(D d, V x) {
  const DI di;
  x = hn::Max(x, hn::Set(d, -87.3F));
  const V n = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504F)));
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375F), x);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4F), r);
  V p = hn::Set(d, 1.0F / 5040);
  p = hn::MulAdd(p, r, hn::Set(d, 1.0F / 720));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0F / 120));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0F / 24));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0F / 6));
  p = hn::MulAdd(p, r, hn::Set(d, 0.5F));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0F));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0F));
  const auto bits = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127)));
  return hn::Mul(p, hn::BitCast(d, bits));
}

// Distribution function and density of the standard normal: cdf = P(X <= x), pdf = e^(-x^2/2) / sqrt(2 pi).
// The upper tail is pdf-shaped: Q(|x|) = e^(-x^2/2) k poly(k), k = 1 / (1 + 0.2625 |x|); the polynomial is
// our own minimax fit to erfcx(x / sqrt 2) / 2 with relative error 2e-8.
HWY_INLINE void normal_cdf_pdf(D d, V x, V& cdf, V& pdf) {
  const V a = hn::Abs(x);
  const V e = exp_vector(d, hn::Mul(hn::Mul(a, a), hn::Set(d, -0.5F)));
  const V k = hn::Div(hn::Set(d, 1.0F), hn::MulAdd(a, hn::Set(d, 0.2625F), hn::Set(d, 1.0F)));
  V q = hn::Set(d, 0.0307465829F);
  q = hn::MulAdd(q, k, hn::Set(d, -0.148815677F));
  q = hn::MulAdd(q, k, hn::Set(d, 0.234772399F));
  q = hn::MulAdd(q, k, hn::Set(d, -0.133404061F));
  q = hn::MulAdd(q, k, hn::Set(d, 0.149147019F));
  q = hn::MulAdd(q, k, hn::Set(d, 0.0558455884F));
  q = hn::MulAdd(q, k, hn::Set(d, 0.102819495F));
  q = hn::MulAdd(q, k, hn::Set(d, 0.104138762F));
  q = hn::MulAdd(q, k, hn::Set(d, 0.104749888F));
  const V tail = hn::Mul(hn::Mul(q, k), e);
  cdf = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(hn::Set(d, 1.0F), tail));
  pdf = hn::Mul(e, hn::Set(d, 0.398942280F));
}

// tanh by e^(-2|x|).
HWY_INLINE V tanh_vector(D d, V x) {
  const V a = hn::Abs(x);
  const V e = exp_vector(d, hn::Mul(a, hn::Set(d, -2.0F)));
  const V big = hn::Div(hn::Sub(hn::Set(d, 1.0F), e), hn::Add(hn::Set(d, 1.0F), e));
  // Near zero the difference above loses digits: x - x^3/3 + 2x^5/15 - 17x^7/315
  const V s = hn::Mul(a, a);
  V p = hn::MulAdd(s, hn::Set(d, -17.0F / 315), hn::Set(d, 2.0F / 15));
  p = hn::MulAdd(p, s, hn::Set(d, -1.0F / 3));
  const V small = hn::MulAdd(hn::Mul(p, s), a, a);
  return hn::CopySign(hn::IfThenElse(hn::Lt(a, hn::Set(d, 0.15F)), small, big), x);
}

// Philox4x32-10 on as many counters as there are lanes (base/philox.h is the scalar form).
struct PhiloxWords {
  VU w0, w1, w2, w3;
};
HWY_INLINE void multiply_wide(DU du, VU a, VU b, VU& high, VU& low) {
#if HWY_TARGET == HWY_SCALAR
  const uint64_t product = uint64_t{hn::GetLane(a)} * hn::GetLane(b);
  low = hn::Set(du, static_cast<uint32_t>(product));
  high = hn::Set(du, static_cast<uint32_t>(product >> 32));
#else
  const hn::Repartition<uint64_t, DU> d64;
  const auto even = hn::MulEven(a, b);
  const auto odd = hn::MulEven(hn::BitCast(du, hn::ShiftRight<32>(hn::BitCast(d64, a))),
                               hn::BitCast(du, hn::ShiftRight<32>(hn::BitCast(d64, b))));
  const auto low_mask = hn::Set(d64, 0xFFFFFFFFULL);
  low = hn::BitCast(du, hn::Or(hn::And(even, low_mask), hn::ShiftLeft<32>(odd)));
  high = hn::BitCast(du, hn::Or(hn::ShiftRight<32>(even), hn::AndNot(low_mask, odd)));
#endif
}
HWY_INLINE PhiloxWords philox_vector(DU du, VU c0, VU c1, VU c2, VU c3, uint32_t k0, uint32_t k1) {
  const VU m0 = hn::Set(du, 0xD2511F53U), m1 = hn::Set(du, 0xCD9E8D57U);
  for (int round = 0; round < 10; ++round) {
    VU high0, low0, high1, low1;
    multiply_wide(du, c0, m0, high0, low0);
    multiply_wide(du, c2, m1, high1, low1);
    c0 = hn::Xor(hn::Xor(high1, c1), hn::Set(du, k0));
    c1 = low1;
    c2 = hn::Xor(hn::Xor(high0, c3), hn::Set(du, k1));
    c3 = low0;
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return {c0, c1, c2, c3};
}
// scale where half `number` (0-7) is at or above the threshold, else 0.
HWY_INLINE V keep_factor(D d, DU du, const PhiloxWords& words, int number, VU threshold, V scale) {
  const VU word = number < 4 ? (number < 2 ? words.w0 : words.w1) : (number < 6 ? words.w2 : words.w3);
  const VU half = number % 2 == 0 ? hn::And(word, hn::Set(du, 0xFFFFU)) : hn::ShiftRight<16>(word);
  const DI di;  // both below 2^17: a signed comparison is cheap on every instruction set
  const auto keep = hn::Gt(hn::BitCast(di, half), hn::Sub(hn::BitCast(di, threshold), hn::Set(di, 1)));
  return hn::IfThenElseZero(hn::RebindMask(d, keep), scale);
}

}  // namespace hone::compute::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
