// Products against sums in double, at shapes that leave every kind of remainder: rows of a group, columns of
// a strip, parts of the depth. All memory ends where the process may not read: sanitizers do not see what
// tile units read.
#include "compute/cpu/product.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <vector>

#include "guarded.h"
#include "test_engine.h"

namespace hone::compute::cpu {
namespace {

Guarded values(int64_t n, uint32_t seed) {
  Guarded out(static_cast<size_t>(n));
  uint64_t state = seed * 2654435761ULL + 1;
  for (float& x : out) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    x = static_cast<float>(static_cast<int32_t>(state >> 33)) / 1073741824.0F - 1.0F;
  }
  return out;
}

struct Packed {
  Guarded memory;
  Strips strips;
};
Packed packed(int64_t rows, int64_t columns, int64_t width, int parts = kExact) {
  Strips strips{nullptr, rows, columns, width, parts};
  Guarded memory(static_cast<size_t>(strips.size()), NAN, 64);  // what packing forgets shows
  strips.data = memory.data();
  return {std::move(memory), strips};
}

using Shape3 = std::tuple<int64_t, int64_t, int64_t>;

class Product : public ::testing::TestWithParam<Shape3> {
 protected:
  void SetUp() override { test_engine(1); }  // holds the process to the instruction set under test
  // |c - expected| for C = start + A B
  static void expect_product(const Guarded& c, int64_t ldc, const std::vector<double>& start,
                             const Guarded& a, const Guarded& b, double error = 1e-6) {
    const auto [m, n, k] = GetParam();
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        const auto at = static_cast<size_t>(i * n + j);
        double sum = start[at], size = std::abs(sum);
        for (int64_t p = 0; p < k; ++p) {
          const double term = double{a[static_cast<size_t>(i * k + p)]} * b[static_cast<size_t>(p * n + j)];
          sum += term;
          size += std::abs(term);
        }
        ASSERT_NEAR(c[static_cast<size_t>(i * ldc + j)], sum, error * size + 1e-30) << i << "," << j;
      }
    }
  }
};

// A in rows, padded to whole groups as token matrices are; B packed from rows; C wider than N.
TEST_P(Product, of_rows_with_bias_leaves_the_rest_of_c_alone) {
  const auto [m, n, k] = GetParam();
  const Guarded b = values(k * n, 2), bias = values(n, 3);
  Guarded a = values((m + group_rows()) * k, 1);
  const Packed right = packed(k, n, strip_columns());
  pack_rows(b.data(), n, k / 2, 0, right.strips);
  pack_rows(b.data() + k / 2 * n, n, k - k / 2, k / 2, right.strips);
  const int64_t ldc = n + 3;
  Guarded c(static_cast<size_t>((m + 1) * ldc), 7.0F);
  multiply({a.data(), k}, right.strips, 0, m, n, {c.data(), ldc, false, bias.data()});
  std::vector<double> start;
  for (int64_t i = 0; i < m; ++i) start.insert(start.end(), bias.begin(), bias.end());
  expect_product(c, ldc, start, a, b);
  for (int64_t i = 0; i <= m; ++i) {
    for (int64_t j = i < m ? n : 0; j < ldc; ++j) ASSERT_EQ(c[static_cast<size_t>(i * ldc + j)], 7.0F);
  }
}

// A packed in groups from its transpose, B packed from its transpose, in two pieces; added to C.
TEST_P(Product, of_packed_sides_adds_to_c) {
  const auto [m, n, k] = GetParam();
  const Guarded a = values(m * k, 4), b = values(k * n, 5);
  Guarded at(a.size()), bt(b.size());
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t p = 0; p < k; ++p) at[static_cast<size_t>(p * m + i)] = a[static_cast<size_t>(i * k + p)];
  }
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t j = 0; j < n; ++j) bt[static_cast<size_t>(j * k + p)] = b[static_cast<size_t>(p * n + j)];
  }
  const Packed left = packed(k, m, group_rows()), right = packed(k, n, strip_columns());
  pack_rows(at.data(), m, k, 0, left.strips);
  pack_transposed(bt.data(), k, n / 3, 0, right.strips);
  pack_transposed(bt.data() + n / 3 * k, k, n - n / 3, n / 3, right.strips);
  Guarded c = values(m * n, 6);
  const std::vector<double> start(c.begin(), c.end());
  multiply({left.strips.data, k, true}, right.strips, 0, m, n, {c.data(), n, true});
  expect_product(c, n, start, a, b);
}

TEST_P(Product, from_a_later_strip_has_the_same_bits) {
  const auto [m, n, k] = GetParam();
  const int64_t strip = strip_columns();
  if (n <= strip) return;  // one strip: nothing comes later
  const Guarded a = values((m + group_rows()) * k, 7), b = values(k * n, 8);
  const Packed right = packed(k, n, strip);
  pack_rows(b.data(), n, k, 0, right.strips);
  Guarded whole(static_cast<size_t>(m * n)), part(static_cast<size_t>(m * n));
  multiply({a.data(), k}, right.strips, 0, m, n, {whole.data(), n});
  multiply({a.data(), k}, right.strips, 1, m, n - strip, {part.data() + strip, n});
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = strip; j < n; ++j) {
      ASSERT_EQ(whole[static_cast<size_t>(i * n + j)], part[static_cast<size_t>(i * n + j)]);
    }
  }
}

// Parts of K one after the other, each from the columns of A that belong to it.
TEST_P(Product, of_parts_of_k_adds_up) {
  const auto [m, n, k] = GetParam();
  const Guarded a = values((m + group_rows()) * k, 10), b = values(k * n, 11);
  const Packed right = packed(k, n, strip_columns());
  pack_rows(b.data(), n, k, 0, right.strips);
  Guarded c(static_cast<size_t>(m * n), 7.0F);
  int64_t most = 2 * kDepthStep;
  for (int64_t first = 0; first < k;) {
    const int64_t count = std::min(most, k - first);
    multiply({a.data() + first, k}, right.strips, 0, m, n, {c.data(), n, first > 0}, {first, count});
    first += count;
    most += kProductDepth;  // what is summed in one part, then in several
  }
  expect_product(c, n, std::vector<double>(c.size()), a, b);
}

// Two parts of a number on tile units, whole floats elsewhere.
TEST_P(Product, of_short_packed_sides_is_close) {
  const auto [m, n, k] = GetParam();
  const Guarded a = values(m * k, 12), b = values(k * n, 13);
  Guarded at(a.size());
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t p = 0; p < k; ++p) at[static_cast<size_t>(p * m + i)] = a[static_cast<size_t>(i * k + p)];
  }
  const Packed left = packed(k, m, group_rows(), kShort), right = packed(k, n, strip_columns(), kShort);
  pack_rows(at.data(), m, k, 0, left.strips);
  pack_rows(b.data(), n, k, 0, right.strips);
  Guarded c(static_cast<size_t>(m * n));
  multiply({left.strips.data, k, true}, right.strips, 0, m, n, {c.data(), n});
  expect_product(c, n, std::vector<double>(c.size()), a, b, std::ldexp(1.0, -14));
}

INSTANTIATE_TEST_SUITE_P(shapes, Product,
                         ::testing::Values(Shape3{1, 1, 1}, Shape3{3, 5, 2}, Shape3{8, 48, 4},
                                           Shape3{9, 49, 7}, Shape3{16, 20, 33}, Shape3{16, 33, 384},
                                           Shape3{7, 95, 385}, Shape3{32, 96, 769}, Shape3{64, 112, 100},
                                           Shape3{65, 150, 1000}, Shape3{300, 70, 450}, Shape3{531, 33, 40}));

TEST(product, of_no_depth_is_the_bias_or_nothing) {
  test_engine(1);
  const Packed right = packed(0, 10, strip_columns());
  std::vector<float> c(20, 3.0F), bias(10, 2.0F);
  const std::vector<float> a(1);
  multiply({a.data(), 0}, right.strips, 0, 2, 10, {c.data(), 10, false, bias.data()});
  EXPECT_EQ(c, std::vector<float>(20, 2.0F));
  multiply({a.data(), 0}, right.strips, 0, 2, 10, {c.data(), 10, true});
  EXPECT_EQ(c, std::vector<float>(20, 2.0F));
  multiply({a.data(), 0}, right.strips, 0, 2, 10, {c.data(), 10});
  EXPECT_EQ(c, std::vector<float>(20, 0.0F));
}

TEST(product, of_no_rows_touches_nothing) {
  test_engine(1);
  const Packed right = packed(5, 10, strip_columns());
  pack_rows(values(50, 1).data(), 10, 5, 0, right.strips);
  multiply({values(5 * group_rows(), 2).data(), 5}, right.strips, 0, 0, 10, {nullptr, 10});
}

// Also one whose payload is all ones, as some GPUs write it.
TEST(product, of_what_is_no_number_is_none) {
  test_engine(1);
  for (const uint32_t bits : {0x7FC00000U, 0x7FFFFFFFU, 0xFFFFFFFFU, 0x7F800001U, 0xFFC12345U}) {
    for (const int parts : {kExact, kShort}) {
      Guarded a(group_rows(), 1), b(10, 1);
      std::memcpy(&a[2], &bits, sizeof bits);
      std::memcpy(&b[3], &bits, sizeof bits);
      const Packed left = packed(1, 4, group_rows(), parts), right = packed(1, 10, strip_columns(), parts);
      pack_rows(a.data(), 4, 1, 0, left.strips);
      pack_rows(b.data(), 10, 1, 0, right.strips);
      Guarded c(40);
      multiply({left.strips.data, 1, true}, right.strips, 0, 4, 10, {c.data(), 10});
      for (size_t i = 0; i < 40; ++i)
        EXPECT_EQ(std::isnan(c[i]), i / 10 == 2 || i % 10 == 3) << std::hex << bits << " at " << i;
    }
  }
}

[[noreturn]] void multiply_with_a_small_signal_stack() {
  static char memory[8192];
  stack_t small{};
  small.ss_sp = memory;
  small.ss_size = sizeof memory;
  if (sigaltstack(&small, nullptr) != 0) std::exit(2);
  const auto engine = test_engine(1);
  const std::string what = engine->describe();
  if (products_on_tiles() || what.find("+AMX") != std::string::npos) std::exit(3);
  if ((what.find("AMX refused") != std::string::npos) != tiles_refused()) std::exit(4);
  const Guarded a = values(10 * group_rows(), 1), b = values(100, 2);
  const Packed right = packed(10, 10, strip_columns());
  pack_rows(b.data(), 10, 10, 0, right.strips);
  Guarded c(10);
  multiply({a.data(), 10}, right.strips, 0, 1, 10, {c.data(), 10});
  double sum = 0;
  for (size_t k = 0; k < 10; ++k) sum += double{a[k]} * double{b[k * 10]};
  std::exit(std::abs(sum - double{c[0]}) < 1e-5 ? 0 : 5);
}

// The system gives no tiles to a process of which a thread has a stack for signals too small for them.
TEST(productDeathTest, is_right_where_the_system_refuses_tiles) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // from a process that has not asked yet
  EXPECT_EXIT(multiply_with_a_small_signal_stack(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace hone::compute::cpu
