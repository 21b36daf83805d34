// Every loss on the libtorch engine: the reference's value, gradients and twenty steps.
#include "tests/torch/torch_engines.h"
#include "tests/train/loss_cases.h"

namespace hone::train {
namespace {

class TorchLosses : public ::testing::TestWithParam<testing::LossCase> {};

TEST_P(TorchLosses, are_the_references) {
  for (const std::string& device : compute::torch_devices()) {
    if (device != "torch-cpu") continue;  // a GPU's arithmetic is judged operation by operation
    testing::expect_first_step(GetParam(), compute::torch_engine(device));
    testing::expect_first_step(GetParam(), compute::torch_engine(device), 60);
    testing::expect_twenty_steps(GetParam(), compute::torch_engine(device));
  }
}
INSTANTIATE_TEST_SUITE_P(All, TorchLosses, ::testing::ValuesIn(testing::loss_cases()),
                         testing::loss_case_name);

}  // namespace
}  // namespace hone::train
