// Several files as one table: rows, messages and what must be alike.
#include <limits>
#include <string>
#include <vector>

#include "tests/data/table.h"

using namespace hone::data;
using namespace hone::testing;
using Texts = std::vector<std::string>;

namespace {

ReadOptions all_kinds() {
  return {{{"text"},
           {"score", ColumnKind::number, false},
           {"v", ColumnKind::vector, false},
           {"negative", ColumnKind::text, false, {}, true}},
          {}};
}

Table read(const std::string& name, const std::string& content) {
  return parse_table(content, name, all_kinds());
}

std::string append_error(Table table, const Table& other) {
  const Table before = table;
  std::string message;
  try {
    table.append(other);
  } catch (const hone::Error& error) {
    message = error.what();
  }
  EXPECT_EQ(table.rows, before.rows);
  EXPECT_EQ(table.texts, before.texts);
  EXPECT_EQ(table.numbers, before.numbers);
  EXPECT_EQ(table.content_hash, before.content_hash);
  EXPECT_EQ(table.source(), before.source());
  return message;
}

}  // namespace

TEST(Append, RowsFollow) {
  Table table = read("a.tsv", "text\tscore\tv\na\t1\t1 2\n\nb\t2\t3 4\n");
  table.append(read("b.csv", "v,score,text\n5 6,3,c\n"));
  EXPECT_EQ(table.rows, 3U);
  EXPECT_EQ(table.text("text"), (Texts{"a", "b", "c"}));
  EXPECT_EQ(table.number("score"), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(table.vector("v").values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(table.vector("v").width, 2U);
  EXPECT_EQ(table.path, "a.tsv");
  EXPECT_EQ(table.lines, (std::vector<uint32_t>{2, 4, 2}));
}

TEST(Append, EveryRowKnowsItsFile) {
  Table table = read("a.tsv", "text\na\nb\n"), tail = read("c.tsv", "text\nd\n");
  EXPECT_EQ(table.source(), "a.tsv");
  table.append(read("b.tsv", "text\nc\n"));
  EXPECT_EQ(table.source(), "a.tsv and b.tsv");
  tail.append(read("d.tsv", "text\ne\nf\n"));
  table.append(tail);
  EXPECT_EQ(table.source(), "4 files (a.tsv, ...)");
  Texts where;
  for (size_t row = 0; row < table.rows; ++row) where.push_back(table.where(row));
  EXPECT_EQ(where, (Texts{"a.tsv:2", "a.tsv:3", "b.tsv:2", "c.tsv:2", "d.tsv:2", "d.tsv:3"}));
  EXPECT_EQ(table.text("text"), (Texts{"a", "b", "c", "d", "e", "f"}));
}

TEST(Append, ATableMayFollowItself) {
  Table table = read("a.tsv", "text\na\nb\n");
  table.append(table);
  EXPECT_EQ(table.text("text"), (Texts{"a", "b", "a", "b"}));
  EXPECT_EQ(table.where(3), "a.tsv:3");
}

TEST(Append, RolesMustBeTheSame) {
  const Table plain = read("a.tsv", "text\na\n"), scored = read("b.tsv", "text\tscore\na\t1\n");
  EXPECT_EQ(
      append_error(plain, scored),
      "a.tsv and b.tsv: found other columns, expected the same roles: only b.tsv has \"score\" (number)");
  EXPECT_EQ(
      append_error(scored, plain),
      "b.tsv and a.tsv: found other columns, expected the same roles: only b.tsv has \"score\" (number)");
  EXPECT_EQ(
      append_error(read("a.tsv", "text\tnegative_1\tv\na\tb\t1\n"),
                   read("b.tsv", "text\tnegative_1\tnegative_2\na\tb\tc\n")),
      "a.tsv and b.tsv: found other columns, expected the same roles: only a.tsv has \"v\" (vector), only "
      "b.tsv has \"negative_2\" (text)");
  EXPECT_EQ(
      append_error(plain, parse_table("text\n1\n", "b.tsv", {{{"text", ColumnKind::number}}, {}})),
      "a.tsv and b.tsv: found other columns, expected the same roles: only a.tsv has \"text\" (text), only "
      "b.tsv has \"text\" (number)");
}

TEST(Append, WidthsMustBeTheSame) {
  EXPECT_EQ(append_error(read("a.tsv", "text\tv\na\t1 2\n"), read("b.tsv", "text\tv\na\t1 2 3\n")),
            "b.tsv: column \"v\": found vectors of 3 numbers, expected 2 as in a.tsv");
}

TEST(Append, RowsCanBeCounted) {
  Table table = read("a.tsv", "text\na\n"), other = read("b.tsv", "text\nb\n");
  other.rows = std::numeric_limits<uint32_t>::max();
  EXPECT_EQ(append_error(table, other), "a.tsv and b.tsv: have more rows than can be counted (2^32)");
}

TEST(Append, TheHashIsOfAllFilesInTheirOrder) {
  const auto hash = [](std::vector<std::string> texts) {
    Table table = read("t.tsv", "text\n" + texts[0] + "\n");
    for (size_t i = 1; i < texts.size(); ++i) table.append(read("t.tsv", "text\n" + texts[i] + "\n"));
    return table.content_hash;
  };
  EXPECT_EQ(hash({"a", "b"}), hash({"a", "b"}));
  EXPECT_NE(hash({"a", "b"}), hash({"b", "a"}));
  EXPECT_NE(hash({"a", "b"}), hash({"a"}));
  EXPECT_NE(hash({"a", "b", "c"}), hash({"a", "b"}));
}
