// Columns that a loss needs and does not find, for every loss.
#include "train/data_roles.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/train/small_data.h"

namespace hone::train {
namespace {

using testing::data_of;
using testing::message_of;
using testing::table_of;

// Names of columns that serve a loss, each as the loss calls it.
std::vector<std::string> columns_of(const loss::LossInfo& info) {
  std::vector<std::string> names;
  for (std::string_view role : info.texts) {
    if (role.ends_with('*') || role.ends_with('+')) role.remove_suffix(1);
    names.emplace_back(role);
  }
  if (info.labels == loss::Labels::teacher_scores) {
    names.push_back("scores");
  } else if (info.labels == loss::Labels::teacher_vector) {
    names.push_back("vector");
  } else if (info.labels != loss::Labels::none) {
    names.push_back("score");
  }
  return names;
}

bool may_be_absent(const loss::LossInfo& info, const std::string& name) {
  return std::find(info.texts.begin(), info.texts.end(), name + "*") != info.texts.end();
}

// Two rows with these columns: texts, and numbers that any loss can use.
std::string rows_with(const std::vector<std::string>& names) {
  std::string head, rows[2];
  for (const std::string& name : names) {
    head += (head.empty() ? "" : "\t") + name;
    for (size_t r = 0; r < 2; ++r) {
      rows[r] += rows[r].empty() ? "" : "\t";
      if (name == "score") {
        rows[r] += r == 0 ? "0" : "1";
      } else if (name == "scores" || name == "vector") {
        rows[r] += "0.5 0.25";
      } else {
        rows[r] += cat(name, " ", r);
      }
    }
  }
  return head + "\n" + rows[0] + "\n" + rows[1] + "\n";
}

std::vector<std::string> without(std::vector<std::string> names, const std::string& name) {
  std::erase(names, name);
  return names;
}

TEST(Columns, of_every_loss_are_found_in_any_order) {
  for (const loss::LossInfo& info : loss::loss_table()) {
    SCOPED_TRACE(info.name);
    auto names = columns_of(info);
    names.insert(names.begin(), "other");
    names.push_back("number");
    std::reverse(names.begin(), names.end());
    const TrainData data = data_of(rows_with(names), info.name);
    EXPECT_EQ(data.rows(), 2);
    EXPECT_EQ(data.role_names().size(), info.texts.size());
    EXPECT_EQ(data.label_width() > 0, info.labels != loss::Labels::none);
  }
}

TEST(Columns, that_a_loss_misses_are_named_with_those_that_are_there) {
  int refused = 0;
  for (const loss::LossInfo& info : loss::loss_table()) {
    for (const std::string& name : columns_of(info)) {
      SCOPED_TRACE(cat(info.name, " without ", name));
      const auto names = without(columns_of(info), name);
      const std::string content = rows_with(names);
      const std::string message = message_of([&] { data_of(content, info.name); });
      if (may_be_absent(info, name)) {
        EXPECT_EQ(message, "no error");
        continue;
      }
      std::string listed;
      for (const std::string& there : names) listed += cat(listed.empty() ? "\"" : ", \"", there, "\"");
      EXPECT_TRUE(message.starts_with(cat("x.tsv:1: no column \"", name, "\""))) << message;
      if (!names.empty()) {
        testing::expect_part(message, "the columns are " + listed);
      }
      testing::expect_part(message, "(--columns " + name + "=NAME names another)");
      ++refused;
    }
  }
  EXPECT_GT(refused, 30);
}

// A table that was read for another loss: what the trainer itself says.
TEST(Columns, of_a_table_that_another_loss_has_read_are_named_with_what_is_needed) {
  for (const loss::LossInfo& info : loss::loss_table()) {
    for (const loss::LossInfo& reader : loss::loss_table()) {
      SCOPED_TRACE(cat(info.name, " on what was read for ", reader.name));
      const data::Table table = table_of(rows_with(columns_of(reader)), reader.name);
      const auto there = columns_of(reader);
      std::string missing;
      for (const std::string& name : columns_of(info)) {
        const bool has = std::find(there.begin(), there.end(), name) != there.end();
        if (!has && !may_be_absent(info, name) && missing.empty()) missing = name;
      }
      // Anchors and positives may be called sentences.
      const bool sentences = std::find(there.begin(), there.end(), "sentence1") != there.end();
      if (sentences && (missing == "anchor" || missing == "positive")) {
        missing = info.texts.size() > 2 && info.texts[2].ends_with('*') ? "" : "negative";
      }
      const std::string message = message_of([&] { data_of(table, info.name); });
      if (missing.empty()) {
        EXPECT_EQ(message, "no error");
      } else {
        testing::expect_part(message, cat("the loss ", info.name, " needs ", info.columns()));
        testing::expect_part(message, cat("no ", missing, " was found"));
      }
    }
  }
}

// mnr would take rows that a label calls no match for matches.
TEST(Columns, of_a_pair_and_a_label_choose_no_loss) {
  for (const std::vector<std::string>& names :
       {std::vector<std::string>{"anchor", "positive", "score"}, {"query", "passage", "label"}}) {
    EXPECT_EQ(
        message_of([&] { loss_for(names, {}, "a.csv"); }),
        cat("a.csv: anchor and positive with a score or label fit more than one loss: mnr takes every row ",
            "as a match and reads no score, others are for labels; name one (--loss NAME, hone losses lists ",
            "all)"));
  }
}

TEST(Columns, that_choose_no_loss_are_listed) {
  const std::string message = message_of([] {
    loss_for(std::vector<std::string>{"sentence1", "score"}, {}, "a.csv");
  });
  EXPECT_TRUE(message.starts_with("a.csv: the columns are \"sentence1\", \"score\"; to train on, expected "))
      << message;
  EXPECT_STREQ(
      loss_for(std::vector<std::string>{"a", "b"}, {{"sentence1", "a"}, {"sentence2", "b"}}, "x").name,
      "mnr");
  // A column that was given a role serves no other.
  EXPECT_NE(message_of([] {
              loss_for(std::vector<std::string>{"sentence1", "sentence2"}, {{"anchor", "sentence1"}}, "x");
            }),
            "no error");
}

}  // namespace
}  // namespace hone::train
