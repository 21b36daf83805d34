// Every loss, stopped twice and gone on with, gives the bits of a run that was not: the model, and the
// checkpoint with moments and heads.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "tests/base/temp_folder.h"
#include "tests/train/loss_cases.h"
#include "tests/train/small_run.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using testing::contents;
using testing::differences;
using testing::LossCase;
using testing::stopping_after;
using testing::TempFolder;

constexpr int64_t kSteps = 8, kFirst = 3, kSecond = 5;

struct ResumeCase {
  LossCase loss;
  std::string name;
  std::function<void(TrainOptions&)> change = [](TrainOptions&) {};
  bool evaluates = false;
  size_t heads = 0;  // tensors of the loss in a checkpoint
};

void PrintTo(const ResumeCase& c, std::ostream* out) {
  *out << c.name;
}

LossCase case_of(const std::string& loss) {
  for (const LossCase& c : testing::loss_cases()) {
    if (c.loss == loss) return c;
  }
  throw std::runtime_error("no rows for the loss " + loss + " in tests/fixtures/losses");
}

std::vector<ResumeCase> resume_cases() {
  std::vector<ResumeCase> all;
  // The plain cases: a loss that is not in the table of cases fails every test here.
  for (const loss::LossInfo& info : loss::loss_table()) {
    ResumeCase c{case_of(info.name), info.name};
    c.loss.options.clear();
    if (c.name == "softmax") c.heads = 2;
    all.push_back(c);
  }
  auto add = [&](const char* name, LossCase loss, std::function<void(TrainOptions&)> change,
                 bool evaluates = false, size_t heads = 0) {
    all.push_back({std::move(loss), name, std::move(change), evaluates, heads});
  };
  auto with = [](const char* loss, const char* options, const char* data = "") {
    LossCase c = case_of(loss);
    c.options = options;
    if (*data != '\0') c.data = data;
    return c;
  };
  const auto nothing = [](TrainOptions&) {};
  add("matryoshka", with("mnr", "matryoshka=32+16+8,matryoshka_weights=1+0.5+0.25", "triplets.jsonl"),
      nothing);
  add("matryoshka-drawn", with("mnr", "matryoshka=32+16+8,matryoshka_per_batch=1", "triplets.jsonl"),
      nothing);
  add("projection", with("mse", "projection=true", "vectors-24.jsonl"), nothing, false, 2);
  add("directions", with("mnr", "directions=qd+qq+dq+dd", "quadruplets.jsonl"), nothing);
  add("symmetric-unmasked", with("mnr", "symmetric=true,mask=none"), nothing);
  add("similarity-mask", with("mnr", "directions=qd+dq"), [](TrainOptions& o) { o.mask_similarity = 0.5; });
  add(
      "accumulated", with("softmax", ""),
      [](TrainOptions& o) {
        o.accumulate = 2;
        o.batch_size = 4;
      },
      false, 2);
  add("micro-batches", with("mnr", ""), [](TrainOptions& o) {
    o.memory = 34000000;
    o.batch_size = 48;
  });
  add("no-duplicates", with("mnr", ""), [](TrainOptions& o) { o.sampler = "no-duplicates"; });
  add("not-shuffled", with("triplet", ""), [](TrainOptions& o) { o.shuffle = false; });
  add("frozen", with("cosine", ""), [](TrainOptions& o) { o.freeze = "embeddings|layer\\.0"; });
  add(
      "rates", with("softmax", ""), [](TrainOptions& o) { o.rates = "layer\\.1=1e-2;word=0"; }, false, 2);
  add(
      "head-rates", with("softmax", ""), [](TrainOptions& o) { o.rates = "head\\.w=1e-2;head=0.1"; }, false,
      2);
  add(
      "head-weight-frozen", with("softmax", ""), [](TrainOptions& o) { o.freeze = "head\\.weight"; }, false,
      1);
  add("head-frozen", with("mse", "projection=true", "vectors-24.jsonl"),
      [](TrainOptions& o) { o.freeze = "head"; });
  add(
      "patience", with("cosine", ""),
      [](TrainOptions& o) {
        o.patience = 2;
        o.min_gain = 0.5;  // out of reach: ends after step 6
        o.eval_steps = 2;
      },
      true);
  add(
      "best-step", with("cosine", ""),
      [](TrainOptions& o) {
        o.learning_rate = 0.02;  // the last step is not the best
        o.eval_steps = 1;
        o.schedule = ScheduleKind::cosine;
      },
      true);
  return all;
}

class Resumed : public ::testing::TestWithParam<ResumeCase> {
 protected:
  TrainResult run(const fs::path& out, OnExisting existing, int threads, int64_t stop = -1) {
    const ResumeCase& c = GetParam();
    TrainOptions o;
    o.steps = kSteps;
    o.loss = c.loss.loss;
    o.loss_options = c.loss.options;
    o.batch_size = 8;
    o.learning_rate = 1e-3;
    o.warmup_ratio = 0.2;
    o.weight_decay = 0.01;
    o.dropout = 0.1;
    o.checkpoint_steps = 0;
    c.change(o);
    const auto engine = compute::test_engine(threads);
    MakeEvaluation evaluation;
    if (c.evaluates) evaluation = evaluation_of("sts", testing::pairs(), engine);
    Trainer trainer(model::load_model(testing::kModels / c.loss.model), engine, testing::loss_rows(c.loss),
                    evaluation, o);
    identity_ = trainer.identity();
    return trainer.run(out, existing, stopping_after(stop));
  }
  std::string setting(const std::string& name) const {
    for (const auto& [setting, value] : identity_) {
      if (setting == name) return value;
    }
    return "no such setting";
  }
  model::Identity identity_;  // of the last run
};

TEST_P(Resumed, twice_gives_the_checkpoint_and_the_model_of_the_whole_run) {
  TempFolder folder;
  const fs::path whole = folder / "whole", out = folder / "out", once = folder / "once";
  const TrainResult expected = run(whole, OnExisting::refuse, 2);
  const std::string& name = GetParam().name;
  EXPECT_EQ(setting("micro-batches").starts_with("of "), name == "micro-batches") << setting("micro-batches");
  EXPECT_EQ(expected.steps, name == "patience" ? 6 : kSteps);
  if (GetParam().evaluates) {
    EXPECT_LT(expected.kept_step, expected.steps);
  }
  ASSERT_TRUE(run(out, OnExisting::refuse, 2, kFirst).interrupted);
  ASSERT_TRUE(run(out, OnExisting::resume, 1, kSecond).interrupted);
  ASSERT_TRUE(run(once, OnExisting::refuse, 2, kSecond).interrupted);
  EXPECT_EQ(differences(contents(out), contents(once)), "") << "checkpoints after the same step";
  const auto moments = model::SafetensorsFile::open(out / "checkpoint" / "training.safetensors");
  size_t heads = 0;
  for (const auto& entry : moments->entries()) heads += entry.name.starts_with("value.") ? 1 : 0;
  EXPECT_EQ(heads, GetParam().heads);
  const TrainResult found = run(out, OnExisting::resume, 2);
  EXPECT_FALSE(found.interrupted);
  EXPECT_EQ(found.steps, expected.steps);
  EXPECT_EQ(found.kept_step, expected.kept_step);
  EXPECT_EQ(found.ended_early, expected.ended_early);
  EXPECT_EQ(differences(contents(out), contents(whole)), "");
}
INSTANTIATE_TEST_SUITE_P(All, Resumed, ::testing::ValuesIn(resume_cases()), [](const auto& c) {
  std::string name = c.param.name;
  for (char& ch : name) ch = ch == '-' ? '_' : ch;
  return name;
});

TEST(ResumedCases, are_there_for_every_loss_and_every_loss_with_a_head) {
  std::set<std::string> names, with_heads;
  for (const ResumeCase& c : resume_cases()) {
    names.insert(c.loss.loss);
    if (c.heads > 0) with_heads.insert(c.loss.loss);
  }
  for (const loss::LossInfo& info : loss::loss_table()) EXPECT_TRUE(names.contains(info.name)) << info.name;
  EXPECT_EQ(with_heads, (std::set<std::string>{"mse", "softmax"}));
}

}  // namespace
}  // namespace hone::train
