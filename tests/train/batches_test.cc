// Which rows make a batch: every row once an epoch, whatever was asked for before.
#include "train/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/train/small_data.h"
#include "train/sampler.h"

namespace hone::train {
namespace {

using testing::data_of;
using testing::Draw;

using Batch = std::vector<uint32_t>;

// So many pairs of so many texts; as many texts as that: none comes twice.
TrainData pairs_of(uint32_t rows, uint32_t texts) {
  std::string content = "anchor\tpositive\n";
  Draw draw(rows);
  for (uint32_t row = 0; row < rows; ++row) {
    const bool distinct = texts >= 2 * rows;
    content += cat("t", distinct ? 2 * row : draw.below(texts), "\tt",
                   distinct ? 2 * row + 1 : draw.below(texts), "\n");
  }
  return data_of(content, "mnr");
}

TrainOptions options_of(int64_t batch_size, bool shuffle, const char* sampler = "random") {
  TrainOptions o;
  o.batch_size = batch_size;
  o.shuffle = shuffle;
  o.sampler = sampler;
  return o;
}

std::vector<Batch> epoch_of(Batches& batches, int64_t epoch) {
  std::vector<Batch> all;
  for (int64_t b = 0; b < batches.per_epoch(); ++b) all.push_back(batches.rows(epoch, b));
  return all;
}

std::vector<uint32_t> sorted_rows(const std::vector<Batch>& batches) {
  std::vector<uint32_t> rows;
  for (const Batch& batch : batches) rows.insert(rows.end(), batch.begin(), batch.end());
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<uint32_t> first_numbers(uint32_t count) {
  return epoch_order(0, 0, count, false);
}

TEST(Batches, not_shuffled_are_the_rows_in_their_order_in_every_epoch) {
  const TrainData data = pairs_of(10, 20);
  Batches batches(data, options_of(4, false));
  ASSERT_EQ(batches.per_epoch(), 3);
  for (int64_t epoch : {0, 1, 7})
    EXPECT_EQ(epoch_of(batches, epoch), (std::vector<Batch>{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}}));
}

TEST(Batches, shuffled_have_every_row_once_in_another_order_each_epoch) {
  const TrainData data = pairs_of(50, 100);
  Batches batches(data, options_of(8, true));
  ASSERT_EQ(batches.per_epoch(), 7);
  std::set<std::vector<Batch>> orders;
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    const auto all = epoch_of(batches, epoch);
    for (size_t b = 0; b < 7; ++b) EXPECT_EQ(all[b].size(), b < 6 ? 8U : 2U) << "the last is smaller";
    EXPECT_EQ(sorted_rows(all), first_numbers(50));
    orders.insert(all);
  }
  EXPECT_EQ(orders.size(), 5U);
  TrainOptions other = options_of(8, true);
  other.seed = 43;
  Batches of_another_seed(data, other);
  EXPECT_FALSE(orders.contains(epoch_of(of_another_seed, 0)));
}

// An epoch is the same rows, however they are cut.
TEST(Batches, of_another_size_cut_the_same_order) {
  const TrainData data = pairs_of(48, 96);
  Batches eights(data, options_of(8, true)), sixteens(data, options_of(16, true));
  for (int64_t b = 0; b < 3; ++b) {
    Batch both = eights.rows(2, 2 * b);
    const Batch second = eights.rows(2, 2 * b + 1);
    both.insert(both.end(), second.begin(), second.end());
    EXPECT_EQ(both, sixteens.rows(2, b));
  }
}

TEST(Batches, larger_than_the_data_or_as_large_or_of_one_row) {
  const TrainData data = pairs_of(5, 10);
  for (int64_t size : {5, 6, 1000}) {
    Batches batches(data, options_of(size, true));
    EXPECT_EQ(batches.per_epoch(), 1);
    EXPECT_EQ(batches.rows(3, 0).size(), 5U);
  }
  Batches ones(data, options_of(1, true));
  EXPECT_EQ(ones.per_epoch(), 5);
  EXPECT_EQ(sorted_rows(epoch_of(ones, 0)), first_numbers(5));
}

TEST(Batches, without_duplicates_have_no_text_twice_and_as_many_in_every_epoch) {
  for (uint32_t texts : {12U, 60U, 400U}) {
    for (bool shuffle : {true, false}) {
      SCOPED_TRACE(cat(texts, " texts, shuffled: ", shuffle));
      const TrainData data = pairs_of(64, texts);
      Batches batches(data, options_of(8, shuffle, "no-duplicates"));
      for (int64_t epoch = 0; epoch < 12; ++epoch) {
        const auto all = epoch_of(batches, epoch);
        EXPECT_EQ(static_cast<int64_t>(all.size()), batches.per_epoch());
        for (const Batch& batch : all) {
          ASSERT_TRUE(!batch.empty() && batch.size() <= 8);
          std::multiset<uint32_t> seen;
          for (uint32_t row : batch) {
            const std::set<uint32_t> own{data.text(0, row), data.text(1, row)};
            seen.insert(own.begin(), own.end());
          }
          for (uint32_t text : seen) EXPECT_EQ(seen.count(text), 1U) << "epoch " << epoch;
        }
        if (epoch == 0 || !shuffle) {
          EXPECT_EQ(sorted_rows(all), first_numbers(64)) << "all rows are served";
        }
      }
    }
  }
}

// The first epoch tells how many there are. What does not fit into another is left out; what is too little
// comes again from its beginning.
TEST(Batches, without_duplicates_are_those_of_the_sampler) {
  const TrainData data = pairs_of(64, 30);
  Batches batches(data, options_of(8, true, "no-duplicates"));
  std::vector<std::vector<uint32_t>> texts;
  for (uint32_t row = 0; row < 64; ++row) texts.push_back({data.text(0, row), data.text(1, row)});
  std::set<size_t> counts;
  for (uint64_t epoch = 0; epoch < 12; ++epoch) {
    const auto expected = batches_without_duplicates(epoch_order(42, epoch, 64, true), texts, 8);
    counts.insert(expected.size());
    for (int64_t b = 0; b < batches.per_epoch(); ++b)
      EXPECT_EQ(batches.rows(static_cast<int64_t>(epoch), b),
                expected[static_cast<size_t>(b) % expected.size()]);
  }
  EXPECT_GT(counts.size(), 1U) << "these data say nothing of epochs that differ";
}

// A resumed run begins anywhere, an estimate looks ahead: no call may depend on those before it.
TEST(Batches, are_a_function_of_epoch_and_batch_alone) {
  const TrainData data = pairs_of(40, 30);
  for (const char* sampler : {"random", "no-duplicates"}) {
    SCOPED_TRACE(sampler);
    const TrainOptions options = options_of(6, true, sampler);
    Batches all_over(data, options);
    Draw draw(1);
    for (int call = 0; call < 60; ++call) {
      const int64_t epoch = draw.below(5);
      const int64_t batch = draw.below(static_cast<uint32_t>(all_over.per_epoch()));
      Batches fresh(data, options);
      ASSERT_EQ(all_over.rows(epoch, batch), fresh.rows(epoch, batch)) << epoch << " " << batch;
    }
  }
}

}  // namespace
}  // namespace hone::train
