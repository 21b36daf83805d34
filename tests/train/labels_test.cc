// Labels that a loss cannot use, of every kind of labels: named by file, row and column before step 1.
#include <gtest/gtest.h>

#include "tests/train/small_data.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using loss::Labels;
using testing::data_of;
using testing::message_of;
using testing::table_of;

// A loss and what its label may be and what not, as text in a TSV file.
struct LabelCase {
  Labels kind;
  std::vector<std::string> good, bad;
  std::string expected;  // of a bad one
};

std::vector<LabelCase> label_cases() {
  return {
      {Labels::similarity,
       {"-1", "0", "0.5", "1"},
       {"1.001", "-1.5", "7"},
       "expected -1 to 1, as labels are divided by 1"},
      {Labels::order, {"-1000", "0", "1e30"}, {}, ""},
      {Labels::binary, {"0", "1", "1.0", "-0"}, {"0.5", "2", "-1", "1e-9"}, "expected 0 or 1"},
      {Labels::classes,
       {"0", "1", "2.0", "99999"},
       {"-1", "0.5", "100000", "1e300"},
       "expected the number of a class: 0 to 99999"},
      {Labels::teacher_scores, {"-3 1", "0 1", "1e30 1"}, {"1", "1 2 3"}, ", expected 2 as in the first row"},
      {Labels::teacher_vector, {"-3", "0", "1e30"}, {"1 2"}, ", expected 1 as in the first row"}};
}

const LabelCase* case_of(Labels kind, const std::vector<LabelCase>& cases) {
  for (const LabelCase& c : cases) {
    if (c.kind == kind) return &c;
  }
  return nullptr;
}

// A file for the loss whose label column is called `name`: rows of these labels.
std::string file_of(const loss::LossInfo& info, const std::string& name,
                    const std::vector<std::string>& labels) {
  std::string content = name;
  for (std::string_view role : info.texts) {
    if (role.ends_with('*') || role.ends_with('+')) role.remove_suffix(1);
    content += cat("\t", role);
  }
  content += "\n";
  for (const std::string& label : labels) {
    content += label;
    for (size_t i = 0; i < info.texts.size(); ++i) content += cat("\ttext ", i);
    content += "\n";
  }
  return content;
}

const char* role_of(Labels kind) {
  return kind == Labels::teacher_scores ? "scores" : kind == Labels::teacher_vector ? "vector" : "score";
}

TEST(Labels, that_a_loss_can_use_are_taken) {
  const auto cases = label_cases();
  for (const loss::LossInfo& info : loss::loss_table()) {
    if (info.labels == Labels::none) continue;
    SCOPED_TRACE(info.name);
    const LabelCase* c = case_of(info.labels, cases);
    ASSERT_NE(c, nullptr) << "a kind of labels without a case";
    const TrainData data =
        data_of(table_of(file_of(info, "score", c->good), info.name, cat(role_of(info.labels), "=score")),
                info.name, 1);
    ASSERT_EQ(data.rows(), static_cast<int64_t>(c->good.size()));
    for (uint32_t row = 0; row < c->good.size(); ++row)
      EXPECT_EQ(data.labels(row)[0], std::stof(c->good[row]));
  }
}

// In the last row of two files: the name, line and column are those of the file the row is in.
TEST(Labels, that_a_loss_cannot_use_are_named_by_file_row_and_column) {
  const auto cases = label_cases();
  int refused = 0;
  for (const loss::LossInfo& info : loss::loss_table()) {
    if (info.labels == Labels::none) continue;
    const LabelCase& c = *case_of(info.labels, cases);
    for (const std::string& bad : c.bad) {
      SCOPED_TRACE(cat(info.name, ": ", bad));
      const std::string columns = cat(role_of(info.labels), "=how alike");
      const std::string message = message_of([&] {
        data::Table all =
            table_of(file_of(info, "how alike", {c.good[0], c.good[1]}), info.name, columns, "a.tsv");
        all.append(table_of(file_of(info, "how alike", {c.good[1], bad}), info.name, columns, "b.tsv"));
        data_of(std::move(all), info.name, 1);
      });
      EXPECT_TRUE(message.starts_with("b.tsv:3: column \"how alike\": found ")) << message;
      EXPECT_TRUE(message.ends_with(c.expected)) << message;
      ++refused;
    }
    for (const char* bad : {"high", "", "nan", "inf", "5 low"}) {
      SCOPED_TRACE(cat(info.name, ": ", bad));
      const std::string message = message_of([&] {
        data_of(file_of(info, role_of(info.labels), {c.good[0], bad}), info.name);
      });
      EXPECT_TRUE(message.starts_with(cat("x.tsv:3: column \"", role_of(info.labels), "\": found ")))
          << message;
      ++refused;
    }
  }
  EXPECT_GT(refused, 50);
}

TEST(Labels, of_rows_are_an_error_that_knows_the_row) {
  try {
    data_of(file_of(loss::find_loss("contrastive"), "score", {"0", "1", "3"}), "contrastive");
    FAIL() << "no error";
  } catch (const RowError& e) {
    EXPECT_EQ(e.row(), 2);
  }
}

Trainer softmax_trainer(const std::vector<std::string>& labels, const std::string& options) {
  TrainOptions o;
  o.loss = "softmax";
  o.loss_options = options;
  return {model::load_model(testing::kModels / "mean-gelu"), compute::test_engine(1),
          table_of(file_of(loss::find_loss("softmax"), "score", labels), "softmax"), nullptr, o};
}

TEST(Labels, of_classes_fit_the_number_of_classes) {
  EXPECT_EQ(message_of([] { softmax_trainer({"0", "2"}, ""); }), "no error");
  EXPECT_EQ(message_of([] { softmax_trainer({"0", "2"}, "classes=3"); }), "no error");
  EXPECT_EQ(message_of([] {
              softmax_trainer({"0", "2"}, "classes=2");
            }),
            "loss-options: classes: 2 found, the largest label is 2");
  EXPECT_EQ(message_of([] {
              softmax_trainer({"0", "0"}, "");
            }),
            "x.tsv: all rows are of class 0, at least two classes expected");
  EXPECT_EQ(message_of([] { softmax_trainer({"0", "0"}, "classes=2"); }), "no error");
}

}  // namespace
}  // namespace hone::train
