// A file of pairs is enough for a verdict: the task pairs, the task that suits the data, --hold-out.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/program.h"
#include "tests/cli/small_data.h"

namespace hone::cli {
namespace {

using Json = nlohmann::json;

const std::string kRows = std::string(testing::kFixtures) + "/losses/pairs.jsonl";

void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "\"" << part << "\" is not in: " << text;
}

Json scored_of(Strings more) {
  more.insert(more.begin(), {"eval", "--model", kModel, "--json"});
  const Result r = hone(more);
  EXPECT_EQ(r.code, 0) << r.err;
  return r.code == 0 ? Json::parse(r.out) : Json();
}

// --- eval ---

// The second anchor is word for word the first's positive, which is not its own: that is found first.
TEST(Pairs, are_scored_by_the_rank_of_the_positive) {
  TempFolder folder;
  folder.write("d.tsv",
               "anchor\tpositive\n"
               "A man sings a little song\tThe horse wants hot tea\n"
               "The horse wants hot tea\tMy mother wants hot tea\n"
               "Two people drives to the city\tThe horse wants hot tea\n");
  folder.write("own.tsv",
               "anchor\tpositive\n"
               "The horse wants hot tea\tA black cat is playing a game\n"
               "A black cat is playing a game\tThe horse wants hot tea\n");
  const Json j = scored_of(
      {"--task", "pairs", "--data", (folder / "d.tsv").string(), "--per-query", (folder / "lines").string()});
  EXPECT_EQ(j.at("task"), "pairs");
  EXPECT_EQ(j.at("queries"), 3);
  EXPECT_EQ(j.at("passages"), 2) << "a positive of two rows is one document";
  EXPECT_EQ(j.at("relevant"), 3);
  EXPECT_FALSE(j.contains("files"));
  EXPECT_EQ(j.at("primary"), "cosine_ndcg@10");
  std::istringstream lines(folder.read("lines"));
  std::vector<Json> queries;
  for (std::string line; std::getline(lines, line);) queries.push_back(Json::parse(line));
  ASSERT_EQ(queries.size(), 3U);
  EXPECT_EQ(queries[1].at("query_id"), "1");
  EXPECT_EQ(queries[1].at("cosine_accuracy@1"), 1) << "its own text is left out";
  EXPECT_EQ(queries[1].at("results").size(), 1U);
  EXPECT_EQ(queries[2].at("results").size(), 2U);
  const Json own = scored_of({"--data", (folder / "own.tsv").string()});
  EXPECT_EQ(own.at("scores").at("cosine_mrr@10"), 1);
}

TEST(Pairs, with_ids_know_more_answers) {
  TempFolder folder;
  folder.write("d.tsv",
               "ticket\tquestion\tanswer\n7\tA man\tThe horse wants hot tea\n8\tTwo people\tA black cat\n"
               "7\tMy mother\tThe woman reads\n");
  const std::string data = (folder / "d.tsv").string();
  EXPECT_EQ(scored_of({"--data", data}).at("relevant"), 3);
  EXPECT_EQ(scored_of({"--data", data, "--columns", "id=ticket"}).at("relevant"), 5);
}

TEST(Task, is_the_one_that_suits_the_data_and_is_said) {
  TempFolder folder;
  folder.write("binary.tsv", kBinaryRows);
  folder.write("triplet.tsv", kTripletRows);
  write_beir(folder, "beir");
  for (const auto& [data, task] : {std::pair{(folder / "binary.tsv").string(), "sts"},
                                   {(folder / "triplet.tsv").string(), "triplet"},
                                   {kRows, "pairs"},
                                   {(folder / "beir").string(), "retrieval"}}) {
    SCOPED_TRACE(task);
    const Result named = hone(eval_task(task, {"--data", data})),
                 found = hone({"eval", "--model", kModel, "--data", data});
    const std::string said =
        std::string("task: ") + task + " (chosen by the data's columns; --task names another)\n";
    expect_part(found.out, "\n" + said);
    EXPECT_EQ(named.out.find(said), std::string::npos);
    std::string without = found.out;
    if (const size_t at = without.find(said); at != std::string::npos) without.erase(at, said.size());
    EXPECT_EQ(without, named.out);
    const Result trained =
        hone(train_on({kRows}, folder / "out", {"--steps", "1", "--eval", data, "--overwrite", "--json"}));
    ASSERT_EQ(trained.code, 0) << trained.err;
    expect_part(trained.err, std::string("\nevaluation: ") + task +
                                 " (chosen by the data's columns; --task names another), ");
  }
  const Result r = hone({"eval", "--model", kModel, "--corpus", (folder / "beir/corpus.jsonl").string(),
                         "--queries", (folder / "beir/queries.jsonl").string(), "--qrels",
                         (folder / "beir/qrels/test.tsv").string(), "--json"});
  EXPECT_EQ(Json::parse(r.out).at("task"), "retrieval");
}

TEST(Task, that_nothing_suits_is_one_line) {
  TempFolder folder;
  folder.write("d.tsv", "anchor\tpositive\tlabel\na\tb\t1\n");
  folder.write("t.tsv", "title\tbody\na\tb\n");
  const std::string labelled = (folder / "d.tsv").string(), named = (folder / "t.tsv").string();
  expect_error(hone({"eval", "--model", kModel, "--data", labelled}), 1,
               labelled + ": anchor and positive with a score or label fit more than one task: ");
  expect_error(hone(train_on({kRows}, folder / "out", {"--eval", labelled})), 1,
               labelled + ": anchor and positive");
  expect_error(hone({"eval", "--model", kModel, "--data", named}), 1,
               named + ": the columns are \"title\", \"body\"; to evaluate on, expected ");
  expect_line(hone({"eval", "--model", kModel}), 2, "option --data is missing; see hone eval --help");
  expect_line(hone({"eval", "--model", kModel, "--data", kRows, "--margin", "1"}), 2,
              "option --margin is for --task triplet, found pairs");
  EXPECT_EQ(folder.names(), (Strings{"d.tsv", "t.tsv"}));
}

// --- hold-out ---

TEST(HoldOut, gives_one_file_of_pairs_a_verdict) {
  TempFolder folder;
  const Strings more{"--hold-out", "0.3", "--steps", "4", "--json"};
  const Result r = hone(train_on({kRows}, folder / "out", more));
  ASSERT_EQ(r.code, 0) << r.err;
  const Json j = Json::parse(r.out);
  const int rows = j.at("hold_out").at("rows");
  EXPECT_GT(rows, 5);
  EXPECT_LT(rows, 25);
  EXPECT_EQ(j.at("hold_out").at("share"), 0.3);
  EXPECT_EQ(j.at("hold_out").at("trained_rows"), 48 - rows);
  EXPECT_EQ(j.at("hold_out").at("task"), "pairs");
  EXPECT_EQ(j.at("data").at("rows"), 48 - rows);
  EXPECT_EQ(j.at("verdict").at("metric"), "cosine_ndcg@10");
  expect_part(r.err, "\nhold-out: " + std::to_string(rows) +
                         " of 48 rows, chosen by anchor, are kept to evaluate on\n");
  expect_part(r.err, "\nevaluation: pairs (chosen by the data's columns; --task names another), ");
  expect_part(r.err, "\nbefore training: cosine_ndcg@10 ");
  expect_part(folder.read("out/README.md"),
              " rows to train on and " + std::to_string(rows) + " held out for the task pairs");
  const Result again = hone(train_on({kRows}, folder / "again", more));
  EXPECT_EQ(folder.read("out/model.safetensors"), folder.read("again/model.safetensors"));
}

TEST(HoldOut, of_several_files_is_that_of_one) {
  TempFolder folder;
  std::ifstream in(kRows);
  std::string first, rest;
  int row = 0;
  for (std::string line; std::getline(in, line); ++row) (row < 20 ? first : rest) += line + "\n";
  folder.write("a.jsonl", first);
  folder.write("b.jsonl", rest);
  const Strings more{"--hold-out", "0.3", "--steps", "2"};
  ASSERT_EQ(hone(train_on({kRows}, folder / "one", more)).code, 0);
  ASSERT_EQ(hone(train_on({folder / "a.jsonl", folder / "b.jsonl"}, folder / "two", more)).code, 0);
  EXPECT_EQ(folder.read("one/model.safetensors"), folder.read("two/model.safetensors"));
}

TEST(HoldOut, is_scored_by_the_task_asked_for) {
  TempFolder folder;
  const auto metric = [&](const fs::path& data, const Strings& more) {
    Strings all{"--hold-out", "0.4", "--steps", "1", "--overwrite", "--json"};
    all.insert(all.end(), more.begin(), more.end());
    const Result r = hone(train_on({data}, folder / "out", all));
    EXPECT_EQ(r.code, 0) << r.err;
    return r.code == 0 ? Json::parse(r.out).at("verdict").at("metric").get<std::string>() : r.err;
  };
  EXPECT_EQ(metric(kPairs, {}), "spearman_cosine");
  EXPECT_EQ(metric(kPairs, {"--loss", "mnr"}), "cosine_ndcg@10");
  EXPECT_EQ(metric(kPairs, {"--loss", "mnr", "--task", "sts"}), "spearman_cosine")
      << "the scores are read for the task alone";
  EXPECT_EQ(metric(kPairs, {"--task", "pairs"}), "cosine_ndcg@10");
  const std::string triplets = std::string(testing::kFixtures) + "/losses/triplets.jsonl";
  EXPECT_EQ(metric(triplets, {}), "cosine_accuracy");
  EXPECT_EQ(metric(triplets, {"--task", "pairs", "--similarity", "dot"}), "dot_ndcg@10");
  expect_error(hone(train_on({kRows}, folder / "none", {"--hold-out", "0.4", "--task", "sts"})), 1,
               kRows + ":1: no column \"sentence1\", the columns are ");
}

TEST(HoldOut, goes_on_with_resume_and_not_with_another_share) {
  TempFolder folder;
  const Strings more{"--hold-out", "0.3", "--steps", "2"};
  ASSERT_EQ(hone(train_on({kRows}, folder / "out", more)).code, 0);
  const Result again =
      hone(train_on({kRows}, folder / "out", {"--hold-out", "0.3", "--steps", "2", "--resume"}));
  EXPECT_EQ(again.code, 0) << again.err;
  expect_part(again.err, "is finished already");
  expect_error(hone(train_on({kRows}, folder / "out", {"--hold-out", "0.25", "--steps", "2", "--resume"})), 1,
               "hold-out was 0.3 and is now 0.25");
}

}  // namespace
}  // namespace hone::cli
