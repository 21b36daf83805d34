#include "compute/torch/cuda_driver.h"

#include <dlfcn.h>

#include "base/error.h"

namespace hone::compute::torch_engine {

std::vector<CudaDevice> cuda_driver_devices(std::string& problem) {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (driver == nullptr) {
    problem = "no NVIDIA driver here (libcuda.so.1 is not found)";
    return {};
  }
  auto function = [&](const char* name) { return dlsym(driver, name); };
  const auto init = reinterpret_cast<int (*)(unsigned)>(function("cuInit"));
  const auto count = reinterpret_cast<int (*)(int*)>(function("cuDeviceGetCount"));
  const auto get = reinterpret_cast<int (*)(int*, int)>(function("cuDeviceGet"));
  const auto name = reinterpret_cast<int (*)(char*, int, int)>(function("cuDeviceGetName"));
  const auto memory = reinterpret_cast<int (*)(size_t*, int)>(function("cuDeviceTotalMem_v2"));
  if (init == nullptr || count == nullptr || get == nullptr || name == nullptr || memory == nullptr) {
    problem = "libcuda.so.1 lacks functions of a CUDA driver";
    return {};
  }
  if (const int code = init(0); code != 0) {
    problem = cat("the NVIDIA driver does not start (cuInit says ", code,
                  code == 100   ? ": no device"
                  : code == 999 ? ": unknown error"
                                : "",
                  ")");
    return {};
  }
  int n = 0;
  if (const int code = count(&n); code != 0 || n <= 0) {
    problem = code != 0 ? cat("the NVIDIA driver lists no devices (code ", code, ")")
                        : "the NVIDIA driver sees no device (CUDA_VISIBLE_DEVICES may hide it)";
    return {};
  }
  std::vector<CudaDevice> found;
  for (int i = 0; i < n; ++i) {
    int device = 0;
    char text[128] = {};
    size_t bytes = 0;
    if (get(&device, i) != 0 || name(text, sizeof text - 1, device) != 0 || memory(&bytes, device) != 0) {
      problem = cat("the NVIDIA driver does not describe device ", i);
      return {};
    }
    found.push_back({text, bytes});
  }
  return found;
}

}  // namespace hone::compute::torch_engine
