// Batches without duplicates. The order of an epoch is tested in schedule_test.cc.
#include "train/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/error.h"

using namespace hone::train;

namespace {

using Ids = std::vector<std::vector<uint32_t>>;
using Lists = std::vector<std::vector<uint32_t>>;

std::vector<uint32_t> in_order(size_t rows) {
  return epoch_order(0, 0, static_cast<uint32_t>(rows), false);
}

size_t full_ones(const Lists& batches, size_t batch_size) {
  return static_cast<size_t>(std::count_if(batches.begin(), batches.end(), [batch_size](const auto& batch) {
    return batch.size() == batch_size;
  }));
}

// The batches of these rows, of which every one is there once, and none with another of the same id.
Lists checked(const std::vector<uint32_t>& order, const Ids& ids, size_t batch_size) {
  Lists batches = batches_without_duplicates(order, ids, batch_size);
  std::vector<uint32_t> rows;
  for (size_t b = 0; b < batches.size(); ++b) {
    EXPECT_FALSE(batches[b].empty());
    EXPECT_LE(batches[b].size(), batch_size);
    std::vector<uint32_t> all;
    for (uint32_t row : batches[b]) {
      std::vector<uint32_t> own = ids[row];
      std::sort(own.begin(), own.end());
      all.insert(all.end(), own.begin(), std::unique(own.begin(), own.end()));
    }
    std::sort(all.begin(), all.end());
    EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end()) << "batch " << b;
    rows.insert(rows.end(), batches[b].begin(), batches[b].end());
  }
  std::vector<uint32_t> expected = order;
  std::sort(expected.begin(), expected.end());
  std::sort(rows.begin(), rows.end());
  EXPECT_EQ(rows, expected) << "every row exactly once";
  EXPECT_EQ(batches_without_duplicates(order, ids, batch_size), batches) << "the same again";
  return batches;
}

// Pairs whose texts are drawn from so many.
Ids random_pairs(uint32_t rows, uint32_t texts) {
  const std::vector<uint32_t> first = epoch_order(1, 0, rows, true), second = epoch_order(2, 0, rows, true);
  Ids ids;
  for (uint32_t row = 0; row < rows; ++row) ids.push_back({first[row] % texts, second[row] % texts});
  return ids;
}

}  // namespace

TEST(BatchesWithoutDuplicates, DistinctRowsKeepTheOrder) {
  const Ids ids = {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {8, 9}};
  EXPECT_EQ(checked({3, 1, 4, 0, 2}, ids, 2), (Lists{{3, 1}, {4, 0}, {2}}));
  EXPECT_EQ(checked(in_order(5), ids, 5), (Lists{{0, 1, 2, 3, 4}}));
  EXPECT_EQ(checked(in_order(5), ids, 100), (Lists{{0, 1, 2, 3, 4}}));
  EXPECT_EQ(checked({2, 0}, ids, 3), (Lists{{2, 0}})) << "an order may be of some rows only";
}

TEST(BatchesWithoutDuplicates, ARowThatDoesNotFitGoesFirstIntoTheNext) {
  EXPECT_EQ(checked(in_order(5), {{0}, {0}, {1}, {2}, {3}}, 2), (Lists{{0, 2}, {1, 3}, {4}}));
  // Row 2 shares one text with each of those before it.
  EXPECT_EQ(checked(in_order(4), {{0, 1}, {2, 3}, {1, 2}, {4, 5}}, 3), (Lists{{0, 1, 3}, {2}}));
  // Rows 1 and 2 both wait for row 0, and do not fit with each other.
  EXPECT_EQ(checked(in_order(3), {{0, 1}, {0, 2}, {1, 2}}, 3), (Lists{{0}, {1}, {2}}));
}

TEST(BatchesWithoutDuplicates, ARowMayHaveATextTwice) {
  EXPECT_EQ(checked(in_order(3), {{5, 5}, {6, 6}, {5, 6}}, 3), (Lists{{0, 1}, {2}}));
}

TEST(BatchesWithoutDuplicates, RowsWithoutTextsFitAnywhere) {
  EXPECT_EQ(checked(in_order(3), {{}, {}, {}}, 2), (Lists{{0, 1}, {2}}));
  EXPECT_EQ(checked({}, {}, 2), Lists{});
}

TEST(BatchesWithoutDuplicates, IdsMayBeFarApart) {
  const uint32_t most = std::numeric_limits<uint32_t>::max();
  EXPECT_EQ(checked(in_order(4), {{most, 0}, {most - 1, 7}, {most, 1}, {2, 3}}, 3), (Lists{{0, 1, 3}, {2}}));
}

TEST(BatchesWithoutDuplicates, ABatchHasARow) {
  EXPECT_THROW(batches_without_duplicates(in_order(1), Ids{{0}}, 0), hone::Error);
  EXPECT_EQ(checked(in_order(3), {{0}, {0}, {1}}, 1).size(), 3U);
}

TEST(BatchesWithoutDuplicates, AllRowsTheSameText) {
  const Lists batches = checked(in_order(1000), Ids(1000, {4}), 32);
  EXPECT_EQ(batches.size(), 1000U);
  EXPECT_EQ(batches[17], std::vector<uint32_t>{17});
}

TEST(BatchesWithoutDuplicates, AHeavyTextIsSpreadOverTheBatches) {
  // Every fourth row has text 0; 1000 batches of 4 hold one each.
  Ids ids;
  for (uint32_t row = 0; row < 4000; ++row) ids.push_back({row % 4 == 0 ? 0 : row});
  const auto order = epoch_order(5, 0, 4000, true);
  const Lists batches = checked(order, ids, 4);
  EXPECT_LE(batches.size(), 1100U);
  EXPECT_GE(full_ones(batches, 4), 950U);
}

TEST(BatchesWithoutDuplicates, ManyHeavyTextsFillBatches) {
  // 64 texts, each in 100 rows one after the other: a batch can hold one of each.
  Ids ids;
  for (uint32_t row = 0; row < 6400; ++row) ids.push_back({row / 100});
  EXPECT_EQ(checked(in_order(6400), ids, 64).size(), 100U);
  EXPECT_EQ(checked(in_order(6400), ids, 32).size(), 200U);
}

TEST(BatchesWithoutDuplicates, RowsThatShareTextsAtRandom) {
  for (uint32_t texts : {3U, 10U, 100U, 1000U, 20000U}) {
    SCOPED_TRACE(texts);
    const Ids ids = random_pairs(5000, texts);
    for (size_t batch_size : {2U, 16U, 64U, 512U}) checked(epoch_order(9, 1, 5000, true), ids, batch_size);
  }
  const Lists batches = checked(epoch_order(9, 1, 5000, true), random_pairs(5000, 1000), 16);
  EXPECT_GE(full_ones(batches, 16), 300U) << "of 5000 / 16";
}

// Work that grew with the square of the rows would take hours here.
TEST(BatchesWithoutDuplicates, AMillionRows) {
  constexpr uint32_t kRows = 1000000;
  const auto order = epoch_order(3, 0, kRows, true);
  const auto rows_in = [&](const Ids& ids, size_t batch_size) {
    size_t rows = 0;
    for (const auto& batch : batches_without_duplicates(order, ids, batch_size)) rows += batch.size();
    return rows;
  };
  EXPECT_EQ(rows_in(random_pairs(kRows, kRows), 64), kRows);
  EXPECT_EQ(rows_in(Ids(kRows, {0, 1}), 1024), kRows);
  Ids heavy;
  for (uint32_t row = 0; row < kRows; ++row) heavy.push_back({row % 2 == 0 ? 0 : row, kRows + row % 1000});
  EXPECT_EQ(rows_in(heavy, 256), kRows);
}
