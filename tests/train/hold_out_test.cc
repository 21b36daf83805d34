// Rows held out: which, for which task, and what a run makes of them.
#include "train/hold_out.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/base/one_line.h"
#include "tests/base/temp_folder.h"
#include "tests/train/small_data.h"

namespace hone::train {
namespace {

using testing::message_of;
using testing::table_of;
using testing::TempFolder;
using Strings = std::vector<std::string>;

TrainOptions share(double hold_out, const std::string& task = "") {
  TrainOptions options;
  options.hold_out = hold_out;
  options.task = task;
  return options;
}

std::optional<HeldOut> held(data::Table& table, const std::string& loss, const TrainOptions& options) {
  return hold_out(table, loss::find_loss(loss), options);
}

// Computed with Python's integers: FNV-1a, then fmix64, the upper 53 bits.
TEST(HoldOut, places_texts_by_a_hash_that_never_changes) {
  EXPECT_EQ(hold_out_place(""), 0x1dfa03ec175325p-53);
  EXPECT_EQ(hold_out_place("a"), 0x1054552b1537d9p-53);
  EXPECT_EQ(hold_out_place("foobar"), 0x5844329245a2cp-53);
  EXPECT_EQ(hold_out_place("Wie heißt du?"), 0x14cf5fcdaac81p-53);
}

std::string question_rows(int questions, int answers = 1) {
  std::string rows = "anchor\tpositive\n";
  for (int i = 0; i < questions; ++i) {
    for (int n = 0; n < answers; ++n) rows += cat("question ", i, "\tanswer ", i, " ", n, "\n");
  }
  return rows;
}

TEST(HoldOut, takes_the_rows_below_the_share) {
  data::Table table = table_of(question_rows(60), "mnr");
  const auto out = held(table, "mnr", share(0.2));
  // Of the same program in Python.
  EXPECT_EQ(out->table.origins, (std::vector<uint32_t>{1, 7, 19, 33, 42, 43, 44, 45, 47, 52}));
  EXPECT_EQ(out->rows, 10);
  EXPECT_EQ(out->of_rows, 60);
  EXPECT_EQ(out->by, "anchor");
  EXPECT_EQ(out->task, "pairs");
  EXPECT_EQ(table.rows, 50U);
}

TEST(HoldOut, of_nothing_is_nothing) {
  data::Table table = table_of(question_rows(60), "mnr");
  EXPECT_FALSE(held(table, "mnr", share(0)));
  EXPECT_EQ(table.rows, 60U);
}

TEST(HoldOut, is_near_the_share_and_grows_with_it) {
  data::Table tenth = table_of(question_rows(10000), "mnr"), half = tenth;
  const auto few = held(tenth, "mnr", share(0.1)), many = held(half, "mnr", share(0.5));
  EXPECT_EQ(few->rows, 981) << "by the same program in Python; four deviations are 120";
  EXPECT_NEAR(static_cast<double>(many->rows), 5000, 200);
  EXPECT_TRUE(std::includes(many->table.origins.begin(), many->table.origins.end(),
                            few->table.origins.begin(), few->table.origins.end()));
}

std::set<std::string> texts(const data::Table& table, const std::string& role) {
  return {table.text(role).begin(), table.text(role).end()};
}

Strings both(const std::set<std::string>& a, const std::set<std::string>& b) {
  Strings shared;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(shared));
  return shared;
}

TEST(HoldOut, has_no_anchor_on_both_sides) {
  testing::Draw draw(1);
  std::string rows = "anchor\tpositive\tnegative\n", sentences = "sentence1\tsentence2\tscore\n";
  for (int i = 0; i < 500; ++i) {
    const auto a = draw.below(120), b = draw.below(120);
    rows += cat("q", a, "\tp", b, "\tn\n");
    sentences += cat("s", a, "\ts", b, "\t", draw.below(6), "\n");
  }
  for (const auto& [content, loss, by, task] : {std::tuple{rows, "mnr", "anchor", "triplet"},
                                                {rows, "triplet", "anchor", "triplet"},
                                                {sentences, "cosine", "sentence1", "sts"},
                                                {sentences, "mnr", "sentence1", "pairs"}}) {
    SCOPED_TRACE(cat(loss, " by ", by));
    data::Table table = table_of(content, loss);
    const auto out = held(table, loss, share(0.3));
    EXPECT_EQ(both(texts(table, by), texts(out->table, by)), Strings{});
    EXPECT_EQ(out->by, by);
    EXPECT_EQ(out->task, task);
    EXPECT_EQ(table.rows + out->table.rows, 500U);
  }
}

TEST(HoldOut, does_not_depend_on_the_order_of_rows_or_on_files) {
  Strings lines;
  testing::Draw draw(2);
  for (int i = 0; i < 200; ++i)
    lines.push_back(cat("q", draw.below(300), "\tp", i, "\t", draw.below(300), "\n"));
  const std::string head = "anchor\tpositive\tdoc\n";
  for (const char* columns : {"", "id=doc"}) {
    SCOPED_TRACE(columns);
    std::string all = head;
    for (const std::string& line : lines) all += line;
    data::Table table = table_of(all, "mnr", columns);
    const auto out = held(table, "mnr", share(0.25));
    std::string backwards = head, rest = head;
    for (size_t i = lines.size(); i-- > 120;) backwards += lines[i];
    for (size_t i = 120; i-- > 0;) rest += lines[i];
    data::Table other = table_of(backwards, "mnr", columns, "b.tsv");
    other.append(table_of(rest, "mnr", columns, "c.tsv"));
    const auto again = held(other, "mnr", share(0.25));
    EXPECT_EQ(texts(again->table, "positive"), texts(out->table, "positive"));
    EXPECT_EQ(texts(other, "positive"), texts(table, "positive"));
    EXPECT_GT(out->rows, 0);
    EXPECT_TRUE(other.where(0).starts_with("b.tsv:"));
  }
}

TEST(HoldOut, has_no_id_on_both_sides_where_ids_are_read) {
  std::string rows = "doc\tanchor\tpositive\n";
  testing::Draw draw(3);
  for (int i = 0; i < 400; ++i) {
    const std::string id = i % 4 == 0 ? "" : cat(draw.below(150));
    rows += cat(id, "\tq", draw.below(300), "\tp", i, "\n");
  }
  data::Table table = table_of(rows, "mnr", "id=doc");
  const auto out = held(table, "mnr", share(0.5));
  std::set<std::string> ids = texts(table, "id");
  EXPECT_EQ(both(texts(table, "anchor"), texts(out->table, "anchor")), Strings{});
  EXPECT_TRUE(texts(out->table, "id").contains("")) << "rows without one are connected to none";
  EXPECT_TRUE(ids.contains(""));
  ids.erase("");
  EXPECT_EQ(both(ids, texts(out->table, "id")), Strings{});
}

TEST(HoldOut, of_connected_rows_is_decided_by_the_first_text) {
  // One set: b and c by the id, a and c by nothing; "a" alone.
  data::Table table = table_of(
      "doc\tanchor\tpositive\n1\tfoobar\tx\n1\tzebra\ty\n2\tzebra\tz\n3\ta\tw\n4\ta\tv\n", "mnr", "id=doc");
  ASSERT_GT(hold_out_place("zebra"), 0.2);
  const auto out = held(table, "mnr", share(0.2));
  EXPECT_EQ(texts(out->table, "positive"), (std::set<std::string>{"x", "y", "z"})) << "foobar is at 0.172";
}

TEST(HoldOut, takes_the_task_that_suits_the_data) {
  const auto task = [](const std::string& content, const std::string& loss, const std::string& asked = "") {
    data::Table table = table_of(content, loss);
    return held(table, loss, share(0.5, asked))->task;
  };
  std::string scored = "sentence1\tsentence2\tscore\n", yes = scored, vectors = "text\tvector\n",
              documents = "anchor\tpositive\tnegative_1\tnegative_2\tscores\n";
  for (int i = 0; i < 30; ++i) {
    scored += cat("s", i, "\tt\t", i % 5, "\n");
    yes += cat("s", i, "\tt\t", i % 2, "\n");
    vectors += cat("s", i, "\t1 2\n");
    documents += cat("s", i, "\tp\tn\tm\t1 2 3\n");
  }
  EXPECT_EQ(task(scored, "cosine"), "sts");
  EXPECT_EQ(task(scored, "angle"), "sts");
  EXPECT_EQ(task(yes, "cosine"), "binary");
  EXPECT_EQ(task(yes, "contrastive"), "binary");
  EXPECT_EQ(task(yes, "mnr"), "pairs");
  EXPECT_EQ(task(vectors, "mse"), "mse");
  EXPECT_EQ(task(documents, "kl"), "pairs");
  EXPECT_EQ(task(yes, "cosine", "sts"), "sts") << "what is asked for is taken";
  EXPECT_EQ(
      message_of<config::OptionError>([&] { task(yes, "softmax"); }),
      "hold-out: no task suits the classes of the loss softmax; name one (--task NAME) or give other data "
      "to evaluate on");
  EXPECT_EQ(task(yes, "softmax", "binary"), "binary");
  EXPECT_EQ(message_of<UsageError>([&] { task(scored, "cosine", "retrieval"); }),
            "task: \"retrieval\" found, sts, binary, triplet, pairs or mse expected for a table of rows");
}

TEST(HoldOut, that_leaves_too_little_is_one_line_and_takes_nothing) {
  data::Table table = table_of(question_rows(1, 9), "mnr");
  EXPECT_EQ(
      message_of<config::OptionError>([&] { held(table, "mnr", share(0.001)); }),
      "hold-out: 0.001 of the 9 rows of x.tsv leaves 0 to evaluate on and 9 to train on, at least 2 of each "
      "expected (another share, or other data to evaluate on)");
  EXPECT_EQ(
      message_of<config::OptionError>([&] { held(table, "mnr", share(0.999)); }),
      "hold-out: 0.999 of the 9 rows of x.tsv leaves 9 to evaluate on and 0 to train on, at least 2 of each "
      "expected (another share, or other data to evaluate on)");
  EXPECT_EQ(table.rows, 9U);
  data::Table connected =
      table_of("doc\tanchor\tpositive\n1\ta\tx\n1\tb\ty\n1\tfoobar\tz\n", "mnr", "id=doc");
  testing::expect_part(
      message_of([&] { held(connected, "mnr", share(0.2)); }),
      " leaves 0 to evaluate on and 3 to train on, as rows of one id stay together, at least 2 ");
}

TEST(HoldOut, counts_rows_that_are_trained_on_the_other_way_round) {
  // foobar is held out, "a" is not.
  data::Table table = table_of("anchor\tpositive\nfoobar\ta\nfoobar\tx\na\tfoobar\na\tfoobar\na\tb\n", "mnr");
  const auto out = held(table, "mnr", share(0.2));
  EXPECT_EQ(out->rows, 2);
  EXPECT_EQ(out->mirrored, 1);
}

// --- in a run ---

constexpr double kShare = 0.3;

data::Table run_table() {
  const fs::path file = fs::path(testing::kFixtures) / "losses" / "pairs.jsonl";
  return data::read_table(file, roles_of(loss::find_loss("mnr"), data::column_names(file), {}));
}

TrainOptions run_options() {
  TrainOptions options = testing::small_options();
  options.loss = "mnr";
  options.batch_size = 8;
  options.hold_out = kShare;
  return options;
}

Trainer run_trainer(const TrainOptions& options, int threads = 2) {
  return {model::load_model(testing::kModels / "mean-gelu"), compute::test_engine(threads), run_table(),
          nullptr, options};
}

TEST(HeldOutRun, is_that_of_the_halves_as_two_files) {
  TempFolder folder;
  data::Table rest = run_table();
  const auto out = held(rest, "mnr", run_options());
  TrainOptions options = run_options();
  const auto with = run_trainer(options).run(folder / "with", OnExisting::refuse, {});
  options.hold_out = 0;
  const auto engine = compute::test_engine(2);
  Trainer two(model::load_model(testing::kModels / "mean-gelu"), engine, rest,
              evaluation_of("pairs", out->table, engine), options);
  const auto without = two.run(folder / "without", OnExisting::refuse, {});
  EXPECT_EQ(folder.read("with/model.safetensors"), folder.read("without/model.safetensors"));
  ASSERT_TRUE(with.verdict && without.verdict);
  EXPECT_EQ(with.verdict->json(), without.verdict->json());
  EXPECT_EQ(with.verdict->metric, "cosine_ndcg@10");
  EXPECT_FALSE(without.beforehand().contains("hold_out"));
  EXPECT_EQ(
      with.beforehand().at("hold_out"),
      (nlohmann::ordered_json{
          {"share", kShare}, {"rows", out->rows}, {"trained_rows", 48 - out->rows}, {"task", "pairs"}}));
}

TEST(HeldOutRun, goes_on_to_the_same_bits) {
  TempFolder folder;
  const TrainOptions options = run_options();
  run_trainer(options).run(folder / "whole", OnExisting::refuse, {});
  run_trainer(options).run(folder / "parts", OnExisting::refuse, testing::stopping_after(7));
  run_trainer(options, 1).run(folder / "parts", OnExisting::resume, {});
  EXPECT_EQ(testing::differences(testing::contents(folder / "whole"), testing::contents(folder / "parts")),
            "");
}

TEST(HeldOutRun, of_another_share_is_another_run) {
  TempFolder folder;
  TrainOptions options = run_options();
  run_trainer(options).run(folder / "out", OnExisting::refuse, testing::stopping_after(7));
  for (const double other : {0.0, 0.25}) {
    options.hold_out = other;
    const std::string message =
        message_of([&] { run_trainer(options).run(folder / "out", OnExisting::resume, {}); });
    testing::expect_part(message, cat("hold-out was 0.3 and is now ", other == 0 ? "none" : "0.25"));
  }
}

TEST(HeldOutRun, is_said_before_and_in_the_card) {
  TempFolder folder;
  Trainer trainer = run_trainer(run_options());
  const int64_t rows = trainer.held_out()->rows;
  std::string lines;
  for (const std::string& line : trainer.introduction()) lines += line + "\n";
  testing::expect_part(lines,
                       cat("\nhold-out: ", rows, " of 48 rows, chosen by anchor, are kept to evaluate on\n"));
  testing::expect_part(lines, "\nevaluation: pairs (chosen by the data's columns; --task names another), ");
  testing::expect_part(lines, cat("\ndata: ", 48 - rows, " rows, "));
  trainer.run(folder / "out", OnExisting::refuse, {});
  const std::string card = folder.read("out/README.md");
  testing::expect_part(card, cat("| Data | pairs.jsonl, ", 48 - rows, " rows to train on and ", rows,
                                 " held out for the task pairs |"));
  testing::expect_part(card, "| hold-out | 0.3 |");
  testing::expect_part(card, "| pairs.jsonl (held out) | cosine_ndcg@10 | ");
}

TEST(HeldOutRun, tells_the_rows_of_the_whole_data) {
  TrainOptions options = run_options();
  options.shuffle = false;
  Trainer trainer = run_trainer(options);
  const HostBatch& batch = trainer.forward();
  std::vector<uint64_t> kept;
  const data::Table whole = run_table();
  for (uint64_t row = 0; kept.size() < batch.indices.size(); ++row) {
    if (hold_out_place(whole.text("anchor")[row]) >= kShare) kept.push_back(row);
  }
  EXPECT_EQ(batch.indices, kept);
  EXPECT_NE(kept.back(), kept.size() - 1) << "a row was held out before";
}

TEST(HeldOutRun, names_a_wrong_label_by_its_row_in_the_whole_data) {
  std::string rows = "sentence1\tsentence2\tscore\n";
  for (int i = 0; i < 20; ++i) rows += cat("question ", i, "\tt\t", i == 19 || i == 2 ? "0.5" : "1", "\n");
  ASSERT_LT(hold_out_place("question 19"), 0.2);
  ASSERT_GE(hold_out_place("question 2"), 0.2);
  const auto row_of = [&](const std::string& content) {
    TrainOptions options = run_options();
    options.loss = "contrastive";
    options.task = "binary";
    options.hold_out = 0.2;
    try {
      Trainer(model::load_model(testing::kModels / "mean-gelu"), compute::test_engine(1),
              table_of(content, "contrastive"), nullptr, options);
    } catch (const RowError& error) {
      return error.row();
    }
    return int64_t{-1};
  };
  EXPECT_EQ(row_of(rows), 2) << "of those trained on";
  rows.replace(rows.find("question 2\tt\t0.5"), 16, "question 2\tt\t1");
  EXPECT_EQ(row_of(rows), 19) << "of those held out";
}

TEST(HeldOutRun, beside_other_data_to_evaluate_on_is_refused) {
  const auto engine = compute::test_engine(1);
  EXPECT_EQ(message_of<config::OptionError>([&] {
              Trainer(model::load_model(testing::kModels / "mean-gelu"), engine, run_table(),
                      evaluation_of("sts", testing::pairs(), engine), run_options());
            }),
            "hold-out: found with data to evaluate on, one of the two expected");
  TrainOptions options = run_options();
  for (const double wrong : {-0.1, 1.0}) {
    options.hold_out = wrong;
    testing::expect_part(message_of<UsageError>([&] { run_trainer(options); }), "0 to below 1");
  }
}

}  // namespace
}  // namespace hone::train
