// What is said of data before the first step: counts as they are, warnings where they are due and only there.
#include "train/preflight.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/train/small_data.h"

namespace hone::train {
namespace {

using testing::data_of;
using Lines = std::vector<std::string>;

constexpr int32_t kLength = 32;  // of the model that tokenizes

Preflight look(const std::string& content, const std::string& loss, int64_t batch_size = 4,
               int32_t max_tokens = kLength, const std::string& columns = "") {
  return look_at(data_of(content, loss, columns), loss::find_loss(loss), batch_size, max_tokens);
}

// Rows "a I, b I" of which the first `repeated` are all the same.
std::string pairs_of(int rows, int repeated = 0) {
  std::string content = "anchor\tpositive\n";
  for (int i = 0; i < rows; ++i)
    content += cat("a ", std::max(i, repeated), "\tb ", std::max(i, repeated), "\n");
  return content;
}

std::string scored_rows(const std::vector<double>& scores) {
  std::string content = "sentence1\tsentence2\tscore\n";
  for (size_t i = 0; i < scores.size(); ++i) content += cat("a ", i, "\tb ", i, "\t", scores[i], "\n");
  return content;
}

TEST(Preflight, counts_rows_texts_and_what_is_distinct) {
  const Preflight p =
      look("anchor\tpositive\tnegative\na\tb\tc\na\tb\tc\na\tb\td\na\te\tc\nf\te\ta\n", "mnr", 2);
  EXPECT_EQ(p.rows, 5);
  EXPECT_EQ(p.repeated_rows, 1) << "equal in all three texts";
  EXPECT_EQ(p.distinct_anchors, 2);
  EXPECT_EQ(p.distinct_positives, 2);
  EXPECT_EQ(p.texts, 6);
  EXPECT_FALSE(p.labelled);
  // The same texts in other places are another row.
  EXPECT_EQ(look("anchor\tpositive\na\tb\nb\ta\n", "mnr", 2).repeated_rows, 0);
}

TEST(Preflight, counts_tokens_and_the_texts_that_reach_the_limit) {
  std::string content = "text\tvector\n";
  std::vector<size_t> lengths;
  const std::string sentence =
      "rain and wind and snow and sun and rain and wind and snow and sun and rain and wind ";
  for (int words : {1, 2, 3, 4, 5}) content += sentence.substr(0, static_cast<size_t>(5 * words)) + "\t1\n";
  content += sentence + sentence + "\t1\n" + sentence + sentence + sentence + "\t1\n";
  const TrainData data = data_of(content, "mse");
  for (uint32_t text = 0; text < data.texts(); ++text) lengths.push_back(data.ids().length(text));
  std::sort(lengths.begin(), lengths.end());
  ASSERT_EQ(lengths.size(), 7U);
  ASSERT_EQ(lengths[6], 32U) << "the model cuts here";
  const Preflight p = look_at(data, loss::find_loss("mse"), 4, kLength);
  EXPECT_EQ(p.longest_tokens, 32);
  EXPECT_EQ(p.median_tokens, static_cast<int64_t>(lengths[3]));
  EXPECT_EQ(p.cut_texts, std::count(lengths.begin(), lengths.end(), 32U));
  EXPECT_EQ(p.cut_texts, 2);
  EXPECT_EQ(p.max_tokens, kLength);
}

TEST(Preflight, labels_are_told_as_they_are_trained_on) {
  const Preflight p = look(scored_rows({0, 2.5, 5, 1}), "cosine");
  EXPECT_TRUE(p.labelled);
  EXPECT_EQ(p.lowest_label, 0);
  EXPECT_EQ(p.highest_label, 1) << "divided by 5";
  const Lines lines = p.lines();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "labels: from 0 to 1"), 1);
  for (const std::string& line : look(pairs_of(5), "mnr").lines()) EXPECT_FALSE(line.starts_with("labels"));
}

TEST(Preflight, good_data_have_one_line_and_no_warning) {
  const Preflight p = look(pairs_of(40), "mnr");
  const std::string lengths = cat(p.median_tokens, " tokens (median), the longest ", p.longest_tokens);
  EXPECT_EQ(p.lines(),
            Lines{cat("data: 40 rows, 0 of them repeated, 40 different positives of 40 anchors; 80 ",
                      "different texts of ", lengths, ", 0 reach the limit of 32")});
  for (const std::vector<double>& scores :
       {std::vector<double>{0, 0.5, 1}, {-1, 1}, {0, 3, 5}, {0, 1, 0.25}, {0, 2, 2.5}})
    EXPECT_EQ(look(scored_rows(scores), "cosine").warnings, Lines());
}

TEST(Preflight, labels_that_look_like_classes_are_warned_of) {
  for (const std::vector<double>& scores : {std::vector<double>{0, 1, 2}, {1, 2}, {0, 1, 2, 3}}) {
    const double most = *std::max_element(scores.begin(), scores.end());
    EXPECT_EQ(look(scored_rows(scores), "cosine").warnings,
              Lines{cat("all labels are whole numbers from 0 to ", most,
                        ": if they are classes, the loss softmax is made for such; cosine takes them for "
                        "similarities, divided by 5")});
    EXPECT_EQ(look(scored_rows(scores), "cosent").warnings, Lines()) << "an order is an order";
  }
}

TEST(Preflight, says_the_range_of_a_teachers_scores) {
  const Preflight p =
      look("anchor\tpositive\tnegative\tscores\na\tb\tc\t0.9 -0.25\nd\te\tf\t0.5 0.1\n", "kl");
  const Lines lines = p.lines();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "labels: from -0.25 to 0.9"), 1);
}

TEST(Preflight, is_an_object_for_programs) {
  const nlohmann::ordered_json j = look(pairs_of(40, 10), "mnr").json();
  EXPECT_EQ(j.at("rows"), 40);
  EXPECT_EQ(j.at("repeated_rows"), 10);
  EXPECT_EQ(j.at("different_positives"), 30);
  EXPECT_EQ(j.at("different_anchors"), 30);
  EXPECT_EQ(j.at("max_tokens"), kLength);
  EXPECT_FALSE(j.contains("labels"));
  EXPECT_EQ(look(scored_rows({0, 2.5, 5}), "cosine").json().at("labels"), (nlohmann::ordered_json{0, 1}));
}

TEST(Preflight, warnings_come_among_the_lines) {
  const Preflight p = look(pairs_of(40, 10), "mnr");
  ASSERT_EQ(p.warnings.size(), 1U);
  EXPECT_EQ(p.lines().back(), "warning: " + p.warnings[0]);
}

TEST(Preflight, repeated_rows_are_warned_of_above_a_twentieth) {
  for (int rows : {20, 40, 99}) {
    EXPECT_EQ(look(pairs_of(rows, rows / 20), "mnr").warnings, Lines()) << rows;
    EXPECT_EQ(look(pairs_of(rows, rows / 20 + 1), "mnr").warnings,
              Lines{cat(rows / 20 + 1, " of ", rows, " rows repeat an earlier one")});
  }
}

TEST(Preflight, a_batch_of_more_rows_than_there_are_positives_is_warned_of) {
  std::string content = "anchor\tpositive\n";
  for (int i = 0; i < 30; ++i) content += cat("a ", i, "\tb ", i % 7, "\n");
  EXPECT_EQ(look(content, "mnr", 7).warnings, Lines());
  EXPECT_EQ(look(content, "mnr", 8).warnings,
            Lines{"the batch of 8 has more rows than there are different "
                  "positives (7): many rows of a batch then share a positive, and such rows are not each "
                  "other's negatives"});
  // A batch cannot have more rows than there are.
  EXPECT_EQ(look(content, "mnr", 1000).warnings[0].substr(0, 24), "the batch of 30 has more");
  EXPECT_EQ(look(pairs_of(5), "mnr", 32).warnings, Lines());
  // A loss that looks at each row alone does not mind.
  content = "anchor\tpositive\tnegative\n";
  for (int i = 0; i < 30; ++i) content += cat("a ", i, "\tb ", i % 7, "\tc ", i, "\n");
  EXPECT_EQ(look(content, "triplet", 32).warnings, Lines());
}

TEST(Preflight, batches_without_negatives_are_warned_of) {
  const std::string nothing = " has no negatives: the loss mnr learns nothing from it";
  EXPECT_EQ(look(pairs_of(5), "mnr", 1).warnings, Lines{"a batch of one row" + nothing});
  EXPECT_EQ(look(pairs_of(1), "mnr", 8).warnings, Lines{"a batch of one row" + nothing});
  const std::string head = "anchor\tpositive\tid\n";
  EXPECT_EQ(look(head + "a\tb\t1\nc\td\t1\n", "mnr", 4, kLength, "id=id").warnings,
            Lines{"a batch of rows that all have the same id" + nothing});
  EXPECT_EQ(look(head + "a\tb\t1\nc\td\t2\n", "mnr", 4, kLength, "id=id").warnings, Lines());
  // Hard negatives are some.
  EXPECT_EQ(look("anchor\tpositive\tnegative\na\tb\tc\nd\te\tf\n", "mnr", 1).warnings, Lines());
  EXPECT_EQ(look("anchor\tpositive\tnegative\na\tb\tc\nd\te\tf\n", "triplet", 1).warnings, Lines());
}

TEST(Preflight, ids_that_do_nothing_are_warned_of) {
  const std::string rows = "anchor\tpositive\tnegative\tid\na\tb\tc\t1\nd\te\tf\t2\n";
  EXPECT_EQ(
      look(rows, "triplet", 2, kLength, "id=id").warnings,
      Lines{"ids of rows are read (id=NAME in --columns), but do nothing: the loss triplet does not compare "
            "rows with each other"});
  EXPECT_EQ(look(rows, "triplet", 2).warnings, Lines());
  EXPECT_EQ(look(rows, "mnr", 2, kLength, "id=id").warnings, Lines());
}

TEST(Preflight, classes_that_are_not_there_are_warned_of) {
  auto classes = [](const std::vector<int>& labels) {
    std::string content = "sentence1\tsentence2\tscore\n";
    for (size_t i = 0; i < labels.size(); ++i) content += cat("a ", i, "\tb ", i, "\t", labels[i], "\n");
    return look(content, "softmax").warnings;
  };
  EXPECT_EQ(classes({0, 1, 2, 1}), Lines());
  EXPECT_EQ(classes({0, 1, 2, 5}), Lines()) << "one or two may be missing from a sample";
  EXPECT_EQ(
      classes({0, 1, 2, 99999}),
      Lines{"the largest label is 99999, but only 4 different ones are there: each number up to it is a "
            "class with weights of its own"});
}

TEST(Preflight, rows_of_one_text_are_warned_of) {
  EXPECT_EQ(look("anchor\tpositive\na\ta\nb\tb\nc\td\n", "mnr", 2).warnings,
            Lines{"2 rows have the same text twice"});
  EXPECT_EQ(look("text\tvector\na\t1\nb\t2\nc\t2\n", "mse").warnings, Lines());
}

TEST(Preflight, texts_that_are_cut_are_warned_of_above_a_twentieth) {
  auto texts = [](int count, int cut) {
    std::string content = "text\tvector\n";
    for (int i = 0; i < count; ++i) {
      content += cat("number ", i);
      for (int k = 0; i < cut && k < 40; ++k) content += " rain";
      content += "\t1 2\n";
    }
    return content;
  };
  EXPECT_EQ(look(texts(40, 2), "mse").warnings, Lines());
  EXPECT_EQ(
      look(texts(40, 3), "mse").warnings,
      Lines{"3 of 40 texts reach 32 tokens, where they are cut (--max-seq-length sets another length)"});
}

TEST(Preflight, labels_that_tell_nothing_apart_are_warned_of) {
  EXPECT_EQ(look(scored_rows({0.5, 0.5, 0.5}), "cosine").warnings,
            Lines{"all labels are 0.5: there is nothing to tell apart"});
  EXPECT_EQ(look(scored_rows({1, 1}), "contrastive").warnings,
            Lines{"all labels are 1: there is nothing to tell apart"});
}

TEST(Preflight, binary_labels_are_warned_of_where_the_loss_is_for_scores) {
  const Lines expected{"all labels are 0 or 1: the loss online-contrastive is made for such"};
  EXPECT_EQ(look(scored_rows({0, 1, 1, 0}), "cosine").warnings, expected);
  EXPECT_EQ(look(scored_rows({0, 1, 0.5}), "cosine").warnings, Lines());
  EXPECT_EQ(look(scored_rows({-1, 1, -1}), "cosine").warnings, Lines());
  EXPECT_EQ(look(scored_rows({0, 1, 1, 0}), "contrastive").warnings, Lines());
}

}  // namespace
}  // namespace hone::train
