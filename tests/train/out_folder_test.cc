// What a run may find in OUT, and what it leaves there.
#include "train/out_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/base/temp_folder.h"
#include "tests/train/small_run.h"

namespace hone::train {
namespace {

using testing::contents;
using testing::differences;
using testing::message_of;
using testing::small_options;
using testing::stopping_after;
using testing::TempFolder;
using testing::train_small;

constexpr OnExisting kAll[] = {OnExisting::refuse, OnExisting::overwrite, OnExisting::resume};

std::string refusal(const fs::path& out, OnExisting existing) {
  return message_of([&] { train_small(out, small_options(), existing); });
}

// `out` is left as it is by every kind of run.
void expect_left_alone(const fs::path& out) {
  const auto before = contents(out);
  for (OnExisting existing : kAll)
    EXPECT_TRUE(refusal(out, existing).starts_with(out.string())) << refusal(out, existing);
  EXPECT_EQ(differences(contents(out), before), "");
}

TEST(OutFolder, of_others_is_left_alone) {
  TempFolder folder;
  folder.write("notes/notes.txt", "do not lose me");
  folder.write("project/checkpoint/weights.bin", "mine");
  folder.write("project/main.py", "print()");
  folder.write("trained/training.json", R"({"epochs": 3, "loss": 0.5})");
  folder.write("trained/model.bin", "mine");
  folder.write("other/checkpoint/state.json", R"({"step": 3, "optimizer": "sgd"})");
  for (const char* name : {"notes", "project", "trained", "other"}) expect_left_alone(folder / name);
  folder.write("file", "mine");
  for (OnExisting existing : kAll)
    EXPECT_NE(refusal(folder / "file", existing).find("not a folder"), std::string::npos);
  EXPECT_EQ(folder.read("file"), "mine");
}

TEST(OutFolder, with_a_model_that_hone_did_not_train_is_left_alone) {
  TempFolder folder;
  const fs::path model = folder / "model";
  fs::copy(testing::kModels / "mean-gelu", model, fs::copy_options::recursive);
  expect_left_alone(model);
  EXPECT_NE(refusal(model, OnExisting::overwrite).find("training.json"), std::string::npos);
  EXPECT_NE(refusal(model, OnExisting::resume).find("not trained by hone"), std::string::npos);
  // Not even a checkpoint of this very run makes it hone's.
  train_small(folder / "run", small_options(), OnExisting::refuse, 2, stopping_after(4));
  fs::copy(folder / "run" / "checkpoint", model / "checkpoint", fs::copy_options::recursive);
  expect_left_alone(model);
}

TEST(OutFolder, with_a_finished_run_is_replaced_when_asked) {
  TempFolder folder;
  train_small(folder / "out", small_options());
  const auto before = contents(folder / "out");
  EXPECT_NE(refusal(folder / "out", OnExisting::refuse).find("--resume"), std::string::npos);
  TrainOptions other = small_options();
  other.seed = 1;
  train_small(folder / "out", other, OnExisting::overwrite);
  EXPECT_EQ(differences(contents(folder / "out"), before), "README.md model.safetensors training.json ");
}

TEST(OutFolder, that_is_empty_is_as_good_as_none) {
  TempFolder folder;
  fs::create_directory(folder / "empty");
  // What a run leaves that was killed while it wrote its first checkpoint.
  folder.write("killed/.checkpoint.hone-staged-99999999-0/model.safetensors", "half");
  for (const char* name : {"none", "empty", "killed"}) {
    std::string notes;
    TrainCallbacks callbacks;
    callbacks.note = [&](const std::string& text) { notes += text; };
    train_small(folder / name, small_options(), OnExisting::resume, 2, callbacks);
    EXPECT_NE(notes.find("starting anew"), std::string::npos);
    EXPECT_TRUE(fs::exists(folder / name / "training.json"));
  }
}

// Nothing is taken away for a run that comes to nothing: neither a model nor a checkpoint.
TEST(OutFolder, is_as_it_was_when_overwriting_fails) {
  TempFolder folder;
  train_small(folder / "finished", small_options());
  train_small(folder / "begun", small_options(), OnExisting::refuse, 2, stopping_after(4));
  for (const char* name : {"finished", "begun"}) {
    const auto before = contents(folder / name);
    Trainer broken(testing::infinite_model(), compute::test_engine(2), testing::pairs(), nullptr,
                   small_options());
    const std::string message = message_of([&] { broken.run(folder / name, OnExisting::overwrite, {}); });
    EXPECT_NE(message.find("step 1: the loss is"), std::string::npos) << message;
    EXPECT_EQ(differences(contents(folder / name), before), "");
  }
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"begun", "finished"}));
}

TEST(OutFolder, that_a_failing_run_made_is_gone_with_it) {
  TempFolder folder;
  fs::create_directory(folder / "empty");
  auto fail_in = [&](const fs::path& out) {
    Trainer broken(testing::infinite_model(), compute::test_engine(2), testing::pairs(), nullptr,
                   small_options());
    EXPECT_NE(message_of([&] { broken.run(out, OnExisting::refuse, {}); }).find("step 1"), std::string::npos);
  };
  fail_in(folder / "out");
  fail_in(folder / "a/b/out/");
  fail_in(folder / "empty");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"empty"});
  // After the first checkpoint there is something to go on from.
  TrainCallbacks callbacks;
  callbacks.step = [](const StepReport& r) {
    if (r.step == 4) fail("enough");
  };
  EXPECT_THROW(train_small(folder / "out", small_options(), OnExisting::refuse, 2, callbacks), Error);
  EXPECT_TRUE(fs::exists(folder / "out" / "checkpoint" / "state.json"));
}

TEST(OutFolder, keeps_the_files_of_others_that_came_during_the_run) {
  TempFolder folder;
  std::ofstream log;
  TrainCallbacks callbacks = stopping_after(7);
  const auto count = callbacks.step;
  callbacks.step = [&, count](const StepReport& r) {
    count(r);
    if (r.step == 1) log.open(folder / "out" / "log.txt");
    log << r.step << '\n' << std::flush;
  };
  train_small(folder / "out", small_options(), OnExisting::refuse, 2, callbacks);
  folder.write("out/plots/loss.svg", "<svg/>");
  // Such a folder is not only hone's any more.
  EXPECT_NE(refusal(folder / "out", OnExisting::overwrite).find("\"log.txt\""), std::string::npos);
  train_small(folder / "out", small_options(), OnExisting::resume, 2, callbacks);
  log << "end\n" << std::flush;
  EXPECT_EQ(folder.read("out/log.txt"), "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\nend\n");
  EXPECT_EQ(folder.read("out/plots/loss.svg"), "<svg/>");
  EXPECT_TRUE(fs::exists(folder / "out" / "training.json"));
  EXPECT_FALSE(fs::exists(folder / "out" / "checkpoint"));
}

// A finished run is replaced: what it wrote, and nothing that others put beside it.
TEST(OutFolder, keeps_the_files_of_others_when_a_finished_run_is_replaced) {
  TempFolder folder;
  train_small(folder / "out", small_options());
  folder.write("out/notes.txt", "do not lose me");
  folder.write("out/deep/er/model.bin", "mine");
  folder.write("out/1_Pooling/mine.txt", "in a folder of the model's: goes with it");
  TrainOptions other = small_options();
  other.seed = 1;
  for (int i = 0; i < 2; ++i) {
    other.seed = static_cast<uint64_t>(i + 1);
    train_small(folder / "out", other, OnExisting::overwrite);
    EXPECT_EQ(folder.read("out/notes.txt"), "do not lose me");
    EXPECT_EQ(folder.read("out/deep/er/model.bin"), "mine");
    EXPECT_FALSE(fs::exists(folder / "out/1_Pooling/mine.txt"));
  }
  train_small(folder / "fresh", other);
  auto kept = contents(folder / "out");
  EXPECT_EQ(differences(kept, contents(folder / "fresh")), "deep/er/model.bin notes.txt ");
}

TEST(OutFolder, that_cannot_be_written_is_found_before_training) {
  TempFolder folder;
  TrainCallbacks callbacks;
  bool begun = false;
  callbacks.begin = [&] { begun = true; };
  auto expect_refused = [&](const fs::path& out) {
    EXPECT_THROW(train_small(out, small_options(), OnExisting::refuse, 2, callbacks), Error);
  };
  folder.write("file", "");
  expect_refused(folder / "file" / "out");
  if (geteuid() != 0) {  // root may write anywhere
    fs::create_directories(folder / "fixed" / "out");
    fs::permissions(folder / "fixed", fs::perms::owner_read | fs::perms::owner_exec);
    expect_refused(folder / "fixed" / "new");
    expect_refused(folder / "fixed" / "out");  // itself it could be written, but not be replaced
    fs::permissions(folder / "fixed", fs::perms::owner_all);
  }
  EXPECT_FALSE(begun);
}

}  // namespace
}  // namespace hone::train
