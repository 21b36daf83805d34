#include "train/pair_data.h"

#include <gtest/gtest.h>

#include "tests/train/small_run.h"

namespace hone::train {
namespace {

using testing::message_of;

data::Table scored(std::vector<double> scores, const std::string& column = "score") {
  std::string content = cat("sentence1\tsentence2\t", column, "\n");
  for (double s : scores) content += cat("a\tb\t", s, "\n");
  return data::parse_table(content, "x.tsv",
                           column == "grade" ? pair_roles({{"score", "grade"}}) : pair_roles({}));
}

TEST(LabelScale, is_read_off_the_data) {
  EXPECT_EQ(read_label_scale(scored({0, 0.5, 1})), 1);
  EXPECT_EQ(read_label_scale(scored({-1, 1})), 1);
  EXPECT_EQ(read_label_scale(scored({0, 3.2, 5})), 5);
  EXPECT_EQ(read_label_scale(scored({2, 3})), 5);
  for (auto scores : {std::vector<double>{0, 100}, {-2, 3}, {-0.5, 5}}) {
    EXPECT_NE(message_of([&] { read_label_scale(scored(scores)); }).find("--label-scale"), std::string::npos);
  }
}

TEST(PairData, errors_name_the_column_as_the_file_does) {
  const auto model = model::load_model(testing::kModels / "mean-gelu");
  auto engine = compute::test_engine(1);
  for (const std::string column : {"score", "label", "grade"}) {
    EXPECT_EQ(message_of([&] {
                read_label_scale(scored({0, 100}, column));
              }),
              cat("x.tsv: column \"", column,
                  "\": found values from 0 to 100, expected -1 to 1 or 0 to 5 (--label-scale X divides by "
                  "another X)"));
    EXPECT_EQ(
        message_of([&] {
          PairData(scored({0, 5, 5.5}, column), *model, *engine, 5);
        }),
        cat("x.tsv:4: column \"", column, "\": found 5.5, expected -5 to 5, as labels are divided by 5"));
  }
}

}  // namespace
}  // namespace hone::train
