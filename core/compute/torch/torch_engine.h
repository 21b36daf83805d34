// The engine on libtorch: the operations of Graph in a few lines each, gradients by its autograd.
//
// Rules
// - Only torch_cpu and c10 are linked. For a GPU libtorch_cuda.so is opened when it is asked for and driven
//   through libtorch's device-independent interface; no CUDA header or library is needed to build.
// - Matrix products run in float32 without TF32, or in bfloat16 where asked; weights, norms, softmax and sums
//   that decide something stay float32.
// - Dropout draws the masks of dropout.h (`named`: the judge of the cpu engine) or the device's own random
//   numbers: torch_random.h.
// - The host waits for a GPU in Reading::get, Graph::read and Parameters' reads alone. Training does so once
//   a batch: losses are computed on the host.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <memory>
#include <string>
#include <vector>

#include "compute/graph.h"
#include "compute/plugin/table.h"

namespace hone::compute::torch_engine {

struct Settings {
  c10::Device device{c10::DeviceType::CPU};
  bool bf16 = false;
  bool named_dropout = true;
  int threads = 1;  // of the processor
};

std::shared_ptr<Engine> create(const plugin::EngineRequest& request);
// `problem`: why there is no GPU, or empty.
std::vector<plugin::Device> devices(std::string& problem);

// Host values to the device, from pinned memory where that lets the copy run behind the host's back.
at::Tensor upload(const void* values, at::IntArrayRef shape, at::ScalarType type, const Settings& settings);
// A Reading of a float tensor: copied to pinned memory, ready when the device has got there.
std::unique_ptr<Reading> reading_of(const at::Tensor& x);

}  // namespace hone::compute::torch_engine
