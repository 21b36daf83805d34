#include "eval/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "eval/sts.h"

namespace hone::eval {
namespace {

const std::vector<double> kX{1, 2, 2, 3, 5, 8, -1, 2.5}, kY{0.1, 0.4, 0.2, 0.2, 0.9, 0.7, 0.0, 0.2};

// Expected values are scipy.stats' on the same lists.
TEST(Metrics, pearson_and_spearman_with_ties_equal_scipy) {
  EXPECT_NEAR(pearson(kX, kY), 0.8341473250398803, 1e-12);
  EXPECT_NEAR(spearman(kX, kY), 0.8344971792454872, 1e-12);
}

TEST(Metrics, ranks_of_ties_are_shared) {
  EXPECT_EQ(average_ranks(std::vector<double>{10, 20, 10, 30}), (std::vector<double>{1.5, 3, 1.5, 4}));
  EXPECT_TRUE(average_ranks({}).empty());
}

TEST(Metrics, perfect_reversed_and_undefined) {
  const std::vector<double> up{1, 2, 3}, down{3, 2, 1}, flat{0.1, 0.1, 0.1};
  EXPECT_DOUBLE_EQ(spearman(up, up), 1);
  EXPECT_DOUBLE_EQ(spearman(up, down), -1);
  EXPECT_TRUE(std::isnan(spearman(up, flat)));
  EXPECT_TRUE(std::isnan(pearson(flat, up)));
  EXPECT_TRUE(std::isnan(pearson({}, {})));
  EXPECT_TRUE(std::isnan(spearman(std::vector<double>{1, NAN, 3}, up)));
  EXPECT_THROW(pearson(up, kX), Error);
}

TEST(Metrics, interval_holds_the_value_and_repeats) {
  const Interval a = spearman_interval(kX, kY), b = spearman_interval(kX, kY);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_LT(a.low, spearman(kX, kY));
  EXPECT_GE(a.high, spearman(kX, kY));
  EXPECT_NE(spearman_interval(kX, kY, 7).low, a.low);
}

// On 400 pairs of correlation r the interval of Fisher's transformation, tanh(atanh(r) +- 1.96 / sqrt(n -
// 3)), is near.
TEST(Metrics, interval_has_the_width_theory_gives) {
  std::vector<double> x, y;
  for (int i = 0; i < 400; ++i) {
    x.push_back(std::sin(i * 12.9898) * 43758.5453 - std::floor(std::sin(i * 12.9898) * 43758.5453));
    const double noise = std::sin(i * 78.233) * 9631.77 - std::floor(std::sin(i * 78.233) * 9631.77);
    y.push_back(x.back() + 0.7 * noise);
  }
  const double r = spearman(x, y), half = 1.96 / std::sqrt(397.0);
  const Interval found = spearman_interval(x, y);
  EXPECT_NEAR(found.low, std::tanh(std::atanh(r) - half), 0.03);
  EXPECT_NEAR(found.high, std::tanh(std::atanh(r) + half), 0.03);
}

TEST(Metrics, paired_difference) {
  const auto same = spearman_difference(kX, kX, kY);
  EXPECT_EQ(same.difference, 0);
  EXPECT_EQ(same.share_better, 0);
  const std::vector<double> bad{8, 1, 7, 2, 6, 3, 5, 4};
  const auto better = spearman_difference(bad, kX, kY);
  EXPECT_DOUBLE_EQ(better.difference, spearman(kX, kY) - spearman(bad, kY));
  EXPECT_GT(better.share_better, 0.9);
  EXPECT_LE(better.interval.low, better.difference);
}

TEST(Sts, four_similarities_with_the_references_names_and_signs) {
  const std::vector<float> a{1, 0, 0, 2, 3, 4}, b{1, 0, 1, 0, 4, 3};
  const std::vector<double> labels{1, 0, 0.8};
  const StsScores s = sts_scores(a, b, 2, labels, true);
  EXPECT_EQ(s.metrics.size(), 10U);
  EXPECT_NEAR(s.cosine[0], 1, 1e-12);
  EXPECT_NEAR(s.cosine[1], 0, 1e-12);
  EXPECT_NEAR(s.cosine[2], 24.0 / 25, 1e-12);
  EXPECT_DOUBLE_EQ(s.at("spearman_cosine"), 1);
  EXPECT_DOUBLE_EQ(s.at("spearman_dot"), 0.5);
  EXPECT_DOUBLE_EQ(s.at("spearman_euclidean"), 1);
  EXPECT_DOUBLE_EQ(s.at("spearman_manhattan"), 1);
  EXPECT_THROW(s.at("spearman"), Error);
}

// All lengths differ, so the four similarities rank the pairs each in its own way.
TEST(Sts, the_highest_of_the_four_stands_beside_them) {
  const std::vector<float> a{1, 0, 0, 2, 3, 4, -1, 2, 5, 1}, b{1, 0.5F, 1, 0, 4, 3, 2, 1, 1, -7};
  for (const std::vector<double>& labels :
       {std::vector<double>{1, 0, 0.8, 0.3, 0.5}, std::vector<double>{0, 0.5, 0.1, 1, 0.9}}) {
    const StsScores s = sts_scores(a, b, 2, labels, false);
    for (const char* kind : {"pearson_", "spearman_"}) {
      double highest = -2;
      for (const char* name : {"cosine", "dot", "euclidean", "manhattan"})
        highest = std::max(highest, s.at(std::string(kind) + name));
      EXPECT_EQ(s.at(std::string(kind) + "max"), highest) << kind;
    }
  }
  // Where all four fall as the labels rise, it is no higher than they are.
  const std::vector<float> same{1, 0, 1, 0, 1, 0}, off{1, 0, 0.9F, 1, 0.5F, 2};
  EXPECT_DOUBLE_EQ(sts_scores(same, off, 2, std::vector<double>{0, 1, 2}, false).at("spearman_max"), -1);
}

TEST(Sts, a_zero_vector_has_cosine_zero_and_sizes_are_checked) {
  const std::vector<float> a{0, 0, 1, 1}, b{1, 0, 1, 1};
  EXPECT_EQ(sts_scores(a, b, 2, std::vector<double>{0, 1}, false).cosine[0], 0);
  EXPECT_THROW(sts_scores(a, b, 2, std::vector<double>{0, 1, 2}, false), Error);
}

}  // namespace
}  // namespace hone::eval
