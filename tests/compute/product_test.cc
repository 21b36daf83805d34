// Products against sums in double, at shapes that leave every kind of remainder: rows of a group, columns of
// a strip, parts of the depth.
#include "compute/cpu/product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>
#include <vector>

#include "compute/cpu/arena.h"
#include "test_engine.h"

namespace hone::compute::cpu {
namespace {

std::vector<float> values(int64_t n, uint32_t seed) {
  std::vector<float> out(static_cast<size_t>(n));
  uint64_t state = seed * 2654435761ULL + 1;
  for (float& x : out) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    x = static_cast<float>(static_cast<int32_t>(state >> 33)) / 1073741824.0F - 1.0F;
  }
  return out;
}

struct Packed {
  AlignedFloats memory;
  Strips strips;
};
Packed packed(int64_t rows, int64_t columns, int64_t width, int parts = kExact) {
  Packed p{nullptr, {nullptr, rows, columns, width, parts}};
  p.memory = aligned_floats(static_cast<size_t>(p.strips.size()));
  p.strips.data = p.memory.get();
  std::fill_n(p.strips.data, p.strips.size(), NAN);  // what packing forgets shows
  return p;
}

using Shape3 = std::tuple<int64_t, int64_t, int64_t>;

class Product : public testing::TestWithParam<Shape3> {
 protected:
  void SetUp() override { test_engine(1); }  // holds the process to the instruction set under test
  // |c - expected| for C = start + A B
  static void expect_product(const std::vector<float>& c, int64_t ldc, const std::vector<double>& start,
                             const std::vector<float>& a, const std::vector<float>& b, double error = 1e-6) {
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
  const std::vector<float> b = values(k * n, 2), bias = values(n, 3);
  std::vector<float> a = values((m + group_rows()) * k, 1);
  const Packed right = packed(k, n, strip_columns());
  pack_rows(b.data(), n, k / 2, 0, right.strips);
  pack_rows(b.data() + k / 2 * n, n, k - k / 2, k / 2, right.strips);
  const int64_t ldc = n + 3;
  std::vector<float> c(static_cast<size_t>((m + 1) * ldc), 7.0F);
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
  const std::vector<float> a = values(m * k, 4), b = values(k * n, 5);
  std::vector<float> at(a.size()), bt(b.size());
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
  std::vector<float> c = values(m * n, 6);
  const std::vector<double> start(c.begin(), c.end());
  multiply({left.strips.data, k, true}, right.strips, 0, m, n, {c.data(), n, true});
  expect_product(c, n, start, a, b);
}

TEST_P(Product, from_a_later_strip_has_the_same_bits) {
  const auto [m, n, k] = GetParam();
  const int64_t strip = strip_columns();
  if (n <= strip) return;  // one strip: nothing comes later
  const std::vector<float> a = values((m + group_rows()) * k, 7), b = values(k * n, 8);
  const Packed right = packed(k, n, strip);
  pack_rows(b.data(), n, k, 0, right.strips);
  std::vector<float> whole(static_cast<size_t>(m * n)), part(static_cast<size_t>(m * n));
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
  const std::vector<float> a = values((m + group_rows()) * k, 10), b = values(k * n, 11);
  const Packed right = packed(k, n, strip_columns());
  pack_rows(b.data(), n, k, 0, right.strips);
  std::vector<float> c(static_cast<size_t>(m * n), 7.0F);
  for (int64_t first = 0; first < k; first += 2 * kDepthStep) {
    const int64_t count = std::min(2 * kDepthStep, k - first);
    multiply({a.data() + first, k}, right.strips, 0, m, n, {c.data(), n, first > 0}, {first, count});
  }
  expect_product(c, n, std::vector<double>(c.size()), a, b);
}

// Two parts of a number on tile units, whole floats elsewhere.
TEST_P(Product, of_short_packed_sides_is_close) {
  const auto [m, n, k] = GetParam();
  const std::vector<float> a = values(m * k, 12), b = values(k * n, 13);
  std::vector<float> at(a.size());
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t p = 0; p < k; ++p) at[static_cast<size_t>(p * m + i)] = a[static_cast<size_t>(i * k + p)];
  }
  const Packed left = packed(k, m, group_rows(), kShort), right = packed(k, n, strip_columns(), kShort);
  pack_rows(at.data(), m, k, 0, left.strips);
  pack_rows(b.data(), n, k, 0, right.strips);
  std::vector<float> c(static_cast<size_t>(m * n));
  multiply({left.strips.data, k, true}, right.strips, 0, m, n, {c.data(), n});
  expect_product(c, n, std::vector<double>(c.size()), a, b, std::ldexp(1.0, -14));
}

INSTANTIATE_TEST_SUITE_P(shapes, Product,
                         testing::Values(Shape3{1, 1, 1}, Shape3{3, 5, 2}, Shape3{8, 48, 4}, Shape3{9, 49, 7},
                                         Shape3{16, 20, 33}, Shape3{16, 33, 384}, Shape3{7, 95, 385},
                                         Shape3{32, 96, 769}, Shape3{64, 112, 100}, Shape3{65, 150, 1000}));

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

}  // namespace
}  // namespace hone::compute::cpu
