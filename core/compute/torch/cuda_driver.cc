#include "compute/torch/cuda_driver.h"

#include <dlfcn.h>

#include "base/error.h"

namespace hone::compute::torch_engine {

namespace {

// Attributes of a device, by the numbers that cuda.h gives them.
constexpr int kCapabilityMajor = 75, kCapabilityMinor = 76;

// Opened anew each time: the loader counts, and hands out the one that is open.
void* open_driver() {
  return dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
}

template <class Function>
Function* function_of(void* driver, const char* name) {
  return reinterpret_cast<Function*>(dlsym(driver, name));
}

std::string version_text(int version) {
  return cat(version / 1000, '.', version % 1000 / 10);
}

}  // namespace

std::vector<CudaDevice> cuda_driver_devices(std::string& problem) {
  void* driver = open_driver();
  if (driver == nullptr) {
    problem = "no NVIDIA driver here (libcuda.so.1 is not found)";
    return {};
  }
  const auto init = function_of<int(unsigned)>(driver, "cuInit");
  const auto count = function_of<int(int*)>(driver, "cuDeviceGetCount");
  const auto get = function_of<int(int*, int)>(driver, "cuDeviceGet");
  const auto name = function_of<int(char*, int, int)>(driver, "cuDeviceGetName");
  const auto memory = function_of<int(size_t*, int)>(driver, "cuDeviceTotalMem_v2");
  const auto attribute = function_of<int(int*, int, int)>(driver, "cuDeviceGetAttribute");
  if (init == nullptr || count == nullptr || get == nullptr || name == nullptr || memory == nullptr ||
      attribute == nullptr) {
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
    int major = 0, minor = 0;
    if (get(&device, i) != 0 || name(text, sizeof text - 1, device) != 0 || memory(&bytes, device) != 0 ||
        attribute(&major, kCapabilityMajor, device) != 0 ||
        attribute(&minor, kCapabilityMinor, device) != 0) {
      problem = cat("the NVIDIA driver does not describe device ", i);
      return {};
    }
    found.push_back({text, bytes, major, minor});
  }
  return found;
}

int cuda_driver_version() {
  void* driver = open_driver();
  if (driver == nullptr) return 0;
  const auto version = function_of<int(int*)>(driver, "cuDriverGetVersion");
  int found = 0;
  return version != nullptr && version(&found) == 0 ? found : 0;
}

// Within one major version of CUDA an older driver runs what was built with a newer toolkit.
std::string driver_too_old(int found, int needed) {
  if (found / 1000 >= needed / 1000) return "";
  return cat("the NVIDIA driver is too old: it knows CUDA ", version_text(found), ", this libtorch needs ",
             version_text(needed), "; install a newer driver or a libtorch for CUDA ", found / 1000);
}

std::string lacks_bf16(const CudaDevice& device) {
  constexpr int kNeeded = 8;
  if (device.major >= kNeeded) return "";
  return cat("precision bf16 needs compute capability ", kNeeded, ".0, ", device.name, " has ", device.major,
             '.', device.minor, "; fp32 runs on it");
}

}  // namespace hone::compute::torch_engine
