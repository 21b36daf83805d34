// The training loop on an engine whose gradient norms arrive late, as a GPU's do.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/base/temp_folder.h"
#include "tests/compute/late_engine.h"
#include "tests/train/small_run.h"
#include "train/estimate.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using compute::LateEngine;
using compute::LateOptions;
using testing::contents;
using testing::differences;
using testing::message_of;
using testing::small_options;
using testing::small_trainer;
using testing::TempFolder;

constexpr int kInFlight = 3;  // steps that may be on their way, as in the trainer

std::shared_ptr<LateEngine> late(const LateOptions& options) {
  return std::make_shared<LateEngine>(compute::test_engine(2), options);
}

// No evaluation and no checkpoint comes between the steps.
TrainOptions steps_alone() {
  TrainOptions o = small_options();
  o.checkpoint_steps = 0;
  return o;
}

struct LateRun {
  std::vector<StepReport> steps;
  std::vector<EvalReport> evaluations;
  std::vector<int> behind;  // steps started after the one that is reported
  TrainResult result;
};

// `stop_after`: asks to stop once this step is reported; 0: never.
LateRun run(const std::shared_ptr<compute::Engine>& engine, const TrainOptions& options, const fs::path& out,
            bool with_eval, OnExisting existing = OnExisting::refuse, int64_t stop_after = 0) {
  LateRun seen;
  const auto* watched = dynamic_cast<const LateEngine*>(engine.get());
  TrainCallbacks callbacks;
  callbacks.step = [&](const StepReport& r) {
    seen.steps.push_back(r);
    if (watched != nullptr) seen.behind.push_back(watched->log().steps - static_cast<int>(r.step));
  };
  callbacks.evaluation = [&](const EvalReport& r) { seen.evaluations.push_back(r); };
  callbacks.stop = [&] {
    return stop_after > 0 && !seen.steps.empty() && seen.steps.back().step >= stop_after;
  };
  seen.result = small_trainer(engine, options, with_eval).run(out, existing, callbacks);
  return seen;
}

void expect_equal(const std::vector<StepReport>& found, const std::vector<StepReport>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(found[i].step, expected[i].step);
    EXPECT_EQ(found[i].epoch, expected[i].epoch);
    EXPECT_EQ(found[i].loss, expected[i].loss);
    EXPECT_EQ(found[i].grad_norm, expected[i].grad_norm);
    EXPECT_EQ(found[i].learning_rate, expected[i].learning_rate);
    EXPECT_EQ(found[i].tokens, expected[i].tokens);
    EXPECT_EQ(found[i].pairs, expected[i].pairs);
  }
}

class Late : public ::testing::TestWithParam<int> {};

TEST_P(Late, has_the_losses_the_evaluations_and_the_weights_of_a_run_that_waits) {
  TempFolder folder;
  const LateRun expected = run(compute::test_engine(2), small_options(), folder / "whole", true);
  const auto engine = late({GetParam()});
  const LateRun found = run(engine, small_options(), folder / "late", true);
  expect_equal(found.steps, expected.steps);
  ASSERT_EQ(found.evaluations.size(), expected.evaluations.size());
  for (size_t i = 0; i < found.evaluations.size(); ++i) {
    EXPECT_EQ(found.evaluations[i].step, expected.evaluations[i].step);
    EXPECT_EQ(found.evaluations[i].metrics, expected.evaluations[i].metrics);
  }
  EXPECT_EQ(differences(contents(folder / "late"), contents(folder / "whole")), "");
  EXPECT_EQ(engine->log().not_flushed, 0);
  EXPECT_EQ(engine->log().pending, 0);
  EXPECT_GT(engine->log().most_pending, 1) << "no step was late";
}
INSTANTIATE_TEST_SUITE_P(ByLag, Late, ::testing::Values(1, 2, 5, LateOptions::kNever), [](const auto& c) {
  return c.param == LateOptions::kNever ? "never" : std::to_string(c.param);
});

// Numbers that are never there before they are waited for: three steps stay on their way until the last.
TEST(LateSteps, are_waited_for_three_steps_later) {
  TempFolder folder;
  const auto engine = late({});
  const LateRun seen = run(engine, steps_alone(), folder / "out", false);
  std::vector<int> expected(12 - kInFlight, kInFlight);
  for (int behind = kInFlight - 1; behind >= 0; --behind) expected.push_back(behind);
  EXPECT_EQ(seen.behind, expected);
  EXPECT_EQ(engine->log().most_pending, kInFlight + 1);
  EXPECT_EQ(engine->log().waits, 12);
}

TEST(LateSteps, are_reported_as_soon_as_their_numbers_are_there) {
  for (int lag = 0; lag <= kInFlight; ++lag) {
    SCOPED_TRACE(lag);
    TempFolder folder;
    const auto engine = late({lag});
    const LateRun seen = run(engine, steps_alone(), folder / "out", false);
    ASSERT_EQ(seen.behind.size(), 12U);
    for (size_t i = 0; i < 12; ++i) EXPECT_EQ(seen.behind[i], std::min(lag, 11 - static_cast<int>(i)));
    EXPECT_EQ(engine->log().waits, lag) << "for the last steps alone";
  }
}

TEST(LateSteps, are_all_reported_and_saved_when_a_run_is_asked_to_stop) {
  TempFolder folder;
  const LateRun whole = run(compute::test_engine(2), steps_alone(), folder / "whole", false);
  const auto first = late({}), second = late({});
  LateRun found = run(first, steps_alone(), folder / "out", false, OnExisting::refuse, 4);
  EXPECT_TRUE(found.result.interrupted);
  EXPECT_EQ(found.result.steps, 4 + kInFlight);
  EXPECT_EQ(found.steps.size(), static_cast<size_t>(4 + kInFlight));
  EXPECT_EQ(first->log().not_flushed, 0);
  const LateRun rest = run(second, steps_alone(), folder / "out", false, OnExisting::resume);
  EXPECT_EQ(second->log().not_flushed, 0);
  found.steps.insert(found.steps.end(), rest.steps.begin(), rest.steps.end());
  expect_equal(found.steps, whole.steps);
  EXPECT_EQ(differences(contents(folder / "out"), contents(folder / "whole")), "");
}

// Steps 6, 7 and 8 are under way when step 5 is seen to be broken; its rows are named all the same.
TEST(LateSteps, a_number_that_is_none_is_reported_with_its_rows) {
  TempFolder folder;
  TrainOptions o = steps_alone();
  o.shuffle = false;
  o.batch_size = 3;
  const auto engine = late({LateOptions::kNever, 5});
  Trainer trainer = small_trainer(engine, o, false);
  std::vector<int64_t> reported;
  TrainCallbacks callbacks;
  callbacks.step = [&](const StepReport& r) { reported.push_back(r.step); };
  const std::string message = message_of([&] { trainer.run(folder / "out", OnExisting::refuse, callbacks); });
  EXPECT_TRUE(message.starts_with("step 5: the gradient is nan in the batch of lines 13, 14, 15 of "))
      << message;
  EXPECT_EQ(reported, (std::vector<int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(engine->log().steps, 5 + kInFlight);
  EXPECT_FALSE(fs::exists(folder / "out"));
}

// Each piece of a batch is on its way before the vectors of the one before are waited for.
TEST(LateSteps, of_micro_batches_read_one_piece_behind) {
  const auto engine = std::make_shared<LateEngine>(compute::test_engine(2),
                                                   LateOptions{LateOptions::kNever, 0, uint64_t{1} << 40});
  TrainOptions o = steps_alone();
  o.batch_size = 120;
  const auto model = model::load_model(testing::kModels / "mean-gelu");
  o.memory = estimate_device_bytes(*model, {}) + 300 * device_bytes_per_token(*model);
  Trainer trainer = small_trainer(engine, o, false);
  trainer.step();
  const auto pieces = static_cast<int>(engine->log().pieces_at_get.size());
  ASSERT_GT(pieces, 3);
  std::vector<int> behind;
  for (int piece = 2; piece <= pieces; ++piece) behind.push_back(piece);
  behind.push_back(pieces);  // behind the last there is none
  EXPECT_EQ(engine->log().pieces_at_get, behind);
  EXPECT_EQ(engine->log().pieces, 2 * pieces - 1) << "the last is not computed again";
}

// The checkpoint after step 3 is kept; that after step 6 would hold what step 5 has spoilt.
TEST(LateSteps, a_number_that_is_none_is_in_no_checkpoint) {
  TempFolder folder;
  TrainOptions o = small_options();
  o.checkpoint_steps = 3;
  run(compute::test_engine(2), o, folder / "sound", false, OnExisting::refuse, 3);
  const auto engine = late({LateOptions::kNever, 5});
  Trainer trainer = small_trainer(engine, o, false);
  const std::string message = message_of([&] { trainer.run(folder / "out", OnExisting::refuse, {}); });
  EXPECT_TRUE(message.starts_with("step 5: the gradient is nan")) << message;
  EXPECT_EQ(engine->log().steps, 6);
  EXPECT_EQ(engine->log().not_flushed, 0);
  EXPECT_EQ(differences(contents(folder / "out"), contents(folder / "sound")), "");
}

}  // namespace
}  // namespace hone::train
