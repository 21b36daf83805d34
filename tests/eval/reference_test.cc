// Correlations, intervals and STS scores against scipy, numpy and the reference's evaluator
// (tests/fixtures/make_metrics.py).
#include <gtest/gtest.h>

#include "eval/sts.h"
#include "tests/eval/fixture.h"

namespace hone::eval {
namespace {

const nlohmann::json& metrics() {
  static const nlohmann::json content = fixture_file("metrics/metrics.json");
  return content;
}

TEST(MetricsReference, correlations_equal_scipy) {
  for (const auto& c : metrics().at("correlations")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const auto x = list(c.at("x")), y = list(c.at("y"));
    expect_near(pearson(x, y), c.at("pearson"), 1e-12);
    expect_near(pearson(y, x), c.at("pearson"), 1e-12);
    expect_near(spearman(x, y), c.at("spearman"), 1e-12);
    expect_near(spearman(y, x), c.at("spearman"), 1e-12);
    EXPECT_EQ(average_ranks(x), list(c.at("ranks")));
  }
  EXPECT_EQ(metrics().at("correlations").size(), 26U);
}

TEST(MetricsReference, intervals_equal_resampling_with_scipy) {
  for (const auto& c : metrics().at("intervals")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const Interval found = spearman_interval(list(c.at("x")), list(c.at("y")), c.at("seed").get<uint64_t>(),
                                             c.at("resamples").get<int>());
    expect_near(found.low, c.at("low"), 1e-12);
    expect_near(found.high, c.at("high"), 1e-12);
  }
  EXPECT_EQ(metrics().at("intervals").size(), 6U);
}

TEST(MetricsReference, paired_differences_equal_resampling_with_scipy) {
  for (const auto& c : metrics().at("differences")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const PairedDifference found =
        spearman_difference(list(c.at("a")), list(c.at("b")), list(c.at("labels")),
                            c.at("seed").get<uint64_t>(), c.at("resamples").get<int>());
    expect_near(found.difference, c.at("difference"), 1e-12);
    expect_near(found.interval.low, c.at("low"), 1e-12);
    expect_near(found.interval.high, c.at("high"), 1e-12);
    expect_near(found.share_better, c.at("share_better"), 1e-12);
  }
  EXPECT_EQ(metrics().at("differences").size(), 4U);
}

// The reference computes similarities in 32-bit floats, so ours differ by their rounding, a relative 1e-7
// that a correlation may raise a few times. Vectors of one number have cosines of 1 and -1 only, exact there
// too; elsewhere no two similarities are so near that rounding could swap their ranks.
TEST(StsReference, metrics_equal_the_evaluators) {
  for (const auto& c : metrics().at("sts")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const auto scores =
        sts_scores(floats(c.at("a")), floats(c.at("b")), c.at("dim").get<int>(), list(c.at("labels")), false);
    ASSERT_EQ(scores.metrics.size(), c.at("metrics").size());
    for (const auto& name : sts_metric_names()) {
      SCOPED_TRACE(name);
      expect_near(scores.at(name), c.at("metrics").at(name), name.starts_with("spearman") ? 1e-12 : 2e-6);
    }
  }
  EXPECT_EQ(metrics().at("sts").size(), 6U);
}

}  // namespace
}  // namespace hone::eval
