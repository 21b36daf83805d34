// Whole models and training, engine against engine: vectors, 50 steps with the same dropout masks, one
// checkpoint carried from one to the other.
#include <gtest/gtest.h>

#include <cmath>

#include "encode/encoder.h"
#include "tests/base/temp_folder.h"
#include "tests/torch/torch_engines.h"
#include "tests/train/small_run.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using testing::kModels;
using testing::message_of;
using testing::pairs;
using testing::TempFolder;
using EnginePtr = std::shared_ptr<compute::Engine>;

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kModels)) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TrainOptions options_of_50_steps() {
  TrainOptions o = testing::small_options();
  o.steps = 50;
  o.checkpoint_steps = 0;
  return o;
}

struct Steps {
  std::vector<StepReport> reports;
  TrainResult result;
};

// Trains until `stop_after` steps are reported; -1: to the end.
Steps train(const EnginePtr& engine, const fs::path& out, OnExisting existing, int64_t stop_after = -1) {
  Steps steps;
  TrainCallbacks callbacks;
  callbacks.step = [&](const StepReport& r) { steps.reports.push_back(r); };
  callbacks.stop = [&] {
    return stop_after >= 0 && static_cast<int64_t>(steps.reports.size()) >= stop_after;
  };
  steps.result = testing::small_trainer(engine, options_of_50_steps(), false).run(out, existing, callbacks);
  return steps;
}

void expect_same_losses(const std::vector<StepReport>& expected, const std::vector<StepReport>& found,
                        double tolerance) {
  ASSERT_EQ(expected.size(), found.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(expected[i].step, found[i].step);
    EXPECT_NEAR(found[i].loss / expected[i].loss, 1, tolerance) << "step " << expected[i].step;
    EXPECT_NEAR(found[i].grad_norm / expected[i].grad_norm, 1, 20 * tolerance) << "step " << expected[i].step;
    EXPECT_EQ(expected[i].learning_rate, found[i].learning_rate);
  }
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return worst;
}

class TorchTraining : public ::testing::TestWithParam<std::string> {};

TEST_P(TorchTraining, encodes_as_the_cpu_engine_does) {
  const std::vector<std::string> texts{"",
                                       "a",
                                       "The cat sits on the mat, and then it goes away for good.",
                                       std::string(3000, 'x'),
                                       "Rain in the city",
                                       "42"};
  for (const std::string& name : model_names()) {
    const auto model = model::load_model(kModels / name);
    encode::EncodeOptions o;
    o.normalize = true;
    o.batch_tokens = 40;  // several batches, one in flight behind the other
    const auto expected = encode::Encoder(model, compute::test_engine(2)).encode(texts, o);
    const auto found = encode::Encoder(model, compute::torch_engine(GetParam())).encode(texts, o);
    ASSERT_EQ(expected.size(), found.size());
    EXPECT_LT(largest_difference(expected, found), compute::tolerance_of(GetParam(), 1e-5)) << name;
  }
}

TEST_P(TorchTraining, fifty_steps_with_the_same_masks_have_the_same_losses) {
  TempFolder folder;
  const Steps cpu = train(compute::test_engine(2), folder / "cpu", OnExisting::refuse);
  const Steps torch = train(compute::torch_engine(GetParam()), folder / "torch", OnExisting::refuse);
  ASSERT_EQ(cpu.reports.size(), 50U);
  EXPECT_LT(cpu.reports.back().loss, cpu.reports.front().loss);
  expect_same_losses(torch.reports, cpu.reports, compute::tolerance_of(GetParam(), 1e-3));
}

TEST_P(TorchTraining, a_checkpoint_of_one_engine_goes_on_with_the_other) {
  TempFolder folder;
  const Steps whole = train(compute::test_engine(2), folder / "whole", OnExisting::refuse);
  for (bool torch_first : {true, false}) {
    const EnginePtr engines[] = {compute::torch_engine(GetParam()), compute::test_engine(2)};
    const fs::path out = folder / (torch_first ? "torch-first" : "cpu-first");
    Steps all = train(engines[torch_first ? 0 : 1], out, OnExisting::refuse, 20);
    EXPECT_TRUE(all.result.interrupted);
    const auto stopped = static_cast<int64_t>(all.reports.size());
    EXPECT_GE(stopped, 20);
    EXPECT_EQ(all.result.steps, stopped);
    const Steps rest = train(engines[torch_first ? 1 : 0], out, OnExisting::resume);
    EXPECT_FALSE(rest.result.interrupted);
    all.reports.insert(all.reports.end(), rest.reports.begin(), rest.reports.end());
    expect_same_losses(whole.reports, all.reports, compute::tolerance_of(GetParam(), 1e-3));
    EXPECT_TRUE(fs::exists(out / "model.safetensors"));
  }
}

// Batches that are cut: the loss and gradient of each step, with dropout, are the whole batch's.
TEST_P(TorchTraining, micro_batches_have_the_gradient_of_the_whole) {
  TrainOptions o = options_of_50_steps();
  o.batch_size = 100;
  auto trainer_with = [&](size_t memory) {
    o.memory = memory;
    return testing::small_trainer(compute::torch_engine(GetParam()), o, false);
  };
  const std::string message = message_of([&] { trainer_with(1000000); });
  const std::string_view before = "memory: 1 MB found, at least ";
  // On a GPU, where the program's own does not count, that is enough.
  const size_t least = message.starts_with(before) ? std::stoul(message.substr(before.size())) : 1;
  Trainer whole = trainer_with(0), cut = trainer_with((least + 3) * 1000000);
  for (const auto& [name, value] : cut.identity()) {
    EXPECT_TRUE(name != "micro-batches" || value.starts_with("of ")) << value;
  }
  for (int step = 0; step < 2; ++step) {
    const StepReport a = whole.step(), b = cut.step();
    EXPECT_EQ(a.tokens, b.tokens);
    EXPECT_NEAR(b.loss / a.loss, 1, compute::tolerance_of(GetParam(), 1e-5)) << "step " << step + 1;
    EXPECT_NEAR(b.grad_norm / a.grad_norm, 1, compute::tolerance_of(GetParam(), 1e-4)) << "step " << step + 1;
  }
}

// The reason names the rows although the loss is read steps after it was made.
TEST_P(TorchTraining, a_loss_that_is_no_number_stops_with_its_rows) {
  TempFolder folder;
  TrainOptions o = options_of_50_steps();
  o.learning_rate = 9;
  o.warmup_ratio = 0;
  o.max_grad_norm = 0;
  o.steps = 400;
  const auto model = model::load_model(kModels / "mean-gelu");
  std::vector<model::HostTensor> tensors = model->tensors;
  std::vector<float> broken(tensors[5].data, tensors[5].data + tensors[5].size);
  broken[0] = std::nanf("");
  tensors[5] = model::HostTensor::owned(tensors[5].name, tensors[5].shape, broken);
  Trainer trainer(model->with_tensors(tensors), compute::torch_engine(GetParam()), pairs(), nullptr, o);
  const std::string text = message_of([&] { trainer.run(folder / "out", OnExisting::refuse, {}); });
  EXPECT_TRUE(text.starts_with("step 1: the loss is nan in the batch of lines ")) << text;
  EXPECT_FALSE(fs::exists(folder / "out" / "model.safetensors"));
}

INSTANTIATE_TEST_SUITE_P(On, TorchTraining, ::testing::ValuesIn(compute::torch_devices()), [](const auto& c) {
  std::string name = c.param;
  for (char& x : name) x = x == '-' || x == ':' ? '_' : x;
  return name;
});

}  // namespace
}  // namespace hone::train
