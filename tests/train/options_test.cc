// Options that cannot be are refused by name before any work.
#include "train/options.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "tests/places.h"
#include "tests/train/small_run.h"

namespace hone::train {
namespace {

using testing::message_of;
using testing::small_options;

template <class Change>
std::string refusal(Change change) {
  TrainOptions o = small_options();
  change(o);
  try {
    testing::small_trainer(o, 1, true);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "no usage error";
}

TEST(TrainOptions, are_refused_by_name_with_what_was_found) {
  EXPECT_NE(refusal([](TrainOptions& o) { o.metric = "spearman"; }).find("spearman_cosine"),
            std::string::npos);
  auto starts = [](const std::string& message, const char* front) {
    EXPECT_TRUE(message.starts_with(front)) << message;
  };
  starts(refusal([](TrainOptions& o) { o.batch_size = 0; }), "batch-size: 0 found");
  starts(refusal([](TrainOptions& o) { o.learning_rate = NAN; }), "lr: nan found");
  starts(refusal([](TrainOptions& o) { o.dropout = 1; }), "dropout: 1 found");
  starts(refusal([](TrainOptions& o) { o.warmup_ratio = 1.5; }), "warmup-ratio: 1.5 found");
  starts(refusal([](TrainOptions& o) { o.eval_steps = -1; }), "eval-steps: -1 found");
  EXPECT_EQ(refusal([](TrainOptions&) {}), "no usage error");
}

// 2^63 - 1 steps times a warm-up ratio of 1 is a double that no 64-bit integer holds.
TEST(TrainOptions, absurd_numbers_of_steps_are_refused) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  auto steps = [](int64_t n) {
    return refusal([n](TrainOptions& o) {
      o.steps = n;
      o.warmup_ratio = 1;
    });
  };
  for (int64_t n : {kMax, kMostSteps + 1})
    EXPECT_TRUE(steps(n).starts_with(cat("steps: ", n, " found"))) << steps(n);
  EXPECT_EQ(steps(kMostSteps), "no usage error");
  auto epochs = [](double n) {
    return refusal([n](TrainOptions& o) {
      o.steps = 0;
      o.epochs = n;
      o.batch_size = 1;
    });
  };
  EXPECT_TRUE(epochs(1e7).starts_with("epochs: 1e+07 found")) << epochs(1e7);
  EXPECT_EQ(epochs(1e6), "no usage error");
  // With 2^32 - 1 rows in batches of one, a million epochs are 4.3 * 10^15 steps.
  TrainOptions o = small_options();
  o.steps = 0;
  o.epochs = 1e6;
  EXPECT_THROW(total_steps(o, 0xFFFFFFFF), UsageError);
  EXPECT_NE(message_of([&] { total_steps(o, 0xFFFFFFFF); }).find("epochs: 1e+06 found"), std::string::npos);
  EXPECT_EQ(total_steps(o, 1000), kMostSteps);
  o.epochs = 0.001;
  EXPECT_EQ(total_steps(o, 10), 1);
}

TEST(TrainOptions, a_length_that_the_model_does_not_have_is_refused) {
  TrainOptions o = small_options();
  o.max_seq_length = 100000;
  EXPECT_NE(message_of([&] { testing::small_trainer(o, 1, false); }).find("max_seq_length"),
            std::string::npos);
}

// Every task: the name is checked against those that its evaluation has.
TEST(Metric, that_an_evaluation_does_not_have_is_refused_with_those_it_has_before_step_one) {
  const fs::path losses = fs::path(testing::kFixtures) / "losses";
  std::set<std::string> first;
  for (const std::string& task : eval::table_tasks()) {
    SCOPED_TRACE(task);
    data::ReadOptions roles;
    roles.roles = eval::task_roles(task);
    const data::Table table =
        data::read_table(task == "binary"                       ? losses / "binary.jsonl"
                         : task == "triplet" || task == "pairs" ? losses / "triplets.jsonl"
                         : task == "mse"                        ? losses / "vectors.jsonl"
                                                                : testing::kModels / "pairs.jsonl",
                         roles);
    const auto model = model::load_model(testing::kModels / "mean-gelu");
    const auto engine = compute::test_engine(1);
    const auto names = eval::make_evaluation(task, table, *model, engine)->metric_names();
    std::string list;
    for (const std::string& name : names) list += cat(list.empty() ? "" : ", ", name);
    TrainOptions options = testing::small_options();
    auto trainer = [&] {
      return Trainer(model, engine, testing::pairs(), evaluation_of(task, table, engine), options);
    };
    for (const std::string wrong : {"accuracy", "spearman", " ", "SPEARMAN_COSINE", "spearman_cosine "}) {
      options.metric = wrong;
      const std::string found = message_of<config::OptionError>(trainer),
                        expected = cat("metric: \"", wrong, "\" found, one of ", list, " expected");
      EXPECT_EQ(found.substr(0, expected.size()), expected);
      // Behind it stands a name that is much like it, where there is one.
      const bool like = task == "sts" && wrong.size() > 9;
      if (like || wrong == " ") {
        EXPECT_EQ(found.substr(expected.size()), like ? "; did you mean spearman_cosine?" : "");
      }
    }
    for (const std::string& name : names) {
      options.metric = name;
      EXPECT_EQ(trainer().metric(), name);
    }
    options.metric.clear();
    EXPECT_EQ(trainer().metric(), names[0]);
    first.insert(names[0]);
  }
  EXPECT_EQ(first.size(), eval::table_tasks().size());
}

}  // namespace
}  // namespace hone::train
