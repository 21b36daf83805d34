#include "compute/device.h"

#include "base/error.h"
#include "base/spelling.h"
#include "compute/cpu/cgroup.h"
#include "compute/cpu/kernels.h"
#include "compute/plugin/library.h"
#include "compute/plugin/plugin_engine.h"

namespace hone::compute {

std::shared_ptr<Engine> create_engine(const DeviceOptions& options) {
  const bool bf16 = options.precision == "bf16";
  if (!bf16 && options.precision != "fp32")
    fail_usage("precision: \"", excerpt(options.precision), "\" found, fp32 or bf16 expected",
               did_you_mean(options.precision, choices_of("fp32|bf16")));
  if (options.device == "cpu") {
    if (bf16) {
      fail_usage(
          "precision: bf16 found, but device cpu computes in float32 alone: its numbers are the reference's "
          "at any thread count, on every processor; use it with cuda");
    }
    return cpu::create({options.threads, options.isa});
  }
  const bool judge = options.device == "torch-cpu";
  if (!judge && options.device != "cuda" && !options.device.starts_with("cuda:"))
    fail_usage("device: \"", excerpt(options.device), "\" found, cpu, cuda, cuda:N or torch-cpu expected",
               did_you_mean(options.device, choices_of("cpu|cuda|torch-cpu")));
  const plugin::Table& table = [&]() -> const plugin::Table& {
    try {
      return plugin::torch_plugin();
    } catch (const Error& e) {
      fail("device ", options.device, ": ", e.what());
    }
  }();
  auto engine = plugin::create(table, {options.device, cpu::resolve_threads(options.threads), bf16, judge});
  cpu::hold_to(options.isa);  // only now: a device that is not there decides nothing
  return engine;
}

std::string shortage_of_threads(const Engine& engine) {
  const int has = engine.threads(), asked = engine.threads_asked();
  if (has >= asked) return "";
  return cat(asked, " threads were to be used, but the system lets this process make no more than ", has,
             " (limits on processes, memory or a control group): the work goes on with ", has, "; --threads ",
             has, " asks for no more");
}

DeviceList list_devices() {
  DeviceList list;
  list.devices.push_back({"cpu", cat(cpu::kernel_target(), ", ", cpu::default_threads(), " threads"),
                          static_cast<uint64_t>(cpu::memory_allowed())});
  try {
    for (const plugin::Device& d : plugin::devices(plugin::torch_plugin(), list.problem))
      list.devices.push_back({d.name, d.description, d.bytes});
  } catch (const Error& e) {
    list.problem = e.what();
  }
  return list;
}

}  // namespace hone::compute
