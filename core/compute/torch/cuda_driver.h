// What the NVIDIA driver says of the machine, asked through libcuda.so.1 alone: quick, and no context is
// made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hone::compute::torch_engine {

struct CudaDevice {
  std::string name;
  uint64_t bytes = 0;
};

// In the driver's order, CUDA_VISIBLE_DEVICES heeded. When there is none, `problem` says why in one line.
std::vector<CudaDevice> cuda_driver_devices(std::string& problem);

}  // namespace hone::compute::torch_engine
