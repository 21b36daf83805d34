// Columns of vectors: how they are written, what is refused, and that all rows have one width.
#include "data/vectors.h"

#include <bit>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "data/columns.h"
#include "tests/data/table.h"

using namespace hone::data;
using namespace hone::testing;
using namespace std::string_literals;
using Floats = std::vector<float>;

namespace {

ReadOptions vector_options() {
  return {{{"text"}, {"embedding", ColumnKind::vector}}, {}};
}

ReadOptions only_vectors() {
  return {{{"v", ColumnKind::vector}}, {}};
}

Floats of_jsonl(const std::string& value) {
  return parse_table("{\"v\": " + value + "}", "t.jsonl", only_vectors()).vector("v").values;
}

Floats of_tsv(const std::string& value) {
  return parse_table("v\n" + value + "\n", "t.tsv", only_vectors()).vector("v").values;
}

std::string jsonl_error(const std::string& value) {
  return error_of("{\"v\": " + value + "}", "t.jsonl", only_vectors());
}

std::string number_list_error(const std::string& value) {
  return error_of("v\tw\n" + value + "\t\n", "t.tsv", only_vectors());
}

std::string wrong(const std::string& name, const std::string& found) {
  return name + ": column \"v\": found " + found + ", expected a vector of finite numbers";
}

}  // namespace

TEST(Vectors, AreReadFromEveryFormat) {
  const std::string jsonl =
      "{\"text\": \"a\", \"embedding\": [1, -2.5, 3e-1]}\n{\"embedding\": [ 4,5 ,6 ], \"text\": \"b\"}\n";
  const std::string tsv = "text\tembedding\na\t1 -2.5 0.3\nb\t[4, 5, 6]\n";
  const std::string csv = "\xEF\xBB\xBFtext,embedding\na,\"1,-2.5,0.3\"\nb,\"[4 5\n 6]\"\n";
  const std::vector<std::pair<std::string, std::string>> files = {{"t.jsonl", jsonl},
                                                                  {"t.tsv", tsv},
                                                                  {"t.csv", csv},
                                                                  {"t.jsonl.gz", gzip(jsonl)},
                                                                  {"t.csv.gz", gzip(csv)}};
  std::set<uint64_t> hashes;
  for (const auto& [name, content] : files) {
    SCOPED_TRACE(name);
    const Table table = parse_table(content, name, vector_options());
    EXPECT_EQ(table.rows, 2U);
    const Vectors& vectors = table.vector("embedding");
    EXPECT_EQ(vectors.width, 3U);
    EXPECT_EQ(vectors.values, (Floats{1, -2.5F, 0.3F, 4, 5, 6}));
    EXPECT_EQ(Floats(vectors.row(1).begin(), vectors.row(1).end()), (Floats{4, 5, 6}));
    EXPECT_TRUE(table.has("embedding"));
    EXPECT_EQ(table.columns.at("embedding"), "embedding");
    EXPECT_THROW(table.vector("text"), hone::Error);
    EXPECT_THROW(table.number("embedding"), hone::Error);
    hashes.insert(table.content_hash);
  }
  EXPECT_EQ(hashes.size(), 1U);
}

TEST(Vectors, AreWrittenInManyWays) {
  for (const char* text : {"1 2 3", "[1,2,3]", "1, 2 ,3", " [1 2 3] ", "[1., 2e0, +3]", "[ 1\t2 , 3 ]"}) {
    EXPECT_EQ(of_tsv(std::string(text).find('\t') == std::string::npos ? text : "1 2 3"), (Floats{1, 2, 3}))
        << text;
    Floats values;
    EXPECT_EQ(append_numbers(std::string_view(text), values), "") << text;
    EXPECT_EQ(values, (Floats{1, 2, 3})) << text;
  }
  EXPECT_EQ(of_tsv("7"), Floats{7});
  EXPECT_EQ(of_jsonl("7"), Floats{7}) << "a number is a vector of width 1";
  EXPECT_EQ(of_jsonl("[7]"), Floats{7});
}

TEST(Vectors, NumbersAreRoundedToFloat32) {
  EXPECT_EQ(of_jsonl("[0.1, 16777217, 3.4028234663852886e38]"),
            (Floats{0.1F, 16777216, std::numeric_limits<float>::max()}));
  // Too small for float32: the nearest are zero and the least number above it.
  EXPECT_EQ(of_jsonl("[1e-60, 1.4e-45, 0]"), (Floats{0, std::numeric_limits<float>::denorm_min(), 0}));
  EXPECT_EQ(std::bit_cast<uint32_t>(of_jsonl("[-1e-60]")[0]), 0x80000000U);
}

TEST(Vectors, WhatIsNotFiniteIsRefused) {
  EXPECT_EQ(number_list_error("1 nan"), wrong("t.tsv:2", "\"nan\" as number 2"));
  EXPECT_EQ(number_list_error("[inf]"), wrong("t.tsv:2", "\"inf\" as number 1"));
  EXPECT_EQ(number_list_error("1,2,-inf"), wrong("t.tsv:2", "\"-inf\" as number 3"));
  EXPECT_EQ(jsonl_error("[1, 1e39]"), wrong("t.jsonl:1", "\"1e39\" (out of range) as number 2"));
  EXPECT_EQ(jsonl_error("[-1e400]"), wrong("t.jsonl:1", "\"-1e400\" (out of range) as number 1"));
  EXPECT_EQ(jsonl_error("[1, " + std::string(400, '9') + "]").find("t.jsonl:1: column \"v\": found \"999"),
            0U);
  EXPECT_EQ(jsonl_error("[NaN]"), "t.jsonl:1: column \"v\": at byte 8: found \"NaN\", expected a value");
}

TEST(Vectors, WhatIsNoVectorIsRefused) {
  EXPECT_EQ(number_list_error("1 b 3"), wrong("t.tsv:2", "\"b\" as number 2"));
  EXPECT_EQ(number_list_error("1;2"), wrong("t.tsv:2", "\"1;2\" as number 1"));
  EXPECT_EQ(number_list_error("1-2"), wrong("t.tsv:2", "\"1-2\" as number 1"));
  EXPECT_EQ(number_list_error("+-1"), wrong("t.tsv:2", "\"+-1\" as number 1"));
  EXPECT_EQ(number_list_error("1,,2"), wrong("t.tsv:2", "nothing as number 2"));
  EXPECT_EQ(number_list_error(",1"), wrong("t.tsv:2", "nothing as number 1"));
  EXPECT_EQ(number_list_error("1,2,"), wrong("t.tsv:2", "nothing as number 3"));
  EXPECT_EQ(number_list_error("[1,2"), wrong("t.tsv:2", "a [ without its ] at the end"));
  EXPECT_EQ(number_list_error("["), wrong("t.tsv:2", "a [ without its ] at the end"));
  EXPECT_EQ(number_list_error("1,2]"), wrong("t.tsv:2", "\"2]\" as number 2"));
  EXPECT_EQ(number_list_error("[[1]]"), wrong("t.tsv:2", "\"[1]\" as number 1"));
  EXPECT_EQ(number_list_error("1 \xFF"), wrong("t.tsv:2", "(not UTF-8) as number 2"));
  EXPECT_EQ(jsonl_error("[1, null]"), wrong("t.jsonl:1", "\"null\" as number 2"));
  EXPECT_EQ(jsonl_error("[\"1\"]"), wrong("t.jsonl:1", "\"\"1\"\" as number 1"));
  EXPECT_EQ(jsonl_error("[[1, 2]]"), wrong("t.jsonl:1", "\"[1\" as number 1"));
  EXPECT_EQ(jsonl_error("[1, {}]"), wrong("t.jsonl:1", "\"{}\" as number 2"));
  EXPECT_EQ(jsonl_error("\"1 2\""), wrong("t.jsonl:1", "a string"));
  EXPECT_EQ(jsonl_error("null"), wrong("t.jsonl:1", "null"));
  EXPECT_EQ(jsonl_error("{}"), wrong("t.jsonl:1", "an object"));
  EXPECT_EQ(error_of("{\"score\": [1]}", "t.jsonl", number_options()),
            "t.jsonl:1: column \"score\": found an array, expected a finite number");
}

// A comma between two digits may be a decimal one, or one of thousands.
TEST(Vectors, CommasThatCannotBeUnderstoodForCertainAreRefused) {
  const std::string note =
      " with commas that may be decimal ones or stand between numbers (1.5 2.5 and [1,2] are clear)";
  const std::vector<std::pair<std::string, std::string>> unclear = {
      {"3,7", "3,7"},           {" -3,7 ", "-3,7"},
      {"+3,7", "+3,7"},         {"0,13 0,85", "0,13"},
      {"1 0,85", "0,85"},       {"[0,13 0,85]", "0,13"},
      {"[0,13, 0,85]", "0,13"}, {"0,13,0,85", "0,13,0,85"},
      {"1,2,3", "1,2,3"},       {"3,7e-5", "3,7e-5"},
      {"1.234,5", "1.234,5"},   {"1.234,5e3", "1.234,5e3"},
      {"1,234.5", "1,234.5"},   {"-1,234,567.25", "-1,234,567.25"},
      {"0.5 1,5", "1,5"}};
  for (const auto& [text, word] : unclear) {
    EXPECT_EQ(number_list_error(text), wrong("t.tsv:2", "\"" + word + "\"" + note)) << text;
    const std::string csv = "v\n1 2\n\"" + text + "\"\n";
    EXPECT_EQ(error_of(csv, "t.csv", only_vectors()), wrong("t.csv:3", "\"" + word + "\"" + note));
    EXPECT_EQ(error_of(gzip(csv), "t.csv.gz", only_vectors()),
              wrong("t.csv.gz:3", "\"" + word + "\"" + note));
  }
}

TEST(Vectors, CommasThatCanOnlySeparateAreRead) {
  const std::vector<std::pair<std::string, Floats>> clear = {{"0.25,0.5", {0.25F, 0.5F}},
                                                             {"0.5,1", {0.5F, 1}},
                                                             {"1,0.5", {1, 0.5F}},
                                                             {"0,0,0.5", {0, 0, 0.5F}},
                                                             {"0.125,5", {0.125F, 5}},
                                                             {"1.125,5.125", {1.125F, 5.125F}},
                                                             {"1.5,2 3", {1.5F, 2, 3}},
                                                             {"12.5e1,2", {125, 2}},
                                                             {"1,-2", {1, -2}},
                                                             {"3, 7", {3, 7}},
                                                             {"[3,7]", {3, 7}},
                                                             {"[ 0,13,0,85 ]", {0, 13, 0, 85}},
                                                             {"[0.5,1.5, 2]", {0.5F, 1.5F, 2}}};
  for (const auto& [text, numbers] : clear) EXPECT_EQ(of_tsv(text), numbers) << text;
  // JSON has no other commas.
  EXPECT_EQ(of_jsonl("[3,7]"), (Floats{3, 7}));
  EXPECT_EQ(of_jsonl("[0,13, 0,85]"), (Floats{0, 13, 0, 85}));
  EXPECT_EQ(of_jsonl("[1,234.5]"), (Floats{1, 234.5F}));
}

TEST(Vectors, EmptyOnesAreRefused) {
  EXPECT_EQ(number_list_error(""), wrong("t.tsv:2", "nothing"));
  EXPECT_EQ(number_list_error("  "), wrong("t.tsv:2", "nothing"));
  EXPECT_EQ(number_list_error("[]"), wrong("t.tsv:2", "an empty vector"));
  EXPECT_EQ(jsonl_error("[ ]"), wrong("t.jsonl:1", "an empty vector"));
}

TEST(Vectors, EveryRowHasTheWidthOfTheFirst) {
  EXPECT_EQ(error_of("v\n1 2 3\n4 5 6\n7 8\n", "t.csv", only_vectors()),
            "t.csv:4: column \"v\": found 2 numbers, expected 3 as in the first row");
  EXPECT_EQ(error_of("v\n1 2 3\n4 5 6 7\n", "t.tsv", only_vectors()),
            "t.tsv:3: column \"v\": found 4 numbers, expected 3 as in the first row");
  EXPECT_EQ(error_of("{\"v\": [1, 2]}\n\n{\"v\": 1}", "t.jsonl", only_vectors()),
            "t.jsonl:3: column \"v\": found 1 number, expected 2 as in the first row");
}

TEST(Vectors, ColumnsHaveWidthsOfTheirOwn) {
  const ReadOptions options{{{"a", ColumnKind::vector}, {"b", ColumnKind::vector}}, {}};
  const Table table = parse_table("a\tb\n1\t2 3\n4\t5 6\n", "t.tsv", options);
  EXPECT_EQ(table.vector("a").width, 1U);
  EXPECT_EQ(table.vector("b").width, 2U);
}

TEST(Vectors, ARefusedRowLeavesNothing) {
  const ReadOptions options{
      {{"text"}, {"v", ColumnKind::vector}, {"w", ColumnKind::vector}, {"score", ColumnKind::number}}, {}};
  Table table;
  table.path = "t";
  Columns columns(table, options);
  columns.choose(std::vector<std::string_view>{"text", "v", "w", "score"}, 0);
  const auto add = [&](const std::vector<std::string>& row) {
    try {
      for (const Slot& slot : columns.slots()) columns.put_field(slot, row[slot.index], 7);
      columns.end_row(7);
    } catch (const hone::Error&) {
      columns.take_back();
      return false;
    }
    return true;
  };
  const auto expect_rows = [&](size_t rows) {
    EXPECT_EQ(table.rows, rows);
    EXPECT_EQ(table.text("text").size(), rows);
    EXPECT_EQ(table.number("score").size(), rows);
    EXPECT_EQ(table.vector("v").values.size(), rows * table.vector("v").width);
    EXPECT_EQ(table.vector("w").values.size(), rows * table.vector("w").width);
    EXPECT_EQ(table.lines.size(), rows);
  };
  EXPECT_FALSE(add({"a", "1 2 3", "1", "x"}));
  expect_rows(0);
  EXPECT_EQ(table.vector("v").width, 0U) << "a row that was refused decides no width";
  EXPECT_FALSE(add({"a", "1 2", "1 nan", "0"}));
  expect_rows(0);
  EXPECT_TRUE(add({"a", "1 2", "3", "0"}));
  expect_rows(1);
  EXPECT_FALSE(add({"b", "4 5", "6 7", "0"}));
  EXPECT_FALSE(add({"b", "4 5", "6", "nan"}));
  EXPECT_FALSE(add({"b\xFF", "4 5", "6", "1"}));
  expect_rows(1);
  EXPECT_TRUE(add({"b", "4 5", "6", "1"}));
  expect_rows(2);
  EXPECT_EQ(table.vector("v").values, (Floats{1, 2, 4, 5}));
}

TEST(Vectors, AreTakenAsNumbersToo) {
  Floats values{9};
  EXPECT_EQ(append_numbers(std::vector<float>{1, 2}, values), "");
  EXPECT_EQ(append_numbers(std::vector<double>{3, 1e-60}, values), "");
  EXPECT_EQ(values, (Floats{9, 1, 2, 3, 0}));
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(append_numbers(std::vector<double>{1, 1e39}, values), "1e+39 (out of range) as number 2");
  EXPECT_EQ(append_numbers(std::vector<double>{-infinity}, values), "-inf as number 1");
  EXPECT_EQ(append_numbers(std::vector<float>{std::numeric_limits<float>::quiet_NaN()}, values),
            "nan as number 1");
}

TEST(Vectors, AreInTheContentHash) {
  std::set<uint64_t> hashes;
  for (const char* rows : {"1 2\n3 4\n", "1 2\n3 5\n", "1 2 3 4\n", "3 4\n1 2\n", "1\n2\n3\n4\n"})
    hashes.insert(parse_table("v\n"s + rows, "t.tsv", only_vectors()).content_hash);
  EXPECT_EQ(hashes.size(), 5U);
}

TEST(Vectors, AWideOneIsRead) {
  std::string row = "[0";
  for (int i = 1; i < 100000; ++i) row += "," + std::to_string(i % 7);
  const Floats values = of_jsonl(row + "]");
  ASSERT_EQ(values.size(), 100000U);
  EXPECT_EQ(values.back(), 99999 % 7);
}
