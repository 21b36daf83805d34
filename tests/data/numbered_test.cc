// Numbered roles: "negative" with negative_1, negative_2, ...
#include <string>
#include <vector>

#include "data/columns.h"
#include "tests/data/table.h"

using namespace hone::data;
using namespace hone::testing;
using Texts = std::vector<std::string>;

namespace {

ReadOptions numbered_options(bool required = true) {
  return {{{"anchor"}, {"negative", ColumnKind::text, required, {}, true}}, {}};
}

Table read(const std::string& header, const std::string& row, const ReadOptions& options) {
  return parse_table(header + "\n" + row + "\n", "t.csv", options);
}

}  // namespace

TEST(Numbered, ColumnsAreRolesInTheOrderOfTheirNumbers) {
  const Table table =
      read("negative_10,anchor,negative_2,negative,other", "n10,a,n2,n,x", numbered_options());
  EXPECT_EQ(table.numbered("negative"), (Texts{"negative", "negative_2", "negative_10"}));
  EXPECT_EQ(table.text("negative"), Texts{"n"});
  EXPECT_EQ(table.text("negative_2"), Texts{"n2"});
  EXPECT_EQ(table.text("negative_10"), Texts{"n10"});
  EXPECT_EQ(table.columns.at("negative_10"), "negative_10");
  EXPECT_EQ(table.texts.size(), 4U);
}

TEST(Numbered, AreWrittenWithAndWithoutALine) {
  const Table table =
      read("anchor,negative1,negative_3,negative02,negative_0", "a,n1,n3,n2,n0", numbered_options());
  EXPECT_EQ(table.numbered("negative"), (Texts{"negative_0", "negative_1", "negative_2", "negative_3"}));
  EXPECT_EQ(table.text("negative_1"), Texts{"n1"});
  EXPECT_EQ(table.columns.at("negative_1"), "negative1");
  EXPECT_EQ(table.text("negative_2"), Texts{"n2"});
}

TEST(Numbered, OtherNamesAreNoNumbers) {
  const Table table = read(
      "anchor,negative,negative_,negative_x,negative_1x,negatives,negative-1,negative_1234567890,"
      "xnegative_1,Negative_1,negative__1",
      "a,n,,,,,,,,,", numbered_options());
  EXPECT_EQ(table.numbered("negative"), Texts{"negative"});
}

TEST(Numbered, OneOfTheFamilyIsRequired) {
  EXPECT_EQ(read("anchor,negative_7", "a,n", numbered_options()).numbered("negative"), Texts{"negative_7"});
  EXPECT_EQ(error_of("anchor,other\na,b\n", "t.csv", numbered_options()),
            "t.csv:1: no column \"negative\", \"negative_1\", ..., the columns are \"anchor\", \"other\" "
            "(--columns negative=NAME names another)");
  const Table none = read("anchor,other", "a,b", numbered_options(false));
  EXPECT_TRUE(none.numbered("negative").empty());
}

TEST(Numbered, TheSameNumberTwiceIsAnError) {
  EXPECT_EQ(error_of("anchor,negative_1,negative1\na,b,c\n", "t.csv", numbered_options()),
            "t.csv:1: columns \"negative_1\" and \"negative1\" are both the role \"negative_1\", expected "
            "one of them");
  EXPECT_EQ(
      error_of("anchor\tnegative_01\tnegative_1\na\tb\tc\n", "t.tsv", numbered_options()),
      "t.tsv:1: columns \"negative_01\" and \"negative_1\" are both the role \"negative_1\", expected one of "
      "them");
  EXPECT_EQ(error_of("anchor,negative_1,negative_1\na,b,c\n", "t.csv", numbered_options()),
            "t.csv:1: column \"negative_1\" is there twice");
  EXPECT_EQ(
      error_of("{\"anchor\": \"a\", \"negative_1\": \"b\", \"negative1\": \"c\"}", "t.jsonl",
               numbered_options()),
      "t.jsonl:1: columns \"negative_1\" and \"negative1\" are both the role \"negative_1\", expected one of "
      "them");
}

TEST(Numbered, AMapNamesTheirColumns) {
  ReadOptions options = numbered_options();
  options.columns = {{"negative_2", "hard"}};
  const Table table = read("anchor,hard,negative_1,negative_2", "a,h,n1,n2", options);
  EXPECT_EQ(table.numbered("negative"), (Texts{"negative_1", "negative_2"}));
  EXPECT_EQ(table.text("negative_2"), Texts{"h"}) << "the column that is named so is not read then";
  EXPECT_EQ(read("anchor,hard", "a,h", options).numbered("negative"), Texts{"negative_2"}) << "one suffices";
  EXPECT_EQ(error_of("anchor,negative_1\na,b\n", "t.csv", options),
            "t.csv:1: no column \"hard\" for \"negative_2\", the columns are \"anchor\", \"negative_1\"");
  options.columns = {{"negative", "hard"}};
  EXPECT_EQ(read("anchor,hard,negative", "a,h,n", options).text("negative"), Texts{"h"});
}

TEST(Numbered, AColumnThatTheMapNamesIsNotTakenTwice) {
  ReadOptions options = numbered_options();
  options.columns = {{"negative_5", "negative_1"}};
  EXPECT_EQ(read("anchor,negative_1", "a,n1", options).numbered("negative"), Texts{"negative_5"});
  options.columns = {{"negative_1", "negative"}};
  EXPECT_EQ(read("anchor,negative", "a,n", options).numbered("negative"), Texts{"negative_1"});
  options.columns = {{"anchor", "negative_1"}};
  EXPECT_EQ(read("negative_1,negative_2", "a,n", options).numbered("negative"), Texts{"negative_2"});
  const Table rows =
      parse_table("{\"negative\": \"n\", \"anchor\": \"a\"}\n{\"negative\": \"m\", \"anchor\": \"b\"}",
                  "t.jsonl", {options.roles, {{"negative_1", "negative"}}});
  EXPECT_EQ(rows.text("negative_1"), (Texts{"n", "m"}));
}

TEST(Numbered, OnlyTheirOwnSpellingIsMapped) {
  ReadOptions options = numbered_options();
  options.columns = {{"negative2", "hard"}};
  EXPECT_EQ(error_of("anchor,hard\na,b\n", "t.csv", options),
            "t.csv: column \"hard\" is given the role \"negative2\", which is not read here");
  options.columns = {{"anchor_1", "hard"}};
  EXPECT_EQ(error_of("anchor,hard\na,b\n", "t.csv", options),
            "t.csv: column \"hard\" is given the role \"anchor_1\", which is not read here");
}

TEST(Numbered, ALaterRowBringsNoneThatTheFirstLacks) {
  const std::string first = "{\"anchor\": \"a\", \"negative_1\": \"n\"}\n";
  for (const char* name : {"negative_2", "negative", "negative1", "negative_01"}) {
    const std::string row =
        std::string("{\"anchor\": \"a\", \"negative_1\": \"n\", \"") + name + "\": \"m\"}";
    EXPECT_EQ(
        error_of(first + row, "t.jsonl", numbered_options()),
        std::string("t.jsonl:2: column \"") + name + "\" (negative) is in this row but not in the first one");
  }
  EXPECT_EQ(error_of(first + "{\"anchor\": \"a\"}", "t.jsonl", numbered_options()),
            "t.jsonl:2: no column \"negative_1\", the columns of this row are \"anchor\"");
  EXPECT_EQ(parse_table(first + first, "t.jsonl", numbered_options()).rows, 2U);
}

TEST(Numbered, AnyKindMayBe) {
  const ReadOptions options{
      {{"embedding", ColumnKind::vector, true, {}, true}, {"score", ColumnKind::number, true, {}, true}}, {}};
  const Table table = parse_table("embedding_1\tembedding_2\tscore1\n1 2\t3\t4\n", "t.tsv", options);
  EXPECT_EQ(table.numbered("embedding"), (Texts{"embedding_1", "embedding_2"}));
  EXPECT_EQ(table.vector("embedding_1").width, 2U);
  EXPECT_EQ(table.vector("embedding_2").width, 1U);
  EXPECT_EQ(table.number("score_1"), std::vector<double>{4});
}

TEST(Numbered, AsManyAsThereMayBeColumns) {
  std::string header = "anchor", row = "a";
  for (size_t i = 1; i < kMostColumns; ++i) {
    header += ",negative_" + std::to_string(i);
    row += ",n";
  }
  EXPECT_EQ(read(header, row, numbered_options()).numbered("negative").size(), kMostColumns - 1);
  EXPECT_EQ(error_of(header + ",negative\n" + row + ",n\n", "t.csv", numbered_options()),
            "t.csv:1: found more than 10000 columns");
}

TEST(Numbered, ColumnsOptionKnowsThem) {
  using Map = std::map<std::string, std::string>;
  const std::vector<RoleRequest> roles = numbered_options().roles;
  EXPECT_EQ(parse_columns("negative_2=hard,anchor=q,negative=n", roles),
            (Map{{"negative_2", "hard"}, {"anchor", "q"}, {"negative", "n"}}));
  EXPECT_EQ(parse_columns("negative7=hard", roles), (Map{{"negative_7", "hard"}}));
  const auto error = [&](const char* text) {
    try {
      parse_columns(text, roles);
    } catch (const hone::UsageError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(error("anchor_1=x"),
            "--columns: no role \"anchor_1\" here, the roles are anchor, negative, negative_1, "
            "negative_2, ...; did you mean anchor?");
  EXPECT_EQ(error("negative_1=x,negative1=y"), "--columns: role \"negative_1\" is there twice");
}
