// A table in two halves: every value, line and file stays with its row.
#include <string>
#include <vector>

#include "tests/data/table.h"

using namespace hone::data;
using namespace hone::testing;
using Texts = std::vector<std::string>;

namespace {

Table three_files() {
  const ReadOptions all{{{"text"}, {"score", ColumnKind::number, false}, {"v", ColumnKind::vector, false}},
                        {}};
  Table table = parse_table("text\tscore\tv\na\t1\t1 2\n\nb\t2\t3 4\n", "a.tsv", all);
  table.append(parse_table("text,score,v\nc,3,5 6\n", "b.csv", all));
  table.append(parse_table("text,score,v\nd,4,7 8\ne,5,9 10\n", "c.csv", all));
  return table;
}

}  // namespace

TEST(Take, SplitsEveryColumn) {
  Table table = three_files();
  const Table taken = table.take({false, true, false, true, false});
  EXPECT_EQ(table.rows, 3U);
  EXPECT_EQ(table.text("text"), (Texts{"a", "c", "e"}));
  EXPECT_EQ(table.number("score"), (std::vector<double>{1, 3, 5}));
  EXPECT_EQ(table.vector("v").values, (std::vector<float>{1, 2, 5, 6, 9, 10}));
  EXPECT_EQ(taken.rows, 2U);
  EXPECT_EQ(taken.text("text"), (Texts{"b", "d"}));
  EXPECT_EQ(taken.number("score"), (std::vector<double>{2, 4}));
  EXPECT_EQ(taken.vector("v").values, (std::vector<float>{3, 4, 7, 8}));
  EXPECT_EQ(taken.vector("v").width, 2U);
}

TEST(Take, EveryRowKnowsItsFileLineAndPlace) {
  Table table = three_files();
  const Table taken = table.take({true, true, false, false, true});
  EXPECT_EQ(table.where(0), "b.csv:2");
  EXPECT_EQ(table.where(1), "c.csv:2");
  EXPECT_EQ(table.where(1, "score"), "c.csv:2: column \"score\"");
  EXPECT_EQ(taken.where(1), "a.tsv:4");
  EXPECT_EQ(taken.where(2), "c.csv:3");
  EXPECT_EQ(table.source(), taken.source());
  EXPECT_EQ(table.origin(1), 3U);
  EXPECT_EQ(taken.origin(2), 4U);
  EXPECT_EQ(three_files().origin(3), 3U);
}

TEST(Take, OfAHalfKnowsThePlaceInTheWhole) {
  Table table = three_files();
  table.take({true, false, false, true, false});
  const Table taken = table.take({false, true, true});
  EXPECT_EQ(table.origins, (std::vector<uint32_t>{1}));
  EXPECT_EQ(taken.origins, (std::vector<uint32_t>{2, 4}));
}

TEST(Take, HalvesAreOtherDataThanTheWholeAndThanEachOther) {
  const Table whole = three_files();
  Table one = three_files(), other = three_files();
  const Table taken = one.take({true, false, false, false, false});
  const Table another = other.take({false, true, false, false, false});
  for (const uint64_t hash : {one.content_hash, taken.content_hash}) EXPECT_NE(hash, whole.content_hash);
  EXPECT_NE(one.content_hash, taken.content_hash);
  EXPECT_NE(one.content_hash, other.content_hash);
  EXPECT_NE(taken.content_hash, another.content_hash);
  Table again = three_files();
  EXPECT_EQ(again.take({true, false, false, false, false}).content_hash, taken.content_hash);
  EXPECT_EQ(again.content_hash, one.content_hash);
}
