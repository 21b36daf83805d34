// Which task suits which columns, and what it reads of them.
#include "eval/task_columns.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "eval/evaluation.h"
#include "tests/base/one_line.h"
#include "tests/base/temp_folder.h"

namespace hone::eval {
namespace {

using Strings = std::vector<std::string>;
using Columns = std::map<std::string, std::string>;
using testing::message_of;

std::string suits(const Strings& names, const Columns& columns = {}) {
  return task_for(names, columns, "d.tsv");
}

TEST(TaskFor, columns_is_by_their_names) {
  EXPECT_EQ(suits({"sentence1", "sentence2", "score"}), "sts");
  EXPECT_EQ(suits({"label", "sentence2", "sentence1"}), "sts");
  EXPECT_EQ(suits({"sentence1", "sentence2"}), "pairs");
  EXPECT_EQ(suits({"anchor", "positive"}), "pairs");
  EXPECT_EQ(suits({"id", "answer", "question"}), "pairs");
  EXPECT_EQ(suits({"anchor", "positive", "negative"}), "triplet");
  EXPECT_EQ(suits({"query", "passage", "negative", "score"}), "triplet");
  EXPECT_EQ(suits({"anchor", "positive", "negative_1", "negative_2"}), "pairs");
  EXPECT_EQ(suits({"text", "vector"}), "mse");
  EXPECT_EQ(suits({"embedding", "text"}), "mse");
}

TEST(TaskFor, columns_sees_the_names_that_are_given_roles) {
  EXPECT_EQ(suits({"title", "body"}, {{"anchor", "title"}, {"positive", "body"}}), "pairs");
  EXPECT_EQ(suits({"query", "passage", "x"}, {{"negative", "x"}}), "triplet");
  EXPECT_NE(message_of([] { suits({"anchor", "positive"}, {{"text", "anchor"}}); }), "no error");
}

TEST(TaskFor, columns_that_suit_none_or_several_is_one_line) {
  EXPECT_EQ(message_of([] {
              suits({"title", "score"});
            }),
            "d.tsv: the columns are \"title\", \"score\"; to evaluate on, expected sentence1, sentence2 and "
            "score; anchor and positive, maybe with negative; or text and vector (--columns ROLE=NAME names "
            "others, --task NAME a task)");
  for (const Strings& names : {Strings{"anchor", "positive", "score"}, {"question", "answer", "label"}}) {
    EXPECT_EQ(
        message_of([&] { suits(names); }),
        "d.tsv: anchor and positive with a score or label fit more than one task: pairs takes every row as "
        "a match and reads no score, others want sentence1 and sentence2; name one (--task NAME)");
  }
}

TEST(TaskFor, a_path_looks_at_its_columns_and_takes_a_folder_for_a_corpus) {
  testing::TempFolder folder;
  folder.write("d.csv", "positive,anchor\na,b\n");
  EXPECT_EQ(task_for(folder / "d.csv", {}), "pairs");
  EXPECT_EQ(task_for(folder / ".", {}), "retrieval");
  EXPECT_NE(message_of([&] { task_for(folder / "none.csv", {}); }), "no error");
}

TEST(TaskFor, a_table_is_that_of_its_file) {
  const std::string content = "question\tanswer\na\tb\n";
  const Strings names = data::parse_column_names(content, "d.tsv");
  EXPECT_EQ(task_for(data::parse_table(content, "d.tsv", task_reading("pairs", names, {}))), "pairs");
}

Strings roles(const data::ReadOptions& options) {
  Strings names;
  for (const auto& role : options.roles) names.push_back(role.role);
  return names;
}

TEST(TaskReading, of_pairs_has_sentences_where_there_are_no_anchors) {
  EXPECT_EQ(roles(task_reading("pairs", Strings{"anchor", "positive"}, {})), (Strings{"anchor", "positive"}));
  EXPECT_EQ(roles(task_reading("pairs", Strings{"sentence1", "sentence2", "score"}, {})),
            (Strings{"sentence1", "sentence2"}));
  EXPECT_EQ(roles(task_reading("pairs", Strings{"id", "anchor", "positive"}, {{"id", "id"}})),
            (Strings{"anchor", "positive", "id"}));
}

TEST(TaskReading, drops_names_for_roles_of_others) {
  const auto read = task_reading("sts", Strings{"a", "b", "c"}, {{"sentence1", "a"}, {"anchor", "b"}});
  EXPECT_EQ(read.columns, (Columns{{"sentence1", "a"}}));
  EXPECT_NE(message_of([] { task_reading("retrieval", Strings{"a"}, {}); }), "no error");
}

TEST(KnownRoles, are_those_of_one_task_or_of_all) {
  Strings all, pairs;
  for (const auto& role : known_roles("")) all.push_back(role.role);
  for (const auto& role : known_roles("pairs")) pairs.push_back(role.role);
  EXPECT_EQ(pairs, (Strings{"anchor", "positive", "sentence1", "sentence2", "id"}));
  EXPECT_EQ(all, (Strings{"sentence1", "sentence2", "score", "anchor", "positive", "negative", "id", "text",
                          "vector"}));
}

}  // namespace
}  // namespace hone::eval
