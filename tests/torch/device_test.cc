// Devices of the libtorch plugin that this machine lacks or that cannot be: one line each.
#include <gtest/gtest.h>

#include "tests/base/one_line.h"
#include "tests/compute/operation_cases.h"
#include "tests/compute/test_engine.h"
#include "tests/torch/torch_engines.h"

namespace hone::compute {
namespace {

using testing::expect_part;
using testing::message_of;

// Why there is no such engine.
std::string refusal(const DeviceOptions& options) {
  return message_of([&] { create_engine(options); });
}

bool has_cuda() {
  return torch_devices().size() > 1;
}

TEST(TorchDevice, torch_cpu_is_listed_and_describes_itself) {
  ASSERT_GE(torch_devices().size(), 1U);
  EXPECT_EQ(torch_devices()[0], "torch-cpu");
  const auto engine = create_engine({"torch-cpu", "fp32", 2, test_isa()});
  EXPECT_EQ(engine->name(), "torch-cpu");
  EXPECT_EQ(engine->threads(), 2);
  expect_part(engine->describe(), "libtorch 2.");
  expect_part(engine->describe(), "2 threads");
}

TEST(TorchDevice, wrong_names_and_precisions) {
  expect_part(refusal({"torch-cpu", "bf16", 1}), "precision: bf16");
  expect_part(refusal({"cuda:", "fp32", 1}), "cuda:N");
  expect_part(refusal({"cuda:1x", "fp32", 1}), "cuda:N");
  expect_part(refusal({"cuda:-1", "fp32", 1}), "cuda:N");
}

TEST(TorchDevice, a_gpu_that_is_not_there) {
  if (!has_cuda()) {
    expect_part(refusal({"cuda", "fp32", 1}), "device cuda: no");  // no driver, or no device
    EXPECT_FALSE(list_devices().problem.empty());
    return;
  }
  expect_part(refusal({"cuda:99", "fp32", 1}), "device: cuda:99 found");
}

TEST(TorchDevice, parameters_stay_with_their_engine) {
  const auto a = torch_engine("torch-cpu");
  const auto cpu = test_engine(1);
  auto foreign = cpu->parameters();
  EXPECT_THROW(a->graph(*foreign), Error);
  auto own = a->parameters();
  EXPECT_THROW(cpu->graph(*own), Error);
  EXPECT_THROW(torch_engine("torch-cpu")->graph(*own), Error);
}

TEST(TorchDevice, wrong_shapes_and_indices_are_errors_of_one_line) {
  const auto engine = torch_engine("torch-cpu");
  auto parameters = engine->parameters();
  EXPECT_THROW(parameters->add("w", {2, 2}, std::vector<float>(3), nullptr, {}), Error);
  const Parameter w = parameters->add("w", {2, 2}, std::vector<float>(4), nullptr, {});
  auto graph = engine->graph(*parameters);
  graph->begin(Mode::infer);
  const Tensor x = graph->input(std::vector<float>(3), {1, 3});
  auto expect_refused = [](const auto& work) { EXPECT_NE(message_of(work), "no error"); };
  expect_refused([&] { graph->linear(x, {w, {}}); });
  expect_refused([&] {
    const std::vector<int32_t> ids{0, 2};
    const std::span<const int32_t> lists[] = {ids};
    graph->embed(std::span(&w, 1), lists);
  });
  expect_refused([&] { graph->backward(x, std::vector<float>(3)); });
  expect_refused([&] { graph->norm(x, {w, w, 1e-5F}); });
  expect_refused([&] { graph->shape(Tensor{77}); });
  const Segments s = segments_of({2, 2});
  expect_refused([&] { graph->pool(x, s, PoolKind::mean); });
}

// More memory than an address space has (scores of 5 million by 5 million tokens): an error, and the engine
// goes on.
TEST(TorchDevice, out_of_memory_is_an_error) {
  for (const std::string& device : torch_devices()) {
    SCOPED_TRACE(device);
    const auto engine = torch_engine(device);
    auto parameters = engine->parameters();
    auto graph = engine->graph(*parameters);
    const Segments one = segments_of({5000000});
    graph->begin(Mode::train, 1, 1);
    const Tensor x = graph->input(std::vector<float>(5000000 * 4), {5000000, 4});
    const std::string text = message_of([&] { graph->attention(x, x, x, one, {2, 1, {0.5F, 1}}); });
    EXPECT_TRUE(
        text.starts_with("out of memory, a smaller --memory, batch size or max_seq_length needs less: "))
        << text;
    graph->begin(Mode::infer);
    EXPECT_EQ(graph->shape(graph->input(std::vector<float>(4), {1, 4})).cols, 4);
  }
}

}  // namespace
}  // namespace hone::compute
