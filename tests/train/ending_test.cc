// What ends a run before its last step, and what is skipped to save time: --patience, --min-gain,
// --max-minutes, --eval-share, --checkpoint-minutes.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/base/temp_folder.h"
#include "tests/train/small_run.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using testing::contents;
using testing::differences;
using testing::kNoTime;
using testing::message_of;
using testing::small_options;
using testing::stopping_after;
using testing::TempFolder;
using testing::train_small;

struct Seen {
  std::vector<int64_t> evaluated, best;
  TrainResult result;
};

Seen run(const fs::path& out, const TrainOptions& options, OnExisting existing = OnExisting::refuse,
         int64_t stop = -1) {
  Seen seen;
  TrainCallbacks callbacks = stopping_after(stop);
  callbacks.evaluation = [&](const EvalReport& r) {
    seen.evaluated.push_back(r.step);
    if (r.best) seen.best.push_back(r.step);
  };
  seen.result = train_small(out, options, existing, 2, callbacks);
  return seen;
}

// Nothing is ever better than the first evaluation.
TrainOptions without_gain(int64_t patience) {
  TrainOptions o = small_options();
  o.learning_rate = 0;
  o.weight_decay = 0;
  o.eval_steps = 2;
  o.checkpoint_steps = 0;
  o.patience = patience;
  return o;
}

// The model is whole and the run can go on (going_on_test.cc).
void expect_ended(const fs::path& out, int64_t steps) {
  EXPECT_NO_THROW(model::load_model(out));
  EXPECT_EQ(nlohmann::json::parse(testing::bytes_of(out / "training.json"))["step"], steps);
  EXPECT_NO_THROW(model::load_model(out / "checkpoint"));
  EXPECT_EQ(nlohmann::json::parse(testing::bytes_of(out / "checkpoint" / "state.json"))["step"], steps);
}

TEST(Patience, ends_a_run_after_so_many_evaluations_without_gain) {
  for (int64_t patience : {1, 2, 4}) {
    SCOPED_TRACE(patience);
    TempFolder folder;
    const Seen seen = run(folder / "out", without_gain(patience));
    std::vector<int64_t> expected{0, 2};
    for (int64_t i = 1; i <= patience; ++i) expected.push_back(2 + 2 * i);
    EXPECT_EQ(seen.evaluated, expected);
    EXPECT_EQ(seen.best, std::vector<int64_t>{2});
    EXPECT_EQ(seen.result.steps, expected.back());
    EXPECT_EQ(seen.result.kept_step, 2);
    EXPECT_EQ(seen.result.ended_early, cat("after ", patience, " evaluations without gain"));
    EXPECT_FALSE(seen.result.interrupted);
    std::string notes;
    TrainCallbacks callbacks;
    callbacks.note = [&](const std::string& text) { notes += text; };
    expect_ended(folder / "out", expected.back());
    const auto before = contents(folder / "out");
    const TrainResult again =
        train_small(folder / "out", without_gain(patience), OnExisting::resume, 2, callbacks);
    EXPECT_TRUE(again.already_finished);
    EXPECT_EQ(again.steps, expected.back());
    EXPECT_EQ(again.checkpoint_bytes, seen.result.checkpoint_bytes);
    EXPECT_EQ(again.ended_early, seen.result.ended_early) << "also when it is asked for again";
    EXPECT_EQ(notes, cat("the run in ", folder / "out", " is finished already (it ended ", again.ended_early,
                         "): nothing to do, a larger patience goes on with it"));
    EXPECT_EQ(differences(contents(folder / "out"), before), "");
  }
}

TEST(Patience, that_the_last_step_comes_before_or_that_is_none_ends_nothing) {
  for (int64_t patience : {0, 5, 6}) {
    TempFolder folder;
    const Seen seen = run(folder / "out", without_gain(patience));
    EXPECT_EQ(seen.result.steps, 12) << patience;
    EXPECT_EQ(seen.result.ended_early, "") << patience;
  }
}

// A gain ends the waiting: what is counted are evaluations since the best one.
TEST(Patience, begins_again_with_every_gain) {
  TempFolder folder;
  TrainOptions options = small_options();
  options.steps = 30;
  options.eval_steps = 1;
  options.checkpoint_steps = 0;
  options.learning_rate = 0.02;  // up and down
  options.patience = 4;
  const Seen seen = run(folder / "out", options);
  ASSERT_GT(seen.best.size(), 1U);
  for (size_t i = 1; i < seen.best.size(); ++i) EXPECT_LE(seen.best[i] - seen.best[i - 1], 4);
  EXPECT_EQ(seen.result.steps, std::min<int64_t>(30, seen.best.back() + 4));
  EXPECT_EQ(seen.result.kept_step, seen.best.back());
}

// Nothing tells which step is better: no reason to end, nor to throw away what later steps have learned.
TEST(Best, is_the_last_where_the_metric_is_no_number) {
  TempFolder folder;
  TrainOptions options = small_options();
  options.eval_steps = 2;
  options.patience = 1;
  auto engine = compute::test_engine(1);
  data::Table same = data::parse_table("sentence1\tsentence2\tscore\na\tb\t3\nc\td\t3\ne\tf\t3\n", "same.tsv",
                                       testing::pair_roles());
  Trainer trainer(model::load_model(testing::kModels / "mean-gelu"), engine, testing::pairs(),
                  evaluation_of("sts", std::move(same), engine), options);
  std::string notes;
  TrainCallbacks callbacks;
  callbacks.note = [&](const std::string& text) { notes += text + "\n"; };
  const TrainResult result = trainer.run(folder / "out", OnExisting::refuse, callbacks);
  EXPECT_EQ(result.steps, 12);
  EXPECT_EQ(result.kept_step, 12);
  EXPECT_EQ(result.ended_early, "");
  testing::expect_part(notes, "warning: spearman_cosine of the base model is not a number on same.tsv: ");
  ASSERT_EQ(result.warnings.size(), 1U);
  testing::expect_part(result.beforehand().at("warnings").dump(), result.warnings[0]);
}

// A stop does not wait for what takes long.
TEST(Stop, ends_the_evaluation_of_the_base_model_and_nothing_is_left) {
  TempFolder folder;
  TrainCallbacks callbacks;
  callbacks.stop = [] { return true; };
  const TrainResult result = train_small(folder / "out", small_options(), OnExisting::refuse, 2, callbacks);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.steps, 0);
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST(Stop, ends_an_evaluation_in_between_which_a_resumed_run_makes_first) {
  TempFolder folder;
  train_small(folder / "whole", small_options());
  // Asked for when the evaluation that follows step 5 or 12 has begun: a step is asked about once before.
  for (int64_t last : {5, 12}) {
    int64_t done = 0;
    int asked = 0;
    TrainCallbacks callbacks;
    callbacks.step = [&](const StepReport& r) { done = r.step; };
    callbacks.stop = [&] { return done == last && ++asked > 1; };
    int64_t evaluated = -1;
    callbacks.evaluation = [&](const EvalReport& r) { evaluated = r.step; };
    const fs::path out = folder / cat("parts", last);
    const TrainResult first = train_small(out, small_options(), OnExisting::refuse, 2, callbacks);
    EXPECT_TRUE(first.interrupted);
    EXPECT_EQ(first.steps, last);
    EXPECT_LT(evaluated, last);
    // Stopped again in that evaluation, which a resumed run begins with.
    callbacks.stop = [] { return true; };
    EXPECT_TRUE(train_small(out, small_options(), OnExisting::resume, 2, callbacks).interrupted);
    EXPECT_LT(evaluated, last);
    train_small(out, small_options(), OnExisting::resume);
    EXPECT_EQ(differences(contents(out), contents(folder / "whole")), "");
  }
}

TEST(Patience, needs_an_evaluation) {
  EXPECT_EQ(message_of<UsageError>([] { testing::small_trainer(without_gain(1), 1, false); }),
            "patience: found without data to evaluate on, which tells when there is no gain");
}

// Stopped where patience has just run out but for the evaluation that is still due, and everywhere else.
TEST(Patience, ends_a_resumed_run_where_it_ends_the_whole_one) {
  TempFolder folder;
  const TrainOptions options = without_gain(2);
  ASSERT_EQ(run(folder / "whole", options).result.steps, 6);
  for (int64_t stop : {1, 2, 3, 4, 5, 6}) {
    SCOPED_TRACE(stop);
    const fs::path out = folder / cat("out", stop);
    ASSERT_TRUE(run(out, options, OnExisting::refuse, stop).result.interrupted);
    const Seen rest = run(out, options, OnExisting::resume);
    EXPECT_EQ(rest.result.steps, 6);
    EXPECT_EQ(rest.result.ended_early, "after 2 evaluations without gain");
    EXPECT_EQ(differences(contents(out), contents(folder / "whole")), "");
  }
}

TEST(MinGain, is_what_a_score_must_gain_to_be_the_best) {
  TempFolder folder;
  TrainOptions options = small_options();
  options.eval_steps = 2;
  options.checkpoint_steps = 0;
  const Seen every = run(folder / "every", options);
  ASSERT_GT(every.best.size(), 1U) << "this run gets better";
  options.min_gain = 2;  // of a correlation: impossible
  const Seen none = run(folder / "none", options);
  EXPECT_EQ(none.best, std::vector<int64_t>{2});
  EXPECT_EQ(none.result.kept_step, 2);
  EXPECT_EQ(none.evaluated, every.evaluated);
  options.patience = 3;
  EXPECT_EQ(run(folder / "patient", options).result.steps, 8);
}

TEST(MaxMinutes, end_a_run_after_a_step_and_what_is_saved_is_whole) {
  for (bool with_eval : {true, false}) {
    TempFolder folder;
    TrainOptions options = small_options();
    options.max_minutes = kNoTime;
    const TrainResult result =
        testing::small_trainer(options, 2, with_eval).run(folder / "out", OnExisting::refuse, {});
    EXPECT_EQ(result.steps, 1);
    EXPECT_EQ(result.kept_step, 1);
    EXPECT_EQ(result.ended_early, "after 1e-09 minutes");
    EXPECT_FALSE(result.interrupted);
    EXPECT_EQ(result.verdict.has_value(), with_eval);
    // The weights after one step of twelve.
    Trainer stepped = testing::small_trainer(small_options(), 2, with_eval);
    stepped.step();
    const auto expected = stepped.tuned(), found = model::load_model(folder / "out");
    ASSERT_EQ(found->tensors.size(), expected->tensors.size());
    for (size_t t = 0; t < found->tensors.size(); ++t) {
      const auto &a = found->tensors[t], &b = expected->tensors[t];
      EXPECT_TRUE(std::equal(a.data, a.data + a.size, b.data, b.data + b.size)) << a.name;
    }
    expect_ended(folder / "out", 1);
  }
}

TEST(MaxMinutes, that_are_not_over_end_nothing) {
  TempFolder folder;
  TrainOptions options = small_options();
  options.max_minutes = 1e6;
  const Seen seen = run(folder / "out", options);
  EXPECT_EQ(seen.result.steps, 12);
  EXPECT_EQ(seen.result.ended_early, "");
  train_small(folder / "without", small_options());
  EXPECT_EQ(differences(contents(folder / "out"), contents(folder / "without")), "");
}

// The base model's, which tells what one takes, and the last.
TEST(EvalShare, skips_evaluations_but_that_of_the_base_model_and_the_last) {
  TempFolder folder;
  TrainOptions options = small_options();
  options.eval_steps = 1;
  options.checkpoint_steps = 0;
  EXPECT_EQ(run(folder / "all", options).evaluated.size(), 13U);
  options.eval_share = 1e-9;
  EXPECT_EQ(run(folder / "few", options).evaluated, (std::vector<int64_t>{0, 12}));
}

// The part that evaluated the base model is over: what an evaluation takes is known again after the first.
TEST(EvalShare, of_a_resumed_run_skips_those_after_its_first) {
  TempFolder folder;
  TrainOptions options = small_options();
  options.eval_steps = 1;
  options.eval_share = 1e-9;
  train_small(folder / "out", options, OnExisting::refuse, 2, testing::stopping_after(5), true);
  EXPECT_EQ(run(folder / "out", options, OnExisting::resume).evaluated, (std::vector<int64_t>{6, 12}));
}

// A checkpoint that is due by the time is there when the next step is reported.
TEST(CheckpointMinutes, keep_a_checkpoint_after_every_step_that_takes_longer) {
  TempFolder folder;
  TrainOptions options = small_options();
  options.checkpoint_steps = 0;
  auto steps_kept = [&](const char* out, double minutes) {
    options.checkpoint_minutes = minutes;
    std::vector<int64_t> kept;
    TrainCallbacks callbacks;
    callbacks.step = [&](const StepReport&) {
      const fs::path state = folder / out / "checkpoint" / "state.json";
      if (fs::exists(state)) kept.push_back(nlohmann::json::parse(testing::bytes_of(state))["step"]);
    };
    train_small(folder / out, options, OnExisting::refuse, 2, callbacks, false);
    EXPECT_FALSE(fs::exists(folder / out / "checkpoint")) << "the model takes its place";
    return kept;
  };
  EXPECT_EQ(steps_kept("every", kNoTime), (std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(steps_kept("none", 1e6), std::vector<int64_t>());
  EXPECT_EQ(steps_kept("off", 0), std::vector<int64_t>());
  EXPECT_EQ(differences(contents(folder / "every"), contents(folder / "off")), "");
}

}  // namespace
}  // namespace hone::train
