#include "compute/torch/torch_random.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/_fused_dropout.h>
#include <ATen/ops/empty_like.h>

namespace hone::compute::torch_engine {

namespace {

// Of borrowers: the kernels lock the generator themselves while they draw, so it cannot be held across a
// launch. One for all devices, since what it covers is a launch.
std::mutex& borrowers() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

void DeviceRandom::begin(DropoutKey key) {
  key_ = key;
  seeded_ = false;
  launches_ = 0;
}

// Mixed, because the processor's generator takes the lower half alone.
uint64_t DeviceRandom::seed(const Segments& segments, uint32_t launch) {
  const bool none = segments.count() == 0;
  const auto words = philox4x32(
      {launch, 0, none ? 0 : segments.row.front(), none ? 0 : segments.role.front()}, {key_.k0, key_.k1});
  return uint64_t{words[0]} << 32 | words[1];
}

uint64_t DeviceRandom::seed_of_launch(const Segments& segments) {
  return seed(segments, ++launches_);
}

at::Tensor DeviceRandom::dropped(const at::Tensor& x, const Segments& segments, double p) {
  if (!generator_) {
    at::Generator common = at::globalContext().defaultGenerator(device_);
    const std::lock_guard lock(common.mutex());
    generator_ = common.clone();
  }
  if (!seeded_) {
    const std::lock_guard lock(generator_->mutex());
    generator_->set_current_seed(seed(segments, 0));
    seeded_ = true;
  }
  const double kept = 1 - p;
  if (device_.is_cpu()) return x * at::empty_like(x).bernoulli_(kept, generator_).div_(kept);
  return std::get<0>(at::_fused_dropout(x, kept, generator_));
}

BorrowedGenerator::BorrowedGenerator(c10::Device device, uint64_t seed)
    : only_(borrowers()), generator_(at::globalContext().defaultGenerator(device)) {
  const std::lock_guard lock(generator_.mutex());
  found_ = generator_.get_state();
  generator_.set_current_seed(seed);
}

BorrowedGenerator::~BorrowedGenerator() {
  const std::lock_guard lock(generator_.mutex());
  generator_.set_state(found_);
}

}  // namespace hone::compute::torch_engine
