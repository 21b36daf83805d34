// Similarities in double and their exponentials, against plain sums and libm. All memory ends, or begins,
// where the process may not read, and what a kernel may write ends where it must not write.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "compute/cpu/kernels.h"
#include "guarded.h"
#include "test_engine.h"

namespace hone::compute::cpu {
namespace {

class GuardedDoubles {
 public:
  GuardedDoubles(int64_t n, Guard guard) : memory_(static_cast<size_t>(2 * n), 0, sizeof(double), guard) {}
  double* data() { return reinterpret_cast<double*>(memory_.data()); }
  double& operator[](int64_t i) { return data()[i]; }

 private:
  Guarded memory_;
};

// From -1 to 1.
struct Draws {
  uint64_t state;
  double operator()() {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(static_cast<int32_t>(state >> 32)) / 2147483648.0;
  }
};

// One more and one less than what vectors of 1 to 16 numbers and strips of 3 of them hold.
const int64_t kCounts[] = {1,  2,  3,  4,  5,  7,  8,  9,  11, 12, 13,  15,
                           16, 17, 23, 24, 25, 31, 33, 47, 48, 49, 100, 385};

class ContrastKernels : public ::testing::TestWithParam<Guard> {
 protected:
  void SetUp() override { test_engine(1); }  // holds the process to the instruction set under test
  static Guarded floats(int64_t n, float value = 0) {
    return Guarded(static_cast<size_t>(n), value, sizeof(float), GetParam());
  }
  static GuardedDoubles doubles(int64_t n) { return GuardedDoubles(n, GetParam()); }
};

TEST_P(ContrastKernels, products_are_sums_in_double) {
  const int64_t width = exact_columns(), group = exact_rows();
  for (int64_t m : {1, 3, 4, 7, 8, 9, 17}) {
    for (int64_t n : kCounts) {
      for (int64_t depth : {1, 2, 5, 8, 33}) {
        Draws draw{static_cast<uint64_t>(m * 1000 + n * 10 + depth)};
        const int64_t rows = (m + group - 1) / group * group, ld = (n + width - 1) / width * width;
        GuardedDoubles x = doubles(rows * depth), out = doubles(rows * ld);
        for (int64_t i = 0; i < rows * depth; ++i) x[i] = i < m * depth ? draw() : NAN;  // beyond m: any
        Guarded y = floats(n * depth), strips = floats(ld * depth, NAN);
        for (float& v : y) v = static_cast<float>(draw());
        pack_exact(y.data(), depth, n, depth, strips.data());
        multiply_exact(x.data(), m, depth, strips.data(), n, out.data(), ld);
        for (int64_t i = 0; i < m; ++i) {
          for (int64_t j = 0; j < ld; ++j) {
            double sum = 0;
            for (int64_t k = 0; j < n && k < depth; ++k)
              sum += x[i * depth + k] * double{y[static_cast<size_t>(j * depth + k)]};
            ASSERT_NEAR(out[i * ld + j], sum, 1e-14)
                << m << " " << n << " " << depth << " at " << i << "," << j;
          }
        }
      }
    }
  }
}

TEST_P(ContrastKernels, packing_reads_rows_that_lie_apart) {
  const int64_t n = exact_columns() + 1, depth = 5, ld = 9;
  Guarded y = floats((n - 1) * ld + depth), strips = floats(2 * exact_columns() * depth);
  for (size_t i = 0; i < y.size(); ++i) y[i] = static_cast<float>(i);
  pack_exact(y.data(), ld, n, depth, strips.data());
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t k = 0; k < depth; ++k) {
      const int64_t strip = j / exact_columns(), column = j % exact_columns();
      EXPECT_EQ(strips[static_cast<size_t>((strip * depth + k) * exact_columns() + column)], j * ld + k);
    }
  }
}

TEST_P(ContrastKernels, columns_are_scaled_and_the_largest_is_found_wherever_it_is) {
  const double none = -std::numeric_limits<double>::infinity();
  for (int64_t n : kCounts) {
    for (int64_t top = 0; top < n; ++top) {
      GuardedDoubles x = doubles(n), factor = doubles(n);
      for (int64_t i = 0; i < n; ++i) {
        x[i] = i == top ? 3 : i % 4 == 1 ? none : -static_cast<double>(i + 1);
        factor[i] = i % 2 == 0 ? 0.5 : 0.25;
      }
      EXPECT_EQ(scale_columns(x.data(), n, factor.data()), top % 2 == 0 ? 1.5 : 0.75);
      for (int64_t i = 0; i < n; ++i) {
        const double before = i == top ? 3 : i % 4 == 1 ? none : -static_cast<double>(i + 1);
        ASSERT_EQ(x[i], before * factor[i]) << n << " at " << i;
      }
    }
    GuardedDoubles x = doubles(n), factor = doubles(n);
    for (int64_t i = 0; i < n; ++i) x[i] = none, factor[i] = 2;
    EXPECT_EQ(scale_columns(x.data(), n, factor.data()), none);
  }
}

TEST_P(ContrastKernels, weights_are_exponentials_and_0_far_below) {
  const double none = -std::numeric_limits<double>::infinity();
  for (int64_t n : kCounts) {
    for (double shift : {0.0, 1e6, -12345.678}) {
      Draws draw{static_cast<uint64_t>(n)};
      GuardedDoubles x = doubles(n);
      Guarded weights = floats(n, NAN);
      std::vector<double> exponents;
      for (int64_t i = 0; i < n; ++i) {
        exponents.push_back(i % 5 == 1 ? none : i % 5 == 2 ? -87.5 - 100 * i : 40 * (draw() - 1));
        x[i] = shift + exponents.back();
      }
      double sum = 0;
      const double found = exp_weights(x.data(), n, shift, weights.data());
      for (int64_t i = 0; i < n; ++i) {
        const auto at = static_cast<size_t>(i);
        const double expected = i % 5 == 1 || i % 5 == 2 ? 0 : std::exp(x[i] - shift);
        sum += expected;
        // An exponent of -80 is rounded by 4e-6 as a float.
        ASSERT_NEAR(weights[at], expected, 5e-6 * expected) << n << " at " << i;
      }
      EXPECT_NEAR(found, sum, 5e-6 * sum) << n;
    }
  }
}

TEST_P(ContrastKernels, exponentials_of_columns_have_shifts_and_weights_of_theirs) {
  for (int64_t n : kCounts) {
    Draws draw{static_cast<uint64_t>(n)};
    const auto count = static_cast<size_t>(n);
    Guarded x = floats(n), shift = floats(n), weight = floats(n);
    std::vector<double> expected;
    for (size_t i = 0; i < count; ++i) {
      shift[i] = static_cast<float>(20 * draw());
      weight[i] = static_cast<float>(draw());
      // By 3 of 4: less than the shift; what rounding puts above it counts as equal to it.
      const double exponent = i % 4 == 3 ? 0.5 : i % 4 == 2 ? -200 : -20 * (draw() + 1);
      x[i] = static_cast<float>((double{shift[i]} + exponent) / 8);
      const double rounded = 8 * double{x[i]} - double{shift[i]};
      expected.push_back(i % 4 == 2 ? 0 : double{weight[i]} * std::exp(std::min(rounded, 0.0)));
    }
    exp_columns(x.data(), n, 8, shift.data(), weight.data());
    for (size_t i = 0; i < count; ++i)
      ASSERT_NEAR(x[i], expected[i], 5e-6 * std::abs(expected[i])) << n << " at " << i;
  }
}

TEST_P(ContrastKernels, the_largest_float_is_found_wherever_it_is) {
  for (int64_t n : kCounts) {
    for (int64_t top = 0; top < n; ++top) {
      Guarded x = floats(n, -5);
      x[static_cast<size_t>(top)] = -4;
      ASSERT_EQ(largest(x.data(), n), -4) << n << " at " << top;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Guarded, ContrastKernels, ::testing::Values(Guard::end, Guard::begin),
                         [](const auto& guard) { return guard.param == Guard::end ? "end" : "begin"; });

}  // namespace
}  // namespace hone::compute::cpu
