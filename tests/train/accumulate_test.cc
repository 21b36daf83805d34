// Gradient accumulation: for a loss that is a mean over rows, N batches of B rows are one of N * B.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/train/loss_cases.h"
#include "tests/train/small_run.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using testing::LossCase;
using testing::message_of;

constexpr int64_t kRows = 48, kSteps = 5;

Trainer trainer_of(const LossCase& c, int64_t batch, int64_t accumulate, int64_t steps = kSteps,
                   double learning_rate = 1e-3) {
  TrainOptions o;
  o.steps = steps;
  o.loss = c.loss;
  o.loss_options = c.options;
  o.batch_size = batch;
  o.accumulate = accumulate;
  o.learning_rate = learning_rate;
  o.dropout = 0;  // drawn by the number of the batch
  return {model::load_model(testing::kModels / c.model), compute::test_engine(2), testing::loss_rows(c),
          nullptr, o};
}

bool is_mean_over_rows(const LossCase& c) {
  const loss::LossInfo& info = loss::find_loss(c.loss);
  // Sums over what a batch has.
  const bool over_pairs = info.labels == loss::Labels::order || c.loss == "online-contrastive";
  return !info.in_batch && !over_pairs;
}

std::vector<LossCase> first_cases(bool mean_over_rows) {
  std::vector<LossCase> some;
  std::set<std::string> seen;
  for (const LossCase& c : testing::loss_cases()) {
    if (is_mean_over_rows(c) == mean_over_rows && seen.insert(c.loss).second) some.push_back(c);
  }
  return some;
}

class Accumulated : public ::testing::TestWithParam<LossCase> {};

TEST_P(Accumulated, batches_of_a_loss_over_rows_are_one_large_batch) {
  for (int64_t accumulate : {2, 4}) {
    Trainer whole = trainer_of(GetParam(), 16, 1),
            parts = trainer_of(GetParam(), 16 / accumulate, accumulate);
    EXPECT_EQ(parts.steps_per_epoch(), kRows / 16);
    EXPECT_EQ(whole.steps_per_epoch(), kRows / 16);
    for (int64_t step = 0; step < kSteps; ++step) {
      const StepReport a = whole.step(), b = parts.step();
      EXPECT_EQ(b.pairs, 16);
      EXPECT_EQ(b.tokens, a.tokens);
      EXPECT_EQ(b.epoch, a.epoch);
      EXPECT_EQ(b.learning_rate, a.learning_rate);
      EXPECT_NEAR(b.loss / a.loss, 1, 1e-4) << "step " << step;
      EXPECT_NEAR(b.grad_norm / a.grad_norm, 1, 1e-3) << "step " << step;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(All, Accumulated, ::testing::ValuesIn(first_cases(true)), testing::loss_case_name);

class Apart : public ::testing::TestWithParam<LossCase> {};

// They see less at once: that is what --batch-size is for, in a given memory.
TEST_P(Apart, batches_of_a_loss_over_the_batch_are_not_one_large_batch) {
  const double whole = trainer_of(GetParam(), 16, 1).step().loss,
               parts = trainer_of(GetParam(), 4, 4).step().loss;
  EXPECT_GT(std::abs(whole / parts - 1), 0.05);
}
INSTANTIATE_TEST_SUITE_P(All, Apart, ::testing::ValuesIn(first_cases(false)), testing::loss_case_name);

// 12 batches in steps of 5: 5, 5 and the 2 that are left, whose mean it is.
TEST(Accumulate, the_last_step_of_an_epoch_has_the_batches_that_are_left) {
  const LossCase c = testing::loss_cases().front();
  Trainer trainer = trainer_of(c, 4, 5, 4, 0), ones = trainer_of(c, 4, 1, 12, 0);
  ASSERT_EQ(trainer.steps_per_epoch(), 3);
  ASSERT_EQ(ones.steps_per_epoch(), 12);
  for (int64_t batches : {5, 5, 2}) {
    double sum = 0;
    for (int64_t b = 0; b < batches; ++b) sum += ones.step().loss;
    const StepReport step = trainer.step();
    EXPECT_EQ(step.pairs, 4 * batches);
    EXPECT_NEAR(step.loss, sum / static_cast<double>(batches), 1e-9);
  }
  EXPECT_EQ(trainer.step().pairs, 20) << "the next epoch";
}

// At a rate of 0 all rows have the same loss at every step, but for what is drawn for a batch.
TEST(Accumulate, each_batch_of_the_run_is_drawn_for_anew) {
  LossCase c = testing::loss_cases().front();
  c.options = "matryoshka=32+16+8,matryoshka_per_batch=1";
  constexpr int64_t kBatches = 12;
  Trainer ones = trainer_of(c, kRows, 1, kBatches, 0), again = trainer_of(c, kRows, 1, kBatches, 0);
  std::set<int64_t> seen;  // rounded
  for (int64_t b = 0; b < kBatches; ++b) {
    const double loss = ones.step().loss;
    EXPECT_EQ(again.step().loss, loss);
    seen.insert(std::llround(1e4 * loss));
  }
  EXPECT_EQ(seen.size(), 3U);
}

TEST(Accumulate, is_of_no_use_to_a_loss_of_the_hosts) {
  Trainer trainer = trainer_of(testing::loss_cases().front(), 4, 2);
  EXPECT_EQ(message_of<config::OptionError>([&] { trainer.forward(); }),
            "accumulate: 2 found, 1 expected: a loss of the host's makes a step of each batch");
}

}  // namespace
}  // namespace hone::train
