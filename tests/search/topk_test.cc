#include "search/topk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace hone::search {
namespace {

TEST(TopK, best_first_and_equal_scores_by_lower_index) {
  const std::vector<float> corpus{1, 0, 0, 1, 1, 0, 2, 0, 0, 3}, query{1, 0};
  const auto hits = top_k(query, corpus, 2, 3).at(0);
  ASSERT_EQ(hits.size(), 3U);
  EXPECT_EQ(hits[0].index, 3);
  EXPECT_FLOAT_EQ(hits[0].score, 2);
  EXPECT_EQ(hits[1].index, 0);
  EXPECT_EQ(hits[2].index, 2);
}

TEST(TopK, equals_sorting_everything) {
  constexpr int kDim = 13, kRows = 200, kQueries = 4;
  std::vector<float> corpus, queries;
  for (int i = 0; i < kRows * kDim; ++i) corpus.push_back(static_cast<float>((i * 7919) % 101) / 50 - 1);
  for (int i = 0; i < kQueries * kDim; ++i) queries.push_back(static_cast<float>((i * 104729) % 97) / 48 - 1);
  const auto found = top_k(queries, corpus, kDim, 17);
  for (int q = 0; q < kQueries; ++q) {
    std::vector<std::pair<double, int>> all;
    for (int r = 0; r < kRows; ++r) {
      double s = 0;
      for (int i = 0; i < kDim; ++i)
        s += static_cast<double>(queries[q * kDim + i]) * static_cast<double>(corpus[r * kDim + i]);
      all.emplace_back(s, r);
    }
    std::sort(all.begin(), all.end(), [](auto a, auto b) { return a.first > b.first; });
    for (size_t i = 0; i < 17; ++i) EXPECT_NEAR(static_cast<double>(found[q][i].score), all[i].first, 1e-5);
  }
}

TEST(TopK, small_and_wrong_input) {
  EXPECT_EQ(top_k(std::vector<float>{1, 1}, std::vector<float>{1, 1}, 2, 10).at(0).size(), 1U);
  EXPECT_TRUE(top_k(std::vector<float>{1, 1}, {}, 2, 3).at(0).empty());
  EXPECT_TRUE(top_k({}, std::vector<float>{1, 1}, 2, 3).empty());
  EXPECT_THROW(top_k(std::vector<float>{1}, std::vector<float>{1, 1}, 2, 3), Error);
  EXPECT_THROW(top_k(std::vector<float>{1, 1}, std::vector<float>{1, 1}, 2, 0), Error);
}

// (3,4) and (0,6) are 5 and 6 away from the origin, but 7 and 6 by blocks; (-1,9) has the largest product.
TEST(TopK, each_nearness_has_its_own_order) {
  const std::vector<float> corpus{3, 4, 0, 6, -1, 9}, query{0, 1}, origin{0, 0};
  struct Expected {
    std::vector<float> query;
    Nearness nearness;
    std::vector<int64_t> indices;
    std::vector<float> scores;
  };
  const Expected cases[] = {{query, Nearness::dot, {2, 1, 0}, {9, 6, 4}},
                            {origin, Nearness::euclidean, {0, 1, 2}, {-5, -6, -std::sqrt(82.0F)}},
                            {origin, Nearness::manhattan, {1, 0, 2}, {-6, -7, -10}}};
  for (const Expected& e : cases) {
    const auto hits = top_k(e.query, corpus, 2, 3, e.nearness).at(0);
    ASSERT_EQ(hits.size(), 3U);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(hits[i].index, e.indices[i]);
      EXPECT_FLOAT_EQ(hits[i].score, e.scores[i]);
    }
  }
}

// Eleven numbers: eight side by side and three more.
TEST(TopK, distances_count_every_number) {
  const std::vector<float> zeros(11, 0);
  std::vector<float> row;
  for (int i = 1; i <= 11; ++i) row.push_back(static_cast<float>(i % 2 == 0 ? i : -i));
  EXPECT_FLOAT_EQ(top_k(zeros, row, 11, 1, Nearness::manhattan).at(0).at(0).score, -66);
  EXPECT_FLOAT_EQ(top_k(zeros, row, 11, 1, Nearness::euclidean).at(0).at(0).score, -std::sqrt(506.0F));
}

TEST(TopK, a_models_similarity_names_its_nearness) {
  EXPECT_EQ(nearness_of("cosine"), Nearness::dot);
  EXPECT_EQ(nearness_of("dot"), Nearness::dot);
  EXPECT_EQ(nearness_of("euclidean"), Nearness::euclidean);
  EXPECT_EQ(nearness_of("manhattan"), Nearness::manhattan);
  EXPECT_THROW(nearness_of("maxsim"), Error);
}

}  // namespace
}  // namespace hone::search
