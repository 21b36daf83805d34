// Pairs as retrieval: what is relevant to what, by hand; scores equal those of the same data as a BEIR
// folder, whose metrics the reference's evaluator judges (evaluators_test.cc).
#include "eval/pair_retrieval.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "base/error.h"
#include "eval/retrieval.h"
#include "eval/task_columns.h"
#include "tests/base/one_line.h"
#include "tests/base/temp_folder.h"
#include "tests/compute/test_engine.h"
#include "tests/eval/fixture.h"

namespace hone::eval {
namespace {

using Strings = std::vector<std::string>;
using Places = std::vector<std::vector<uint32_t>>;

const std::string kModel = std::string(testing::kFixtures) + "/models/mean-gelu";

data::Table read_pairs(const std::string& content, const std::map<std::string, std::string>& columns = {}) {
  return data::parse_table(content, "p.tsv",
                           task_reading("pairs", data::parse_column_names(content, "p.tsv"), columns));
}

RetrievalData of(const std::string& content, const std::map<std::string, std::string>& columns = {}) {
  return retrieval_of_pairs(read_pairs(content, columns));
}

TEST(PairRetrieval, has_every_text_once) {
  const RetrievalData data = of("anchor\tpositive\nq1\tp1\nq2\tp2\nq3\tp1\nq1\tp3\nq2\tp2\n");
  EXPECT_EQ(data.queries, (Strings{"q1", "q2", "q3"}));
  EXPECT_EQ(data.passages, (Strings{"p1", "p2", "p3"}));
  EXPECT_EQ(data.query_ids, (Strings{"0", "1", "2"}));
  EXPECT_EQ(data.passage_ids, (Strings{"0", "1", "3"}));
  EXPECT_EQ(data.relevant, (Places{{0, 2}, {1}, {0}})) << "an anchor of two rows has two positives";
  EXPECT_TRUE(data.left_out.empty());
  EXPECT_EQ(data.source, "p.tsv");
}

TEST(PairRetrieval, takes_the_positives_of_rows_with_the_same_id) {
  const std::string rows =
      "ticket\tanchor\tpositive\n7\tq1\tp1\n8\tq2\tp2\n7\tq3\tp3\n\tq4\tp4\n\tq5\tp5\n8\tq1\tp6\n";
  EXPECT_EQ(of(rows, {{"id", "ticket"}}).relevant, (Places{{0, 1, 2, 5}, {1, 5}, {0, 2}, {3}, {4}}))
      << "q1 is of 7 and 8; rows without an id have none in common";
  EXPECT_EQ(of(rows).relevant, (Places{{0, 5}, {1}, {2}, {3}, {4}}));
}

TEST(PairRetrieval, reads_an_id_only_where_it_is_named) {
  const std::string rows = "id\tanchor\tpositive\n7\tq1\tp1\n7\tq2\tp2\n";
  EXPECT_EQ(of(rows).relevant, (Places{{0}, {1}}));
  EXPECT_EQ(of(rows, {{"id", "id"}}).relevant, (Places{{0, 1}, {0, 1}}));
}

TEST(PairRetrieval, leaves_the_own_text_of_an_anchor_out_unless_a_row_says_it_is_relevant) {
  const RetrievalData data = of("anchor\tpositive\na\tb\nb\ta\nc\td\n");
  EXPECT_EQ(data.passages, (Strings{"b", "a", "d"}));
  EXPECT_EQ(data.relevant, (Places{{0}, {1}, {2}}));
  EXPECT_EQ(data.left_out, (std::vector<uint32_t>{1, 0, kNoPlace}));
  const RetrievalData same = of("anchor\tpositive\na\ta\nb\tc\n");
  EXPECT_EQ(same.relevant, (Places{{0}, {1}}));
  EXPECT_TRUE(same.left_out.empty());
}

TEST(PairRetrieval, takes_sentences_and_questions_for_anchors) {
  EXPECT_EQ(of("sentence1\tsentence2\nq1\tp1\nq2\tp2\n").queries, (Strings{"q1", "q2"}));
  EXPECT_EQ(of("answer\tquestion\np1\tq1\np2\tq2\n").queries, (Strings{"q1", "q2"}));
  EXPECT_EQ(of("sentence1\tsentence2\tanchor\tpositive\na\tb\tq1\tp1\na\tb\tq2\tp2\n").queries,
            (Strings{"q1", "q2"}));
}

TEST(PairRetrieval, of_one_positive_alone_is_refused) {
  EXPECT_EQ(
      testing::message_of([] { of("anchor\tpositive\nq1\tp\nq2\tp\n"); }),
      "p.tsv: all rows have the same positive, at least two different ones expected to find the right one "
      "among");
}

TEST(PairRetrieval, is_other_data_where_anything_differs) {
  const std::string head = "anchor\tpositive\n";
  const uint64_t hash = of(head + "a\tb\nc\td\n").content_hash;
  EXPECT_EQ(of(head + "a\tb\nc\td\na\tb\n").content_hash, hash) << "a row twice says nothing new";
  for (const char* rows : {"a\tb\nc\te\n", "a\tb\nb\td\n", "a\tb\nc\td\na\td\n"})
    EXPECT_NE(of(head + rows).content_hash, hash) << rows;
}

// --- scores ---

Result scores(const std::unique_ptr<Evaluation>& evaluation,
              const std::shared_ptr<const model::SentenceModel>& model,
              const std::shared_ptr<compute::Engine>& engine,
              std::vector<nlohmann::ordered_json>* lines = nullptr) {
  encode::Encoder encoder(model, engine);
  RunOptions options;
  if (lines != nullptr) options.each = [&](const nlohmann::ordered_json& line) { lines->push_back(line); };
  return evaluation->run(encoder, options);
}

// The triplets of the fixtures as pairs, some anchors and positives in several rows, and the same as a
// folder.
TEST(PairScores, equal_those_of_the_same_data_as_a_folder) {
  const std::string fixture = std::string(testing::kFixtures) + "/losses/triplets.jsonl";
  data::Table triplets = data::read_table(fixture, task_reading("pairs", data::column_names(fixture), {}));
  std::string rows = "anchor\tpositive\n";
  for (size_t row = 0; row < triplets.rows; ++row) {
    const size_t other = row % 5 == 0 ? (row + 7) % triplets.rows : row,
                 shared = row % 7 == 0 ? row / 2 : row;
    rows += triplets.text("anchor")[other] + "\t" + triplets.text("positive")[shared] + "\n";
    rows += triplets.text("anchor")[row] + "\t" + triplets.text("positive")[row] + "\n";
  }
  const data::Table table = read_pairs(rows);
  std::map<std::string, std::string> queries, passages;  // text -> id
  std::string qrels = "query-id\tcorpus-id\tscore\n", query_rows = "_id\ttext\n", corpus_rows = query_rows;
  const auto id_of = [](std::map<std::string, std::string>& ids, const std::string& text,
                        std::string& lines) {
    char id[16];
    std::snprintf(id, sizeof id, "%04zu", ids.size());  // in the order of bytes, too
    const auto [at, fresh] = ids.try_emplace(text, id);
    if (fresh) lines += at->second + "\t" + text + "\n";
    return at->second;
  };
  for (size_t row = 0; row < table.rows; ++row) {
    const std::string query = id_of(queries, table.text("anchor")[row], query_rows);
    qrels += query + "\t" + id_of(passages, table.text("positive")[row], corpus_rows) + "\t1\n";
  }
  testing::TempFolder folder;
  folder.write("corpus.tsv", corpus_rows);
  folder.write("queries.tsv", query_rows);
  folder.write("qrels.tsv", qrels);
  const auto model = model::load_model(kModel);
  const auto engine = compute::test_engine(2);
  for (const char* similarity : {"cosine", "dot", "euclidean", "manhattan"}) {
    SCOPED_TRACE(similarity);
    Options options;
    options.similarity = similarity;
    const auto pairs = make_evaluation("pairs", table, *model, engine, options);
    const auto beir =
        make_retrieval(read_retrieval({folder / "corpus.tsv", folder / "queries.tsv", folder / "qrels.tsv"}),
                       *model, engine, options);
    EXPECT_EQ(pairs->task(), "pairs");
    EXPECT_EQ(pairs->metric_names(), beir->metric_names());
    EXPECT_EQ(pairs->units(), queries.size());
    EXPECT_EQ(pairs->described().at("passages"), passages.size());
    EXPECT_FALSE(pairs->described().contains("files"));
    const Result a = scores(pairs, model, engine), b = scores(beir, model, engine);
    EXPECT_EQ(a.metrics, b.metrics);
    EXPECT_EQ(a.units, b.units);
    EXPECT_EQ(a.interval.low, b.interval.low);
    EXPECT_EQ(a.interval.high, b.interval.high);
    EXPECT_GT(a.value(), 0);
    EXPECT_LT(a.value(), 1);
  }
}

// Each anchor's own text is the nearest of all, and is its counterpart's positive: counted, it would be in
// the way of every answer.
TEST(PairScores, are_perfect_where_only_the_own_text_is_nearer) {
  const auto model = model::load_model(kModel);
  const auto engine = compute::test_engine(1);
  const std::string tea = "The horse wants hot tea", more = "The horse wants hot tea!",
                    song = "A man sings a little song", longer = "A man sings a little song!";
  const data::Table table = read_pairs("anchor\tpositive\n" + tea + "\t" + more + "\n" + more + "\t" + tea +
                                       "\n" + song + "\t" + longer + "\n" + longer + "\t" + song + "\n");
  std::vector<nlohmann::ordered_json> lines;
  const Result result = scores(make_evaluation("pairs", table, *model, engine), model, engine, &lines);
  EXPECT_EQ(result.at("cosine_ndcg@10"), 1);
  EXPECT_EQ(result.at("cosine_accuracy@1"), 1);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].at("query"), tea);
  EXPECT_EQ(lines[0].at("results").size(), 3U) << "of four documents one is left out";
  EXPECT_EQ(lines[0].at("results")[0].at("corpus_id"), "0");
  EXPECT_EQ(lines[0].at("results")[0].at("relevant"), true);
}

// More documents than a query keeps: the hundred best are still a hundred.
TEST(PairScores, keep_a_hundred_hits_beside_the_own_text) {
  const auto model = model::load_model(kModel);
  const auto engine = compute::test_engine(1);
  std::string rows = "anchor\tpositive\n";
  for (int i = 0; i < 105; ++i) {
    std::string tea = "tea";
    for (int n = 0; n < i; ++n) tea += " tea";
    rows += (i == 0 ? "tea tea tea" : "song " + std::to_string(i)) + "\t" + tea + "\n";
  }
  std::vector<nlohmann::ordered_json> lines;
  scores(make_evaluation("pairs", read_pairs(rows), *model, engine), model, engine, &lines);
  EXPECT_EQ(lines[0].at("query"), "tea tea tea");
  for (const auto& line : lines) EXPECT_EQ(line.at("results").size(), 100U);
  for (const auto& hit : lines[0].at("results")) EXPECT_NE(hit.at("corpus_id"), "2");
}

}  // namespace
}  // namespace hone::eval
