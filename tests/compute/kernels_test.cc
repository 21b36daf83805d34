// Every vector kernel (those of contrast.h: contrast_kernels_test.cc) on operands that end, or begin, where
// the process may not read, at widths that leave every kind of remainder. No sanitizer sees what kernels read
// (CMakeLists.txt): here one float too far ends the process. That the numbers are right is judged against
// sums in double, coarsely: gradients_test.cc and the torch engine judge the rest.
#include "compute/cpu/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "guarded.h"
#include "test_engine.h"

namespace hone::compute::cpu {
namespace {

constexpr int64_t kWidths[] = {1,  2,  3,  5,  7,  8,  9,  15, 16,  17,  24,  31,  32,  33,
                               47, 48, 49, 63, 64, 65, 96, 97, 127, 128, 129, 130, 200, 257};
constexpr int64_t kRows = 3;

class Kernels : public ::testing::TestWithParam<Guard> {
 protected:
  void SetUp() override { test_engine(1); }  // holds the process to the instruction set under test
  static Guarded floats(int64_t n, float value = 0) {
    return Guarded(static_cast<size_t>(n), value, sizeof(float), GetParam());
  }
  // Numbers between -1 and 1.
  static Guarded drawn(int64_t n, uint32_t seed) {
    Guarded out = floats(n);
    uint64_t state = seed * 2654435761ULL + 1;
    for (float& x : out) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      x = static_cast<float>(static_cast<int32_t>(state >> 33)) / 1073741824.0F - 1.0F;
    }
    return out;
  }
  static MaskKey dropping() { return {7, 11, dropout_threshold(0.25F), dropout_scale(0.25F), 3}; }
  static std::vector<TokenName> names() { return {{0, 0, 0}, {0, 0, 1}, {5, 1, 2}}; }
  static double at(const Guarded& x, int64_t i) { return x[static_cast<size_t>(i)]; }
};

TEST_P(Kernels, activations) {
  for (const int64_t n : kWidths) {
    for (const Activation kind : {Activation::gelu, Activation::gelu_tanh, Activation::relu}) {
      const Guarded z = drawn(kRows * n, 1), dh = drawn(kRows * n, 2);
      Guarded h = floats(kRows * n), again = floats(kRows * n), dz = floats(kRows * n);
      activation_forward(z.data(), n, kRows, n, kind, h.data());
      activation_backward(dh.data(), z.data(), n, kRows, n, kind, dz.data(), again.data());
      for (int64_t i = 0; i < kRows * n; ++i) {
        const double x = at(z, i),
                     gate = kind == Activation::relu ? (x > 0) : 0.5 * (1 + std::erf(x / std::sqrt(2)));
        ASSERT_NEAR(at(h, i), x * gate, 1e-3) << n;
        ASSERT_EQ(at(h, i), at(again, i)) << n;
      }
    }
  }
}

TEST_P(Kernels, norms_with_dropout) {
  const auto tokens = names();
  for (const int64_t n : kWidths) {
    for (const MaskKey& key : {MaskKey{}, dropping()}) {
      const Guarded x = drawn(kRows * n, 1), residual = drawn(kRows * n, 2), gamma = drawn(n, 3),
                    beta = drawn(n, 4), dy = drawn(kRows * n, 5);
      Guarded sum = floats(kRows * n), y = floats(kRows * n), stats = floats(2 * kRows), mask = floats(n),
              dsum = floats(kRows * n), dx = floats(kRows * n), dgamma = floats(n), dbeta = floats(n);
      dropout_add_norm(x.data(), residual.data(), kRows, kRows - 1, n, key, tokens.data(), gamma.data(),
                       beta.data(), 1e-12F, sum.data(), y.data(), stats.data(), mask.data());
      dropout_add_norm_backward(dy.data(), sum.data(), stats.data(), kRows, kRows - 1, n, key, tokens.data(),
                                gamma.data(), dsum.data(), dx.data(), dgamma.data(), dbeta.data(),
                                mask.data());
      for (int64_t i = 0; i < n; ++i) {
        double expected = 0;
        for (int64_t r = 0; r < kRows; ++r) expected += at(dy, r * n + i);
        ASSERT_NEAR(at(dbeta, i), expected, 1e-5) << n;
        // The last row has no name: nothing of it is dropped.
        ASSERT_NEAR(at(sum, 2 * n + i), at(x, 2 * n + i) + at(residual, 2 * n + i), 1e-6) << n;
      }
      Guarded out = floats(kRows * n);
      dropout_rows(x.data(), kRows, n, key, tokens.data(), out.data(), mask.data());
      feature_mask(mask.data(), n, key.threshold == 0 ? dropping() : key, tokens[2]);
      for (int64_t i = 0; i < n; ++i) {
        const bool kept =
            keeps_feature({7, 11}, dropping().threshold, 5, 1U << 24 | 3U, 2, static_cast<uint32_t>(i));
        ASSERT_EQ(at(mask, i), kept ? double{dropping().scale} : 0) << n << ", " << i;
      }
    }
  }
}

TEST_P(Kernels, attention) {
  for (const int64_t length : {1, 2, 7, 8, 9, 15, 16, 17, 33, 63, 64, 65, 130}) {
    for (const int64_t width : {1, 3, 8, 12, 16, 17, 32, 33, 64}) {
      for (const bool drops : {false, true}) {
        const HeadShape shape{length, width, width, width, 0.5F};
        HeadMask mask;
        if (drops) mask.key = dropping();
        const int64_t n = length * width;
        const Guarded q = drawn(n, 1), k = drawn(n, 2), v = drawn(n, 3), dout = drawn(n, 4);
        Guarded out = floats(n), lse = floats(length), dq = floats(n), dk = floats(n), dv = floats(n),
                scratch = floats(attention_scratch(shape), NAN);
        attention_head(shape, mask, q.data(), k.data(), v.data(), out.data(), lse.data(), scratch.data());
        attention_head_backward(shape, mask, q.data(), k.data(), v.data(), out.data(), lse.data(),
                                dout.data(), dq.data(), dk.data(), dv.data(), scratch.data());
        for (int64_t i = 0; i < length; ++i) {
          double sum = 0;
          for (int64_t j = 0; j < length; ++j) {
            double score = 0;
            for (int64_t d = 0; d < width; ++d) score += at(q, i * width + d) * at(k, j * width + d);
            sum += std::exp(0.5 * score);
          }
          ASSERT_NEAR(at(lse, i), std::log(sum), 1e-5) << length << " x " << width;
        }
        for (const Guarded* x : {&out, &dq, &dk, &dv})
          for (const float number : *x) ASSERT_TRUE(std::isfinite(number)) << length << " x " << width;
      }
    }
  }
}

TEST_P(Kernels, sums_and_updates) {
  for (const int64_t n : kWidths) {
    const Guarded x = drawn(n, 1), g = drawn(n, 2), table = drawn(kRows * n, 3);
    double squares = 0;
    for (const float value : x) squares += double{value} * value;
    EXPECT_NEAR(squared_norm(x.data(), n), squares, 1e-6 * static_cast<double>(n));
    Guarded y = drawn(n, 4), p = drawn(n, 5), m = floats(n), v = floats(n), sums = floats(n);
    const Guarded before = drawn(n, 4);
    add_to(y.data(), x.data(), n);
    column_sums(table.data(), kRows, n, n, sums.data());
    const AdamWConstants constants{1e-3F, 0.9F, 0.999F, 1e-8F, 1, 1, 1e-2F, 0.0316F};
    adamw_update(p.data(), m.data(), v.data(), g.data(), n, constants);
    const AdamWConstants steps[] = {constants, constants};
    adamw_replay(p.data(), m.data(), v.data(), n, steps, steps + 2);
    for (int64_t i = 0; i < n; ++i) {
      ASSERT_EQ(at(y, i), double{before[static_cast<size_t>(i)] + x[static_cast<size_t>(i)]}) << n;
      ASSERT_NEAR(at(sums, i), at(table, i) + at(table, n + i) + at(table, 2 * n + i), 1e-6) << n;
      ASSERT_NEAR(at(m, i), 0.1 * 0.81 * at(g, i), 1e-6) << n;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Guarded, Kernels, ::testing::Values(Guard::end, Guard::begin),
                         [](const auto& guard) { return guard.param == Guard::end ? "end" : "begin"; });

}  // namespace
}  // namespace hone::compute::cpu
