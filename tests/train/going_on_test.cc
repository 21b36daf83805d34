// Runs that a limit ended (--max-minutes, --patience) and that go on with a larger one: to the bits of a run
// that had the larger limit from the start.
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
using testing::small_options;
using testing::stopping_after;
using testing::TempFolder;
using testing::train_small;

TrainOptions one_step(TrainOptions options) {
  options.max_minutes = kNoTime;
  return options;
}

// The first evaluation stays the best for ever, wherever one more is made.
TrainOptions first_is_best() {
  TrainOptions options = small_options();
  options.min_gain = 2;
  return options;
}

TEST(MaxMinutes, again_and_again_give_the_files_of_one_run) {
  for (const TrainOptions& options : {small_options(), first_is_best()}) {
    for (const bool with_eval : {true, false}) {
      SCOPED_TRACE(cat(options.min_gain, with_eval));
      TempFolder folder;
      train_small(folder / "whole", options, OnExisting::refuse, 2, {}, with_eval);
      const auto whole = contents(folder / "whole");
      for (const int parts : {3, 11}) {
        const fs::path out = folder / cat("parts", parts);
        for (int part = 1; part <= parts; ++part) {
          const TrainResult result = train_small(
              out, one_step(options), part == 1 ? OnExisting::refuse : OnExisting::resume, 2, {}, with_eval);
          EXPECT_EQ(result.steps, part);
          EXPECT_EQ(result.ended_early, "after 1e-09 minutes");
          EXPECT_FALSE(result.already_finished);
          EXPECT_TRUE(fs::exists(out / "checkpoint"));
        }
        const TrainResult last = train_small(out, options, OnExisting::resume, 2, {}, with_eval);
        EXPECT_EQ(last.steps, 12);
        EXPECT_EQ(last.ended_early, "");
        EXPECT_EQ(last.checkpoint_bytes, 0U);
        EXPECT_EQ(differences(contents(out), whole), "");
      }
    }
  }
}

// Ended after every step, those with a scheduled evaluation (5, 10) included. What is kept then is the better
// of what was scheduled and the end's own.
TEST(MaxMinutes, after_any_step_leave_what_goes_on_to_the_files_of_the_whole_run) {
  TempFolder folder;
  const TrainOptions options = first_is_best();
  const TrainResult expected = train_small(folder / "whole", options);
  EXPECT_EQ(expected.kept_step, 5);
  const auto whole = contents(folder / "whole");
  for (int64_t step = 2; step < 12; ++step) {
    SCOPED_TRACE(step);
    const fs::path out = folder / "out";
    ASSERT_TRUE(train_small(out, options, OnExisting::refuse, 2, stopping_after(step - 1)).interrupted);
    const TrainResult ended = train_small(out, one_step(options), OnExisting::resume);
    EXPECT_EQ(ended.steps, step);
    EXPECT_EQ(ended.kept_step, step < 5 ? step : 5);
    EXPECT_TRUE(ended.verdict);
    const TrainResult result = train_small(out, options, OnExisting::resume);
    EXPECT_EQ(result.kept_step, 5);
    EXPECT_EQ(differences(contents(out), whole), "");
    fs::remove_all(out);
  }
}

// What the end of a run evaluates is not counted by the patience of those who go on.
TEST(MaxMinutes, do_not_use_up_patience) {
  TempFolder folder;
  TrainOptions options = first_is_best();
  options.eval_steps = 3;
  options.patience = 2;
  ASSERT_EQ(train_small(folder / "whole", options).steps, 9);
  const fs::path out = folder / "out";
  for (int64_t step = 1; step < 9; ++step) {
    const TrainResult part =
        train_small(out, one_step(options), step == 1 ? OnExisting::refuse : OnExisting::resume);
    EXPECT_EQ(part.ended_early, "after 1e-09 minutes");
  }
  EXPECT_EQ(train_small(out, options, OnExisting::resume).ended_early, "after 2 evaluations without gain");
  EXPECT_EQ(differences(contents(out), contents(folder / "whole")), "");
}

TEST(Patience, that_is_larger_goes_on_to_the_files_of_a_run_that_had_it_from_the_start) {
  TempFolder folder;
  TrainOptions options = first_is_best();
  options.eval_steps = 2;
  const fs::path out = folder / "out";
  OnExisting existing = OnExisting::refuse;
  for (const int64_t patience : {1, 2, 4, 0}) {
    SCOPED_TRACE(patience);
    options.patience = patience;
    const fs::path whole = folder / cat("whole", patience);
    const TrainResult expected = train_small(whole, options);
    EXPECT_EQ(expected.steps, patience > 0 ? 2 + 2 * patience : 12);
    const TrainResult result = train_small(out, options, existing);
    EXPECT_EQ(result.steps, expected.steps);
    EXPECT_EQ(result.checkpoint_bytes, expected.checkpoint_bytes);
    EXPECT_EQ(differences(contents(out), contents(whole)), "") << "the checkpoint too";
    existing = OnExisting::resume;
  }
}

TEST(Patience, that_is_spent_by_what_a_time_limit_left_has_nothing_to_do) {
  TempFolder folder;
  TrainOptions options = first_is_best();
  options.eval_steps = 1;
  train_small(folder / "out", options, OnExisting::refuse, 2, stopping_after(4));
  ASSERT_EQ(train_small(folder / "out", one_step(options), OnExisting::resume).steps, 5);
  const auto before = contents(folder / "out");
  options.patience = 3;  // four had no gain
  const TrainResult result = train_small(folder / "out", options, OnExisting::resume);
  EXPECT_TRUE(result.already_finished);
  EXPECT_EQ(differences(contents(folder / "out"), before), "");
  options.patience = 5;
  EXPECT_EQ(train_small(folder / "out", options, OnExisting::resume).steps, 6);
}

// Stopped right after the evaluation in which patience ran out: the rest makes no step more.
TEST(Patience, that_is_spent_when_a_run_is_stopped_ends_the_resumed_one_at_once) {
  TempFolder folder;
  TrainOptions options = first_is_best();
  options.eval_steps = 2;
  options.patience = 1;
  ASSERT_EQ(train_small(folder / "whole", options).steps, 4);
  TrainCallbacks callbacks;
  bool evaluated = false;
  callbacks.evaluation = [&](const EvalReport& r) { evaluated = r.step == 4; };
  callbacks.stop = [&] { return evaluated; };
  ASSERT_TRUE(train_small(folder / "out", options, OnExisting::refuse, 2, callbacks).interrupted);
  EXPECT_EQ(train_small(folder / "out", options, OnExisting::resume).steps, 4);
  EXPECT_EQ(differences(contents(folder / "out"), contents(folder / "whole")), "");
}

TEST(Ended, run_without_its_checkpoint_says_that_it_cannot_go_on) {
  TempFolder folder;
  const fs::path out = folder / "out";
  train_small(out, one_step(small_options()));
  fs::remove_all(out / "checkpoint");
  std::string notes;
  TrainCallbacks callbacks;
  callbacks.note = [&](const std::string& text) { notes += text; };
  const TrainResult result = train_small(out, small_options(), OnExisting::resume, 2, callbacks);
  EXPECT_TRUE(result.already_finished);
  EXPECT_EQ(notes, cat("the run in ", out,
                       " is finished already (it ended after 1e-09 minutes): nothing to do, and without its "
                       "checkpoint it cannot go on"));
}

TEST(Ended, run_says_the_size_of_its_checkpoint_and_keeps_what_others_put_there) {
  TempFolder folder;
  const fs::path out = folder / "out";
  train_small(out, small_options(), OnExisting::refuse, 2, stopping_after(2));
  folder.write("out/notes.txt", "mine");
  std::string notes;
  TrainCallbacks callbacks;
  callbacks.note = [&](const std::string& text) { notes += text + "\n"; };
  const TrainResult result = train_small(out, one_step(small_options()), OnExisting::resume, 2, callbacks);
  size_t bytes = 0;
  for (const auto& [name, content] : contents(out / "checkpoint")) bytes += content.size();
  EXPECT_EQ(result.checkpoint_bytes, bytes);
  testing::expect_part(notes, cat("ended after 1e-09 minutes; a checkpoint (", shown_bytes(bytes),
                                  ") stays in ", out / "checkpoint", ": resumed, the run goes on from it\n"));
  EXPECT_EQ(folder.read("out/notes.txt"), "mine");
  train_small(out, small_options(), OnExisting::resume);
  EXPECT_EQ(folder.read("out/notes.txt"), "mine");
  EXPECT_FALSE(fs::exists(out / "checkpoint"));
}

TEST(Ended, run_that_is_replaced_leaves_no_checkpoint) {
  TempFolder folder;
  train_small(folder / "out", one_step(small_options()));
  TrainOptions other = small_options();
  other.seed = 7;
  train_small(folder / "whole", other);
  train_small(folder / "out", other, OnExisting::overwrite);
  EXPECT_EQ(differences(contents(folder / "out"), contents(folder / "whole")), "");
}

TEST(Ended, sizes_are_told_with_a_digit_where_they_are_small) {
  const std::pair<size_t, const char*> cases[] = {{1, "0.1 MB"},         {340000, "0.3 MB"},
                                                  {9949999, "9.9 MB"},   {9950000, "10 MB"},
                                                  {271400000, "271 MB"}, {1499500000, "1500 MB"}};
  for (const auto& [bytes, text] : cases) EXPECT_EQ(shown_bytes(bytes), text) << bytes;
}

// --- a stop is obeyed to the end ---

// Asked to stop for the first time when it asks for the `n`-th time after the last step.
TrainCallbacks stopping_late(int64_t last, int n, bool& stopped) {
  struct State {
    int64_t done = 0;
    int asked = 0;
  };
  auto state = std::make_shared<State>();
  TrainCallbacks callbacks;
  callbacks.resumed = [state](int64_t step, const EvalReport*) { state->done = step; };
  callbacks.step = [state](const StepReport& r) { state->done = r.step; };
  callbacks.stop = [state, last, n, &stopped] {
    if (state->done < last) return false;
    stopped = ++state->asked >= n;
    return stopped;
  };
  return callbacks;
}

// Each part is stopped at a later moment: in the last evaluation, then in the verdict's. All that is saved
// goes on to the same files.
void expect_stops_obeyed(const TrainOptions& options, int64_t last, bool resumed, const std::string& whole,
                         const TempFolder& folder) {
  int obeyed = 0;
  for (int n = 1;; n = n < 8 ? n + 1 : 5 * n) {  // each resample of the verdict asks
    SCOPED_TRACE(n);
    const fs::path out = folder / "out";
    if (resumed) {
      ASSERT_TRUE(
          train_small(out, small_options(), OnExisting::refuse, 2, stopping_after(last - 1)).interrupted);
    }
    bool stopped = false;
    const TrainResult result = train_small(out, options, resumed ? OnExisting::resume : OnExisting::refuse, 2,
                                           stopping_late(last, n, stopped));
    EXPECT_EQ(result.interrupted, stopped);
    EXPECT_EQ(result.model == nullptr, stopped);
    EXPECT_EQ(result.verdict.has_value(), !stopped);
    EXPECT_EQ(fs::exists(out / "training.json"), !stopped);
    if (stopped) {
      ++obeyed;
      EXPECT_EQ(result.steps, last);
      EXPECT_EQ(result.ended_early, "");
      EXPECT_GT(result.checkpoint_bytes, 0U);
    }
    train_small(out, small_options(), OnExisting::resume);
    EXPECT_EQ(differences(contents(out), contents(folder / whole)), "");
    fs::remove_all(out);
    if (!stopped) break;
  }
  EXPECT_GE(obeyed, resumed ? 4 : 3);
}

TEST(Stop, ends_the_last_evaluation_and_the_verdict) {
  TempFolder folder;
  train_small(folder / "whole", small_options());
  for (const bool resumed : {false, true}) {
    expect_stops_obeyed(small_options(), 12, resumed, "whole", folder);
    expect_stops_obeyed(one_step(small_options()), resumed ? 7 : 1, resumed, "whole", folder);
  }
}

// A run without a folder has nothing to go on from, and gives no model.
TEST(Stop, ends_the_verdict_of_a_run_that_writes_nothing) {
  bool stopped = false;
  const TrainResult result = testing::small_trainer(small_options()).run(stopping_late(12, 3, stopped));
  EXPECT_TRUE(stopped);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.model, nullptr);
  EXPECT_EQ(result.checkpoint_bytes, 0U);
}

}  // namespace
}  // namespace hone::train
