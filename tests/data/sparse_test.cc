// Roles that a row may lack, and rows without a text.
#include <string>
#include <vector>

#include "tests/data/table.h"
#include "text/tokenizer.h"

using namespace hone::data;
using namespace hone::testing;
using Texts = std::vector<std::string>;

namespace {

ReadOptions titled(bool required = false, std::map<std::string, std::string> columns = {}) {
  return {{{"text"}, {.role = "title", .required = required, .also_named = {}, .sparse = true}},
          std::move(columns)};
}

Texts titles(const std::string& content, const std::string& name, const ReadOptions& options = titled()) {
  return parse_table(content, name, options).text("title");
}

}  // namespace

TEST(Sparse, MayBeNullOrMissingInAnyRow) {
  const std::string first = R"({"text": "a", "title": "T"})", null = R"({"title": null, "text": "b"})",
                    none = R"({"text": "c"})";
  const std::vector<std::pair<std::vector<std::string>, Texts>> cases = {{{first, null, none}, {"T", "", ""}},
                                                                         {{null, first, none}, {"", "T", ""}},
                                                                         {{none, null, first}, {"", "", "T"}},
                                                                         {{none, none}, {"", ""}},
                                                                         {{null}, {""}}};
  for (const auto& [lines, expected] : cases) {
    std::string content;
    for (const std::string& line : lines) content += line + "\n";
    EXPECT_EQ(titles(content, "t.jsonl"), expected) << content;
    EXPECT_EQ(titles(gzip(content), "t.jsonl.gz"), expected) << content;
  }
}

TEST(Sparse, IsAnEmptyCellElsewhere) {
  EXPECT_EQ(titles("text,title\na,T\nb,\n", "t.csv"), (Texts{"T", ""}));
  EXPECT_EQ(titles("text\ttitle\na\t\nb\tT\n", "t.tsv"), (Texts{"", "T"}));
  EXPECT_FALSE(parse_table("text\na\n", "t.tsv", titled()).has("title"));
}

TEST(Sparse, IsStillCheckedWhereItIsThere) {
  EXPECT_EQ(error_of("{\"text\": \"a\"}\n{\"text\": \"b\", \"title\": 5}", "t.jsonl", titled()),
            "t.jsonl:2: column \"title\": found a number, expected a text");
  EXPECT_EQ(error_of("{\"text\": \"a\"}\n{\"title\": \"b\", \"text\": \"b\", \"title\": null}", "t.jsonl",
                     titled()),
            "t.jsonl:2: column \"title\" is there twice");
  EXPECT_EQ(error_of("{\"text\": null, \"title\": \"T\"}", "t.jsonl", titled()),
            "t.jsonl:1: column \"text\": found null, expected a text");
}

// A name that is in no row is a mistake, not a column without values.
TEST(Sparse, AskedForItIsThereOnce) {
  const std::string rows = "{\"text\": \"a\", \"x\": 1}\n{\"text\": \"b\", \"h\": \"T\"}\n";
  EXPECT_EQ(titles(rows, "t.jsonl", titled(true, {{"title", "h"}})), (Texts{"", "T"}));
  EXPECT_EQ(
      error_of(rows, "t.jsonl", titled(true, {{"title", "hh"}})),
      "t.jsonl: no column \"hh\" for \"title\" in any row, the columns of the first are \"text\", \"x\"");
  EXPECT_EQ(error_of("text\na\n", "t.tsv", titled(true, {{"title", "hh"}})),
            "t.tsv:1: no column \"hh\" for \"title\", the columns are \"text\"");
}

TEST(EmptyTexts, AreCountedAndTheFirstIsNamed) {
  const ReadOptions options{{{"anchor"}, {"positive"}, {"note"}}, {}};
  const auto about = [&](const std::string& rows) {
    const Table table = parse_table("anchor,positive,note\n" + rows, "t.csv", options);
    return about_empty_texts(table, Texts{"anchor", "positive"});
  };
  EXPECT_EQ(about("a,b,\nc,d,\n"), "");
  EXPECT_EQ(about("a,b,x\nc,,x\n"), "1 of 2 rows has an empty text, t.csv:3: column \"positive\"");
  EXPECT_EQ(about("a,b,x\n,,\n,,\n \t,\xC2\xA0,\n"),
            "3 of 4 rows have an empty text, the first: t.csv:3: column \"anchor\"");
  Table both = parse_table("anchor,positive,note\na,b,\n", "t.csv", options);
  both.append(parse_table(R"({"anchor": "a", "positive": " ", "note": ""})", "u.jsonl", options));
  EXPECT_EQ(about_empty_texts(both, Texts{"anchor", "positive"}),
            "1 of 2 rows has an empty text, u.jsonl:1: column \"positive\"");
}

TEST(EmptyTexts, AreThoseWithNothingToSee) {
  for (const char* blank : {"", " ", "\t\r\n\v\f", "\xC2\xA0", "\xC2\xAD", "\xE2\x80\x8B", "\xE3\x80\x80",
                            "\xEF\xBB\xBF \xE1\x9A\x80", "\x01\x7F\xC2\x85"})
    EXPECT_TRUE(hone::text::only_blanks(blank)) << blank;
  for (const char* seen :
       {"a", " .", "\xCC\x81", "\xE4\xB8\xAD", " \xF0\x9F\x98\x80", "\xC2\xA1", "\xEF\xBC\x8C"})
    EXPECT_FALSE(hone::text::only_blanks(seen)) << seen;
}
