// The training loop on a small model.
#include "train/trainer.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "tests/base/temp_folder.h"
#include "tests/train/small_run.h"

namespace hone::train {
namespace {

using testing::contents;
using testing::differences;
using testing::kModels;
using testing::message_of;
using testing::pairs;
using testing::small_options;
using testing::stopping_after;
using testing::TempFolder;

TrainResult train(const fs::path& out, const TrainOptions& options, OnExisting existing = OnExisting::refuse,
                  int threads = 2, const TrainCallbacks& callbacks = {}, bool with_eval = true) {
  return testing::train_small(out, options, existing, threads, callbacks, with_eval);
}

std::string weights(const fs::path& folder) {
  return testing::bytes_of(folder / "model.safetensors");
}

TEST(Trainer, lowers_the_loss_and_saves_a_model_that_loads) {
  TempFolder folder;
  std::vector<double> losses;
  TrainCallbacks callbacks;
  callbacks.step = [&](const StepReport& r) {
    losses.push_back(r.loss);
    EXPECT_EQ(r.step, static_cast<int64_t>(losses.size()));
    EXPECT_GT(r.tokens, 0);
    EXPECT_GT(r.grad_norm, 0);
  };
  TrainOptions o = small_options();
  o.steps = 40;
  o.dropout = 0;
  const TrainResult result = train(folder / "out", o, OnExisting::refuse, 2, callbacks);
  EXPECT_EQ(result.steps, 40);
  ASSERT_EQ(losses.size(), 40U);
  EXPECT_LT(losses[39] + losses[38], 0.8 * (losses[0] + losses[1]));
  const auto tuned = model::load_model(folder / "out");
  EXPECT_EQ(tuned->dim(), 32);
  EXPECT_FALSE(fs::exists(folder / "out" / "checkpoint"));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"out"});
}

TEST(Trainer, the_same_bits_at_any_thread_count_and_another_seed_differs) {
  TempFolder folder;
  train(folder / "one", small_options(), OnExisting::refuse, 1);
  train(folder / "two", small_options(), OnExisting::refuse, 2);
  train(folder / "three", small_options(), OnExisting::refuse, 3);
  TrainOptions other = small_options();
  other.seed = 43;
  train(folder / "other", other);
  EXPECT_EQ(weights(folder / "one"), weights(folder / "two"));
  EXPECT_EQ(weights(folder / "one"), weights(folder / "three"));
  EXPECT_NE(weights(folder / "one"), weights(folder / "other"));
}

// The same rows and weights in every step: only what is dropped differs.
TEST(Trainer, drops_other_numbers_in_every_step) {
  TrainOptions o = small_options();
  o.learning_rate = 0;
  o.batch_size = 120;
  std::vector<double> with, without;
  for (std::vector<double>* losses : {&with, &without}) {
    Trainer trainer = testing::small_trainer(o, 2, false);
    for (int step = 0; step < 3; ++step) losses->push_back(trainer.step().loss);
    o.dropout = 0;
  }
  EXPECT_TRUE(with[0] != with[1] && with[1] != with[2] && with[0] != with[2]);
  EXPECT_NEAR(without[0], without[1], 1e-6);
  EXPECT_NEAR(without[0], without[2], 1e-6);
}

TEST(Trainer, interrupted_and_resumed_twice_gives_the_files_of_the_whole_run) {
  TempFolder folder;
  train(folder / "whole", small_options());
  EXPECT_TRUE(train(folder / "out", small_options(), OnExisting::refuse, 2, stopping_after(4)).interrupted);
  EXPECT_TRUE(fs::exists(folder / "out" / "checkpoint" / "state.json"));
  EXPECT_NO_THROW(model::load_model(folder / "out" / "checkpoint"));
  EXPECT_TRUE(train(folder / "out", small_options(), OnExisting::resume, 1, stopping_after(7)).interrupted);
  EXPECT_FALSE(train(folder / "out", small_options(), OnExisting::resume).interrupted);
  EXPECT_EQ(differences(contents(folder / "whole"), contents(folder / "out")), "");
  // A finished run has nothing to resume, and says so.
  EXPECT_TRUE(train(folder / "out", small_options(), OnExisting::resume).already_finished);
}

// Steps 5 and 10 are followed by an evaluation, and so is the last one, 12.
TEST(Trainer, a_stop_does_not_wait_for_an_evaluation_which_is_made_on_resuming) {
  TempFolder folder;
  std::vector<int64_t> evaluated;
  TrainCallbacks callbacks;
  callbacks.evaluation = [&](const EvalReport& r) { evaluated.push_back(r.step); };
  train(folder / "whole", small_options(), OnExisting::refuse, 2, callbacks);
  ASSERT_EQ(evaluated, (std::vector<int64_t>{0, 5, 10, 12}));
  evaluated.clear();
  OnExisting existing = OnExisting::refuse;
  const std::vector<int64_t> seen[] = {{0}, {0, 5}, {0, 5, 10}};
  for (int i = 0; i < 3; ++i) {
    TrainCallbacks stopping = stopping_after(std::vector<int64_t>{5, 10, 12}[static_cast<size_t>(i)]);
    stopping.evaluation = callbacks.evaluation;
    EXPECT_TRUE(train(folder / "out", small_options(), existing, 2, stopping).interrupted);
    EXPECT_EQ(evaluated, seen[i]);
    existing = OnExisting::resume;
  }
  const TrainResult result = train(folder / "out", small_options(), existing, 2, callbacks);
  EXPECT_EQ(evaluated, (std::vector<int64_t>{0, 5, 10, 12}));
  EXPECT_FALSE(result.already_finished);
  EXPECT_EQ(differences(contents(folder / "whole"), contents(folder / "out")), "");
}

TEST(Trainer, keeps_the_best_evaluated_step) {
  TempFolder folder;
  TrainOptions o = small_options();
  o.steps = 20;
  o.eval_steps = 2;
  o.learning_rate = 0.05;  // wild on purpose: the last step is not the best
  o.schedule = ScheduleKind::constant;
  std::vector<EvalReport> reports;
  TrainCallbacks callbacks;
  callbacks.evaluation = [&](const EvalReport& r) { reports.push_back(r); };
  const TrainResult result = train(folder / "out", o, OnExisting::refuse, 2, callbacks);
  ASSERT_EQ(reports.size(), 11U);
  auto value = [](const EvalReport& r) {
    for (const auto& [name, v] : r.metrics) {
      if (name == "spearman_cosine") return v;
    }
    return -2.0;
  };
  int64_t best = 2;
  for (size_t i = 1; i < reports.size(); ++i) {
    if (value(reports[i]) > value(reports[static_cast<size_t>(best) / 2])) best = reports[i].step;
  }
  EXPECT_EQ(result.kept_step, best);
  EXPECT_DOUBLE_EQ(value(*result.after), value(reports[static_cast<size_t>(best) / 2]));
}

TEST(Trainer, a_loss_that_is_no_number_stops_with_the_lines_of_the_batch) {
  TempFolder folder;
  TrainOptions o = small_options();
  o.shuffle = false;
  o.batch_size = 3;
  Trainer trainer(testing::infinite_model(), compute::test_engine(2), pairs(), nullptr, o);
  const std::string message = message_of([&] { trainer.run(folder / "out", OnExisting::refuse, {}); });
  EXPECT_NE(message.find("step 1: the loss is"), std::string::npos) << message;
  EXPECT_NE(message.find("lines 1, 2, 3 of "), std::string::npos) << message;
}

}  // namespace
}  // namespace hone::train
