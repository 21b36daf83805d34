// The device's own random numbers, for the dropout of one graph.
//
// Rules
// - What is drawn follows from (seed, step, first text of the batch): a micro-batch that is computed again
//   drops the same, another one of the step drops others, and a run that is resumed goes on as it would have.
// - A graph has a generator of its own. libtorch's default one belongs to all that runs in the process; where
//   a kernel takes no other, it is borrowed for the launch: BorrowedGenerator.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <mutex>
#include <optional>

#include "compute/dropout.h"
#include "compute/graph.h"

namespace hone::compute::torch_engine {

class DeviceRandom {
 public:
  explicit DeviceRandom(c10::Device device) : device_(device) {}

  void begin(DropoutKey key);
  // x with each element dropped at rate p, those that are kept scaled.
  at::Tensor dropped(const at::Tensor& x, const Segments& segments, double p);
  // For a launch that draws from the default generator; another one with each call.
  uint64_t seed_of_launch(const Segments& segments);

 private:
  uint64_t seed(const Segments& segments, uint32_t launch);

  c10::Device device_;
  DropoutKey key_;
  std::optional<at::Generator> generator_;
  bool seeded_ = false;
  uint32_t launches_ = 0;
};

// The default generator of a device, at the start of `seed` while this lives and as it was found afterwards.
class BorrowedGenerator {
 public:
  BorrowedGenerator(c10::Device device, uint64_t seed);
  ~BorrowedGenerator();
  BorrowedGenerator(const BorrowedGenerator&) = delete;
  BorrowedGenerator& operator=(const BorrowedGenerator&) = delete;

 private:
  std::lock_guard<std::mutex> only_;
  at::Generator generator_;
  at::Tensor found_;  // its state
};

}  // namespace hone::compute::torch_engine
