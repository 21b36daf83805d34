#include "train/schedule.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "train/sampler.h"

namespace hone::train {
namespace {

// Values of transformers.get_{linear,constant,cosine}_schedule_with_warmup, 10 steps, 2 of them warm-up,
// peak 1.
TEST(Schedule, equals_the_references) {
  const double linear[] = {0, 0.5, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125};
  const double cosine[] = {0,
                           0.5,
                           1,
                           0.9619397662556434,
                           0.8535533905932737,
                           0.6913417161825449,
                           0.5,
                           0.3086582838174551,
                           0.14644660940672627,
                           0.03806023374435663};
  for (int64_t i = 0; i < 10; ++i) {
    EXPECT_DOUBLE_EQ((Schedule{ScheduleKind::linear, 1, 2, 10}.rate(i)), linear[i]) << i;
    EXPECT_NEAR((Schedule{ScheduleKind::cosine, 1, 2, 10}.rate(i)), cosine[i], 1e-15) << i;
    EXPECT_DOUBLE_EQ((Schedule{ScheduleKind::constant, 1, 2, 10}.rate(i)),
                     i < 2 ? 0.5 * static_cast<double>(i) : 1)
        << i;
  }
}

TEST(Schedule, without_warmup_starts_at_the_peak_and_with_only_warmup_never_divides_by_zero) {
  EXPECT_DOUBLE_EQ((Schedule{ScheduleKind::linear, 2e-5, 0, 4}.rate(0)), 2e-5);
  EXPECT_DOUBLE_EQ((Schedule{ScheduleKind::linear, 1, 4, 4}.rate(3)), 0.75);
  EXPECT_DOUBLE_EQ((Schedule{ScheduleKind::linear, 1, 4, 4}.rate(4)), 1);
}

TEST(Schedule, names) {
  for (const char* name : {"linear", "constant", "cosine"})
    EXPECT_EQ(schedule_name(parse_schedule(name)), name);
  EXPECT_THROW(parse_schedule("Linear"), UsageError);
  EXPECT_THROW(parse_schedule(""), UsageError);
}

TEST(Sampler, is_a_permutation_that_depends_on_seed_and_epoch) {
  const auto a = epoch_order(42, 0, 1000, true);
  EXPECT_EQ(std::set<uint32_t>(a.begin(), a.end()).size(), 1000U);
  EXPECT_EQ(*std::max_element(a.begin(), a.end()), 999U);
  EXPECT_EQ(a, epoch_order(42, 0, 1000, true));
  EXPECT_NE(a, epoch_order(42, 1, 1000, true));
  EXPECT_NE(a, epoch_order(43, 0, 1000, true));
  EXPECT_NE(a, epoch_order(42ULL << 32, 0, 1000, true));
}

TEST(Sampler, keeps_the_order_when_not_shuffled_and_knows_tiny_sets) {
  EXPECT_EQ(epoch_order(1, 5, 4, false), (std::vector<uint32_t>{0, 1, 2, 3}));
  EXPECT_TRUE(epoch_order(1, 0, 0, true).empty());
  EXPECT_EQ(epoch_order(1, 0, 1, true), (std::vector<uint32_t>{0}));
}

// Every row is first equally often: 6 rows, 6000 epochs, 1000 expected each, standard deviation 29.
TEST(Sampler, is_fair) {
  std::vector<int> first(6);
  for (uint64_t epoch = 0; epoch < 6000; ++epoch) ++first[epoch_order(7, epoch, 6, true)[0]];
  for (int count : first) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace hone::train
