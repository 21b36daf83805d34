// CSV, TSV and plain lines.
#include <string>
#include <vector>

#include "tests/data/table.h"

using namespace hone::data;
using namespace hone::testing;
using namespace std::string_literals;
using Texts = std::vector<std::string>;
using Numbers = std::vector<double>;

namespace {

Texts texts(const std::string& content, const std::string& name = "t.csv") {
  return parse_table(content, name, text_options()).text("text");
}

std::string csv_error(const std::string& content) {
  return error_of(content, "t.csv", text_options());
}
std::string tsv_error(const std::string& content) {
  return error_of(content, "t.tsv", text_options());
}

}  // namespace

TEST(Csv, ReadsColumnsByNameInAnyOrder) {
  Table table = parse_table("score,id,sentence2,sentence1\n1.5,x,b,a\n-2,y,d,c\n", "t.csv", pair_options());
  EXPECT_EQ(table.text("sentence1"), (Texts{"a", "c"}));
  EXPECT_EQ(table.text("sentence2"), (Texts{"b", "d"}));
  EXPECT_EQ(table.number("score"), (Numbers{1.5, -2}));
  EXPECT_EQ(table.lines, (std::vector<uint32_t>{2, 3}));
}

TEST(Csv, ReadsQuotedFields) {
  EXPECT_EQ(texts("id,text\n1,\"a,b\"\n2,\"say \"\"hi\"\"\"\n3,\"\"\n4,\"\"\"\"\n5,\" x \"\n"),
            (Texts{"a,b", "say \"hi\"", "", "\"", " x "}));
  EXPECT_EQ(texts("\"text\",\"id\"\n\"a\",1\n"), Texts{"a"});
  EXPECT_EQ(texts("text,id\n\"a\",\"1\"\nb,\"2\"\n\"c\",3"), (Texts{"a", "b", "c"}));
}

TEST(Csv, QuotedFieldsMaySpanLines) {
  Table table = parse_table("id,text\n1,\"one\ntwo\"\n2,\"\r\n\n\"\n3,x\n4,\"a\n\"\"b\"\"\nc\"\n", "t.csv",
                            text_options());
  EXPECT_EQ(table.text("text"), (Texts{"one\ntwo", "\r\n\n", "x", "a\n\"b\"\nc"}));
  EXPECT_EQ(table.lines, (std::vector<uint32_t>{2, 4, 7, 8})) << "the line where the row begins";
}

TEST(Csv, AcceptsReturnsBeforeLineBreaks) {
  EXPECT_EQ(texts("id,text\r\n1,a\r\n2,\"b\"\r\n3,\"c\r\nd\"\r\n"), (Texts{"a", "b", "c\r\nd"}));
  EXPECT_EQ(texts("text,id\r\n\"a\",1\r\nb,\"2\"\r\n\"c\",x\r"), (Texts{"a", "b", "c"}));
}

TEST(Csv, TheLastLineNeedsNoEnd) {
  EXPECT_EQ(texts("text\na"), Texts{"a"});
  EXPECT_EQ(texts("text\n\"a\""), Texts{"a"});
  EXPECT_EQ(texts("text,n\na,"), Texts{"a"});
  EXPECT_EQ(texts("n,text\na,"), Texts{""});
}

TEST(Csv, EmptyLines) {
  Table table = parse_table("id,text\n\n1,a\n\r\n\n2,b\n\n", "t.csv", text_options());
  EXPECT_EQ(table.text("text"), (Texts{"a", "b"}));
  EXPECT_EQ(table.lines, (std::vector<uint32_t>{3, 6}));
  EXPECT_EQ(texts("text\na\n\nb\n"), (Texts{"a", "", "b"})) << "a row of the only column";
}

TEST(Csv, RefusesQuotesThatMeanNothing) {
  EXPECT_EQ(csv_error("id,text\n1,5\" pipe\n"),
            "t.csv:2: field 2: found a quote inside an unquoted field, expected the field quoted and the "
            "quote doubled");
  EXPECT_EQ(csv_error("id,text\n1,\"a\"b\n"),
            "t.csv:2: field 2: found \"b\" after the closing quote, expected a comma or the end of the line");
  csv_error("id,text\n1, \"a\"\n");
  csv_error("id,text\n1,\"a\" \n");
  csv_error("id,text\n1,\"a\"\"\n");
  csv_error("id,te\"xt\n1,a\n");
  EXPECT_EQ(csv_error("id,text\n1,ok\n2,\"a\n\nb\n"),
            "t.csv:3: field 2: the quote opened here is not closed");
  csv_error("id,text\n1,\"");
  csv_error("\"text");
  csv_error("\"");
}

TEST(Csv, RefusesRowsOfAnotherWidth) {
  EXPECT_EQ(csv_error("id,text\n1\n"), "t.csv:2: found 1 field, expected 2 as in the first line");
  EXPECT_EQ(csv_error("id,text\n1,a\n1,a,b\n"), "t.csv:3: found 3 fields, expected 2 as in the first line");
  csv_error("id,text\n1,\"a\",\n");
  csv_error("text\na,b\n");
  EXPECT_EQ(csv_error("id,text\n" + std::string(1000000, ',')),
            "t.csv:2: found more than 10000 fields, expected 2 as in the first line");
  EXPECT_EQ(csv_error("text,\"\"" + std::string(1000000, ',') + "\n"),
            "t.csv:1: found more than 10000 columns");
  EXPECT_EQ(csv_error("text" + std::string(10000, ',') + "\n"), "t.csv:1: found more than 10000 columns");
}

TEST(Csv, RefusesTextThatIsNotUtf8WhereItIsRead) {
  EXPECT_EQ(csv_error("id,text\n1,ok\n2,caf\xE9\n"),
            "t.csv:3: column \"text\": found bytes that are not UTF-8 (at byte 4), expected a text");
  EXPECT_EQ(csv_error("id,text\n1,\"caf\xE9\"\n"),
            "t.csv:2: column \"text\": found bytes that are not UTF-8 (at byte 4), expected a text");
  EXPECT_EQ(texts("id,text\n\xFF,a\n"), Texts{"a"}) << "a column nobody asked for";
}

TEST(Csv, RefusesWhatIsNoNumber) {
  auto error = [](const std::string& value) {
    return error_of("id,score\n1,0.5\n2," + value + "\n", "t.csv", number_options());
  };
  EXPECT_EQ(error("high"), "t.csv:3: column \"score\": found \"high\", expected a finite number");
  EXPECT_EQ(error(""), "t.csv:3: column \"score\": found nothing, expected a finite number");
  EXPECT_EQ(error("nan"), "t.csv:3: column \"score\": found \"nan\", expected a finite number");
  EXPECT_EQ(error("-inf"), "t.csv:3: column \"score\": found \"-inf\", expected a finite number");
  EXPECT_EQ(error("1e400"),
            "t.csv:3: column \"score\": found 1e400 (out of range), expected a finite number");
  EXPECT_EQ(error("\"1,5\""), "t.csv:3: column \"score\": found \"1,5\", expected a finite number");
  EXPECT_EQ(error(std::string(1000, '9') + "x").size(), error(std::string(2000, '9') + "x").size());
}

TEST(Csv, NamesMissingColumnsWithThoseFound) {
  EXPECT_EQ(
      csv_error("id,\"a,b\"\n1,2\n"),
      "t.csv:1: no column \"text\", the columns are \"id\", \"a,b\" (--columns text=NAME names another)");
  EXPECT_EQ(csv_error("text,text\n1,2\n"), "t.csv:1: column \"text\" is there twice");
  std::string many = "c";
  for (int i = 0; i < 50; ++i) many += ",c";
  EXPECT_NE(csv_error(many + "\n").find("\"c\" and 31 more"), std::string::npos);
  csv_error("te\xFFxt\nb\n");
}

TEST(Csv, HasNoRows) {
  EXPECT_EQ(csv_error(""), "t.csv: is empty");
  EXPECT_EQ(csv_error("text\n"), "t.csv: has no rows");
  EXPECT_EQ(csv_error("text,id\n\n\n"), "t.csv: has no rows");
  csv_error("\n");
  csv_error("\xEF\xBB\xBF");
}

TEST(Tsv, KnowsNoQuoting) {
  EXPECT_EQ(texts("id\ttext\n1\t\"a\n2\tsay \"hi\"\n3\t\"\"\n4\ta,b\\t\n", "t.tsv"),
            (Texts{"\"a", "say \"hi\"", "\"\"", "a,b\\t"}));
}

TEST(Tsv, ReadsRowsAsCsvDoes) {
  Table table =
      parse_table("score\tsentence2\tsentence1\r\n1\tb\ta\r\n\r\n 2 \t\t \r\n", "t.tsv", pair_options());
  EXPECT_EQ(table.text("sentence1"), (Texts{"a", " "}));
  EXPECT_EQ(table.text("sentence2"), (Texts{"b", ""}));
  EXPECT_EQ(table.number("score"), (Numbers{1, 2}));
  EXPECT_EQ(table.lines, (std::vector<uint32_t>{2, 4}));
  EXPECT_EQ(texts("text\na\n\nb", "t.tsv"), (Texts{"a", "", "b"}));
}

TEST(Tsv, Refuses) {
  EXPECT_EQ(tsv_error("id\ttext\n1\n"), "t.tsv:2: found 1 field, expected 2 as in the first line");
  EXPECT_EQ(tsv_error("id\ttext\n1\ta\tb\n"), "t.tsv:2: found 3 fields, expected 2 as in the first line");
  EXPECT_EQ(tsv_error("id,text\n1,a\n"),
            "t.tsv:1: no column \"text\", the columns are \"id,text\" (--columns text=NAME names another)");
  EXPECT_EQ(tsv_error("text\tx\na\xFF\tb\n"),
            "t.tsv:2: column \"text\": found bytes that are not UTF-8 (at byte 2), expected a text");
  EXPECT_EQ(tsv_error("text\tx\n"), "t.tsv: has no rows");
  EXPECT_EQ(tsv_error(std::string(20000, '\t') + "\n"), "t.tsv:1: found more than 10000 columns");
}

TEST(Txt, EveryLineIsAText) {
  EXPECT_EQ(texts("a\n\n  b \r\n\"c\",d\te", "t.txt"), (Texts{"a", "", "  b ", "\"c\",d\te"}));
  EXPECT_EQ(texts("\n", "t.txt"), Texts{""});
  EXPECT_EQ(error_of("", "t.txt", text_options()), "t.txt: is empty");
  EXPECT_EQ(error_of("ok\n\xFF\n", "t.txt", text_options()),
            "t.txt:2: column \"text\": found bytes that are not UTF-8 (at byte 1), expected a text");
  EXPECT_EQ(
      error_of("a\n", "t.txt", pair_options()),
      "t.txt:1: no column \"sentence1\", the columns are \"text\" (--columns sentence1=NAME names another)");
}
