// SIGKILL at many moments over a whole run: no folder is ever broken, and going on gives, in every file, what
// a run never killed gives.
#include <gtest/gtest.h>

#include <vector>

#include "tests/base/temp_folder.h"
#include "tests/train/killed_run.h"
#include "tests/train/small_run.h"

namespace hone::train {
namespace {

using testing::contents;
using testing::differences;
using testing::KilledRun;
using testing::Moment;
using testing::run_killed;
using testing::TempFolder;

// `writes` moments spread over the write steps 1 to `last`, and those after the given training steps.
std::vector<Moment> moments(int writes, int last, std::vector<int> after_steps) {
  std::vector<Moment> all;
  for (int i = 0; i < writes; ++i)
    all.push_back({Moment::in_write, 1 + (last - 1) * i / std::max(1, writes - 1)});
  for (int n : after_steps) all.push_back({Moment::after_step, n});
  return all;
}

// What lies in OUT/checkpoint is a whole model.
void expect_whole_checkpoint(const fs::path& out) {
  if (fs::exists(out / "checkpoint")) {
    EXPECT_NO_THROW(model::load_model(out / "checkpoint"));
  }
}

// Where the run is long enough, it is killed twice more on the way.
TEST(Killed, a_first_run_goes_on_to_the_files_of_the_whole_run) {
  TempFolder folder;
  KilledRun run{folder / "whole"};
  run.writes = folder / "writes";
  ASSERT_EQ(run_killed(run).code, 0);
  const auto whole = contents(run.out);
  const int last_write = std::stoi(folder.read("writes"));
  ASSERT_GT(last_write, 16);
  run.out = folder / "out";
  int killed_thrice = 0;
  for (const Moment& moment : moments(16, last_write, {1, 2, 3, 5, 6, 9, 10, 12})) {
    SCOPED_TRACE(moment.text());
    run.existing = OnExisting::refuse;
    run.moment = moment;
    ASSERT_TRUE(run_killed(run).killed);
    run.existing = OnExisting::resume;
    int killed = 1;
    testing::Ending ending;
    for (const Moment& again :
         {Moment{Moment::in_write, 1 + moment.n / 2}, Moment{Moment::after_step, 1}, Moment{}}) {
      expect_whole_checkpoint(run.out);
      // A model that is there is whole, and nothing of it lies in OUT before.
      if (fs::exists(run.out / "config.json")) {
        EXPECT_EQ(differences(contents(run.out), whole), "");
      }
      run.moment = again;
      ending = run_killed(run);
      if (ending.killed) ++killed;
    }
    ASSERT_TRUE(!ending.killed && ending.code == 0);
    ASSERT_EQ(differences(contents(run.out), whole), "");
    fs::remove_all(run.out);
    EXPECT_EQ(folder.names(), (std::vector<std::string>{"whole", "writes"}));
    if (killed == 3) ++killed_thrice;
  }
  EXPECT_GE(killed_thrice, 12);
}

// Whatever it is at: the base model's evaluation, the last one, the verdict of a resumed run, whose
// evaluations are made again.
TEST(Killed, in_an_evaluation_or_the_verdict_goes_on_to_the_files_of_the_whole_run) {
  TempFolder folder;
  KilledRun run{folder / "whole"};
  run.writes = folder / "writes";
  ASSERT_EQ(run_killed(run).code, 0);
  const auto whole = contents(run.out);
  run.out = folder / "out";
  run.moment = {Moment::after_step, 12};
  ASSERT_TRUE(run_killed(run).killed);
  fs::rename(run.out, folder / "kept");  // its checkpoint is of step 9
  int killed = 0;
  for (int n = 1;; n = n < 16 ? n + 1 : 5 * n) {  // each resample of the verdict asks
    SCOPED_TRACE(n);
    fs::copy(folder / "kept", run.out, fs::copy_options::recursive);
    run.existing = OnExisting::resume;
    run.moment = {Moment::when_asked, n};
    const bool was_killed = run_killed(run).killed;
    if (was_killed) {
      ++killed;
      expect_whole_checkpoint(run.out);
      EXPECT_FALSE(fs::exists(run.out / "config.json"));
      run.moment = {};
      ASSERT_EQ(run_killed(run).code, 0);
    }
    ASSERT_EQ(differences(contents(run.out), whole), "");
    fs::remove_all(run.out);
    if (!was_killed) break;
  }
  EXPECT_GT(killed, 6) << "three steps, two evaluations, and the two of the verdict";
}

// A run that its time ends has model and checkpoint from one moment to the next.
TEST(Killed, while_a_limit_ends_it_goes_on) {
  TempFolder folder;
  KilledRun run{folder / "whole"};
  run.writes = folder / "writes";
  ASSERT_EQ(run_killed(run).code, 0);
  const auto whole = contents(run.out);
  run.one_step = true;
  run.out = folder / "one";
  ASSERT_EQ(run_killed(run).code, 0);
  const auto one = contents(run.out);
  const int last_write = std::stoi(folder.read("writes"));
  run.out = folder / "out";
  int finished = 0;
  auto all = moments(14, last_write, {1});
  for (int n = 1; n < 8; ++n) all.push_back({Moment::when_asked, n});
  for (const Moment& moment : all) {
    SCOPED_TRACE(moment.text());
    run.one_step = true;
    run.existing = OnExisting::refuse;
    run.moment = moment;
    const bool killed = run_killed(run).killed;
    recover_out_folder(run.out);
    expect_whole_checkpoint(run.out);
    if (fs::exists(run.out / "config.json")) {
      EXPECT_EQ(differences(contents(run.out), one), "") << "the checkpoint too";
      ++finished;
    } else {
      EXPECT_TRUE(killed);
    }
    run.one_step = false;
    run.existing = OnExisting::resume;
    run.moment = {};
    ASSERT_EQ(run_killed(run).code, 0);
    ASSERT_EQ(differences(contents(run.out), whole), "");
    fs::remove_all(run.out);
  }
  EXPECT_GE(finished, 1);
  EXPECT_LT(finished, static_cast<int>(all.size()) - 5);
}

// An earlier run is replaced by one of another seed, which is killed, and gone on with: by --resume once it
// has a checkpoint or is finished, else by the same --overwrite. Until its model is whole, the earlier one is
// there and whole.
void kill_while_overwriting(bool exchange) {
  TempFolder folder;
  KilledRun run{folder / "earlier"};
  run.seed = 1;
  run.writes = folder / "writes";
  ASSERT_EQ(run_killed(run).code, 0);
  run.out = folder / "whole";
  run.seed = 42;
  ASSERT_EQ(run_killed(run).code, 0);
  const auto earlier = contents(folder / "earlier"), whole = contents(folder / "whole");
  ASSERT_NE(differences(earlier, whole), "");
  run.out = folder / "out";
  run.exchange = exchange;
  int kept = 0, replaced = 0, resumed = 0, nameless = 0;
  const auto replace = [&](Moment moment) {
    fs::copy(folder / "earlier", run.out, fs::copy_options::recursive);
    run.existing = OnExisting::overwrite;
    run.moment = moment;
    return run_killed(run);
  };
  ASSERT_EQ(replace({}).code, 0);
  ASSERT_EQ(differences(contents(run.out), whole), "");
  fs::remove_all(run.out);
  const int last_write = std::stoi(folder.read("writes"));
  auto all = moments(8, last_write, {2, 3, 5, 12});
  for (int i = 1; i < 6; ++i) all.push_back({Moment::in_write, last_write - i});  // around the last swap
  for (const Moment& moment : all) {
    SCOPED_TRACE(moment.text());
    ASSERT_TRUE(replace(moment).killed);
    if (!fs::exists(run.out)) ++nameless;
    recover_out_folder(run.out);
    const auto left = contents(run.out, "checkpoint");
    const bool is_whole = differences(left, whole).empty();
    EXPECT_TRUE(is_whole || differences(left, earlier).empty()) << differences(left, earlier);
    ++(is_whole ? replaced : kept);
    expect_whole_checkpoint(run.out);
    const bool resumes = is_whole || fs::exists(run.out / "checkpoint");
    if (resumes) ++resumed;
    run.existing = resumes ? OnExisting::resume : OnExisting::overwrite;
    run.moment = {};
    ASSERT_EQ(run_killed(run).code, 0);
    ASSERT_EQ(differences(contents(run.out), whole), "");
    fs::remove_all(run.out);
    EXPECT_EQ(folder.names(), (std::vector<std::string>{"earlier", "whole", "writes"}));
  }
  EXPECT_GT(kept, 5);
  EXPECT_GT(replaced, 0);
  EXPECT_GT(resumed, 5);
  EXPECT_LT(resumed, 17);
  // Without the exchange the earlier model has no name for a moment: whoever comes next gives it back.
  EXPECT_EQ(nameless, exchange ? 0 : 1);
}

TEST(Killed, while_overwriting_an_earlier_run) {
  kill_while_overwriting(true);
}

TEST(Killed, while_overwriting_an_earlier_run_without_the_exchange) {
  kill_while_overwriting(false);
}

}  // namespace
}  // namespace hone::train
