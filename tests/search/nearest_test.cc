// Many queries against a corpus in pieces: the same hits as from looking at every pair.
#include "search/nearest.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "tests/compute/test_engine.h"

namespace hone::search {
namespace {

std::vector<float> values(int64_t n, uint64_t seed) {
  std::vector<float> out(static_cast<size_t>(n));
  uint64_t state = seed * 2654435761ULL + 1;
  for (float& x : out) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    x = static_cast<float>(static_cast<int32_t>(state >> 33)) / 1073741824.0F - 1.0F;
  }
  return out;
}

using Found = std::vector<std::vector<Hit>>;

Found search(const std::vector<float>& queries, const std::vector<float>& corpus, int dim, int64_t k,
             Nearness nearness, int64_t piece, int threads) {
  const auto engine = compute::test_engine(threads);
  Nearest nearest(queries, dim, k, nearness);
  const auto rows = static_cast<int64_t>(corpus.size()) / dim;
  for (int64_t begin = 0; begin < rows; begin += piece)
    nearest.add(std::span(corpus).subspan(static_cast<size_t>(begin * dim),
                                          static_cast<size_t>(std::min(piece, rows - begin) * dim)),
                *engine);
  return nearest.take();
}

void expect_same(const Found& a, const Found& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t q = 0; q < a.size(); ++q) {
    ASSERT_EQ(a[q].size(), b[q].size()) << q;
    for (size_t i = 0; i < a[q].size(); ++i) {
      ASSERT_EQ(a[q][i].index, b[q][i].index) << q << ", " << i;
      ASSERT_EQ(a[q][i].score, b[q][i].score) << q << ", " << i;
    }
  }
}

struct Case {
  int64_t queries, rows;
  int dim;
  int64_t k;
};

class NearestCases : public ::testing::TestWithParam<Case> {};

TEST_P(NearestCases, equals_all_pairs_in_any_pieces_at_any_thread_count) {
  const auto [count, rows, dim, k] = GetParam();
  const auto queries = values(count * dim, 1), corpus = values(rows * dim, 2);
  for (const Nearness nearness : {Nearness::dot, Nearness::euclidean, Nearness::manhattan}) {
    const Found whole = search(queries, corpus, dim, k, nearness, rows + 1, 1);
    expect_same(whole, search(queries, corpus, dim, k, nearness, 7, 1));
    expect_same(whole, search(queries, corpus, dim, k, nearness, 100, 3));
    // Sums are made in another order than top_k's: neighbours may swap where scores are as near as that.
    const Found pairs = top_k(queries, corpus, dim, k, nearness);
    ASSERT_EQ(whole.size(), pairs.size());
    for (size_t q = 0; q < whole.size(); ++q) {
      ASSERT_EQ(whole[q].size(), pairs[q].size());
      for (size_t i = 0; i < whole[q].size(); ++i) ASSERT_NEAR(whole[q][i].score, pairs[q][i].score, 1e-5);
    }
  }
}

// Remainders of blocks of queries, of strips and of groups; more hits asked for than there are rows.
INSTANTIATE_TEST_SUITE_P(Shapes, NearestCases,
                         ::testing::Values(Case{1, 1, 1, 1}, Case{1, 500, 16, 10}, Case{3, 48, 5, 100},
                                           Case{65, 203, 33, 7}, Case{150, 385, 24, 100},
                                           Case{1030, 61, 4, 3}, Case{2, 900, 400, 5}));

// Whole numbers: most scores are tied.
TEST(Nearest, ties_go_to_the_lower_index) {
  std::vector<float> queries, corpus;
  for (int i = 0; i < 10 * 3; ++i) queries.push_back(static_cast<float>(i * 7 % 3 - 1));
  for (int i = 0; i < 400 * 3; ++i) corpus.push_back(static_cast<float>(i * 11 % 5 % 3 - 1));
  for (const Nearness nearness : {Nearness::dot, Nearness::manhattan}) {
    const Found expected = top_k(queries, corpus, 3, 50, nearness);
    expect_same(search(queries, corpus, 3, 50, nearness, 1000, 2), expected);
    expect_same(search(queries, corpus, 3, 50, nearness, 37, 2), expected);
  }
}

TEST(Nearest, nan_comes_last) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Found found = search({1, 0}, {nan, 0, -5, 0, 2, nan, 3, 0}, 2, 3, Nearness::dot, 10, 1);
  ASSERT_EQ(found.at(0).size(), 3U);
  EXPECT_EQ(found[0][0].index, 3);
  EXPECT_EQ(found[0][1].index, 1);
  EXPECT_EQ(found[0][2].index, 0);
  EXPECT_TRUE(std::isnan(found[0][2].score));
}

TEST(Nearest, empty_and_wrong_input) {
  EXPECT_TRUE(search({}, {1, 1}, 2, 3, Nearness::dot, 10, 1).empty());
  EXPECT_TRUE(search({1, 1}, {}, 2, 3, Nearness::dot, 10, 1).at(0).empty());
  EXPECT_THROW(Nearest(std::vector<float>{1}, 2, 3), Error);
  EXPECT_THROW(Nearest(std::vector<float>{1, 1}, 2, 0), Error);
  EXPECT_THROW(Nearest(std::vector<float>{1, 1}, 0, 1), Error);
  const auto engine = compute::test_engine(1);
  Nearest nearest(std::vector<float>{1, 1}, 2, 1);
  EXPECT_THROW(nearest.add(std::vector<float>{1, 1, 1}, *engine), Error);
}

}  // namespace
}  // namespace hone::search
