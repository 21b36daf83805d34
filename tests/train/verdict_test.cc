// What a run says of its model, computed again from the folder alone; and that a worse model is said to be.
#include "train/verdict.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "tests/base/temp_folder.h"
#include "tests/places.h"
#include "tests/train/small_data.h"
#include "tests/train/small_run.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using nlohmann::json;
using testing::kModels;
using testing::small_options;
using testing::TempFolder;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Verdict verdict(double low, double high, double before = 0.5, double after = 0.6) {
  return {"map", before, after, {after - before, {low, high}, 0.9}};
}

TEST(Verdict, is_by_the_interval_of_the_difference) {
  EXPECT_EQ(verdict(0.001, 0.2).kind(), Verdict::Kind::better);
  EXPECT_EQ(verdict(-0.001, 0.2).kind(), Verdict::Kind::unclear);
  EXPECT_EQ(verdict(0, 0.2).kind(), Verdict::Kind::unclear) << "no more than nothing";
  EXPECT_EQ(verdict(-0.2, 0).kind(), Verdict::Kind::unclear);
  EXPECT_EQ(verdict(-0.2, -0.001).kind(), Verdict::Kind::worse);
  EXPECT_EQ(verdict(0, 0).kind(), Verdict::Kind::unclear);
}

TEST(Verdict, that_has_no_score_any_more_is_worse) {
  EXPECT_EQ(verdict(kNaN, kNaN, 0.5, kNaN).kind(), Verdict::Kind::worse);
  EXPECT_TRUE(verdict(kNaN, kNaN, 0.5, kNaN).below());
  EXPECT_EQ(verdict(kNaN, kNaN, kNaN, kNaN).kind(), Verdict::Kind::unclear);
  EXPECT_FALSE(verdict(kNaN, kNaN, kNaN, kNaN).below());
  EXPECT_EQ(verdict(kNaN, kNaN, 0.5, kNaN).text(),
            "the tuned model is WORSE than the base model: map 0.5000 -> none");
  EXPECT_EQ(verdict(kNaN, kNaN, kNaN, 0.25).text(),
            "the tuned model is not clearly better than the base model: map none -> 0.2500");
  EXPECT_TRUE(verdict(kNaN, kNaN, 0.5, kNaN).json()["after"].dump() == "null");
}

TEST(Verdict, is_below_where_the_difference_is) {
  EXPECT_FALSE(verdict(0.1, 0.2).below());
  EXPECT_FALSE(verdict(-0.1, 0.2).below());
  EXPECT_TRUE(verdict(-0.2, 0.1, 0.5, 0.45).below());
  EXPECT_TRUE(verdict(-0.2, -0.1, 0.5, 0.35).below());
}

TEST(Verdict, is_one_line_for_people) {
  EXPECT_EQ(verdict(0.05, 0.15).text(),
            "the tuned model is better than the base model: map 0.5000 -> 0.6000, +0.1000 [+0.0500, +0.1500] "
            "with 95 % confidence");
  EXPECT_EQ(verdict(-0.15, -0.05, 0.5, 0.4).text(),
            "the tuned model is WORSE than the base model: map 0.5000 -> 0.4000, -0.1000 [-0.1500, -0.0500] "
            "with 95 % confidence");
  EXPECT_EQ(verdict(-0.05, 0.15).text(),
            "the tuned model is not clearly better than the base model: map 0.5000 -> 0.6000, +0.1000 "
            "[-0.0500, +0.1500] with 95 % confidence");
  EXPECT_EQ(verdict(-0.15, 0.05, 0.5, 0.4).text(),
            "the tuned model is below the base model, but not clearly so: map 0.5000 -> 0.4000, -0.1000 "
            "[-0.1500, +0.0500] with 95 % confidence");
}

TEST(Verdict, is_seven_values_for_programs) {
  const auto j = verdict(-0.25, 0.75, 0.5, 0.625).json();
  EXPECT_EQ(j.dump(), R"({"metric":"map","before":0.5,"after":0.625,"difference":0.125,"low":-0.25,)"
                      R"("high":0.75,"share_better":0.9})");
}

// Evaluations whose data are a table.
struct TaskCase {
  std::string task;
  fs::path file;
};

fs::path losses_file(const char* name) {
  return fs::path(testing::kFixtures) / "losses" / name;
}

data::Table task_table(const TaskCase& c) {
  data::ReadOptions options;
  options.roles = eval::task_roles(c.task);
  return data::read_table(c.file, options);
}

std::vector<TaskCase> task_cases() {
  std::vector<TaskCase> all;
  for (const std::string& task : eval::table_tasks()) {
    all.push_back({task, task == "binary"                       ? losses_file("binary.jsonl")
                         : task == "triplet" || task == "pairs" ? losses_file("triplets.jsonl")
                         : task == "mse"                        ? losses_file("vectors.jsonl")
                                                                : kModels / "pairs.jsonl"});
  }
  return all;
}

std::vector<std::string> lines_with(const std::string& text, const std::string& front) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(front)) lines.push_back(line);
  }
  return lines;
}

// Four decimals as the card has them.
std::string shown(double value, bool sign = false) {
  char digits[64];
  std::snprintf(digits, sizeof digits, sign ? "%+.4f" : "%.4f", value);
  return digits;
}

class CardOf : public ::testing::TestWithParam<TaskCase> {};

// The folder and the data are all that is needed to find every number in it again.
TEST_P(CardOf, has_the_scores_and_the_verdict_that_its_own_folder_has) {
  TempFolder folder;
  const auto engine = compute::test_engine(2);
  const auto base = model::load_model(kModels / "mean-gelu");
  Trainer trainer(base, engine, testing::pairs(),
                  evaluation_of(GetParam().task, task_table(GetParam()), engine), small_options());
  const TrainResult result = trainer.run(folder / "out", OnExisting::refuse, {});

  const auto tuned = model::load_model(folder / "out");
  const auto evaluation = eval::make_evaluation(GetParam().task, task_table(GetParam()), *tuned, engine);
  encode::Encoder before(base, engine), after(tuned, engine);
  const eval::Result a = evaluation->run(before), b = evaluation->run(after);
  const Verdict expected{b.primary(), a.value(), b.value(), evaluation->difference(a, b)};

  const std::string card = folder.read("out/README.md");
  const std::string data = GetParam().file.filename().string();
  std::vector<std::string> rows;
  for (const auto& [name, value] : a.metrics)
    rows.push_back(cat("| ", data, " | ", name, " | ", shown(value), " | ", shown(b.at(name)), " | ",
                       shown(b.at(name) - value, true), " |"));
  EXPECT_EQ(lines_with(card, "| " + data + " |"), rows);
  EXPECT_EQ(lines_with(card, "By these data "),
            std::vector<std::string>{cat("By these data ", expected.text(), ".")});
  const json record = json::parse(folder.read("out/training.json"));
  EXPECT_EQ(record["verdict"], json(expected.json()));
  ASSERT_TRUE(result.verdict);
  EXPECT_EQ(result.verdict->json(), expected.json());
  for (const auto& [name, value] : a.metrics) {
    EXPECT_EQ(record["before"]["metrics"][name], value) << name;
    EXPECT_EQ(record["best"]["metrics"][name], b.at(name)) << name;
  }
  EXPECT_EQ(record["best"]["low"], b.interval.low);
  EXPECT_EQ(record["best"]["high"], b.interval.high);
}
INSTANTIATE_TEST_SUITE_P(All, CardOf, ::testing::ValuesIn(task_cases()),
                         [](const auto& c) { return c.param.task; });

TrainOptions no_checkpoints() {
  TrainOptions options = small_options();
  options.checkpoint_steps = 0;
  return options;
}

// The verdict is on the primary metric also where another one tells the best step.
TEST(VerdictOfARun, is_on_the_tasks_first_metric) {
  TempFolder folder;
  TrainOptions options = no_checkpoints();
  options.metric = "pearson_dot";
  const TrainResult result = testing::train_small(folder / "out", options);
  EXPECT_EQ(result.verdict->metric, "spearman_cosine");
  EXPECT_EQ(result.verdict->after, result.after->value("spearman_cosine"));
  EXPECT_EQ(result.verdict->before, result.before->value("spearman_cosine"));
}

// Thirty steps that learn what they are evaluated on, or its opposite.
TrainResult learn(const fs::path& out, bool opposite, OnExisting existing = OnExisting::refuse) {
  TrainOptions options = no_checkpoints();
  options.steps = 30;
  options.eval_steps = 30;
  options.learning_rate = 2e-3;
  options.dropout = 0;
  data::Table table = testing::pairs();
  for (double& score : table.numbers.at("score")) score = opposite ? 1 - score : score;
  const auto engine = compute::test_engine(2);
  Trainer trainer(model::load_model(kModels / "mean-gelu"), engine, table,
                  evaluation_of("sts", testing::pairs(), engine), options);
  return trainer.run(out, existing, {});
}

TEST(VerdictOfARun, that_made_a_model_better_says_so) {
  TempFolder folder;
  const TrainResult result = learn(folder / "out", false);
  ASSERT_TRUE(result.verdict);
  EXPECT_EQ(result.verdict->kind(), Verdict::Kind::better) << result.verdict->text();
  EXPECT_EQ(lines_with(folder.read("out/README.md"), "By these data the tuned model is better than").size(),
            1U);
}

TEST(VerdictOfARun, that_changed_nothing_is_not_clear) {
  TempFolder folder;
  TrainOptions options = no_checkpoints();
  options.learning_rate = 0;
  const TrainResult result = testing::train_small(folder / "out", options);
  ASSERT_TRUE(result.verdict);
  EXPECT_EQ(result.verdict->kind(), Verdict::Kind::unclear);
  EXPECT_EQ(result.verdict->difference.difference, 0);
  EXPECT_FALSE(result.verdict->below());
}

TEST(VerdictOfARun, that_made_a_model_worse_says_so_in_result_card_and_record) {
  TempFolder folder;
  TrainResult result = learn(folder / "out", true);
  ASSERT_TRUE(result.verdict);
  EXPECT_EQ(result.verdict->kind(), Verdict::Kind::worse) << result.verdict->text();
  EXPECT_TRUE(result.verdict->below());
  EXPECT_LT(json::parse(folder.read("out/training.json"))["verdict"]["high"], 0);
  const char* front = "By these data the tuned model is WORSE than the base model: spearman_cosine 0.5";
  EXPECT_EQ(lines_with(folder.read("out/README.md"), front).size(), 1U);
  // Who asks later is told the same.
  result = learn(folder / "out", true, OnExisting::resume);
  EXPECT_TRUE(result.already_finished);
  EXPECT_EQ(result.verdict->kind(), Verdict::Kind::worse);
}

// What is left is chance, and below what the base model has.
TEST(VerdictOfARun, whose_rate_was_far_too_high_is_below_the_base_model) {
  for (double rate : {0.3, 9.9}) {
    TempFolder folder;
    TrainOptions options = no_checkpoints();
    options.learning_rate = rate;
    options.eval_steps = 12;
    const TrainResult result = testing::train_small(folder / "out", options);
    ASSERT_TRUE(result.verdict);
    EXPECT_TRUE(result.verdict->below()) << result.verdict->text();
    const std::string card = folder.read("out/README.md");
    EXPECT_EQ(lines_with(card, "By these data the tuned model is WORSE than").size() +
                  lines_with(card, "By these data the tuned model is below the base model, but").size(),
              1U);
  }
}

TEST(VerdictOfARun, that_was_not_evaluated_is_none) {
  TempFolder folder;
  const TrainResult result =
      testing::train_small(folder / "out", small_options(), OnExisting::refuse, 2, {}, false);
  EXPECT_FALSE(result.verdict);
  EXPECT_EQ(lines_with(folder.read("out/README.md"), "By these data").size(), 0U);
  EXPECT_FALSE(json::parse(folder.read("out/training.json")).contains("verdict"));
}

// The texts of an evaluation are not held while a run trains.
TEST(Evaluation, that_is_made_lets_go_of_what_it_was_made_from) {
  const auto engine = compute::test_engine(1);
  auto texts = std::make_shared<const data::Table>(testing::pairs());
  const std::weak_ptr<const data::Table> held = texts;
  MakeEvaluation make = [texts = std::move(texts), engine](const model::SentenceModel& model) {
    return eval::make_evaluation("sts", *texts, model, engine);
  };
  const Trainer trainer(model::load_model(kModels / "mean-gelu"), engine, testing::pairs(), std::move(make),
                        small_options());
  EXPECT_TRUE(held.expired());
}

}  // namespace
}  // namespace hone::train
