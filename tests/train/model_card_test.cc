// The README.md that a training run leaves beside its model says what really happened.
#include <gtest/gtest.h>

#include <charconv>
#include <sstream>

#include "tests/base/temp_folder.h"
#include "tests/train/small_run.h"

namespace hone::train {
namespace {

using testing::small_options;
using testing::TempFolder;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Four decimals, with a sign where it is a difference.
std::string score(double value, bool difference = false) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed, 4).ptr;
  return (difference && value >= 0 ? "+" : "") + std::string(digits, end);
}

TEST(ModelCard, of_a_run_names_model_data_settings_and_the_scores_that_were_reported) {
  TempFolder folder;
  std::vector<EvalReport> reports;
  for (const char* out : {"whole", "resumed"}) {
    TrainCallbacks callbacks = testing::stopping_after(out == std::string("resumed") ? 7 : -1);
    callbacks.evaluation = [&](const EvalReport& r) {
      if (out == std::string("whole")) reports.push_back(r);
    };
    TrainResult result =
        testing::train_small(folder / out, small_options(), OnExisting::refuse, 2, callbacks);
    if (result.interrupted) result = testing::train_small(folder / out, small_options(), OnExisting::resume);
    const EvalReport *before = &reports.front(), *best = nullptr;
    for (const EvalReport& r : reports) {
      if (r.best) best = &r;
    }
    ASSERT_NE(best, nullptr);
    EXPECT_EQ(best->step, result.kept_step);
    ASSERT_EQ(before->metrics.size(), 10U);
    std::vector<std::string> expected{std::string("| Base model | mean-gelu |"),
                                      "| Data | pairs.jsonl, 120 rows |",
                                      "| steps | 12 |",
                                      "| batch-size | 16 |",
                                      "| lr | 0.001 |",
                                      "| warmup-ratio | 0.2 |",
                                      "| schedule | linear |",
                                      "| weight-decay | 0.01 |",
                                      "| dropout | 0.1 |",
                                      "| seed | 42 |",
                                      "| eval-steps | 5 |",
                                      "| metric | spearman_cosine |",
                                      "| labels divided by | 1 |"};
    for (size_t i = 0; i < before->metrics.size(); ++i) {
      const auto& [name, value] = before->metrics[i];
      ASSERT_EQ(best->metrics[i].first, name);
      const double after = best->metrics[i].second;
      expected.push_back(cat("| pairs.jsonl | ", name, " | ", score(value), " | ", score(after), " | ",
                             score(after - value, true), " |"));
    }
    const auto card = lines_of(folder.read(cat(out, "/README.md")));
    for (const std::string& line : expected)
      EXPECT_EQ(std::count(card.begin(), card.end(), line), 1) << out << ": " << line;
    EXPECT_EQ(std::count_if(card.begin(), card.end(),
                            [](const std::string& line) { return line.starts_with("| pairs.jsonl |"); }),
              10);
  }
}

}  // namespace
}  // namespace hone::train
