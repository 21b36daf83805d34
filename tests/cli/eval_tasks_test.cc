// hone eval --task: scores with a closed form, lines for each row or query, two models compared.
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/program.h"
#include "tests/cli/small_data.h"
#include "tests/places.h"

namespace hone::cli {
namespace {

using Json = nlohmann::json;

const std::string kOther = std::string(testing::kFixtures) + "/models/max";
const std::string kOfDot =
    std::string(testing::kFixtures) + "/models/mean-sqrt-len";  // its own similarity: dot

Json scored(const std::string& task, Strings more) {
  more.push_back("--json");
  const Result r = hone(eval_task(task, more));
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(r.err.empty()) << r.err;
  return Json::parse(r.out);
}

std::vector<Json> lines(const TempFolder& folder, const std::string& name) {
  std::vector<Json> all;
  std::istringstream in(folder.read(name));
  for (std::string line; std::getline(in, line);) all.push_back(Json::parse(line));
  return all;
}

// What hone encode makes of texts.
std::vector<std::vector<double>> encoded(const TempFolder& folder, const Strings& texts) {
  std::string all;
  for (const std::string& text : texts) all += text + "\n";
  folder.write("encoded.txt", all);
  const std::string out = (folder / "encoded.jsonl").string();
  EXPECT_EQ(
      hone({"encode", "--model", kModel, "--input", (folder / "encoded.txt").string(), "--out", out}).code,
      0);
  std::vector<std::vector<double>> vectors;
  for (const Json& line : lines(folder, "encoded.jsonl")) vectors.push_back(line.at("embedding"));
  return vectors;
}

const Strings kTexts{"The horse wants hot tea", "A man sings a little song",
                     "My mother is swimming in the sea", "Two people drives to the city"};

TEST(EvalTask, sts_is_1_where_the_scores_are_the_cosines) {
  TempFolder folder;
  const auto vectors = encoded(folder, kTexts);
  std::string rows = "sentence1\tsentence2\tscore\n";
  for (size_t i = 0; i < kTexts.size(); ++i) {
    for (size_t j = i + 1; j < kTexts.size(); ++j) {
      double uv = 0, uu = 0, vv = 0;
      for (size_t k = 0; k < vectors[i].size(); ++k) {
        uv += vectors[i][k] * vectors[j][k];
        uu += vectors[i][k] * vectors[i][k];
        vv += vectors[j][k] * vectors[j][k];
      }
      rows += kTexts[i] + "\t" + kTexts[j] + "\t" + std::to_string(uv / std::sqrt(uu * vv)) + "\n";
    }
  }
  folder.write("d.tsv", rows);
  const std::string data = (folder / "d.tsv").string();
  const Json j = scored("sts", {"--data", data, "--per-row", (folder / "rows").string()});
  EXPECT_EQ(j.at("task"), "sts");
  EXPECT_EQ(j.at("data"), data);
  EXPECT_EQ(j.at("pairs"), 6);
  EXPECT_EQ(j.at("primary"), "spearman_cosine");
  EXPECT_NEAR(j.at("scores").at("spearman_cosine").get<double>(), 1, 1e-12);
  EXPECT_NEAR(j.at("scores").at("pearson_cosine").get<double>(), 1, 1e-6) << "scores have six places";
  EXPECT_EQ(j.at("scores").size(), 20U)
      << "two correlations of four similarities, their highest, an interval of each";
  const auto rows_written = lines(folder, "rows");
  ASSERT_EQ(rows_written.size(), 6U);
  for (size_t row = 0; row < 6; ++row) {
    EXPECT_EQ(rows_written[row].at("row"), row);
    EXPECT_NEAR(rows_written[row].at("cosine"), rows_written[row].at("score"), 1e-5);
    EXPECT_LE(rows_written[row].at("euclidean"), 0) << "distances are negated";
  }
}

TEST(EvalTask, binary_is_perfect_where_pairs_of_one_text_are_the_positives) {
  TempFolder folder;
  folder.write("d.csv", "label,sentence1,sentence2\n1," + kTexts[0] + "," + kTexts[0] + "\n0," + kTexts[0] +
                            "," + kTexts[1] + "\n1," + kTexts[2] + "," + kTexts[2] + "\n0," + kTexts[3] +
                            "," + kTexts[1] + "\n");
  const Json j =
      scored("binary", {"--data", (folder / "d.csv").string(), "--per-row", (folder / "rows").string()});
  EXPECT_EQ(j.at("pairs"), 4);
  EXPECT_EQ(j.at("primary"), "cosine_ap");
  for (const char* metric :
       {"cosine_ap", "cosine_accuracy", "cosine_f1", "cosine_mcc", "euclidean_ap", "max_ap"})
    EXPECT_NEAR(j.at("scores").at(metric).get<double>(), 1, 1e-12) << metric;
  const auto rows = lines(folder, "rows");
  ASSERT_EQ(rows.size(), 4U);
  for (const Json& row : rows) EXPECT_EQ(row.at("score") == 1, row.at("euclidean") == 0) << row;
}

TEST(EvalTask, triplet_counts_where_the_positive_is_nearer) {
  TempFolder folder;
  std::string rows = "anchor\tpositive\tnegative\n";
  rows += kTexts[0] + "\t" + kTexts[0] + "\t" + kTexts[1] + "\n";
  rows += kTexts[1] + "\t" + kTexts[2] + "\t" + kTexts[1] + "\n";
  rows += kTexts[2] + "\t" + kTexts[2] + "\t" + kTexts[3] + "\n";
  rows += kTexts[3] + "\t" + kTexts[3] + "\t" + kTexts[0] + "\n";
  folder.write("d.tsv", rows);
  const std::string data = (folder / "d.tsv").string();
  const Json j = scored("triplet", {"--data", data, "--per-row", (folder / "rows").string()});
  EXPECT_EQ(j.at("triplets"), 4);
  EXPECT_EQ(j.at("primary"), "cosine_accuracy");
  for (const char* metric : {"cosine_accuracy", "euclidean_accuracy", "manhattan_accuracy", "max_accuracy"})
    EXPECT_EQ(j.at("scores").at(metric), 0.75) << metric;
  const auto written = lines(folder, "rows");
  ASSERT_EQ(written.size(), 4U);
  for (size_t row = 0; row < 4; ++row)
    EXPECT_EQ(written[row].at("cosine_positive") > written[row].at("cosine_negative"), row != 1)
        << written[row];
  // Cosines are at most 2 apart.
  EXPECT_EQ(scored("triplet", {"--data", data, "--margin", "2.5"}).at("scores").at("cosine_accuracy"), 0);
  EXPECT_EQ(scored("triplet", {"--data", data, "--similarity", "manhattan"}).at("primary"),
            "manhattan_accuracy");
}

TEST(EvalTask, mse_is_a_hundred_times_the_square_of_what_was_added) {
  TempFolder folder;
  std::string rows;
  const auto vectors = encoded(folder, kTexts);
  for (size_t i = 0; i < kTexts.size(); ++i) {
    Json vector = vectors[i];
    for (Json& number : vector) number = number.get<double>() + (i % 2 == 0 ? 0.1 : -0.2);
    rows += Json({{"embedding", vector}, {"text", kTexts[i]}}).dump() + "\n";
  }
  folder.write("d.jsonl", rows);
  const Json j =
      scored("mse", {"--data", (folder / "d.jsonl").string(), "--per-row", (folder / "rows").string()});
  EXPECT_EQ(j.at("texts"), 4);
  EXPECT_EQ(j.at("primary"), "negative_mse");
  EXPECT_NEAR(j.at("scores").at("negative_mse").get<double>(), -100 * (0.1 * 0.1 + 0.2 * 0.2) / 2, 1e-4);
  const auto written = lines(folder, "rows");
  ASSERT_EQ(written.size(), 4U);
  for (size_t row = 0; row < 4; ++row)
    EXPECT_NEAR(written[row].at("negative_mse"), row % 2 == 0 ? -1 : -4, 1e-4) << written[row];
}

// --- retrieval ---

TEST(EvalTask, retrieval_is_perfect_where_the_query_is_the_passage) {
  TempFolder folder;
  write_beir(folder, "beir");
  const Json j =
      scored("retrieval", {"--data", (folder / "beir").string(), "--per-query", (folder / "q").string()});
  EXPECT_EQ(j.at("queries"), 3) << "judged ones";
  EXPECT_EQ(j.at("passages"), 5);
  EXPECT_EQ(j.at("relevant"), 3) << "a score of 0 is none";
  EXPECT_EQ(j.at("primary"), "cosine_ndcg@10");
  const Json& scores = j.at("scores");
  for (const char* metric : {"cosine_ndcg@10", "cosine_mrr@10", "cosine_map@100", "cosine_accuracy@1",
                             "cosine_precision@1", "cosine_recall@10"})
    EXPECT_NEAR(scores.at(metric).get<double>(), 1, 1e-12) << metric;
  EXPECT_NEAR(scores.at("cosine_precision@10").get<double>(), 0.1, 1e-12);
  const auto queries = lines(folder, "q");
  ASSERT_EQ(queries.size(), 3U);
  EXPECT_EQ(queries[1].at("query_id"), "q2");
  EXPECT_EQ(queries[1].at("query"), "A man sings a little song");
  EXPECT_EQ(queries[1].at("cosine_ndcg@10"), 1);
  ASSERT_EQ(queries[1].at("results").size(), 5U);
  EXPECT_EQ(queries[1].at("results")[0].at("corpus_id"), "d2");
  EXPECT_NEAR(queries[1].at("results")[0].at("score"), 1, 1e-5);
  EXPECT_EQ(queries[1].at("results")[0].at("relevant"), true);
  EXPECT_EQ(queries[1].at("results")[1].at("relevant"), false);
}

TEST(EvalTask, retrieval_of_the_second_passage_is_what_its_rank_says) {
  TempFolder folder;
  folder.write("corpus.tsv", "_id\ttext\na\t" + kTexts[0] + "\nb\t" + kTexts[1] + "\n");
  folder.write("queries.csv", "text,_id\n" + kTexts[0] + ",q\n");
  folder.write("judged.jsonl", "{\"query-id\": \"q\", \"corpus-id\": \"b\", \"score\": 1}\n");
  const Json j =
      scored("retrieval", {"--corpus", (folder / "corpus.tsv").string(), "--queries",
                           (folder / "queries.csv").string(), "--qrels", (folder / "judged.jsonl").string()});
  const Json& scores = j.at("scores");
  EXPECT_NEAR(scores.at("cosine_ndcg@10").get<double>(), 1 / std::log2(3), 1e-12);
  EXPECT_EQ(scores.at("cosine_mrr@10"), 0.5);
  EXPECT_EQ(scores.at("cosine_map@100"), 0.5);
  EXPECT_EQ(scores.at("cosine_accuracy@1"), 0);
  EXPECT_EQ(scores.at("cosine_accuracy@3"), 1);
  EXPECT_EQ(j.at("data"), (folder / "judged.jsonl").string());
  EXPECT_EQ(j.at("files").at("corpus"), (folder / "corpus.tsv").string());
}

TEST(EvalTask, retrieval_takes_another_split_and_similarity) {
  TempFolder folder;
  write_beir(folder, "beir");
  const std::string data = (folder / "beir").string();
  const Json j = scored("retrieval", {"--data", data, "--split", "dev", "--similarity", "dot"});
  EXPECT_EQ(j.at("queries"), 1);
  EXPECT_EQ(j.at("primary"), "dot_ndcg@10");
  EXPECT_EQ(j.at("files").at("qrels"), data + "/qrels/dev.tsv");
}

// --- two models ---

TEST(EvalCompare, gives_the_difference_of_the_first_score_for_every_task) {
  TempFolder folder;
  folder.write("binary.tsv", kBinaryRows);
  folder.write("triplet.tsv", kTripletRows);
  write_beir(folder, "beir");
  folder.write("beir/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td3\t1\nq2\td1\t1\nq4\td5\t1\n");
  const auto vectors = encoded(folder, kTexts);
  folder.write("mse.jsonl", Json({{"text", kTexts[0]}, {"vector", vectors[1]}}).dump() + "\n" +
                                Json({{"text", kTexts[2]}, {"vector", vectors[2]}}).dump() + "\n");
  struct Case {
    std::string task, data, other;
  };
  std::vector<Case> cases;
  for (const std::string& other : {kOther, kOfDot}) {
    for (const auto& [task, data] :
         std::vector<std::pair<std::string, std::string>>{{"sts", kPairs},
                                                          {"binary", "binary.tsv"},
                                                          {"triplet", "triplet.tsv"},
                                                          {"pairs", "triplet.tsv"},
                                                          {"retrieval", "beir"},
                                                          {"mse", "mse.jsonl"}})
      cases.push_back({task, data, other});
  }
  for (const auto& [task, data, model] : cases) {
    SCOPED_TRACE(task + " " + model);
    const std::string path = (folder / data).string(),
                      lines_option = task == "retrieval" || task == "pairs" ? "--per-query" : "--per-row";
    const Json j =
        scored(task, {"--data", path, "--compare", model, lines_option, (folder / "lines").string()});
    const std::string primary = j.at("primary");
    const Json& other = j.at("compare");
    EXPECT_EQ(other.at("model"), model);
    const double difference = other.at(primary + "_difference");
    EXPECT_EQ(difference,
              j.at("scores").at(primary).get<double>() - other.at("scores").at(primary).get<double>());
    EXPECT_LE(other.at("difference_95")[0], difference + 1e-9);
    EXPECT_GE(other.at("difference_95")[1], difference - 1e-9);
    const double share = other.at("share_better");
    EXPECT_TRUE(share >= 0 && share <= 1) << share;
    const size_t units = j.at(task == "sts" || task == "binary" ? "pairs"
                              : task == "triplet"               ? "triplets"
                              : lines_option == "--per-query"   ? "queries"
                                                                : "texts");
    EXPECT_EQ(lines(folder, "lines").size(), units) << "of the first model alone";
    const Result text = hone(eval_task(task, {"--data", path, "--compare", model}));
    EXPECT_EQ(text.code, 0) << text.err;
    EXPECT_TRUE(text.out.starts_with(kModel + " on " + path)) << text.out;
    EXPECT_NE(text.out.find("\n" + model + " on the same "), std::string::npos) << text.out;
    EXPECT_NE(text.out.find("\ndifference of " + primary + ", " + kModel + " minus " + model + ": "),
              std::string::npos)
        << text.out;
  }
}

TEST(EvalTask, of_many_metrics_shows_those_of_the_primary_similarity) {
  TempFolder folder;
  folder.write("d.tsv", kBinaryRows);
  const Result r =
      hone(eval_task("binary", {"--data", (folder / "d.tsv").string(), "--similarity", "euclidean"}));
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_NE(r.out.find("  euclidean_ap "), std::string::npos) << r.out;
  EXPECT_EQ(r.out.find("cosine_"), std::string::npos) << r.out;
  EXPECT_NE(r.out.find("  and 32 of other similarities: --json\n"), std::string::npos) << r.out;
}

TEST(EvalTask, takes_columns_of_other_names) {
  TempFolder folder;
  folder.write("d.csv", "bad,good,ask,anchor\n" + kTexts[1] + "," + kTexts[0] + "," + kTexts[0] + ",x\n");
  const Json j = scored("triplet", {"--data", (folder / "d.csv").string(), "--columns",
                                    "anchor=ask,positive=good,negative=bad"});
  EXPECT_EQ(j.at("scores").at("cosine_accuracy"), 1);
}

}  // namespace
}  // namespace hone::cli
