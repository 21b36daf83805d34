// What the NVIDIA driver says of the machine, asked through libcuda.so.1 alone: quick, and without a context.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hone::compute::torch_engine {

struct CudaDevice {
  std::string name;
  uint64_t bytes = 0;
  int major = 0, minor = 0;  // compute capability
};

// In the driver's order, CUDA_VISIBLE_DEVICES heeded. When there is none, `problem` says why in one line.
std::vector<CudaDevice> cuda_driver_devices(std::string& problem);

// The newest CUDA that the driver knows, as CUDA writes versions: 12040 is 12.4. 0: there is no driver.
int cuda_driver_version();

// Why a driver that knows CUDA `found` cannot run a program of CUDA `needed`; empty where it can.
std::string driver_too_old(int found, int needed);

// Why a device does not compute in bfloat16; empty where it does.
std::string lacks_bf16(const CudaDevice& device);

}  // namespace hone::compute::torch_engine
