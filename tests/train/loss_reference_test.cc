// Every loss beside the reference: its value, the gradients it gives, and twenty steps.
#include "tests/compute/test_engine.h"
#include "tests/train/loss_cases.h"

namespace hone::train {
namespace {

using testing::LossBench;
using testing::LossCase;

class LossReference : public ::testing::TestWithParam<LossCase> {};

TEST_P(LossReference, value_and_gradients_of_the_first_step) {
  testing::expect_first_step(GetParam(), compute::test_engine(2));
}
TEST_P(LossReference, twenty_steps) {
  testing::expect_twenty_steps(GetParam(), compute::test_engine(2));
}
INSTANTIATE_TEST_SUITE_P(All, LossReference, ::testing::ValuesIn(testing::loss_cases()),
                         testing::loss_case_name);

std::vector<float> gradient(LossBench& bench) {
  std::vector<float> all;
  for (compute::Parameter p : bench.encoder.parameters()) {
    const compute::Shape shape = bench.parameters->shape(p);
    std::vector<float> one(static_cast<size_t>(shape.rows * shape.cols));
    bench.parameters->read_gradient(p, one);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

// Cut into pieces the batch has the gradient of the whole, with the same dropout.
class Pieces : public ::testing::TestWithParam<LossCase> {};

TEST_P(Pieces, have_the_gradient_of_the_whole_batch) {
  LossBench whole(GetParam(), compute::test_engine(2), 0, 0.1F);
  const double value = whole.add_batch(0);
  EXPECT_EQ(whole.pass.micro_batches(), 1U);
  const auto expected = gradient(whole);
  size_t before = 1;
  for (int64_t tokens : {150, 60, 1}) {
    LossBench cut(GetParam(), compute::test_engine(2), tokens, 0.1F);
    EXPECT_NEAR(cut.add_batch(0), value, 1e-5);
    EXPECT_GT(cut.pass.micro_batches(), before);
    before = cut.pass.micro_batches();
    auto found = gradient(cut);
    for (size_t i = 0; i < found.size(); ++i) found[i] -= expected[i];
    EXPECT_LT(testing::norm_of(found), 3e-6 * testing::norm_of(expected)) << tokens << " tokens";
  }
}
INSTANTIATE_TEST_SUITE_P(All, Pieces, ::testing::ValuesIn([] {
                           std::vector<LossCase> some;
                           for (const LossCase& c : testing::loss_cases()) {
                             if (c.name == "mnr-negatives" || c.name == "mnr-all-negative" ||
                                 c.name == "cosent" || c.name == "matryoshka-mnr" || c.name == "softmax")
                               some.push_back(c);
                           }
                           return some;
                         }()),
                         testing::loss_case_name);

}  // namespace
}  // namespace hone::train
