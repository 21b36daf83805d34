// Scores that do not exist, and the limits of those that do: NaN and infinity in, short lists, equal vectors.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "eval/sts.h"

namespace hone::eval {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
using List = std::vector<double>;
const List kUp{1, 2, 3, 4};

bool undefined(const Interval& interval) {
  return std::isnan(interval.low) && std::isnan(interval.high);
}

TEST(Undefined, nan_anywhere_gives_nan_and_ends) {
  for (size_t at = 0; at < 4; ++at) {
    List bad = kUp;
    bad[at] = kNaN;
    EXPECT_TRUE(std::isnan(pearson(bad, kUp)));
    EXPECT_TRUE(std::isnan(pearson(kUp, bad)));
    EXPECT_TRUE(std::isnan(spearman(bad, kUp)));
    EXPECT_TRUE(std::isnan(spearman(kUp, bad)));
    for (double rank : average_ranks(bad)) EXPECT_TRUE(std::isnan(rank));
    EXPECT_TRUE(undefined(spearman_interval(bad, kUp)));
    EXPECT_TRUE(undefined(spearman_interval(kUp, bad)));
    for (const auto& d : {spearman_difference(bad, kUp, kUp), spearman_difference(kUp, bad, kUp),
                          spearman_difference(kUp, kUp, bad)}) {
      EXPECT_TRUE(std::isnan(d.difference));
      EXPECT_TRUE(undefined(d.interval));
      EXPECT_TRUE(std::isnan(d.share_better));
    }
  }
}

TEST(Undefined, infinity_has_a_rank_but_no_deviation) {
  const List high{1, 2, 3, kInfinity}, both{-kInfinity, 2, 3, kInfinity};
  EXPECT_TRUE(std::isnan(pearson(high, kUp)));
  EXPECT_TRUE(std::isnan(pearson(kUp, both)));
  EXPECT_DOUBLE_EQ(spearman(high, kUp), 1);
  EXPECT_DOUBLE_EQ(spearman(kUp, both), 1);
  EXPECT_DOUBLE_EQ(spearman_interval(both, kUp).low, 1);
}

TEST(Undefined, fewer_than_two_values) {
  for (const List& few : {List{}, List{1}}) {
    EXPECT_TRUE(std::isnan(pearson(few, few)));
    EXPECT_TRUE(std::isnan(spearman(few, few)));
    EXPECT_TRUE(undefined(spearman_interval(few, few)));
    EXPECT_TRUE(std::isnan(spearman_difference(few, few, few).difference));
    EXPECT_TRUE(std::isnan(spearman_difference(few, few, few).share_better));
  }
}

TEST(Undefined, a_constant_list_never_gets_a_score) {
  // The mean of seven times 0.1 is not 0.1 in binary.
  const List flat(7, 0.1), up{1, 2, 3, 4, 5, 6, 7};
  EXPECT_TRUE(std::isnan(pearson(flat, up)));
  EXPECT_TRUE(std::isnan(spearman(up, flat)));
  EXPECT_TRUE(undefined(spearman_interval(up, flat)));
  const auto d = spearman_difference(flat, up, up);
  EXPECT_TRUE(std::isnan(d.difference));
  EXPECT_TRUE(undefined(d.interval));
  EXPECT_TRUE(std::isnan(d.share_better));
}

TEST(Undefined, no_resamples_no_interval) {
  EXPECT_TRUE(undefined(spearman_interval(kUp, kUp, 42, 0)));
  EXPECT_TRUE(std::isnan(spearman_difference(kUp, kUp, kUp, 42, 0).share_better));
  EXPECT_EQ(spearman_difference(kUp, kUp, kUp, 42, 0).difference, 0);
}

TEST(Undefined, lists_of_different_length_are_refused) {
  const List three{1, 2, 3};
  EXPECT_THROW(pearson(three, kUp), Error);
  EXPECT_THROW(spearman(three, kUp), Error);
  EXPECT_THROW(spearman_interval(three, kUp), Error);
  EXPECT_THROW(spearman_difference(three, kUp, kUp), Error);
  EXPECT_THROW(spearman_difference(kUp, three, kUp), Error);
  EXPECT_THROW(spearman_difference(kUp, kUp, three), Error);
}

TEST(Undefined, a_correlation_never_leaves_minus_one_to_one) {
  for (int n = 2; n < 200; ++n) {
    List x, y;
    for (int i = 0; i < n; ++i) {
      x.push_back(0.1 * i * i);
      y.push_back(-0.3 * i * i + 7);
    }
    EXPECT_LE(pearson(x, x), 1);
    EXPECT_GE(pearson(x, y), -1);
    EXPECT_NEAR(pearson(x, y), -1, 1e-12);
  }
}

TEST(Undefined, two_points_lie_on_a_line_exactly) {
  for (int i = 1; i < 1000; ++i) {
    const List x{0.1 * i, 0.37 * i + 1}, y{1.0 / i, 3.0 + 0.7 / i}, down{y[1], y[0]};
    EXPECT_EQ(pearson(x, y), 1) << i;
    EXPECT_EQ(pearson(x, down), -1) << i;
  }
}

TEST(Undefined, a_model_that_gives_nan_gets_nan_and_no_hang) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> a{1, 2, 3, nan, 5, 6}, b{1, 2, 3, 4, 5, 6};
  const auto scores = sts_scores(a, b, 2, List{1, 2, 3}, true);
  for (const auto& [name, value] : scores.metrics) EXPECT_TRUE(std::isnan(value)) << name;
  EXPECT_TRUE(undefined(scores.spearman_cosine_interval));
}

// All cosines are 1: they have no correlation, and then there is no highest one.
TEST(Undefined, one_similarity_without_a_score_leaves_no_highest) {
  const std::vector<float> a{1, 2, 3}, b{1, 1, 5};
  const auto scores = sts_scores(a, b, 1, List{1, 2, 4}, false);
  for (const char* kind : {"pearson_", "spearman_"}) {
    EXPECT_TRUE(std::isnan(scores.at(std::string(kind) + "cosine")));
    EXPECT_FALSE(std::isnan(scores.at(std::string(kind) + "dot")));
    EXPECT_TRUE(std::isnan(scores.at(std::string(kind) + "max")));
  }
}

// Rounding must not rank equal pairs among themselves.
TEST(Cosine, equal_vectors_have_exactly_one_and_opposite_ones_minus_one) {
  constexpr int kDim = 7, kRows = 500;
  std::vector<float> a, opposite;
  for (int i = 0; i < kDim * kRows; ++i) {
    a.push_back(std::sin(static_cast<float>(i) * 1.7F) * 3);
    opposite.push_back(-a.back());
  }
  const List labels(kRows, 0);
  for (double c : sts_scores(a, a, kDim, labels, false).cosine) ASSERT_EQ(c, 1);
  for (double c : sts_scores(a, opposite, kDim, labels, false).cosine) ASSERT_EQ(c, -1);
}

TEST(Cosine, is_the_same_both_ways_and_of_any_length_of_vector) {
  const std::vector<float> a{3, 4, 1e-20F, 2e-20F, 1e15F, 1e15F}, b{4, 3, 5, 10, -1e15F, 1e15F};
  const List labels{0, 0, 0};
  const auto there = sts_scores(a, b, 2, labels, false).cosine,
             back = sts_scores(b, a, 2, labels, false).cosine;
  EXPECT_EQ(there, back);
  EXPECT_DOUBLE_EQ(there[0], 24.0 / 25);
  EXPECT_DOUBLE_EQ(there[2], 0);
  // Below the floor of 1e-12 the reference divides by the floor: 2.5e-19 / (1e-12 * sqrt(125)).
  EXPECT_NEAR(there[1], 2.5e-19 / (1e-12 * std::sqrt(125.0)), 1e-13);
}

TEST(Sts, wrong_sizes_are_refused) {
  const std::vector<float> four(4, 1);
  const List two{0, 1};
  EXPECT_THROW(sts_scores(four, std::vector<float>(2, 1), 2, two, false), Error);
  EXPECT_THROW(sts_scores(four, four, 3, two, false), Error);
  EXPECT_THROW(sts_scores({}, {}, 0, two, false), Error);
  EXPECT_THROW(sts_scores({}, {}, -1, {}, false), Error);
}

TEST(Sts, no_rows_have_no_scores) {
  const auto scores = sts_scores({}, {}, 3, {}, true);
  EXPECT_TRUE(scores.cosine.empty());
  EXPECT_TRUE(std::isnan(scores.at("spearman_cosine")));
  EXPECT_TRUE(undefined(scores.spearman_cosine_interval));
}

TEST(Sts, an_unknown_metric_is_answered_with_the_names) {
  try {
    sts_scores(std::vector<float>{1, 2}, std::vector<float>{1, 2}, 1, List{0, 1}, false)
        .at("spearman_cos\nine");
    FAIL() << "accepted";
  } catch (const Error& e) {
    const std::string message = e.what();
    EXPECT_EQ(message.find('\n'), std::string::npos);
    for (const auto& name : sts_metric_names()) EXPECT_NE(message.find(name), std::string::npos) << name;
  }
}

TEST(Sts, the_interval_is_made_only_when_asked_for) {
  const std::vector<float> a{1, 0, 1, 1, 0, 1, 2, 1, 3, 1}, b{1, 0.5F, 1, 0, 1, 1, 2, 2, 1, 3};
  const List labels{4, 2, 3, 5, 1};
  const auto with = sts_scores(a, b, 2, labels, true), without = sts_scores(a, b, 2, labels, false);
  EXPECT_EQ(with.metrics, without.metrics);
  const Interval expected = spearman_interval(with.cosine, labels);
  EXPECT_EQ(with.spearman_cosine_interval.low, expected.low);
  EXPECT_EQ(with.spearman_cosine_interval.high, expected.high);
  EXPECT_EQ(without.spearman_cosine_interval.high, 0);
}

}  // namespace
}  // namespace hone::eval
