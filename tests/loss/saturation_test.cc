// Losses where they are nearly 0, and where they are not: never below 0, right to 1e-6, their gradient the
// true one and not what rounding leaves. The judges are sums in double that are taken relative to what is
// wanted.
#include <cmath>
#include <cstring>

#include "tests/compute/test_engine.h"
#include "tests/loss/loss_cases.h"

namespace hone::loss {
namespace {

// How a batch's vectors lie.
enum class Lie { near, apart, opposite, collapsed, equal, hard, copies };
const std::pair<const char*, Lie> kLies[] = {
    {"near", Lie::near},            // positives nearly their queries: the loss is nearly 0
    {"apart", Lie::apart},          // no two have to do with each other: as training begins
    {"opposite", Lie::opposite},    // positives opposite to their queries: the loss is twice the scale
    {"collapsed", Lie::collapsed},  // all nearly the same
    {"equal", Lie::equal},          // all the same: rounding is the same in all of them
    {"hard", Lie::hard},            // negatives of a row nearly its positive
    {"copies", Lie::copies},        // a few texts many times
};

struct Setting {
  Lie lie;
  int64_t rows, roles, dim;
  std::string options;
  naive::Mnr mnr;
  bool left_out;
};

// Lengths are from 0.5 to 1.5: of similarity=dot they count.
std::vector<float> lying(const Setting& s) {
  const std::vector<float> noise = drawn(s.roles * s.rows * s.dim, 21), lengths = drawn(s.roles * s.rows, 22);
  std::vector<float> out;
  for (int64_t role = 0; role < s.roles; ++role) {
    for (int64_t i = 0; i < s.rows; ++i) {
      const auto from = [&](int64_t r, int64_t row, int64_t k) {
        return static_cast<double>(noise[static_cast<size_t>((r * s.rows + row) * s.dim + k)]);
      };
      std::vector<double> v;
      double square = 0;
      for (int64_t k = 0; k < s.dim; ++k) {
        double x = from(role, i, k);
        if (s.lie == Lie::near && role == 1) x = from(0, i, k) + 0.1 * x;
        if (s.lie == Lie::opposite && role == 1) x = 0.1 * x - from(0, i, k);
        if (s.lie == Lie::collapsed) x = from(0, 0, k) + 0.01 * x;
        if (s.lie == Lie::equal) x = from(0, 0, k);
        if (s.lie == Lie::hard && role > 0) x = from(0, i, k) + 0.2 * x;
        if (s.lie == Lie::copies) x = from(role, i % 3, k);
        v.push_back(x);
        square += x * x;
      }
      const double length = 1 + 0.5 * double{lengths[static_cast<size_t>(role * s.rows + i)]};
      const bool same = s.lie == Lie::equal || s.lie == Lie::copies;
      for (double x : v) out.push_back(static_cast<float>(x / std::sqrt(square) * (same ? 1 : length)));
    }
  }
  return out;
}

LossCase case_of(const Setting& s) {
  LossCase c{"mnr", s.options, {}};
  c.rows = s.rows;
  c.roles = s.roles;
  c.dim = s.dim;
  c.left_out = s.left_out;
  return c;
}

void expect_judged(const Setting& s) {
  LossRun run(case_of(s));
  run.vectors = lying(s);
  std::vector<float> gradient;
  const double value = run.evaluate(*compute::test_engine(2), gradient);
  const naive::Judged judged = naive::judged_mnr(s.mnr, run.numbers());
  EXPECT_GE(value, 0);
  EXPECT_NEAR(value, judged.value, 1e-6);
  // Near 0 it is as exact: e^x is a float's, of numbers that saturate at scale 100 rounded by 1e-6.
  EXPECT_NEAR(value, judged.value, 1e-5 * judged.value + 1e-37);
  // The exponents of the gradient by y are float products: rounded by 3e-7 of the lengths' product times the
  // scale (contrast_test.cc). Below 1e-36 a float's digits run out.
  const double longest = s.mnr.similarity == Score::dot ? 2.25 : 1;
  const double share = 3e-6 + 3e-7 * (s.mnr.scale + s.mnr.strength) * longest;
  for (size_t r = 0; r < judged.summed.size(); ++r) {
    double square = 0;
    for (size_t k = 0; k < static_cast<size_t>(s.dim); ++k) {
      const size_t at = r * static_cast<size_t>(s.dim) + k;
      square += std::pow(double{gradient[at]} - judged.gradient[at], 2);
    }
    EXPECT_LE(std::sqrt(square), share * judged.summed[r] + 1e-36)
        << "vector " << r << ", all that is summed there: " << judged.summed[r];
  }
}

struct Choice {
  const char *name, *options, *directions;
  bool per_direction;
  const char* hardness;
  double strength;
};
const Choice kChoices[] = {
    {"qd", "directions=qd", "qd", false, "none", 0},
    {"qd_qq", "directions=qd+qq", "qd+qq", false, "none", 0},
    {"qd_dq", "directions=qd+dq", "qd+dq", false, "none", 0},
    {"qd_dd", "directions=qd+dd", "qd+dd", false, "none", 0},
    {"all", "directions=qd+qq+dq+dd", "qd+qq+dq+dd", false, "none", 0},
    {"per_direction", "partition=per_direction", "qd", true, "none", 0},
    {"symmetric", "symmetric=true", "qd+dq", true, "none", 0},
    {"in_batch_harder", "hardness=in_batch_negatives,hardness_strength=5", "qd", false, "in_batch_negatives",
     5},
    {"hard_harder", "hardness=hard_negatives,hardness_strength=9", "qd", false, "hard_negatives", 9},
    {"all_harder", "hardness=all_negatives,hardness_strength=5,directions=qd+qq+dq+dd", "qd+qq+dq+dd", false,
     "all_negatives", 5},
    {"symmetric_harder", "hardness=all_negatives,hardness_strength=5,symmetric=true", "qd+dq", true,
     "all_negatives", 5},
};

void PrintTo(const Choice& c, std::ostream* out) {
  *out << c.options;
}
void PrintTo(const std::pair<const char*, Lie>& lie, std::ostream* out) {
  *out << lie.first;
}

Setting setting(const Choice& c, const char* scale, Score similarity, Lie lie) {
  Setting s{lie, 12, 2, 24, std::string(c.options) + ",scale=" + scale, {}, false};
  if (similarity == Score::dot) s.options += ",similarity=dot";
  s.mnr.scale = std::stod(scale);
  s.mnr.similarity = similarity;
  s.mnr.directions = c.directions;
  s.mnr.per_direction = c.per_direction;
  s.mnr.hardness = c.hardness;
  s.mnr.strength = c.strength;
  return s;
}

class Saturation : public ::testing::TestWithParam<std::tuple<Choice, std::pair<const char*, Lie>>> {};

TEST_P(Saturation, leaves_loss_and_gradient_exact) {
  const auto& [choice, lie] = GetParam();
  for (const char* scale : {"20", "35.7", "100"}) {
    for (Score similarity : {Score::cosine, Score::dot}) {
      for (bool more : {false, true}) {
        Setting s = setting(choice, scale, similarity, lie.second);
        s.roles = more ? 4 : 2;
        s.left_out = more;
        SCOPED_TRACE(s.options + (more ? ", with negatives, some left out" : ""));
        expect_judged(s);
      }
    }
  }
}

// Sizes that leave remainders of blocks, chunks and vectors.
TEST_P(Saturation, at_any_size_leaves_them_exact) {
  const auto& [choice, lie] = GetParam();
  struct Size {
    int64_t rows, dim;
  };
  for (const Size size : {Size{2, 1}, Size{8, 384}, Size{33, 7}, Size{64, 50}, Size{200, 9}}) {
    Setting s = setting(choice, "50", Score::cosine, lie.second);
    s.rows = size.rows;
    s.dim = size.dim;
    SCOPED_TRACE(s.options + ", rows " + std::to_string(size.rows) + " dim " + std::to_string(size.dim));
    expect_judged(s);
  }
}

TEST_P(Saturation, has_the_same_bits_at_any_number_of_threads) {
  const auto& [choice, lie] = GetParam();
  Setting s = setting(choice, "50", Score::cosine, lie.second);
  s.rows = 150;
  s.roles = 3;
  s.left_out = true;
  LossRun run(case_of(s));
  run.vectors = lying(s);
  std::vector<float> one;
  const double value = run.evaluate(*compute::test_engine(1), one);
  for (int threads : {2, 3, 5}) {
    std::vector<float> more;
    EXPECT_EQ(run.evaluate(*compute::test_engine(threads), more), value) << threads;
    EXPECT_EQ(0, std::memcmp(one.data(), more.data(), one.size() * sizeof(float))) << threads;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Saturation,
                         ::testing::Combine(::testing::ValuesIn(kChoices), ::testing::ValuesIn(kLies)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) + "_" +
                                  std::get<1>(test.param).first;
                         });

TEST(LargeBatch, leaves_loss_and_gradient_exact) {
  for (Lie lie : {Lie::near, Lie::apart, Lie::equal, Lie::copies}) {
    Setting s = setting(kChoices[0], "50", Score::cosine, lie);
    s.rows = 1024;
    s.dim = 16;
    SCOPED_TRACE(kLies[static_cast<size_t>(lie)].first);
    expect_judged(s);
  }
}

// The first numbers are rounded to floats once they are scaled: the judge is given what the loss is given.
TEST(Matryoshka, around_it_is_not_below_0_and_exact) {
  for (const auto& [name, lie] : kLies) {
    for (const char* scale : {"20", "100"}) {
      Setting s = setting(kChoices[0], scale, Score::cosine, lie);
      s.options += ",matryoshka=24+16,matryoshka_weights=1+0.5";
      LossRun run(case_of(s));
      run.vectors = lying(s);
      std::vector<float> gradient;
      const double value = run.evaluate(*compute::test_engine(2), gradient);
      naive::Numbers n = run.numbers();
      const naive::Value inner = [&](const naive::Numbers& cut) {
        naive::Numbers rounded = cut;
        for (double& x : rounded.vectors) x = static_cast<double>(static_cast<float>(x));
        return naive::judged_mnr(s.mnr, rounded).value;
      };
      const double expected = naive::matryoshka(inner, {24, 16}, {1, 0.5}, false)(n);
      EXPECT_GE(value, 0) << name << " at scale " << scale;
      EXPECT_NEAR(value, expected, 1e-6) << name << " at scale " << scale;
      EXPECT_NEAR(value, expected, 1e-5 * expected + 1e-37) << name << " at scale " << scale;
    }
  }
}

// One number a vector, dot products: logits are what is given. p and t of the first of two documents are 1 /
// (1 + e^-x) and 1 / (1 + e^-y), and p - t = sinh((x - y) / 2) / (2 cosh(x / 2) cosh(y / 2)).
TEST(Teacher, imitated_nearly_or_wholly_leaves_value_and_gradient_exact) {
  struct Logits {
    float student, teacher;
  };
  const Logits all[] = {{1, 1},    {0, 0},   {1, 1.0000001F}, {-3, -3.00001F}, {40, 40.5F},
                        {40, 41},  {60, 80}, {60, 1000},      {-60, -1000},    {80, 60},
                        {30, -30}, {2, 3},   {-0.5F, 0.5F},   {700, 700.5F},   {35, 35.001F}};
  for (const auto [x, y] : all) {
    LossCase c{"kl", "similarity=dot", {}};
    c.rows = 1;
    c.roles = 3;
    c.dim = 1;
    c.label_width = 2;
    c.labels = {y, 0};
    LossRun run(c);
    run.vectors = {1, x, 0};
    std::vector<float> gradient;
    const double value = run.evaluate(*compute::test_engine(1), gradient);
    const double a = double{x}, b = double{y};
    const double slope = std::sinh((a - b) / 2) / (2 * std::cosh(a / 2) * std::cosh(b / 2));
    const double expected = std::isfinite(slope) ? slope : a < b ? -std::exp(-a) : std::exp(-b);
    EXPECT_GE(value, 0) << x << " " << y;
    if (x == y) {
      EXPECT_EQ(value, 0) << x << " " << y;
    }
    // The rounding of a float, and of logarithms near x.
    EXPECT_NEAR(gradient[1], expected, 1e-6 * std::abs(expected) + 1e-44) << x << " " << y;
    EXPECT_EQ(gradient[2], -gradient[1]) << x << " " << y;
  }
}

// The layer is nothing but its bias: 60 for the class that is wanted, or 60 below the others.
TEST(Classes, told_apart_leave_value_and_gradient_exact) {
  for (float bias : {60.0F, 700.0F, 0.0F, -60.0F}) {
    LossCase c{"softmax", "", {}};
    c.rows = 1;
    c.labels = {2};
    LossRun run(c);
    Head &weight = run.loss->heads()[0], &offset = run.loss->heads()[1];
    std::fill(weight.values.begin(), weight.values.end(), 0.0F);
    offset.values = {0, 0, bias, 0};
    std::vector<float> gradient;
    const double value = run.evaluate(*compute::test_engine(1), gradient);
    const double others = 3 * std::exp(-double{bias});
    const double expected = std::log1p(others), share = others / (1 + others) / 3;
    EXPECT_NEAR(value, expected, 1e-12 * expected) << bias;
    for (size_t k = 0; k < 4; ++k) {
      const double slope = k == 2 ? -3 * share : share;
      EXPECT_NEAR(offset.gradient[k], slope, 1e-6 * std::abs(slope) + 1e-44) << bias << " class " << k;
    }
  }
}

// Two pairs, cosines 0.6 and -0.6 in the order of their labels, and of their angles' differences.
TEST(Order, kept_leaves_value_and_gradient_exact) {
  for (const char* scale : {"1", "20", "50", "500"}) {
    LossCase c{"cosent", std::string("scale=") + scale, {}};
    c.rows = 2;
    c.dim = 2;
    c.labels = {1, 0};
    LossRun run(c);
    run.vectors = {1, 0, 1, 0, 0.6F, 0.8F, -0.6F, 0.8F};
    std::vector<float> gradient;
    const double value = run.evaluate(*compute::test_engine(1), gradient);
    // What a float leaves out of 0.6 changes a cosine by less than 1e-8, and the exponent by that times 2
    // scale.
    const double s = std::stod(scale), e = std::exp(-1.2 * s), error = 1e-6 + 1e-7 * s;
    EXPECT_NEAR(value, std::log1p(e), error * std::log1p(e)) << scale;
    // d cosine / d u = v - cosine u, u a unit vector along the first axis
    const double slope = -s * e / (1 + e) * 0.8;
    EXPECT_NEAR(gradient[1], slope, 1e-44 - error * slope) << scale;
    EXPECT_NEAR(gradient[3], -slope, 1e-44 - error * slope) << scale;
  }
  for (const char* loss : {"cosent", "angle"}) {
    for (const auto& [name, lie] : kLies) {
      LossCase c{loss, "scale=100", {}};
      c.rows = 12;
      c.dim = 24;
      LossRun run(c);
      run.vectors = lying({lie, 12, 2, 24, "", {}, false});
      std::vector<float> gradient;
      EXPECT_GE(run.evaluate(*compute::test_engine(1), gradient), 0) << loss << " " << name;
    }
  }
}

}  // namespace
}  // namespace hone::loss
