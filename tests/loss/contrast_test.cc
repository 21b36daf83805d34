// Log-sum-exps of similarities, their gradient and what is alike, against the plain double sums.
#include "compute/contrast.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/compute/test_engine.h"
#include "tests/loss/loss_cases.h"

namespace hone::compute {
namespace {

using loss::drawn;

struct Size {
  int64_t rows, columns, width;
};
void PrintTo(const Size& s, std::ostream* out) {
  *out << s.rows << " rows, " << s.columns << " columns, width " << s.width;
}

std::string size_name(const ::testing::TestParamInfo<Size>& test) {
  const Size& s = test.param;
  return std::to_string(s.rows) + "x" + std::to_string(s.columns) + "x" + std::to_string(s.width);
}

// Blocks have 32 rows, 64 from 256 on; columns come in strips of 24 or 48, eight of them a chunk.
const Size kSizes[] = {{1, 1, 1},      {1, 5, 3},     {5, 1, 3},     {2, 2, 384},   {31, 47, 8},
                       {32, 48, 7},    {33, 49, 17},  {65, 191, 24}, {64, 192, 32}, {64, 193, 32},
                       {100, 383, 16}, {40, 384, 20}, {40, 385, 5},  {3, 1000, 12}, {255, 3, 9},
                       {256, 40, 11},  {300, 500, 33}};

// Vectors of length 1, row after row.
std::vector<float> units(int64_t rows, int64_t width, uint32_t stream) {
  std::vector<float> values = drawn(rows * width, stream);
  for (int64_t r = 0; r < rows; ++r) {
    float* x = values.data() + r * width;
    double square = 0;
    for (int64_t i = 0; i < width; ++i) square += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    for (int64_t i = 0; i < width; ++i)
      x[i] = static_cast<float>(static_cast<double>(x[i]) / std::sqrt(square));
  }
  return values;
}

// About a quarter of the columns of each row; of every seventh row all, of every fifth none.
LeftOut some_columns(int64_t rows, int64_t columns) {
  LeftOut out;
  const std::vector<float> draws = drawn(rows * columns, 9);
  out.offsets.assign(1, 0);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t c = 0; c < columns; ++c) {
      if (i % 7 == 3 || (i % 5 != 0 && draws[static_cast<size_t>(i * columns + c)] < -0.5F))
        out.index.push_back(static_cast<int32_t>(c));
    }
    out.offsets.push_back(static_cast<int64_t>(out.index.size()));
  }
  return out;
}

std::vector<bool> counted(const LeftOut& left_out, int64_t rows, int64_t columns) {
  std::vector<bool> all(static_cast<size_t>(rows * columns), true);
  for (int64_t i = 0; i < rows && !left_out.empty(); ++i) {
    for (auto at = left_out.offsets[static_cast<size_t>(i)];
         at < left_out.offsets[static_cast<size_t>(i) + 1]; ++at)
      all[static_cast<size_t>(i * columns + left_out.index[static_cast<size_t>(at)])] = false;
  }
  return all;
}

struct Contrast {
  Size size;
  float scale;
  LeftOut left_out;
  std::vector<float> x = units(size.rows, size.width, 1), y = units(size.columns, size.width, 2),
                     weight = drawn(size.rows, 3);
};

struct Result {
  std::vector<double> lse;
  std::vector<float> dx, dy;
};

std::vector<float> values(const Rows& rows) {
  return {rows.row(0), rows.row(0) + rows.rows() * rows.width()};
}

// Gradients by y are added to what is there: here to `before`.
Result compute(const Contrast& c, int threads, float before = 0) {
  const auto engine = test_engine(threads);
  const Vectors x(c.x, c.size.rows, c.size.width), y(c.y, c.size.columns, c.size.width);
  const Sums sums = log_sum_exp(*engine, x, y, c.scale, c.left_out);
  Result r;
  r.lse = sums.log;
  std::vector<double> slope;
  for (size_t i = 0; i < c.weight.size(); ++i) {
    slope.push_back(double{c.weight[i]} * c.scale);
    for (int64_t k = 0; k < c.size.width; ++k)
      r.dx.push_back(static_cast<float>(slope[i] * double{sums.mean.row(static_cast<int64_t>(i))[k]}));
  }
  Rows dy = Rows::copy(std::vector<float>(c.y.size(), before), c.size.columns, c.size.width);
  log_sum_exp_gradient(*engine, x, y, c.scale, c.left_out, sums, slope, dy);
  r.dy = values(dy);
  return r;
}

struct Judged {
  std::vector<double> lse, dx, dy;
};

Judged judge(const Contrast& c) {
  const auto [rows, columns, width] = c.size;
  const std::vector<bool> counts = counted(c.left_out, rows, columns);
  Judged j;
  j.dx.resize(c.x.size());
  j.dy.resize(c.y.size());
  for (int64_t i = 0; i < rows; ++i) {
    const float* x = c.x.data() + i * width;
    std::vector<double> logits;
    double most = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int64_t k = 0; k < columns; ++k) {
      double product = 0;
      for (int64_t d = 0; d < width; ++d)
        product += static_cast<double>(x[d]) * static_cast<double>(c.y[static_cast<size_t>(k * width + d)]);
      logits.push_back(static_cast<double>(c.scale) * product);
      if (counts[static_cast<size_t>(i * columns + k)]) most = std::max(most, logits.back());
    }
    for (int64_t k = 0; k < columns; ++k) {
      if (counts[static_cast<size_t>(i * columns + k)])
        sum += std::exp(logits[static_cast<size_t>(k)] - most);
    }
    j.lse.push_back(most + std::log(sum));
    for (int64_t k = 0; k < columns; ++k) {
      if (!counts[static_cast<size_t>(i * columns + k)]) continue;
      const double slope = static_cast<double>(c.weight[static_cast<size_t>(i)]) *
                           static_cast<double>(c.scale) *
                           std::exp(logits[static_cast<size_t>(k)] - j.lse.back());
      for (int64_t d = 0; d < width; ++d) {
        const auto to = static_cast<size_t>(i * width + d), from = static_cast<size_t>(k * width + d);
        j.dx[to] += slope * static_cast<double>(c.y[from]);
        j.dy[from] += slope * static_cast<double>(x[d]);
      }
    }
  }
  return j;
}

// In gradients, products of vectors of length 1 are rounded by about 1e-7 (2^-24 a few times over), their
// exponents by that times the scale.
double tolerance(const Contrast& c) {
  return 1e-6 + 3e-7 * static_cast<double>(c.scale);
}
// In sums they are not: what is left is the rounding of e^x and of a sum of some in float, whatever the
// scale.
constexpr double kLogTolerance = 4e-7;

double relative_difference(const std::vector<double>& expected, const std::vector<float>& found) {
  double difference = 0, length = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(static_cast<double>(found[i]) - expected[i], 2);
    length += expected[i] * expected[i];
  }
  return length == 0 ? difference : std::sqrt(difference / length);
}

void expect_judged(const Contrast& c) {
  const Judged expected = judge(c);
  const Result found = compute(c, 2);
  for (size_t i = 0; i < found.lse.size(); ++i) {
    if (std::isinf(expected.lse[i])) {
      EXPECT_EQ(found.lse[i], expected.lse[i]) << "row " << i;
    } else {
      EXPECT_NEAR(found.lse[i], expected.lse[i], kLogTolerance) << "row " << i;
    }
  }
  EXPECT_LT(relative_difference(expected.dx, found.dx), tolerance(c));
  EXPECT_LT(relative_difference(expected.dy, found.dy), tolerance(c));
}

class LogSumExp : public ::testing::TestWithParam<Size> {};

TEST_P(LogSumExp, and_its_gradient_are_the_sums_in_double) {
  expect_judged({GetParam(), 20, {}});
}
TEST_P(LogSumExp, does_without_what_is_left_out) {
  expect_judged({GetParam(), 20, some_columns(GetParam().rows, GetParam().columns)});
}
TEST_P(LogSumExp, of_large_and_small_scales_neither_overflows_nor_vanishes) {
  for (float scale : {0.001F, 1.0F, 100.0F, 1000.0F}) {
    SCOPED_TRACE(scale);
    expect_judged({GetParam(), scale, {}});
    expect_judged({GetParam(), scale, some_columns(GetParam().rows, GetParam().columns)});
  }
}
TEST_P(LogSumExp, gradients_are_added_to_what_is_there) {
  const Contrast c{GetParam(), 20, some_columns(GetParam().rows, GetParam().columns)};
  const Result alone = compute(c, 2), added = compute(c, 2, 0.5F);
  const auto rounding = [](float v) { return 3e-6 * std::max(1.0, static_cast<double>(std::abs(v))); };
  for (size_t i = 0; i < alone.dy.size(); ++i)
    EXPECT_NEAR(added.dy[i], alone.dy[i] + 0.5F, rounding(alone.dy[i])) << i;
}
TEST_P(LogSumExp, has_the_same_bits_at_any_number_of_threads) {
  const Contrast c{GetParam(), 20, some_columns(GetParam().rows, GetParam().columns)};
  const Result one = compute(c, 1);
  for (int threads : {2, 3, 5}) {
    const Result more = compute(c, threads);
    EXPECT_EQ(0, std::memcmp(one.lse.data(), more.lse.data(), one.lse.size() * sizeof(double))) << threads;
    EXPECT_EQ(0, std::memcmp(one.dx.data(), more.dx.data(), one.dx.size() * sizeof(float))) << threads;
    EXPECT_EQ(0, std::memcmp(one.dy.data(), more.dy.data(), one.dy.size() * sizeof(float))) << threads;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, LogSumExp, ::testing::ValuesIn(kSizes), size_name);

TEST(Contrast, of_a_row_all_left_out_is_minus_infinity_and_without_gradient) {
  Contrast c{{3, 4, 5}, 100, {}};
  c.left_out = {{0, 0, 4, 4}, {0, 1, 2, 3}};
  // Alike and long: the exponential of what is left out alone would overflow.
  for (auto* values : {&c.x, &c.y}) std::fill(values->begin(), values->end(), 3.0F);
  const Result r = compute(c, 2);
  EXPECT_EQ(r.lse[1], -std::numeric_limits<double>::infinity());
  for (size_t d = 0; d < 5; ++d) {
    EXPECT_EQ(r.dx[5 + d], 0);
    EXPECT_NE(r.dx[d], 0);
  }
  for (float v : r.dx) EXPECT_TRUE(std::isfinite(v)) << v;
  for (float v : r.dy) EXPECT_TRUE(std::isfinite(v)) << v;
}

TEST(Contrast, of_a_row_without_its_first_or_last_blocks_is_the_sum_of_the_others) {
  Contrast c{{2, 1000, 8}, 20, {}};
  c.left_out.offsets = {0, 500, 1000};
  for (int32_t column = 0; column < 1000; ++column) c.left_out.index.push_back(column);
  expect_judged(c);
}

TEST(Contrast, takes_no_gradient_from_what_is_left_out_though_it_is_far_more_alike) {
  // Row 0 is column 0 at length 3; what counts is opposite: the difference of their exponents is 1800.
  Contrast c{{1, 2, 1}, 100, {{0, 1}, {0}}};
  c.x = {3};
  c.y = {3, -3};
  c.weight = {1};
  const Result r = compute(c, 1);
  EXPECT_EQ(r.lse, std::vector<double>{-900});
  EXPECT_EQ(r.dx, std::vector<float>{-300});
  EXPECT_EQ(r.dy, (std::vector<float>{0, 300}));
}

TEST(Contrast, of_no_rows_or_no_columns_is_no_sum) {
  const auto engine = test_engine(2);
  const std::vector<float> numbers = drawn(12, 1);
  const Vectors none({}, 0, 4), some(numbers, 3, 4);
  const Sums sums = log_sum_exp(*engine, some, none, 20, {});
  EXPECT_EQ(sums.log, std::vector<double>(3, -std::numeric_limits<double>::infinity()));
  EXPECT_EQ(values(sums.mean), std::vector<float>(12, 0));
  const Sums nothing = log_sum_exp(*engine, none, some, 20, {});
  EXPECT_TRUE(nothing.log.empty());
  Rows dx(3, 4), dy(0, 4);
  log_sum_exp_gradient(*engine, some, none, 20, {}, sums, std::vector<double>(3, 1), dy);
  log_sum_exp_gradient(*engine, none, some, 20, {}, nothing, {}, dx);
  EXPECT_EQ(values(dx), std::vector<float>(12, 0));
  EXPECT_EQ(similar(*engine, some.scaled(), none.scaled(), 0).offsets, (std::vector<int64_t>{0, 0, 0, 0}));
  EXPECT_EQ(similar(*engine, none.scaled(), some.scaled(), 0).offsets, (std::vector<int64_t>{0}));
}

// As though the factors had been multiplied in beforehand, where that is exact.
TEST(Contrast, of_vectors_with_factors_is_that_of_their_multiples) {
  const auto engine = test_engine(2);
  for (const Size& size : kSizes) {
    const std::vector<float> x = units(size.rows, size.width, 1), y = units(size.columns, size.width, 2);
    const auto powers = [](int64_t n) {
      std::vector<double> out;
      for (int64_t i = 0; i < n; ++i) out.push_back(std::ldexp(1.0, static_cast<int>(i % 5) - 2));
      return out;
    };
    const auto multiples = [&](std::vector<float> values, const std::vector<double>& factors) {
      for (size_t i = 0; i < values.size(); ++i)
        values[i] *= static_cast<float>(factors[i / static_cast<size_t>(size.width)]);
      return values;
    };
    const std::vector<float> x2 = multiples(x, powers(size.rows)), y2 = multiples(y, powers(size.columns));
    const Vectors xf(x, size.rows, size.width, powers(size.rows)),
        yf(y, size.columns, size.width, powers(size.columns)), xm(x2, size.rows, size.width),
        ym(y2, size.columns, size.width);
    EXPECT_EQ(similarity(xf, size.rows - 1, yf, size.columns - 1),
              similarity(xm, size.rows - 1, ym, size.columns - 1));
    const Sums with = log_sum_exp(*engine, xf, yf, 5, {}), without = log_sum_exp(*engine, xm, ym, 5, {});
    EXPECT_EQ(with.log, without.log);
    EXPECT_EQ(values(with.mean), values(without.mean));
    const std::vector<double> slope(static_cast<size_t>(size.rows), 1);
    Rows dy(size.columns, size.width), dy2(size.columns, size.width);
    log_sum_exp_gradient(*engine, xf, yf, 5, {}, with, slope, dy);
    log_sum_exp_gradient(*engine, xm, ym, 5, {}, without, slope, dy2);
    EXPECT_EQ(values(dy), values(dy2));
  }
}

class Similar : public ::testing::TestWithParam<Size> {};

TEST_P(Similar, are_all_columns_at_least_so_alike_in_rising_order_at_any_number_of_threads) {
  // Whole numbers: products are exact, and many are the threshold itself.
  const auto [rows, columns, width] = GetParam();
  const auto whole = [](std::vector<float> values) {
    for (float& v : values) v = std::round(2 * v);
    return values;
  };
  const std::vector<float> x = whole(drawn(rows * width, 4)), y = whole(drawn(columns * width, 5));
  for (float least : {-1e9F, 0.0F, 2.0F, 1e9F}) {
    LeftOut expected;
    expected.offsets.assign(1, 0);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t k = 0; k < columns; ++k) {
        float product = 0;
        for (int64_t d = 0; d < width; ++d)
          product += x[static_cast<size_t>(i * width + d)] * y[static_cast<size_t>(k * width + d)];
        if (product >= least) expected.index.push_back(static_cast<int32_t>(k));
      }
      expected.offsets.push_back(static_cast<int64_t>(expected.index.size()));
    }
    for (int threads : {1, 2, 3, 5}) {
      const LeftOut found =
          similar(*test_engine(threads), Rows::copy(x, rows, width), Rows::copy(y, columns, width), least);
      EXPECT_EQ(found.offsets, expected.offsets) << least << " " << threads;
      EXPECT_EQ(found.index, expected.index) << least << " " << threads;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Similar, ::testing::ValuesIn(kSizes), size_name);

TEST(Transposed, holds_the_same_pairs_by_column) {
  const LeftOut by_row{{0, 2, 2, 5, 6}, {1, 4, 0, 1, 4, 4}};
  const LeftOut by_column = transposed(by_row, 6);
  EXPECT_EQ(by_column.offsets, (std::vector<int64_t>{0, 1, 3, 3, 3, 6, 6}));
  EXPECT_EQ(by_column.index, (std::vector<int32_t>{2, 0, 2, 0, 2, 3}));
  const LeftOut back = transposed(by_column, 4);
  EXPECT_EQ(back.offsets, by_row.offsets);
  EXPECT_EQ(back.index, by_row.index);
}

TEST(Transposed, of_nothing_is_nothing) {
  EXPECT_TRUE(transposed({}, 5).empty());
  EXPECT_TRUE(transposed({{0, 0, 0}, {}}, 5).empty());
  EXPECT_TRUE(LeftOut().empty());
}

}  // namespace
}  // namespace hone::compute
