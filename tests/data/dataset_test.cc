// Files, endings, gzip, roles, limits and the content hash.
#include "data/dataset.h"

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "data/lines.h"
#include "tests/base/temp_folder.h"
#include "tests/data/table.h"

using namespace hone::data;
using namespace hone::testing;
using namespace std::string_literals;
using Texts = std::vector<std::string>;

namespace {

const std::vector<std::string> kRoles{"sentence1", "sentence2", "score"};

std::string columns_error(std::string_view text) {
  try {
    parse_columns(text, kRoles);
  } catch (const hone::Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error for " << text;
  return "";
}

}  // namespace

TEST(ReadTable, ReadsEveryFormatFromDisk) {
  TempFolder temp;
  const std::string jsonl = "{\"text\":\"a\"}\n{\"text\":\"ü\"}\n", lines = "text\na\nü\n";
  temp.write("t.jsonl", jsonl);
  temp.write("t.ndjson", jsonl);
  temp.write("t.csv", lines);
  temp.write("t.TSV", lines);
  temp.write("t.txt", "a\nü\n");
  temp.write("t.jsonl.gz", gzip(jsonl));
  temp.write("t.csv.gz", gzip(lines));
  temp.write("t.tsv.GZ", gzip(lines));
  temp.write("t.txt.gz", gzip("a\nü"));
  std::set<uint64_t> hashes;
  for (const std::string& name : temp.names()) {
    Table table = read_table(temp / name, text_options());
    EXPECT_EQ(table.text("text"), (Texts{"a", "ü"})) << name;
    hashes.insert(table.content_hash);
  }
  EXPECT_EQ(hashes.size(), 1U) << "the hash is of the values, not of the file";
}

TEST(ReadTable, SaysWhatItCannotRead) {
  TempFolder temp;
  EXPECT_THROW(read_table(temp / "none.csv", text_options()), hone::Error);
  EXPECT_THROW(read_table(temp.path(), text_options()), hone::Error);
  for (const char* name : {"t.parquet", "t", "t.gz", "t.json", "t.csv.zip", ".csv"}) {
    EXPECT_NE(error_of("x", name, text_options()).find("expected .jsonl, .ndjson, .csv, .tsv or .txt"),
              std::string::npos);
  }
}

TEST(ReadTable, RemovesAByteOrderMark) {
  EXPECT_EQ(parse_table("\xEF\xBB\xBFtext\na\n", "t.csv", text_options()).text("text"), Texts{"a"});
  EXPECT_EQ(parse_table("\xEF\xBB\xBF{\"text\":\"a\"}", "t.jsonl", text_options()).text("text"), Texts{"a"});
  EXPECT_EQ(parse_table(gzip("\xEF\xBB\xBF"
                             "a\n"),
                        "t.txt.gz", text_options())
                .text("text"),
            Texts{"a"});
  EXPECT_EQ(parse_table("a\n\xEF\xBB\xBF", "t.txt", text_options()).text("text"),
            (Texts{"a", "\xEF\xBB\xBF"}));
}

TEST(ReadTable, TellsOtherEncodings) {
  EXPECT_EQ(error_of("\xFF\xFEt\0"s, "t.csv", text_options()), "t.csv: is UTF-16, expected UTF-8");
  EXPECT_EQ(error_of("\xFE\xFF\0t"s, "t.txt", text_options()), "t.txt: is UTF-16, expected UTF-8");
  EXPECT_EQ(error_of(gzip("\xFF\xFEt\0"s), "t.csv.gz", text_options()),
            "t.csv.gz: is UTF-16, expected UTF-8");
  EXPECT_EQ(error_of(gzip("a"), "t.csv", text_options()),
            "t.csv: is gzip data, which its name must say (.gz)");
}

TEST(Gzip, ReadsMembersOneAfterTheOther) {
  std::string two = gzip("te") + gzip("xt\na\nb") + gzip("") + gzip("c\n");
  EXPECT_EQ(parse_table(two, "t.csv.gz", text_options()).text("text"), (Texts{"a", "bc"}));
  EXPECT_EQ(parse_table(two + std::string(512, '\0'), "t.csv.gz", text_options()).rows, 2U) << "padding";
}

TEST(Gzip, ReadsMoreThanABufferful) {
  std::string content = "text\n";
  Texts expected;
  for (int i = 0; i < 60; ++i) {
    expected.emplace_back(static_cast<size_t>(i) * 7919 % 150000, static_cast<char>('a' + i % 26));
    content += expected.back() + "\n";
  }
  ASSERT_GT(content.size(), size_t{3} << 20);
  EXPECT_EQ(parse_table(gzip(content), "t.csv.gz", text_options()).text("text"), expected);
  EXPECT_EQ(parse_table(content, "t.csv", text_options()).text("text"), expected);
}

TEST(Gzip, EveryTruncationIsAnError) {
  std::string whole = gzip("text\nsome rows\nof text\n");
  for (size_t length = 1; length < whole.size(); ++length) {
    std::string message = error_of(whole.substr(0, length), "t.csv.gz", text_options());
    EXPECT_NE(message.find("gzip data"), std::string::npos) << message;
  }
  EXPECT_EQ(error_of(whole.substr(0, whole.size() - 4), "t.csv.gz", text_options()),
            "t.csv.gz: the gzip data is cut off: it ends in the middle");
  EXPECT_EQ(error_of("", "t.csv.gz", text_options()), "t.csv.gz: is empty");
}

TEST(Gzip, DamageIsAnError) {
  std::string whole = gzip("text\nsome rows\nof text\n");
  EXPECT_EQ(error_of("text\na\n", "t.csv.gz", text_options()),
            "t.csv.gz: is not gzip data, as its name says");
  EXPECT_EQ(error_of(whole + "rest", "t.csv.gz", text_options()),
            "t.csv.gz: the gzip data is followed by 4 bytes of something else");
  std::string wrong = whole;
  wrong[wrong.size() - 6] = static_cast<char>(wrong[wrong.size() - 6] ^ 1);  // the checksum
  EXPECT_EQ(error_of(wrong, "t.csv.gz", text_options()),
            "t.csv.gz: the gzip data is damaged: incorrect data check");
  EXPECT_EQ(error_of(gzip(""), "t.csv.gz", text_options()), "t.csv.gz: has no rows");
}

TEST(Limits, ALineOf64MiBIsRefusedPlainOrPacked) {
  std::string content = "a\n" + std::string(kLongestLine, 'x');
  EXPECT_EQ(parse_table(content, "t.txt", text_options()).text("text")[1].size(), kLongestLine);
  content += 'x';
  EXPECT_EQ(error_of(content, "t.txt", text_options()), "t.txt:2: the line is longer than 64 MiB");
  EXPECT_EQ(error_of(gzip(content), "t.txt.gz", text_options()),
            "t.txt.gz:2: the line is longer than 64 MiB");
}

TEST(Limits, AQuoteLeftOpenIsGivenUp) {
  std::string content = "text\n\"open\n";
  while (content.size() < kLongestLine + 1000) content += "a line of text that is swallowed by the quote\n";
  EXPECT_EQ(error_of(content, "t.csv", text_options()),
            "t.csv:2: field 1: the quote opened here is not closed within 64 MiB");
}

TEST(Limits, MaxRowsStopsReading) {
  ReadOptions options = text_options();
  options.max_rows = 2;
  EXPECT_EQ(parse_table("text\na\nb\n\xFF\n", "t.csv", options).rows, 2U);
  EXPECT_EQ(parse_table("text\na\nb\n\xFF\n", "t.tsv", options).rows, 2U);
  EXPECT_EQ(parse_table("a\nb\n\xFF\n", "t.txt", options).rows, 2U);
  EXPECT_EQ(parse_table("{\"text\":\"a\"}\n{\"text\":\"b\"}\nbroken", "t.jsonl", options).rows, 2U);
}

TEST(Roles, OtherNamesAreTriedInOrder) {
  ReadOptions options = pair_options();
  auto scores = [&](const std::string& header, const std::string& row) {
    return parse_table(header + "\n" + row + "\n", "t.csv", options).number("score");
  };
  EXPECT_EQ(scores("sentence1,sentence2,similarity", "a,b,3"), std::vector<double>{3});
  EXPECT_EQ(scores("similarity,sentence1,sentence2,label", "3,a,b,4"), std::vector<double>{4});
  EXPECT_EQ(scores("similarity,sentence1,score,sentence2,label", "3,a,5,b,4"), std::vector<double>{5});
  EXPECT_EQ(error_of("sentence1,sentence2,rating\na,b,1\n", "t.csv", options),
            "t.csv:1: no column \"score\", the columns are \"sentence1\", \"sentence2\", \"rating\" "
            "(--columns score=NAME "
            "names another)");
}

TEST(Roles, ColumnsGiveOtherNames) {
  ReadOptions options = pair_options();
  options.columns = {{"sentence1", "sentence2"}, {"sentence2", "sentence1"}, {"score", "my score"}};
  Table table = parse_table("sentence1,sentence2,my score,score\na,b,1,2\n", "t.csv", options);
  EXPECT_EQ(table.text("sentence1"), Texts{"b"});
  EXPECT_EQ(table.text("sentence2"), Texts{"a"});
  EXPECT_EQ(table.number("score"), std::vector<double>{1});
  EXPECT_EQ(error_of("sentence1,sentence2,label\na,b,1\n", "t.csv", options),
            "t.csv:1: no column \"my score\" for \"score\", the columns are \"sentence1\", \"sentence2\", "
            "\"label\"")
      << "no other name is tried";
}

TEST(Roles, TwoMayReadOneColumn) {
  ReadOptions options{{{"anchor"}, {"positive"}}, {{"anchor", "text"}, {"positive", "text"}}};
  Table table = parse_table("text\na\n", "t.csv", options);
  EXPECT_EQ(table.text("anchor"), table.text("positive"));
}

TEST(Roles, ATextMayReadWhatANumberReads) {
  ReadOptions options{{{"id"}, {"n", ColumnKind::number}}, {{"n", "id"}}};
  Table table = parse_table("id\n007\n", "t.tsv", options);
  EXPECT_EQ(table.text("id"), Texts{"007"});
  EXPECT_EQ(table.number("n"), std::vector<double>{7});
}

TEST(Roles, AMappedOptionalColumnMustBeThere) {
  ReadOptions options{{{"text"}, {"title", ColumnKind::text, false}}, {}};
  EXPECT_FALSE(parse_table("text\na\n", "t.csv", options).has("title"));
  options.columns = {{"title", "heading"}};
  EXPECT_EQ(error_of("text\na\n", "t.csv", options),
            "t.csv:1: no column \"heading\" for \"title\", the columns are \"text\"");
}

TEST(Roles, TheOnlyColumnMayStandForARole) {
  ReadOptions options = text_options();
  EXPECT_EQ(error_of("title\na\n", "t.csv", options),
            "t.csv:1: no column \"text\", the columns are \"title\" (--columns text=NAME names another)");
  options.only_column = true;
  options.column_hint = "--column NAME names another";
  EXPECT_EQ(parse_table("title\na\n", "t.csv", options).text("text"), Texts{"a"});
  EXPECT_EQ(parse_table("{\"title\": \"a\"}\n", "t.jsonl", options).text("text"), Texts{"a"});
  EXPECT_EQ(error_of("{\"title\": 1}\n", "t.jsonl", options),
            "t.jsonl:1: column \"title\": found a number, expected a text");
  EXPECT_EQ(error_of("title\tbody\na\tb\n", "t.tsv", options),
            "t.tsv:1: no column \"text\", the columns are \"title\", \"body\" (--column NAME names another)");
  EXPECT_EQ(parse_table("text\ttitle\na\tb\n", "t.tsv", options).text("text"), Texts{"a"});
  options.columns = {{"text", "body"}};
  EXPECT_EQ(error_of("title\na\n", "t.csv", options),
            "t.csv:1: no column \"body\" for \"text\", the columns are \"title\"");
}

TEST(Roles, AColumnForAnUnknownRoleIsAnError) {
  ReadOptions options = text_options();
  options.columns = {{"score", "s"}};
  EXPECT_EQ(error_of("text\na\n", "t.csv", options),
            "t.csv: column \"s\" is given the role \"score\", which is not read here");
}

TEST(Table, AsksForWhatIsThere) {
  Table table = parse_table("text\na\n", "t.csv", text_options());
  EXPECT_THROW(table.text("score"), hone::Error);
  EXPECT_THROW(table.number("text"), hone::Error);
  EXPECT_THROW(table.number("score"), hone::Error);
}

TEST(ParseColumns, ReadsPairs) {
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(parse_columns("score=label", kRoles), (Map{{"score", "label"}}));
  EXPECT_EQ(parse_columns("sentence1=a b,score=x=y", kRoles), (Map{{"sentence1", "a b"}, {"score", "x=y"}}));
}

// Names with a comma, or with quotes.
TEST(ParseColumns, ReadsNamesInQuotes) {
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(parse_columns("sentence1=\"last, first\",score=x", kRoles),
            (Map{{"sentence1", "last, first"}, {"score", "x"}}));
  EXPECT_EQ(parse_columns("score=\"a=b,c=d\"", kRoles), (Map{{"score", "a=b,c=d"}}));
  EXPECT_EQ(parse_columns("score=\"say \"\"x\"\"\"", kRoles), (Map{{"score", "say \"x\""}}));
  EXPECT_EQ(parse_columns("score=\"\"\"\"", kRoles), (Map{{"score", "\""}}));
  EXPECT_EQ(parse_columns("score=5\" pipe", kRoles), (Map{{"score", "5\" pipe"}}));
  EXPECT_EQ(parse_columns("score=\"\",sentence1=\"x\"", kRoles), (Map{{"score", ""}, {"sentence1", "x"}}));
  const Table table = parse_table("\"last, first\",score\na,1\n", "t.csv",
                                  {{{"text"}}, parse_columns("text=\"last, first\"", Texts{"text"})});
  EXPECT_EQ(table.text("text"), Texts{"a"});
}

TEST(ParseColumns, NamesWhatIsWrong) {
  EXPECT_EQ(
      columns_error("score=\"x"),
      "--columns: score=\"x found, the quote closed expected (role=\"name\", a quote in the name doubled)");
  EXPECT_EQ(
      columns_error("score=\"x\"y,sentence1=z"),
      "--columns: score=\"x\"y,sentence1=z found, a comma or the end expected after the closing quote (a "
      "quote in the name is doubled)");
  EXPECT_EQ(columns_error("score=\"x\","), "--columns: found \"\", expected role=name");
  EXPECT_EQ(columns_error(""), "--columns: found \"\", expected role=name");
  EXPECT_EQ(columns_error("score"), "--columns: found \"score\", expected role=name");
  EXPECT_EQ(columns_error("score="), "--columns: found \"score=\", expected role=name");
  EXPECT_EQ(columns_error("=x"), "--columns: found \"=x\", expected role=name");
  EXPECT_EQ(columns_error("score=x,"), "--columns: found \"\", expected role=name");
  EXPECT_EQ(columns_error("anchor=x"),
            "--columns: no role \"anchor\" here, the roles are sentence1, sentence2, score");
  EXPECT_EQ(columns_error("score=x,score=y"), "--columns: role \"score\" is there twice");
}

TEST(ContentHash, DependsOnEveryValueAndItsPlace) {
  auto hash = [](const std::string& content, const ReadOptions& options) {
    return parse_table(content, "t.tsv", options).content_hash;
  };
  const std::string header = "sentence1\tsentence2\tscore\n";
  std::set<uint64_t> hashes;
  int count = 0;
  auto add = [&](const std::string& rows) {
    hashes.insert(hash(header + rows, pair_options()));
    ++count;
  };
  add("a\tb\t1\nc\td\t2\n");
  add("c\td\t2\na\tb\t1\n");
  add("a\tb\t1\nc\td\t2.0000001\n");
  add("a\tb\t1\nc\t\t2\n");
  add("ab\t\t1\nc\td\t2\n");
  add("b\ta\t1\nc\td\t2\n");
  add("ac\tb\t1\n\td\t2\n");
  add("a\tb\t1\n");
  add("a\tb\t1\nc\td\t2\na\tb\t1\n");
  add("a\tb\t-0\n");
  add("a\tb\t0\n");
  add("\t\t0\n");
  EXPECT_EQ(hashes.size(), static_cast<size_t>(count));
  ReadOptions swapped = pair_options();
  swapped.columns = {{"sentence1", "sentence2"}, {"sentence2", "sentence1"}};
  EXPECT_NE(hash(header + "a\tb\t1\n", pair_options()), hash(header + "a\tb\t1\n", swapped));
  EXPECT_EQ(hash(header + "a\tb\t1\n", swapped), hash(header + "b\ta\t1\n", pair_options()));
}

TEST(ContentHash, IsTheSameOnEveryRun) {
  EXPECT_EQ(parse_table("text\nhello\n", "t.tsv", text_options()).content_hash,
            parse_table("{\"text\":\"hello\"}", "t.jsonl", text_options()).content_hash);
  EXPECT_EQ(parse_table("text\nhello\n", "t.tsv", text_options()).content_hash, 5649434784394832335U);
}
