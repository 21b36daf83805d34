#include "compute/torch/torch_engine.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/headeronly/version.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "base/error.h"
#include "compute/torch/cuda_driver.h"
#include "compute/torch/torch_graph.h"
#include "compute/torch/torch_parameters.h"

namespace hone::compute::torch_engine {

namespace {

constexpr int64_t kCudaBatchTokens = 32768;

// libtorch_cuda.so registers its kernels when it is opened. It has to be there before libtorch first asks
// itself which kinds of device it has, so it is opened with the first engine, on whatever device that one is.
std::string open_cuda() {
  static std::mutex mutex;
  static bool done = false;
  static std::string problem;
  std::lock_guard lock(mutex);
  if (done) return problem;
  done = true;
  if (cuda_driver_devices(problem).empty()) return problem;
  Dl_info torch{};
  std::string file = "libtorch_cuda.so";
  if (dladdr(reinterpret_cast<const void*>(&at::get_num_threads), &torch) != 0 && torch.dli_fname != nullptr)
    file = (std::filesystem::path(torch.dli_fname).parent_path() / file).string();
  if (dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
    const char* reason = dlerror();
    problem =
        cat("this libtorch has no CUDA that can be used: ", excerpt(reason == nullptr ? file : reason, 300));
  } else if (problem = driver_too_old(cuda_driver_version(), at::Context::versionCUDART());
             !problem.empty()) {
    return problem;  // libtorch would warn at length and then find no device
  } else if (!at::globalContext().hasCUDA()) {
    problem = "libtorch_cuda.so is there, but this libtorch finds no CUDA device";
  }
  return problem;
}

// The loader may have found another libtorch than the one this was built with; its inner layouts are its own.
// Asked of a function that looks for no device: at::show_config() would, and what libtorch finds then, before
// libtorch_cuda.so is open, it finds for good.
void check_version() {
  const uint64_t found = aoti_torch_abi_version();
  auto part = [&](int from_top) { return found >> (64 - 8 * from_top) & 0xFF; };
  if (found != TORCH_ABI_VERSION) {
    fail("libtorch ", part(1), '.', part(2), '.', part(3),
         " was loaded, the plugin was built with " TORCH_VERSION_TEXT
         ": LD_LIBRARY_PATH may lead to another one");
  }
}

Settings settings_of(const plugin::EngineRequest& request) {
  const std::string_view device = request.device;
  Settings s;
  s.bf16 = request.bf16 != 0;
  s.named_dropout = request.named_dropout != 0;
  s.threads = request.threads;
  check_version();
  if (device == "torch-cpu") {
    open_cuda();
    if (s.bf16)
      fail_usage("precision: bf16 found; torch-cpu is the float32 judge of the cpu engine, use it with cuda");
    return s;
  }
  int index = 0;
  if (device.starts_with("cuda:")) {
    const std::string_view digits = device.substr(5);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error != std::errc() || end != digits.data() + digits.size() || digits.empty() || index < 0)
      fail_usage("device: \"", excerpt(device), "\" found, cuda:N with a number N expected");
  } else if (device != "cuda") {
    fail_usage("device: \"", excerpt(device), "\" found, cuda, cuda:N or torch-cpu expected");
  }
  std::string problem;
  const auto present = cuda_driver_devices(problem);
  if (present.empty()) fail("device ", device, ": ", problem);
  if (static_cast<size_t>(index) >= present.size()) {
    fail_usage("device: ", device, " found, cuda:0 to cuda:", present.size() - 1,
               " expected (this machine has ", present.size(), present.size() == 1 ? " GPU)" : " GPUs)");
  }
  if (s.bf16) {
    if (problem = lacks_bf16(present[static_cast<size_t>(index)]); !problem.empty())
      fail("device ", device, ": ", problem);
  }
  if (problem = open_cuda(); !problem.empty()) fail("device ", device, ": ", problem);
  s.device = c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
  // A GPU that this libtorch has no code for shows here and not in the middle of a step.
  at::zeros({1}, at::TensorOptions().device(s.device)).add_(1).to(at::kCPU);
  return s;
}

class TorchEngine final : public Engine {
 public:
  TorchEngine(const plugin::EngineRequest& request)
      : name_(request.device), threads_(request.threads), settings_(settings_of(request)) {
    at::globalContext().setAllowTF32CuBLAS(false);
  }
  std::string name() const override { return name_; }
  std::string describe() const override {
    std::string text = name_;
    if (settings_.device.is_cuda()) {
      text += ", " + gpu().name;
      text += settings_.bf16 ? ", bf16 products" : ", float32";
    }
    return cat(text, ", libtorch " TORCH_VERSION_TEXT ", ", threads_, threads_ == 1 ? " thread" : " threads");
  }
  int threads() const override { return threads_; }
  int64_t batch_tokens() const override { return settings_.device.is_cuda() ? kCudaBatchTokens : 2048; }
  uint64_t device_memory() const override { return settings_.device.is_cuda() ? gpu().bytes : 0; }
  // The host's work is done on the program's side of the table.
  void parallel(int64_t n, const std::function<void(int64_t)>& work) override {
    for (int64_t i = 0; i < n; ++i) work(i);
  }
  std::unique_ptr<Parameters> parameters() override { return std::make_unique<TorchParameters>(settings_); }
  std::unique_ptr<Graph> graph(Parameters& parameters) override {
    return std::make_unique<TorchGraph>(settings_, dynamic_cast<TorchParameters&>(parameters));
  }

 private:
  CudaDevice gpu() const {
    std::string problem;
    return cuda_driver_devices(problem).at(static_cast<size_t>(settings_.device.index()));
  }

  std::string name_;
  int threads_;
  Settings settings_;
};

// On the cpu the values are there; on a GPU a copy to pinned memory is queued behind what makes them.
class DeviceReading final : public Reading {
 public:
  explicit DeviceReading(const at::Tensor& x) {
    const at::Tensor values = x.detach().to(at::kFloat).contiguous();
    if (values.device().is_cpu()) {
      host_ = values.clone();
      return;
    }
    host_ = at::empty(values.sizes(), at::TensorOptions().dtype(at::kFloat).pinned_memory(true));
    host_.copy_(values, /*non_blocking=*/true);
    event_.emplace(values.device().type());
    event_->record(c10::impl::VirtualGuardImpl(values.device().type()).getStream(values.device()));
  }
  bool ready() override { return !event_ || event_->query(); }
  void get(std::span<float> out) override {
    if (static_cast<int64_t>(out.size()) != host_.numel())
      fail("reading: ", host_.numel(), " numbers, ", out.size(), " asked");
    if (event_) event_->synchronize();
    std::memcpy(out.data(), host_.const_data_ptr<float>(), out.size_bytes());
  }

 private:
  at::Tensor host_;
  std::optional<c10::Event> event_;
};

}  // namespace

std::shared_ptr<Engine> create(const plugin::EngineRequest& request) {
  return std::make_shared<TorchEngine>(request);
}

std::vector<plugin::Device> devices(std::string& problem) {
  std::vector<plugin::Device> found(1);
  auto put = [](auto& to, std::string_view text) {
    std::memcpy(to, text.data(), std::min(sizeof to - 1, text.size()));
  };
  put(found[0].name, "torch-cpu");
  put(found[0].description, "libtorch " TORCH_VERSION_TEXT " on the processor: slow, the judge of cpu");
  if (problem = open_cuda(); !problem.empty()) return found;
  int index = 0;
  for (const CudaDevice& device : cuda_driver_devices(problem)) {
    plugin::Device d{};
    put(d.name, cat("cuda:", index++));
    put(d.description, device.name);
    d.bytes = device.bytes;
    found.push_back(d);
  }
  return found;
}

at::Tensor upload(const void* values, at::IntArrayRef shape, at::ScalarType type, const Settings& settings) {
  const bool cuda = settings.device.is_cuda();
  at::Tensor host = at::empty(shape, at::TensorOptions().dtype(type).pinned_memory(cuda));
  if (host.numel() > 0) std::memcpy(host.mutable_data_ptr(), values, host.nbytes());
  return cuda ? host.to(settings.device, /*non_blocking=*/true) : host;
}

std::unique_ptr<Reading> reading_of(const at::Tensor& x) {
  return std::make_unique<DeviceReading>(x);
}

}  // namespace hone::compute::torch_engine
