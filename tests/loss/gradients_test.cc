// Every loss with its options against its formula in double: the value, and the gradient by central
// differences.
#include <cmath>
#include <set>

#include "tests/compute/test_engine.h"
#include "tests/loss/loss_cases.h"

namespace hone::loss {
namespace {

// Losses are computed in double from vectors in float, in-batch ones with similarities, log-sum-exps and
// exponentials in float: their rounding (6e-8 each) times a scale of 20.
constexpr double kTolerance = 5e-6;

double relative_difference(const naive::Vector& expected, const std::vector<float>& found) {
  double difference = 0, length = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(static_cast<double>(found[i]) - expected[i], 2);
    length += expected[i] * expected[i];
  }
  return std::sqrt(difference) / std::max(std::sqrt(length), 0.01);
}

class Gradients : public ::testing::TestWithParam<LossCase> {
 protected:
  std::shared_ptr<compute::Engine> engine = compute::test_engine(2);
};

TEST_P(Gradients, equal_central_differences_of_the_formula) {
  const LossCase& c = GetParam();
  LossRun run(c);
  std::vector<float> gradient;
  const double value = run.evaluate(*engine, gradient);
  naive::Numbers n = run.numbers();
  const double expected = c.value(n);
  EXPECT_NEAR(value, expected, kTolerance * std::max(1.0, std::abs(expected)));
  EXPECT_LT(relative_difference(naive::differences(c.value, n, n.vectors), gradient), kTolerance);
  ASSERT_EQ(run.loss->heads().size(), n.heads.size());
  for (size_t i = 0; i < n.heads.size(); ++i) {
    EXPECT_LT(relative_difference(naive::differences(c.value, n, n.heads[i]), run.loss->heads()[i].gradient),
              kTolerance)
        << run.loss->heads()[i].name;
  }
}

TEST_P(Gradients, of_vectors_are_added_and_those_of_heads_are_of_the_last_call) {
  LossRun run(GetParam());
  std::vector<float> once, twice;
  const double value = run.evaluate(*engine, once);
  std::vector<std::vector<float>> heads;
  for (const Head& head : run.loss->heads()) heads.push_back(head.gradient);
  twice = once;
  EXPECT_EQ(run.evaluate(*engine, twice), value);
  const naive::Vector sum = [&] {
    naive::Vector doubled;
    for (float v : once) doubled.push_back(2 * static_cast<double>(v));
    return doubled;
  }();
  EXPECT_LT(relative_difference(sum, twice), 1e-6);
  for (size_t i = 0; i < heads.size(); ++i) EXPECT_EQ(heads[i], run.loss->heads()[i].gradient);
}

INSTANTIATE_TEST_SUITE_P(Of, Gradients, ::testing::ValuesIn(loss_cases()), loss_case_name);

// A new loss, option or choice without a case fails here.
TEST(LossCases, are_there_for_every_loss_with_every_option_and_choice) {
  // Read by who makes a batch or a Setup, not by a loss.
  const std::set<std::string> elsewhere{"mnr.mask"};
  for (const LossInfo& info : loss_table()) {
    std::string given;  // "," and each list of options
    int cases = 0;
    for (const LossCase& c : loss_cases()) {
      if (c.loss != info.name) continue;
      ++cases;
      given += "," + c.options;
    }
    given += ",";
    EXPECT_GT(cases, 0) << info.name;
    for (const config::OptionInfo& option : info.options) {
      if (elsewhere.contains(option.key)) continue;
      const std::string begin = "," + std::string(option.name()) + "=";
      EXPECT_NE(given.find(begin), std::string::npos) << option.key;
      std::string_view rest = option.choices;
      while (!rest.empty()) {
        const std::string_view one = rest.substr(0, rest.find('|'));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        if (one != option.default_value) {
          EXPECT_NE(given.find(begin + std::string(one) + ","), std::string::npos)
              << option.key << " " << one;
        }
      }
    }
  }
}

}  // namespace
}  // namespace hone::loss
