// Top-k on shapes around the width of a sum and the height of a block, with ties, NaN and infinity.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "search/topk.h"

namespace hone::search {
namespace {

// Whole numbers, so that every order of summation gives the same score.
std::vector<float> whole_numbers(size_t count, uint32_t state) {
  std::vector<float> out;
  for (size_t i = 0; i < count; ++i) {
    state = state * 1664525U + 1013904223U;
    out.push_back(static_cast<float>(static_cast<int>(state >> 29) - 3));
  }
  return out;
}

std::vector<Hit> by_sorting(std::span<const float> query, std::span<const float> corpus, size_t k) {
  std::vector<Hit> all;
  for (size_t row = 0; row * query.size() < corpus.size(); ++row) {
    float score = 0;
    for (size_t i = 0; i < query.size(); ++i) score += query[i] * corpus[row * query.size() + i];
    all.push_back({static_cast<int64_t>(row), score});
  }
  std::stable_sort(all.begin(), all.end(), [](const Hit& a, const Hit& b) { return a.score > b.score; });
  all.resize(std::min(k, all.size()));
  return all;
}

void expect_equal(const std::vector<Hit>& found, const std::vector<Hit>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].index, expected[i].index) << "place " << i;
    EXPECT_EQ(found[i].score, expected[i].score) << "place " << i;
  }
}

struct Shape {
  size_t queries, rows, dim, k;
};
class TopKShapes : public ::testing::TestWithParam<Shape> {};
TEST_P(TopKShapes, equals_sorting_everything_with_many_ties) {
  const auto [count, rows, dim, k] = GetParam();
  const auto queries = whole_numbers(count * dim, 1), corpus = whole_numbers(rows * dim, 2);
  const auto found = top_k(queries, corpus, static_cast<int>(dim), static_cast<int64_t>(k));
  ASSERT_EQ(found.size(), count);
  for (size_t q = 0; q < count; ++q) {
    SCOPED_TRACE(q);
    expect_equal(found[q], by_sorting(std::span(queries).subspan(q * dim, dim), corpus, k));
  }
}
INSTANTIATE_TEST_SUITE_P(TopK, TopKShapes,
                         ::testing::Values(Shape{1, 1, 1, 1}, Shape{2, 5, 1, 3}, Shape{3, 63, 7, 10},
                                           Shape{3, 64, 8, 64}, Shape{3, 65, 9, 65}, Shape{5, 200, 16, 1},
                                           Shape{70, 130, 17, 7}, Shape{1, 1000, 3, 1000},
                                           Shape{2, 10, 4, 1000}));

TEST(TopKCases, a_row_never_has_a_say_in_anothers_place) {
  const auto corpus = whole_numbers(300 * 5, 3), query = whole_numbers(5, 4);
  const auto alone = top_k(query, corpus, 5, 300).at(0);
  std::vector<float> two = query;
  two.insert(two.end(), query.begin(), query.end());
  const auto both = top_k(two, corpus, 5, 300);
  expect_equal(both[0], alone);
  expect_equal(both[1], alone);
}

TEST(TopKCases, all_equal_scores_come_in_order_of_index) {
  const std::vector<float> corpus(500, 1), query{1};
  const auto hits = top_k(query, corpus, 1, 130).at(0);
  ASSERT_EQ(hits.size(), 130U);
  for (size_t i = 0; i < hits.size(); ++i) EXPECT_EQ(hits[i].index, static_cast<int64_t>(i));
}

TEST(TopKCases, nan_comes_last_and_infinity_has_its_place) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> corpus{nan, 1, -infinity, nan, infinity, 2, nan, -3}, query{1};
  const auto order = [&](int64_t k) {
    std::vector<int64_t> indices;
    const auto found = top_k(query, corpus, 1, k);
    for (const Hit& hit : found.at(0)) indices.push_back(hit.index);
    return indices;
  };
  EXPECT_EQ(order(8), (std::vector<int64_t>{4, 5, 1, 7, 2, 0, 3, 6}));
  EXPECT_EQ(order(6), (std::vector<int64_t>{4, 5, 1, 7, 2, 0}));
  EXPECT_EQ(order(1), (std::vector<int64_t>{4}));
}

TEST(TopKCases, an_enormous_k_costs_no_memory) {
  const std::vector<float> corpus{1, 2, 3}, query{1};
  EXPECT_EQ(top_k(query, corpus, 1, std::numeric_limits<int64_t>::max()).at(0).size(), 3U);
}

TEST(TopKCases, wrong_shapes_are_refused) {
  const std::vector<float> six(6, 1), four(4, 1);
  EXPECT_THROW(top_k(four, six, 4, 1), Error);  // the corpus is not whole rows
  EXPECT_THROW(top_k(six, four, 4, 1), Error);  // the queries are not
  EXPECT_THROW(top_k(four, four, 0, 1), Error);
  EXPECT_THROW(top_k(four, four, -2, 1), Error);
  EXPECT_THROW(top_k(four, four, 2, -1), Error);
}

}  // namespace
}  // namespace hone::search
