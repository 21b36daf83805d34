// Which engine a program asked for, by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compute/cpu/cpu_engine.h"
#include "compute/graph.h"

namespace hone::compute {

struct DeviceOptions {
  std::string device = "cpu";      // cpu, cuda, cuda:N, torch-cpu
  std::string precision = "fp32";  // fp32; bf16 on cuda: matrix products in bfloat16, all else in float32
  int threads = 0;                 // 0: all that this process may use
  cpu::InstructionSet isa = cpu::InstructionSet::best;  // of what the processor does, on every device
};

// Opens the libtorch plugin for everything but cpu. Throws UsageError for a name or precision that cannot be,
// Error for one that this machine lacks.
std::shared_ptr<Engine> create_engine(const DeviceOptions& options);

// Where an engine has fewer threads than it was asked for: what to do, in one line; else "".
std::string shortage_of_threads(const Engine& engine);

struct DeviceInfo {
  std::string name;         // what create_engine takes
  std::string description;  // what it is
  uint64_t bytes = 0;       // its memory
};

struct DeviceList {
  std::vector<DeviceInfo> devices;  // cpu first
  std::string problem;              // one line: why there is no GPU among them; empty when there is one
};

DeviceList list_devices();

}  // namespace hone::compute
