// The cpu engine: products and kernels written with Highway, TBB tasks, gradients of its own.
#pragma once

#include <memory>
#include <string_view>

#include "compute/graph.h"

namespace hone::compute::cpu {

// Held to less than the best for tests and measurements, and by programs that want the bits of an older
// processor or no tile units in their process. avx512: as best without tile units.
enum class InstructionSet { best, avx512, avx2 };
// By these names. Throws UsageError for another, found in `option`.
InstructionSet instruction_set(std::string_view name, std::string_view option = "isa");

struct CpuOptions {
  int threads = 0;  // 0: default_threads(). Obeyed, unless the system refuses some: shortage()
  InstructionSet isa = InstructionSet::best;
};

// Processors this process may use: the least of its affinity mask and its control groups' quotas, at least 1.
int default_threads();
// The number of threads that `asked` means: itself, or default_threads() for 0. Throws UsageError for an
// absurd one.
int resolve_threads(int asked);

// The instruction set is a property of the process: what is asked for first decides, also for what other
// engines leave to the processor. Later `best` means that one; another throws UsageError.
void hold_to(InstructionSet isa);

std::shared_ptr<Engine> create(const CpuOptions& options);

}  // namespace hone::compute::cpu
