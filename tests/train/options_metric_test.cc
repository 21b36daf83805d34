// The option's list of metrics is the evaluator's: two stages that do not know each other.
#include <gtest/gtest.h>

#include "config/option_table.h"
#include "eval/sts.h"

namespace hone::train {
namespace {

TEST(TrainOptions, metrics_are_those_of_the_evaluator) {
  const config::OptionInfo& info = *config::find_option("train.metric");
  std::string choices = info.choices;
  size_t count = 1;
  for (char c : choices) count += c == '|' ? 1 : 0;
  EXPECT_EQ(count, eval::sts_metric_names().size());
  for (const std::string& name : eval::sts_metric_names()) {
    EXPECT_NE(("|" + choices + "|").find("|" + name + "|"), std::string::npos) << name;
    EXPECT_NE(std::string(info.range).find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace hone::train
