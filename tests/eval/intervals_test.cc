// Intervals and paired differences of every metric: each resample is made again by copying rows, and scored
// as rows are.
#include <gtest/gtest.h>

#include <cmath>

#include "base/philox.h"
#include "eval/binary.h"
#include "eval/evaluation.h"
#include "eval/metrics.h"
#include "eval/scores_json.h"
#include "model/sentence_model.h"
#include "tests/compute/test_engine.h"
#include "tests/places.h"

namespace hone::eval {
namespace {

using Numbers = std::vector<double>;

// Whole numbers below `most` where ties are wanted; as counts, of which many are 0.
Numbers drawn(size_t size, uint32_t which, uint32_t most) {
  Numbers numbers;
  for (uint32_t i = 0; i < size; ++i) numbers.push_back(philox4x32({i, which, 0, 0}, {1, 2})[0] % most);
  return numbers;
}

Numbers copied(const Numbers& rows, std::span<const uint32_t> counts) {
  Numbers all;
  for (size_t i = 0; i < rows.size(); ++i) all.insert(all.end(), counts[i], rows[i]);
  return all;
}

// `rows` draws among so many rows.
std::vector<uint32_t> some_counts(size_t rows, uint32_t which) {
  std::vector<uint32_t> counts(rows);
  for (const double place : drawn(rows, which, static_cast<uint32_t>(rows)))
    ++counts[static_cast<size_t>(place)];
  return counts;
}

TEST(CorrelationStatistics, equal_the_correlations_of_copied_rows) {
  for (const size_t rows : {2U, 3U, 5U, 40U}) {
    for (const double shift : {0.0, 1e9}) {
      Numbers labels = drawn(rows, 1, 5);
      std::vector<Numbers> lists{drawn(rows, 2, 4), drawn(rows, 3, 1000), Numbers(rows, 0.1)};
      for (double& v : lists[1]) v += shift;
      const Statistics statistics = correlation_statistics(lists, labels);
      for (uint32_t r = 0; r < 60; ++r) {
        SCOPED_TRACE(cat(rows, " rows, ", r));
        const std::vector<uint32_t> counts = some_counts(rows, 100 + r);
        Numbers found(6);
        statistics(counts, found);
        for (size_t i = 0; i < 3; ++i) {
          const Numbers x = copied(lists[i], counts), y = copied(labels, counts);
          for (const auto& [value, expected] :
               {std::pair{found[2 * i], pearson(x, y)}, {found[2 * i + 1], spearman(x, y)}}) {
            EXPECT_EQ(std::isnan(value), std::isnan(expected));
            if (!std::isnan(expected)) {
              EXPECT_NEAR(value, expected, shift > 0 ? 1e-6 : 1e-12);
            }
          }
        }
      }
    }
  }
}

TEST(BinaryStatistics, equal_the_scores_of_copied_rows) {
  int without_positives = 0;
  for (const size_t rows : {1U, 2U, 4U, 50U}) {
    for (const uint32_t values : {3U, 100000U}) {
      for (const bool negated : {false, true}) {
        const Numbers similarities = drawn(rows, 7, values), labels = drawn(rows, 8, 2);
        const Statistics statistics = binary_statistics(similarities, labels, negated);
        const Statistic ap = average_precision_statistic(similarities, labels);
        for (uint32_t r = 0; r < 60; ++r) {
          SCOPED_TRACE(cat(rows, " rows, ", r));
          const std::vector<uint32_t> counts = some_counts(rows, 200 + r);
          Numbers found(8);
          statistics(counts, found);
          const Numbers of = copied(labels, counts);
          const bool positives = std::count(of.begin(), of.end(), 1.0) > 0;
          if (!positives) ++without_positives;
          const auto expected = binary_scores(copied(similarities, counts), of, negated);
          for (size_t m = 0; m < 8; ++m) {
            SCOPED_TRACE(expected[m].first);
            if (!positives && m > 1) {
              EXPECT_TRUE(std::isnan(found[m]));
            } else if (expected[m].first == "ap") {
              EXPECT_NEAR(found[m], expected[m].second, 1e-12);
            } else {
              EXPECT_EQ(found[m], expected[m].second);
            }
          }
          if (positives) {
            EXPECT_EQ(found[6], ap(counts)) << "bit for bit";
          }
        }
      }
    }
  }
  EXPECT_GT(without_positives, 10);
}

TEST(BootstrapIntervals, are_those_of_each_score_alone) {
  const Numbers a = drawn(60, 1, 100), b = drawn(60, 2, 3);
  const Statistics both = [&](std::span<const uint32_t> counts, std::span<double> scores) {
    scores[0] = mean_statistic(a)(counts);
    scores[1] = mean_statistic(b)(counts);
    scores[2] = kNaN;
  };
  const Numbers defined{1, 1, 1};
  const auto found = bootstrap_intervals(defined, 60, both);
  const Interval expected[] = {bootstrap_interval(60, mean_statistic(a)),
                               bootstrap_interval(60, mean_statistic(b))};
  for (size_t m = 0; m < 2; ++m) {
    EXPECT_EQ(found[m].low, expected[m].low);
    EXPECT_EQ(found[m].high, expected[m].high);
  }
  EXPECT_TRUE(std::isnan(found[2].low) && std::isnan(found[2].high)) << "no resample has it";
  const auto none = bootstrap_intervals(Numbers{kNaN, 1, 1}, 60, both);
  EXPECT_TRUE(std::isnan(none[0].low)) << "nor have the rows themselves";
  EXPECT_EQ(none[1].low, expected[1].low);
}

TEST(BootstrapIntervals, end_where_they_are_told_to) {
  int asked = 0;
  const Statistics one = [](std::span<const uint32_t>, std::span<double> scores) { scores[0] = 1; };
  EXPECT_THROW(bootstrap_intervals(Numbers{1}, 3, one,
                                   [&] {
                                     if (++asked == 4) throw 1;
                                   }),
               int);
  EXPECT_EQ(asked, 4);
}

const std::filesystem::path kFixtureFiles = testing::kFixtures;

class AllMetrics : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string& task = GetParam();
    data::ReadOptions roles;
    roles.roles = task_roles(task);
    table_ =
        data::read_table(task == "sts"                          ? kFixtureFiles / "models" / "pairs.jsonl"
                         : task == "binary"                     ? kFixtureFiles / "losses" / "binary.jsonl"
                         : task == "triplet" || task == "pairs" ? kFixtureFiles / "losses" / "triplets.jsonl"
                                                                : kFixtureFiles / "losses" / "vectors.jsonl",
                         roles);
  }
  Result run(const std::string& model, const RunOptions& options, const std::string& similarity = "model") {
    const auto loaded = model::load_model(kFixtureFiles / "models" / model);
    evaluation_ = make_evaluation(GetParam(), table_, *loaded, engine_, {.similarity = similarity});
    encode::Encoder encoder(loaded, engine_);
    return evaluation_->run(encoder, options);
  }
  data::Table table_;
  std::shared_ptr<compute::Engine> engine_ = compute::test_engine(2);
  std::unique_ptr<Evaluation> evaluation_;
};

// Of the rows as they are, each counted once, statistics are the metrics: tested through a difference to
// itself and through intervals around each value.
TEST_P(AllMetrics, have_intervals_of_which_the_first_is_the_primary_ones) {
  for (const std::string similarity : {"cosine", "dot", "manhattan"}) {
    if (GetParam() == "mse" && similarity != "cosine") continue;
    SCOPED_TRACE(similarity);
    const Result alone = run("mean-gelu", {}, similarity);
    EXPECT_TRUE(alone.intervals.empty());
    const Result all = run("mean-gelu", {.intervals = true}, similarity);
    ASSERT_EQ(all.intervals.size(), all.metrics.size());
    EXPECT_EQ(all.interval.low, alone.interval.low) << "bit for bit";
    EXPECT_EQ(all.interval.high, alone.interval.high);
    EXPECT_EQ(all.intervals[0].low, alone.interval.low);
    EXPECT_EQ(evaluation_->result_bytes(), (all.lists.size() + 1) * all.units.size() * sizeof(double));
    const auto again = evaluation_->intervals(alone);
    for (size_t m = 0; m < all.metrics.size(); ++m) {
      SCOPED_TRACE(all.metrics[m].first);
      EXPECT_EQ(again[m].low, all.intervals[m].low);
      EXPECT_LE(all.intervals[m].low, all.intervals[m].high);
      // A highest score, or one at its best threshold, is higher in resamples than in the rows: not its low
      // end.
      EXPECT_LE(all.intervals[m].low, all.metrics[m].second + 0.1 * std::abs(all.metrics[m].second) + 1e-9);
      EXPECT_GE(all.intervals[m].high, all.metrics[m].second - 0.1 * std::abs(all.metrics[m].second) - 1e-9);
    }
  }
}

// The metric of each similarity is the primary one where that similarity is asked for, whose interval is
// known.
TEST_P(AllMetrics, of_each_similarity_have_the_interval_that_they_have_as_the_primary_one) {
  if (GetParam() == "mse") GTEST_SKIP() << "it has one metric";
  if (GetParam() == "pairs") GTEST_SKIP() << "it has the metrics of one similarity";
  const Result all = run("mean-gelu", {.intervals = true});
  for (const std::string similarity : {"cosine", "dot", "euclidean", "manhattan"}) {
    const Result alone = run("mean-gelu", {}, similarity);
    const auto found = std::find_if(all.metrics.begin(), all.metrics.end(),
                                    [&](const auto& metric) { return metric.first == alone.primary(); });
    ASSERT_NE(found, all.metrics.end());
    const Interval& interval = all.intervals[static_cast<size_t>(found - all.metrics.begin())];
    EXPECT_EQ(interval.low, alone.interval.low) << alone.primary();
    EXPECT_EQ(interval.high, alone.interval.high) << alone.primary();
  }
}

TEST_P(AllMetrics, have_differences_of_which_the_first_is_the_primary_ones) {
  const std::string other = GetParam() == "mse" ? "mean-gelu" : "cls-relu";
  const Result a = run("mean-gelu", {}), b = run(other, {});
  const PairedDifference expected = evaluation_->difference(a, b);
  const auto found = evaluation_->differences(a, b);
  ASSERT_EQ(found.size(), a.metrics.size());
  EXPECT_EQ(found[0].difference, expected.difference);
  EXPECT_EQ(found[0].interval.low, expected.interval.low);
  EXPECT_EQ(found[0].interval.high, expected.interval.high);
  EXPECT_EQ(found[0].share_better, expected.share_better);
  for (size_t m = 0; m < found.size(); ++m)
    EXPECT_EQ(found[m].difference, b.at(a.metrics[m].first) - a.metrics[m].second) << a.metrics[m].first;
}
INSTANTIATE_TEST_SUITE_P(All, AllMetrics, ::testing::ValuesIn(table_tasks()),
                         [](const auto& c) { return c.param; });

TEST(ScoresJson, have_an_interval_for_each_metric_where_there_is_one) {
  nlohmann::ordered_json one, all;
  add_scores(one, {{"a", 1}, {"b", 2}}, {0.5, 1.5}, {});
  EXPECT_EQ(one.dump(), R"({"a":1.0,"b":2.0,"a_95":[0.5,1.5]})");
  add_scores(all, {{"a", 1}, {"b", kNaN}}, {0.5, 1.5}, {{0.5, 1.5}, {kNaN, kNaN}});
  EXPECT_EQ(all.dump(), R"({"a":1.0,"b":null,"a_95":[0.5,1.5],"b_95":[null,null]})");
}

}  // namespace
}  // namespace hone::eval
