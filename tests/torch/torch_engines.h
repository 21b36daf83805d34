// Engines of the libtorch plugin for tests: torch-cpu everywhere, and each CUDA device that this machine has.
// They draw the dropout masks of dropout.h unless told otherwise, so that they can be compared with the cpu
// engine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compute/device.h"
#include "compute/plugin/library.h"
#include "compute/plugin/plugin_engine.h"

namespace hone::compute {

inline std::vector<std::string> torch_devices() {
  std::vector<std::string> names;
  for (const DeviceInfo& d : list_devices().devices) {
    if (d.name != "cpu") names.push_back(d.name);
  }
  return names;
}

inline std::shared_ptr<Engine> torch_engine(const std::string& device, int threads = 2,
                                            bool named_dropout = true) {
  return plugin::create(plugin::torch_plugin(), {device, threads, false, named_dropout});
}

// A GPU sums in another order and with other instructions than a processor.
inline double tolerance_of(const std::string& device, double on_cpu) {
  return device == "torch-cpu" ? on_cpu : 10 * on_cpu;
}

}  // namespace hone::compute
