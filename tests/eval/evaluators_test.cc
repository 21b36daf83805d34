// Scores of vectors against the reference's evaluators (tests/fixtures/make_evaluators.py).
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "eval/binary.h"
#include "eval/mse.h"
#include "eval/retrieval.h"
#include "eval/similarity.h"
#include "eval/triplet.h"
#include "search/nearest.h"
#include "tests/compute/test_engine.h"
#include "tests/eval/fixture.h"

namespace hone::eval {
namespace {

using List = std::vector<double>;

const nlohmann::json& fixture() {
  static const nlohmann::json content = fixture_file("evaluators/vectors.json");
  return content;
}

PairSimilarities similarities(const std::vector<float>& a, const std::vector<float>& b, size_t dim) {
  return pair_similarities(
      a.size() / dim, dim, [&](size_t row) { return a.data() + row * dim; },
      [&](size_t row) { return b.data() + row * dim; });
}

// The reference computes similarities in 32-bit floats: a threshold, half way between two of them, differs by
// their rounding, 1e-7 of its size. Everything else is a ratio of counts.
TEST(BinaryReference, metrics_equal_the_evaluators) {
  for (const auto& c : fixture().at("binary")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const auto dim = c.at("dim").get<size_t>();
    const auto found = similarities(floats(c.at("a")), floats(c.at("b")), dim);
    for (size_t i = 0; i < kSimilarities; ++i) {
      const bool negated = static_cast<Similarity>(i) >= Similarity::euclidean;
      for (const auto& [name, value] : binary_scores(found.values[i], list(c.at("labels")), negated)) {
        const std::string whole = cat(kSimilarityNames[i], "_", name);
        SCOPED_TRACE(whole);
        const auto& expected = c.at("metrics").at(whole);
        const bool threshold = name.ends_with("threshold");
        expect_near(value, expected, threshold ? 3e-7 * std::max(1.0, std::abs(value)) : 1e-12);
      }
    }
  }
  EXPECT_EQ(fixture().at("binary").size(), 11U);
}

TEST(TripletReference, metrics_equal_the_evaluators) {
  for (const auto& c : fixture().at("triplet")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const auto dim = c.at("dim").get<size_t>();
    const auto anchors = floats(c.at("anchors"));
    const auto positive = similarities(anchors, floats(c.at("positives")), dim),
               negative = similarities(anchors, floats(c.at("negatives")), dim);
    for (size_t i = 0; i < kSimilarities; ++i) {
      double sum = 0;
      const List hits = triplet_hits(positive.values[i], negative.values[i], c.at("margin").get<double>());
      for (const double hit : hits) sum += hit;
      const std::string name = cat(kSimilarityNames[i], "_accuracy");
      SCOPED_TRACE(name);
      // A mean of 32-bit floats.
      expect_near(sum / static_cast<double>(hits.size()), c.at("metrics").at(name), 1e-7);
    }
  }
  EXPECT_EQ(fixture().at("triplet").size(), 6U);
}

TEST(MseReference, metrics_equal_the_evaluators) {
  for (const auto& c : fixture().at("mse")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    double sum = 0;
    const List rows =
        negative_mse(floats(c.at("vectors")), floats(c.at("targets")), c.at("dim").get<size_t>());
    for (const double row : rows) sum += row;
    const auto& expected = c.at("metrics").at("negative_mse");
    // A sum of squares of 32-bit floats.
    expect_near(sum / static_cast<double>(rows.size()), expected,
                1e-6 * std::abs(expected.get<double>()) + 1e-12);
  }
  EXPECT_EQ(fixture().at("mse").size(), 4U);
}

// Places in the corpus of the fixture, sorted by id, as retrieval keeps passages.
struct Sorted {
  std::vector<std::string> ids;
  std::vector<float> vectors;
};
Sorted sorted_corpus(const nlohmann::json& c, bool normalize) {
  const auto dim = c.at("dim").get<size_t>();
  const auto ids = c.at("corpus_ids").get<std::vector<std::string>>();
  std::vector<float> vectors = floats(c.at("corpus"));
  std::vector<size_t> order(ids.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return ids[a] < ids[b]; });
  Sorted sorted;
  for (const size_t i : order) {
    sorted.ids.push_back(ids[i]);
    double square = 0;
    for (size_t j = i * dim; j < (i + 1) * dim; ++j) square += static_cast<double>(vectors[j] * vectors[j]);
    const auto length = static_cast<float>(normalize ? std::max(std::sqrt(square), 1e-12) : 1);
    for (size_t j = i * dim; j < (i + 1) * dim; ++j) sorted.vectors.push_back(vectors[j] / length);
  }
  return sorted;
}

TEST(RetrievalReference, metrics_and_order_equal_the_evaluators) {
  const auto engine = compute::test_engine(2);
  for (const auto& c : fixture().at("retrieval")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const auto similarity = c.at("similarity").get<std::string>();
    const int dim = c.at("dim").get<int>();
    const Sorted corpus = sorted_corpus(c, similarity == "cosine");
    search::Nearest nearest(floats(c.at("queries")), dim, kRetrievalDepth, search::nearness_of(similarity));
    nearest.add(corpus.vectors, *engine);
    const auto hits = nearest.take();
    List sums(ranking_metric_names().size(), 0.0);
    for (size_t q = 0; q < hits.size(); ++q) {
      std::vector<uint32_t> relevant;
      for (const auto& id : c.at("relevant")[q]) {
        const auto at = std::lower_bound(corpus.ids.begin(), corpus.ids.end(), id.get<std::string>());
        relevant.push_back(static_cast<uint32_t>(at - corpus.ids.begin()));
      }
      std::sort(relevant.begin(), relevant.end());
      const List scores = ranking_scores(hits[q], relevant);
      for (size_t m = 0; m < sums.size(); ++m) sums[m] += scores[m];
      std::vector<std::string> found;
      for (const auto& hit : hits[q]) found.push_back(corpus.ids[static_cast<size_t>(hit.index)]);
      EXPECT_EQ(found, c.at("found")[q].get<std::vector<std::string>>()) << q;
    }
    for (size_t m = 0; m < sums.size(); ++m) {
      const std::string name = cat(similarity, "_", ranking_metric_names()[m]);
      SCOPED_TRACE(name);
      expect_near(sums[m] / static_cast<double>(hits.size()), c.at("metrics").at(name), 1e-12);
    }
  }
  EXPECT_EQ(fixture().at("retrieval").size(), 8U);
}

Statistic statistic_of(const List& scores, const List& labels) {
  return labels.empty() ? mean_statistic(scores) : average_precision_statistic(scores, labels);
}
List labels_of(const nlohmann::json& c) {
  return c.at("labels").is_null() ? List{} : list(c.at("labels"));
}

TEST(ResampleReference, intervals_equal_resampling_with_scikit_learn) {
  for (const auto& c : fixture().at("intervals")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const List scores = list(c.at("scores")), labels = labels_of(c);
    const Interval found = bootstrap_interval(scores.size(), statistic_of(scores, labels),
                                              c.at("seed").get<uint64_t>(), c.at("resamples").get<int>());
    expect_near(found.low, c.at("low"), 1e-12);
    expect_near(found.high, c.at("high"), 1e-12);
  }
  EXPECT_EQ(fixture().at("intervals").size(), 5U);
}

TEST(ResampleReference, differences_equal_resampling_with_scikit_learn) {
  for (const auto& c : fixture().at("differences")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const List a = list(c.at("a")), b = list(c.at("b")), labels = labels_of(c);
    const PairedDifference found =
        bootstrap_difference(0, a.size(), statistic_of(a, labels), statistic_of(b, labels),
                             c.at("seed").get<uint64_t>(), c.at("resamples").get<int>());
    expect_near(found.interval.low, c.at("low"), 1e-12);
    expect_near(found.interval.high, c.at("high"), 1e-12);
    expect_near(found.share_better, c.at("share_better"), 1e-12);
  }
  EXPECT_EQ(fixture().at("differences").size(), 2U);
}

// --- what the reference has no numbers for ---

TEST(Binary, nan_gives_nan_everywhere) {
  const auto scores = binary_scores(List{0.5, kNaN, 0.1}, List{1, 0, 0}, false);
  EXPECT_EQ(scores.size(), 8U);
  for (const auto& [name, value] : scores) EXPECT_TRUE(std::isnan(value)) << name;
}

TEST(Binary, no_pairs_have_the_references_first_values) {
  for (const bool negated : {false, true}) {
    for (const auto& [name, value] : binary_scores(List{}, List{}, negated))
      EXPECT_EQ(value, name == "accuracy_threshold" ? -1 : 0) << name;
  }
}

// The middle of two neighbouring doubles rounds to one of them.
TEST(Binary, a_threshold_lets_nothing_in_that_is_below_it) {
  const double below = 0.1, above = std::nextafter(below, 1.0);
  for (const auto& [high, low] : {std::pair{above, below}, std::pair{std::nextafter(above, 1.0), above}}) {
    for (const auto& [name, value] : binary_scores(List{low, high}, List{0, 1}, false)) {
      if (!name.ends_with("threshold")) continue;
      EXPECT_GT(value, low) << name;
      EXPECT_LE(value, high) << name;
    }
  }
}

TEST(Binary, the_statistic_of_every_row_once_is_the_average_precision) {
  const List scores{0.9, 0.1, 0.5, 0.5, 0.3, 0.8}, labels{1, 0, 1, 0, 1, 0};
  const std::vector<uint32_t> once(6, 1);
  for (const auto& [name, value] : binary_scores(scores, labels, false)) {
    if (name != "ap") continue;
    EXPECT_NEAR(average_precision_statistic(scores, labels)(once), value, 1e-15);
  }
}

TEST(Binary, lists_of_different_length_are_refused) {
  EXPECT_THROW(binary_scores(List{1, 2}, List{1}, false), Error);
}

TEST(Triplet, nan_is_neither_a_hit_nor_a_miss) {
  const List hits = triplet_hits(List{1, kNaN, 2, 3}, List{0, 0, kNaN, 3}, 0);
  EXPECT_EQ(hits[0], 1);
  EXPECT_TRUE(std::isnan(hits[1]));
  EXPECT_TRUE(std::isnan(hits[2]));
  EXPECT_EQ(hits[3], 0);
  EXPECT_THROW(triplet_hits(List{1}, List{}, 0), Error);
}

TEST(Mse, sizes_are_checked_and_nan_stays) {
  EXPECT_THROW(negative_mse(std::vector<float>{1, 2}, std::vector<float>{1}, 1), Error);
  EXPECT_THROW(negative_mse(std::vector<float>{1, 2, 3}, std::vector<float>{1, 2, 3}, 2), Error);
  EXPECT_THROW(negative_mse({}, {}, 0), Error);
  EXPECT_TRUE(negative_mse({}, {}, 3).empty());
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const List rows = negative_mse(std::vector<float>{nan, 1, 1, 1}, std::vector<float>{1, 1, 1, 3}, 2);
  EXPECT_TRUE(std::isnan(rows[0]));
  EXPECT_EQ(rows[1], -200);
}

TEST(Ranking, nothing_found) {
  for (const double score : ranking_scores({}, std::vector<uint32_t>{3})) EXPECT_EQ(score, 0);
}

TEST(Similarity, of_a_name) {
  EXPECT_EQ(similarity_of("model", "dot"), Similarity::dot);
  EXPECT_EQ(similarity_of("euclidean", "dot"), Similarity::euclidean);
  EXPECT_THROW(similarity_of("angle", "dot"), UsageError);
}

TEST(Resample, the_mean_of_nothing_is_not_defined) {
  EXPECT_TRUE(std::isnan(bootstrap_interval(0, mean_statistic({})).low));
  EXPECT_TRUE(std::isnan(bootstrap_difference(kNaN, 1, mean_statistic({}), mean_statistic({})).share_better));
}

}  // namespace
}  // namespace hone::eval
