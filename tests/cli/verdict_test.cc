// How a run with --eval ends: the score that is looked at, early ends, and the verdict against the base
// model.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"
#include "tests/cli/small_data.h"

namespace hone::cli {
namespace {

using Json = nlohmann::json;

const Strings kStrong{"--lr", "1e-3", "--steps", "30", "--dropout", "0", "--threads", "2"};

Strings operator+(Strings a, const Strings& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// kPairs with every score turned round.
void write_inverted(const TempFolder& folder, const std::string& name) {
  std::ifstream in(kPairs);
  std::string all;
  for (std::string line; std::getline(in, line);) {
    Json row = Json::parse(line);
    row["score"] = 1 - row.at("score").get<double>();
    all += row.dump() + "\n";
  }
  folder.write(name, all);
}

TEST(Verdict, of_a_better_model_stands_in_the_json_the_lines_and_the_card) {
  TempFolder folder;
  const Result r = hone(train(folder / "out", kStrong + Strings{"--eval", kPairs, "--json"}));
  ASSERT_EQ(r.code, 0) << r.err;
  const Json j = Json::parse(r.out);
  const Json& verdict = j.at("verdict");
  EXPECT_EQ(verdict.at("metric"), "spearman_cosine");
  EXPECT_EQ(verdict.at("before"), j.at("before").at("spearman_cosine"));
  EXPECT_EQ(verdict.at("after"), j.at("after").at("spearman_cosine"));
  const double difference = verdict.at("difference");
  EXPECT_NEAR(difference, verdict.at("after").get<double>() - verdict.at("before").get<double>(), 1e-12);
  EXPECT_GT(verdict.at("low").get<double>(), 0);
  EXPECT_GE(verdict.at("high").get<double>(), verdict.at("low").get<double>());
  EXPECT_GT(verdict.at("share_better").get<double>(), 0.975);
  const std::string words = "the tuned model is better than the base model: spearman_cosine ";
  EXPECT_NE(r.err.find("\n" + words), std::string::npos) << r.err;
  EXPECT_TRUE(r.err.ends_with("] with 95 % confidence\n")) << r.err;
  EXPECT_NE(folder.read("out/README.md").find(words), std::string::npos) << folder.read("out/README.md");
}

TEST(Verdict, of_a_worse_model_is_said_however_quiet_the_run) {
  TempFolder folder;
  write_inverted(folder, "inverted.jsonl");
  const Result r = hone(train_on({folder / "inverted.jsonl"}, folder / "out",
                                 kStrong + Strings{"--eval", kPairs, "--quiet", "--json"}));
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(r.err.starts_with("warning: the tuned model is WORSE than the base model: spearman_cosine "))
      << r.err;
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
  EXPECT_LT(Json::parse(r.out).at("verdict").at("high").get<double>(), 0);
  EXPECT_TRUE(fs::exists(folder / "out" / "model.safetensors")) << "it is a warning, no failure";
}

TEST(Verdict, of_the_same_model_is_not_clear_and_quiet_says_nothing) {
  TempFolder folder;
  const Strings idle{"--lr", "0", "--steps", "2", "--eval", kPairs};
  const Result r = hone(train(folder / "out", idle));
  EXPECT_NE(r.err.find("\nthe tuned model is not clearly better than the base model: spearman_cosine "),
            std::string::npos)
      << r.err;
  EXPECT_TRUE(r.err.ends_with(", +0.0000 [+0.0000, +0.0000] with 95 % confidence\n")) << r.err;
  const Result quiet = hone(train(folder / "quiet", idle + Strings{"--quiet"}));
  EXPECT_EQ(quiet.code, 0);
  EXPECT_TRUE(quiet.err.empty()) << quiet.err;
}

TEST(Verdict, without_data_to_evaluate_on_says_that_there_is_none) {
  TempFolder folder;
  const Result r = hone(train(folder / "out", {"--steps", "1", "--json"}));
  EXPECT_FALSE(Json::parse(r.out).contains("verdict"));
  EXPECT_TRUE(
      r.err.ends_with("\nnot evaluated: whether the tuned model is better than the base model is not "
                      "known (--eval PATH tells by other rows, --hold-out 0.1 by a tenth of these)\n"))
      << r.err;
  EXPECT_NE(folder.read("out/README.md")
                .find("\nNot evaluated: whether it is better than the base model is "
                      "not known.\n"),
            std::string::npos);
  const Result quiet = hone(train(folder / "quiet", {"--steps", "1", "--quiet"}));
  EXPECT_TRUE(quiet.err.empty()) << quiet.err;
}

TEST(Verdict, is_told_again_by_a_run_that_was_finished) {
  TempFolder folder;
  const Strings more = kStrong + Strings{"--eval", kPairs, "--json"};
  const Json first = Json::parse(hone(train(folder / "out", more)).out);
  const Result again = hone(train(folder / "out", more + Strings{"--resume"}));
  EXPECT_EQ(again.code, 0) << again.err;
  const Json j = Json::parse(again.out);
  EXPECT_EQ(j.at("already_finished"), true);
  EXPECT_EQ(j.at("verdict"), first.at("verdict"));
  EXPECT_NE(again.err.find("the tuned model is better than the base model"), std::string::npos) << again.err;
}

// --- every task ---

struct Task {
  const char *name, *data, *primary;
};

class EveryTask : public ::testing::TestWithParam<Task> {
 protected:
  EveryTask() {
    folder.write("binary.tsv", kBinaryRows);
    folder.write("triplet.tsv", kTripletRows);
    write_beir(folder, "beir");
    std::string vector;
    for (int i = 0; i < 32; ++i) vector += i == 0 ? "1" : " 0";
    folder.write("mse.tsv", "text\tvector\nThe horse wants hot tea\t" + vector + "\n");
  }
  Strings evaluated(const Strings& more) const {
    return train_on(
        {folder / "triplet.tsv"}, folder / "out",
        Strings{"--steps", "2", "--task", GetParam().name, "--eval", (folder / GetParam().data).string()} +
            more);
  }
  TempFolder folder;
};

TEST_P(EveryTask, is_evaluated_on_the_way) {
  const Result r = hone(evaluated({"--json", "--eval-steps", "1"}));
  ASSERT_EQ(r.code, 0) << r.err;
  const Json j = Json::parse(r.out);
  EXPECT_EQ(j.at("verdict").at("metric"), GetParam().primary);
  EXPECT_TRUE(j.at("before").contains(std::string(GetParam().primary) + "_95"));
  for (const char* line : {"\nbefore training: ", "\nstep 1: ", "\nstep 2: "})
    EXPECT_NE(r.err.find(line + std::string(GetParam().primary) + " "), std::string::npos) << r.err;
  // What hone eval says of the model that came out.
  const Result after = hone({"eval", "--model", (folder / "out").string(), "--task", GetParam().name,
                             "--data", (folder / GetParam().data).string(), "--json"});
  EXPECT_EQ(Json::parse(after.out).at("scores"), [&] {
    Json scores = j.at("after");
    scores.erase("step");
    return scores;
  }());
}

TEST_P(EveryTask, lists_its_metrics_for_a_wrong_one_before_the_first_step) {
  const Json scores = Json::parse(hone({"eval", "--model", kModel, "--task", GetParam().name, "--data",
                                        (folder / GetParam().data).string(), "--json"})
                                      .out)
                          .at("scores");
  const auto before = folder.names();
  const Result r = hone(evaluated({"--metric", "cosine_acuracy", "--log", (folder / "log").string()}));
  expect_error(r, 2, "metric: \"cosine_acuracy\" found, one of " + std::string(GetParam().primary));
  for (const auto& [name, value] : scores.items()) {
    if (!name.ends_with("_95")) EXPECT_NE(r.err.find(name), std::string::npos) << name << " in " << r.err;
  }
  EXPECT_EQ(folder.names(), before) << "neither a model nor a log";
}

TEST_P(EveryTask, refuses_a_file_of_another) {
  const std::string name = GetParam().name, other = name == "triplet" ? "binary.tsv"
                                                    : name == "pairs" ? "mse.tsv"
                                                                      : "triplet.tsv";
  const auto before = folder.names();
  const Strings command = train_on({folder / "triplet.tsv"}, folder / "out",
                                   {"--task", GetParam().name, "--eval", (folder / other).string()});
  expect_error(hone(command), 1, (folder / other).string());
  EXPECT_EQ(folder.names(), before);
}

INSTANTIATE_TEST_SUITE_P(Tasks, EveryTask,
                         ::testing::Values(Task{"sts", "binary.tsv", "spearman_cosine"},
                                           Task{"binary", "binary.tsv", "cosine_ap"},
                                           Task{"triplet", "triplet.tsv", "cosine_accuracy"},
                                           Task{"pairs", "triplet.tsv", "cosine_ndcg@10"},
                                           Task{"retrieval", "beir", "cosine_ndcg@10"},
                                           Task{"mse", "mse.tsv", "negative_mse"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Metric, that_is_named_tells_the_best_step) {
  TempFolder folder;
  const Result r = hone(train(folder / "out", {"--steps", "2", "--eval", kPairs, "--metric",
                                               "pearson_manhattan", "--similarity", "dot", "--json"}));
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_NE(r.err.find("\nstep 2: pearson_manhattan "), std::string::npos) << r.err;
  EXPECT_EQ(Json::parse(r.out).at("verdict").at("metric"), "spearman_dot") << "what has an interval";
}

// --- ends before the last step ---

TEST(Patience, ends_a_run_that_gains_nothing) {
  TempFolder folder;
  const Result r = hone(train(folder / "out", {"--lr", "0", "--steps", "50", "--eval", kPairs, "--eval-steps",
                                               "1", "--patience", "3", "--json"}));
  ASSERT_EQ(r.code, 0) << r.err;
  const Json j = Json::parse(r.out);
  EXPECT_EQ(j.at("steps"), 4) << "the first evaluation is the best, three follow";
  EXPECT_EQ(j.at("kept_step"), 1);
  EXPECT_EQ(j.at("ended_early"), "after 3 evaluations without gain");
}

TEST(MinGain, is_what_a_score_must_gain_to_be_better) {
  TempFolder folder;
  // No correlation gains 3.
  const Result r =
      hone(train(folder / "out", kStrong + Strings{"--eval", kPairs, "--eval-steps", "1", "--min-gain", "3",
                                                   "--patience", "2", "--json"}));
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(Json::parse(r.out).at("kept_step"), 1);
  EXPECT_EQ(Json::parse(r.out).at("steps"), 3);
}

TEST(MaxMinutes, end_a_run_after_a_step_with_an_evaluation) {
  TempFolder folder;
  const Result r = hone(
      train(folder / "out", {"--steps", "1000000", "--max-minutes", "1e-9", "--eval", kPairs, "--json"}));
  ASSERT_EQ(r.code, 0) << r.err;
  const Json j = Json::parse(r.out);
  EXPECT_EQ(j.at("steps"), 1) << "no step takes so little";
  EXPECT_EQ(j.at("kept_step"), 1);
  EXPECT_EQ(j.at("ended_early"), "after 1e-09 minutes");
  EXPECT_TRUE(j.contains("verdict"));
  EXPECT_TRUE(fs::exists(folder / "out" / "checkpoint")) << "the run can go on";
  EXPECT_GT(j.at("checkpoint_bytes"), 0);
  EXPECT_NE(r.err.find("ended after 1e-09 minutes; a checkpoint ("), std::string::npos) << r.err;
  for (const char* report : {"before", "after"}) {
    for (const char* metric : {"spearman_cosine_95", "pearson_dot_95", "spearman_max_95"})
      EXPECT_EQ(j.at(report).at(metric).size(), 2U) << report << " " << metric;
  }
  const Result more = hone(train(folder / "out", {"--steps", "1000000", "--max-minutes", "1e-9", "--eval",
                                                  kPairs, "--json", "--resume"}));
  EXPECT_EQ(Json::parse(more.out).at("steps"), 2) << more.err;
  const Result text = hone(train(folder / "text", {"--steps", "9", "--max-minutes", "1e-9"}));
  EXPECT_NE(text.err.find("trained 1 steps in "), std::string::npos) << text.err;
  EXPECT_NE(text.err.find(", ended after 1e-09 minutes, "), std::string::npos) << text.err;
}

TEST(Patience, that_is_larger_goes_on) {
  TempFolder folder;
  const Strings options{"--lr",         "0", "--steps", "9",       "--eval", kPairs,
                        "--eval-steps", "1", "--json",  "--resume"};
  ASSERT_EQ(Json::parse(hone(train(folder / "out", options + Strings{"--patience", "2"})).out).at("steps"),
            3);
  const Result same = hone(train(folder / "out", options + Strings{"--patience", "2"}));
  EXPECT_TRUE(Json::parse(same.out).at("already_finished"));
  EXPECT_TRUE(Json::parse(same.out).at("after").contains("pearson_dot_95")) << "kept in its record";
  EXPECT_NE(same.err.find("nothing to do, a larger patience goes on with it"), std::string::npos) << same.err;
  EXPECT_EQ(Json::parse(hone(train(folder / "out", options + Strings{"--patience", "4"})).out).at("steps"),
            5);
  const Json last = Json::parse(hone(train(folder / "out", options)).out);
  EXPECT_EQ(last.at("steps"), 9);
  EXPECT_EQ(last.at("checkpoint_bytes"), 0);
  EXPECT_FALSE(fs::exists(folder / "out" / "checkpoint"));
}

TEST(EvalShare, never_skips_the_last_evaluation) {
  TempFolder folder;
  const Result r = hone(train(folder / "out", {"--steps", "3", "--eval", kPairs, "--eval-steps", "1",
                                               "--eval-share", "1e-9", "--json"}));
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_NE(r.err.find("\nstep 3: spearman_cosine "), std::string::npos) << r.err;
  EXPECT_EQ(r.err.find("\nstep 1: "), std::string::npos) << r.err;
  EXPECT_EQ(r.err.find("\nstep 2: "), std::string::npos) << r.err;
}

}  // namespace
}  // namespace hone::cli
