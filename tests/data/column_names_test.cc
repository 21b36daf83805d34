// The names of a file's columns, without its rows.
#include <string>
#include <vector>

#include "data/columns.h"
#include "tests/base/temp_folder.h"
#include "tests/data/table.h"

using namespace hone::data;
using namespace hone::testing;
using namespace std::string_literals;
using Texts = std::vector<std::string>;

namespace {

std::string names_error(std::string_view content, const std::string& name) {
  try {
    parse_column_names(content, name);
  } catch (const hone::Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST(ColumnNames, AreThoseOfTheHeaderOrTheFirstRow) {
  const Texts expected{"a b", "c", "d"};
  TempFolder temp;
  const std::string jsonl = "\n{\"a b\": 1, \"\\u0063\": [2], \"d\": {\"e\": 1}}\nbroken";
  temp.write("t.jsonl", jsonl);
  temp.write("t.csv", "\xEF\xBB\xBF\"a b\",c,d\r\n\"broken");
  temp.write("t.tsv", "a b\tc\td\nbroken\n");
  temp.write("t.ndjson.gz", gzip(jsonl));
  for (const std::string& name : temp.names()) EXPECT_EQ(column_names(temp / name), expected) << name;
  temp.write("t.txt", "a\tb\n");
  EXPECT_EQ(column_names(temp / "t.txt"), Texts{"text"});
  EXPECT_THROW(column_names(temp / "none.csv"), hone::Error);
}

TEST(ColumnNames, TheRowsNeedNotBeThere) {
  EXPECT_EQ(parse_column_names("a,b", "t.csv"), (Texts{"a", "b"}));
  EXPECT_EQ(parse_column_names("\n", "t.csv"), Texts{""});
  EXPECT_EQ(parse_column_names("a,a", "t.csv"), (Texts{"a", "a"}));
  EXPECT_EQ(parse_column_names("{}", "t.jsonl"), Texts{});
}

TEST(ColumnNames, AFileThatCannotBeReadFailsAsWhenItIsRead) {
  const std::vector<std::pair<std::string, std::string>> files = {{"t.csv", ""},
                                                                  {"t.jsonl", ""},
                                                                  {"t.txt", ""},
                                                                  {"t.jsonl", "\n \n"},
                                                                  {"t.txt.gz", gzip("")},
                                                                  {"t.tsv.gz", gzip("")},
                                                                  {"t.csv.gz", gzip("")},
                                                                  {"t.jsonl.gz", gzip("\n")},
                                                                  {"t.csv.gz", "text\n"},
                                                                  {"t.csv", gzip("text\n")},
                                                                  {"t.tsv.gz", gzip("text").substr(0, 12)},
                                                                  {"t.csv", "\xFF\xFEt\0"s},
                                                                  {"t.jsonl", "{\"text\": "},
                                                                  {"t.jsonl", "[1]"},
                                                                  {"t.csv", "\"text\n"},
                                                                  {"t.csv", "te\"xt\n"},
                                                                  {"t.parquet", "x"},
                                                                  {"t.csv", std::string(kMostColumns, ',')},
                                                                  {"t.tsv", std::string(kMostColumns, '\t')}};
  for (const auto& [name, content] : files) {
    const std::string message = names_error(content, name);
    EXPECT_FALSE(message.empty()) << name << ": " << content.substr(0, 20);
    EXPECT_EQ(message, error_of(content, name, text_options()));
  }
}
