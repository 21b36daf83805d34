// Rows that come by blocks are those of a table: numbers of texts, ids, labels, groups, places, hash.
#include "train/train_rows.h"

#include <gtest/gtest.h>

#include <unordered_map>

#include "tests/base/temp_folder.h"
#include "tests/train/small_run.h"
#include "train/data_roles.h"
#include "train/text_numbers.h"
#include "train/train_data.h"

namespace hone::train {
namespace {

using testing::message_of;
using testing::TempFolder;

class Rows : public ::testing::Test {
 protected:
  std::vector<std::filesystem::path> paths(const std::vector<std::string>& names) const {
    std::vector<std::filesystem::path> all;
    for (const std::string& name : names) all.push_back(folder / name);
    return all;
  }
  TrainData by_blocks(const std::vector<std::string>& names, const std::string& loss,
                      const std::map<std::string, std::string>& columns = {},
                      size_t most_id_bytes = SIZE_MAX) {
    FileRows rows(paths(names), loss, columns);
    return {rows, loss::find_loss(loss), 0, *model, *engine, encode::PromptUse::none, most_id_bytes};
  }
  TrainData whole(const std::vector<std::string>& names, const std::string& loss,
                  const std::map<std::string, std::string>& columns = {}) {
    std::optional<data::Table> all;
    for (const auto& file : paths(names)) {
      data::Table table =
          data::read_table(file, roles_of(loss::find_loss(loss), data::column_names(file), columns));
      all ? all->append(std::move(table)) : static_cast<void>(all = std::move(table));
    }
    return {std::move(*all), loss::find_loss(loss), 0, *model, *engine};
  }
  TempFolder folder;
  std::shared_ptr<const model::SentenceModel> model = model::load_model(testing::kModels / "mean-gelu");
  std::shared_ptr<compute::Engine> engine = compute::test_engine(2);
};

void expect_same(const TrainData& found, const TrainData& expected) {
  ASSERT_EQ(found.rows(), expected.rows());
  ASSERT_EQ(found.texts(), expected.texts());
  EXPECT_EQ(found.role_names(), expected.role_names());
  EXPECT_EQ(found.groups(), expected.groups());
  EXPECT_EQ(found.label_width(), expected.label_width());
  EXPECT_EQ(found.label_scale(), expected.label_scale());
  EXPECT_EQ(found.table().content_hash, expected.table().content_hash);
  EXPECT_EQ(found.table().source(), expected.table().source());
  std::vector<int32_t> scratch, other;
  for (uint32_t row = 0; row < found.rows(); ++row) {
    for (int64_t role = 0; role < found.roles(); ++role)
      ASSERT_EQ(found.text(role, row), expected.text(role, row)) << row;
    ASSERT_EQ(found.tokens(row), expected.tokens(row)) << row;
    if (found.label_width() > 0) {
      ASSERT_TRUE(
          std::equal(found.labels(row), found.labels(row) + found.label_width(), expected.labels(row)));
    }
    ASSERT_EQ(found.table().where(row), expected.table().where(row));
  }
  for (uint32_t text = 0; text < found.texts(); ++text) {
    const auto left = found.ids().read(text, scratch), right = expected.ids().read(text, other);
    ASSERT_TRUE(std::equal(left.begin(), left.end(), right.begin(), right.end())) << text;
  }
}

// Anchors and positives repeat within blocks and across them; some texts stand in both columns.
std::string pair_rows(int count, int first) {
  std::string rows = "anchor\tpositive\tid\n";
  for (int i = first; i < first + count; ++i) {
    const int n = i * 7919 % 50021;
    rows += "text " + std::to_string(n % 20011) + "\ttext " + std::to_string(n % 31013) + "\t" +
            (i % 5 == 0 ? "" : std::to_string(n % 1009)) + "\n";
  }
  return rows;
}

TEST_F(Rows, blocks_are_the_table) {
  folder.write("a.tsv", pair_rows(70'000, 0));
  folder.write("b.tsv", pair_rows(33'000, 1000));
  const std::map<std::string, std::string> columns{{"id", "id"}};
  const TrainData expected = whole({"a.tsv", "b.tsv"}, "mnr", columns);
  ASSERT_EQ(expected.rows(), 103'000);
  expect_same(by_blocks({"a.tsv", "b.tsv"}, "mnr", columns), expected);
  const TrainData in_file = by_blocks({"a.tsv", "b.tsv"}, "mnr", columns, 1000);
  EXPECT_TRUE(in_file.ids().in_file());
  expect_same(in_file, expected);
}

TEST_F(Rows, labels_and_vectors_are_those_of_the_table) {
  std::string scored = "sentence1\tsentence2\tscore\n", taught = "text\tvector\n";
  for (int i = 0; i < 33'000; ++i) {
    scored += "a" + std::to_string(i % 99) + "\tb\t" + std::to_string(i % 6) + "\n";
    taught += "a" + std::to_string(i % 99) + "\t" + std::to_string(i) + " 0.5\n";
  }
  folder.write("scored.tsv", scored);
  folder.write("taught.tsv", taught);
  for (const auto& [file, loss] :
       {std::pair<std::string, std::string>{"scored.tsv", "cosine"}, {"taught.tsv", "mse"}})
    expect_same(by_blocks({file, file}, loss), whole({file, file}, loss));
}

TEST_F(Rows, the_loss_is_chosen_by_the_first_file) {
  folder.write("a.tsv", "sentence1\tsentence2\tscore\na\tb\t0.5\n");
  FileRows rows(paths({"a.tsv"}), "", {});
  EXPECT_TRUE(rows.block().has("score"));
  EXPECT_FALSE(rows.next());
}

TEST_F(Rows, what_is_wrong_is_named_by_its_place) {
  std::string scored = "sentence1\tsentence2\tscore\n";
  for (int i = 0; i < 40'000; ++i) scored += "a\tb\t1\n";
  folder.write("good.tsv", scored);
  folder.write("label.tsv", scored + "a\tb\t7\n");
  folder.write("row.tsv", scored + "a\tb\thigh\n");
  folder.write("empty.tsv", "sentence1\tsentence2\tscore\n");
  folder.write("pairs.tsv", "sentence1\tsentence2\na\tb\n");
  auto message = [&](const std::string& name) {
    return message_of([&] { by_blocks({"good.tsv", name}, "contrastive"); });
  };
  const std::string at = folder.path().string() + "/";
  EXPECT_EQ(message("label.tsv"), at + "label.tsv:40002: column \"score\": found 7, expected 0 or 1");
  EXPECT_EQ(message("row.tsv"),
            at + "row.tsv:40002: column \"score\": found \"high\", expected a finite number");
  EXPECT_EQ(message("empty.tsv"), at + "empty.tsv: has no rows");
  EXPECT_NE(message("pairs.tsv").find("pairs.tsv:1: no column \"score\""), std::string::npos);
  EXPECT_NE(message("none.tsv").find("none.tsv"), std::string::npos);
}

TEST(TextNumbers, equal_texts_have_the_same_number) {
  TextNumbers numbers;
  std::unordered_map<std::string, uint32_t> expected;
  for (uint64_t i = 0; i < 300'000; ++i) {
    const std::string text = std::to_string(i * i % 100'003);
    const uint32_t number = expected.try_emplace(text, static_cast<uint32_t>(expected.size())).first->second;
    ASSERT_EQ(numbers.of(text), number) << text;
    ASSERT_EQ(numbers.size(), expected.size());
  }
  EXPECT_EQ(numbers.of(""), expected.size());
}

}  // namespace
}  // namespace hone::train
