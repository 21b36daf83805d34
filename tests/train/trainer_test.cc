// The training loop on a small model: resume, best step, bad data.
#include "train/trainer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "tests/base/temp_folder.h"
#include "tests/train/small_run.h"

namespace hone::train {
namespace {

using testing::kModels;
using testing::message_of;
using testing::pairs;
using testing::small_options;
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

TEST(Trainer, interrupted_and_resumed_twice_gives_the_bits_of_the_whole_run) {
  TempFolder folder;
  train(folder / "whole", small_options());
  int64_t stop_at = 4;
  TrainCallbacks callbacks;
  int64_t steps = 0;
  callbacks.step = [&](const StepReport& r) { steps = r.step; };
  callbacks.stop = [&] { return steps == stop_at; };
  EXPECT_TRUE(train(folder / "out", small_options(), OnExisting::refuse, 2, callbacks).interrupted);
  EXPECT_TRUE(fs::exists(folder / "out" / "checkpoint" / "state.json"));
  EXPECT_NO_THROW(model::load_model(folder / "out" / "checkpoint"));
  stop_at = 7;
  EXPECT_TRUE(train(folder / "out", small_options(), OnExisting::resume, 1, callbacks).interrupted);
  stop_at = -1;
  EXPECT_FALSE(train(folder / "out", small_options(), OnExisting::resume, 2, callbacks).interrupted);
  EXPECT_EQ(weights(folder / "whole"), weights(folder / "out"));
  // A finished run has nothing to resume, and says so.
  EXPECT_TRUE(train(folder / "out", small_options(), OnExisting::resume).already_finished);
}

TEST(Trainer, resuming_with_other_settings_or_data_names_them) {
  TempFolder folder;
  int64_t steps = 0;
  TrainCallbacks callbacks;
  callbacks.step = [&](const StepReport& r) { steps = r.step; };
  callbacks.stop = [&] { return steps == 4; };
  train(folder / "out", small_options(), OnExisting::refuse, 2, callbacks);
  TrainOptions other = small_options();
  other.learning_rate = 2e-3;
  other.batch_size = 8;
  const std::string message = message_of([&] { train(folder / "out", other, OnExisting::resume); });
  EXPECT_NE(message.find("lr was 0.001 and is now 0.002"), std::string::npos) << message;
  EXPECT_NE(message.find("batch-size was 16 and is now 8"), std::string::npos) << message;
  EXPECT_EQ(message.find("seed"), std::string::npos) << message;
  EXPECT_NE(message_of([&] {
              train(folder / "out", small_options(), OnExisting::resume, 2, {}, false);
            }).find("eval data"),
            std::string::npos);
}

TEST(Trainer, an_out_that_exists_is_refused_kept_or_replaced_as_asked) {
  TempFolder folder;
  folder.write("mine/notes.txt", "do not lose me");
  for (OnExisting existing : {OnExisting::refuse, OnExisting::overwrite, OnExisting::resume}) {
    EXPECT_NE(message_of([&] { train(folder / "mine", small_options(), existing); }), "no error");
  }
  EXPECT_EQ(folder.read("mine/notes.txt"), "do not lose me");
  EXPECT_EQ(folder.names("mine"), std::vector<std::string>{"notes.txt"});
  train(folder / "out", small_options());
  EXPECT_NE(message_of([&] { train(folder / "out", small_options()); }).find("--resume"), std::string::npos);
  TrainOptions other = small_options();
  other.seed = 1;
  const std::string before = weights(folder / "out");
  train(folder / "out", other, OnExisting::overwrite);
  EXPECT_NE(before, weights(folder / "out"));
  // An empty folder is as good as none; resuming there starts anew and says so.
  fs::create_directory(folder / "empty");
  std::string notes;
  TrainCallbacks callbacks;
  callbacks.note = [&](const std::string& text) { notes += text; };
  train(folder / "empty", small_options(), OnExisting::resume, 2, callbacks);
  EXPECT_NE(notes.find("starting anew"), std::string::npos);
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
  const auto base = model::load_model(kModels / "mean-gelu");
  auto tensors = base->tensors;
  std::vector<float> broken(tensors[0].data, tensors[0].data + tensors[0].size);
  for (float& v : broken) v = std::numeric_limits<float>::infinity();
  tensors[0] = model::HostTensor::owned(tensors[0].name, tensors[0].shape, std::move(broken));
  TrainOptions o = small_options();
  o.shuffle = false;
  o.batch_size = 3;
  Trainer trainer(base->with_tensors(tensors), compute::test_engine(2), pairs(), std::nullopt, o);
  const std::string message = message_of([&] { trainer.run(folder / "out", OnExisting::refuse, {}); });
  EXPECT_NE(message.find("step 1: the loss is"), std::string::npos) << message;
  EXPECT_NE(message.find("lines 1, 2, 3 of "), std::string::npos) << message;
  EXPECT_FALSE(fs::exists(folder / "out" / "model.safetensors"));
}

TEST(Trainer, checks_everything_before_the_first_step) {
  const auto model = model::load_model(kModels / "mean-gelu");
  auto engine = compute::test_engine(1);
  auto message = [&](auto change) {
    TrainOptions o = small_options();
    change(o);
    return message_of([&] { Trainer(model, engine, pairs(), std::nullopt, o); });
  };
  EXPECT_NE(message([](TrainOptions& o) { o.metric = "spearman"; }).find("spearman_cosine"),
            std::string::npos);
  EXPECT_NE(message([](TrainOptions& o) { o.batch_size = 0; }).find("batch-size: 0 found"),
            std::string::npos);
  EXPECT_NE(message([](TrainOptions& o) { o.learning_rate = NAN; }).find("lr"), std::string::npos);
  EXPECT_NE(message([](TrainOptions& o) { o.dropout = 1; }).find("dropout"), std::string::npos);
  EXPECT_NE(message([](TrainOptions& o) { o.warmup_ratio = 1.5; }).find("warmup-ratio"), std::string::npos);
  EXPECT_NE(message([](TrainOptions& o) { o.max_seq_length = 100000; }), "no error");
  EXPECT_NE(message([](TrainOptions& o) { o.label_scale = 0.1; }).find("column \"score\""), std::string::npos);
}

data::Table scored(std::vector<double> scores) {
  std::string content = "sentence1\tsentence2\tscore\n";
  for (double s : scores) content += cat("a\tb\t", s, "\n");
  return data::parse_table(content, "x.tsv", pair_roles({}));
}

TEST(LabelScale, is_read_off_the_data) {
  EXPECT_EQ(read_label_scale(scored({0, 0.5, 1})), 1);
  EXPECT_EQ(read_label_scale(scored({-1, 1})), 1);
  EXPECT_EQ(read_label_scale(scored({0, 3.2, 5})), 5);
  EXPECT_EQ(read_label_scale(scored({2, 3})), 5);
  for (auto scores : {std::vector<double>{0, 100}, {-2, 3}, {-0.5, 5}}) {
    EXPECT_NE(message_of([&] { read_label_scale(scored(scores)); }).find("--label-scale"), std::string::npos);
  }
}

TEST(Trainer, a_folder_that_cannot_be_written_is_found_before_training) {
  if (geteuid() == 0) {
    // Root may write anywhere but below a file.
    TempFolder folder;
    folder.write("file", "");
    EXPECT_NE(message_of([&] { train(folder / "file" / "out", small_options()); }), "no error");
    return;
  }
  TempFolder folder;
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_NE(message_of([&] { train(folder / "out", small_options()); }), "no error");
  fs::permissions(folder.path(), fs::perms::owner_all);
}

}  // namespace
}  // namespace hone::train
