// The cpu engine: products and kernels written with Highway, TBB tasks, gradients of its own.
#pragma once

#include <memory>

#include "compute/graph.h"

namespace hone::compute::cpu {

// Held to less than the best for tests and measurements. avx512: as best without tile units.
enum class InstructionSet { best, avx512, avx2 };

struct CpuOptions {
  int threads = 0;  // 0: default_threads(). Obeyed exactly.
  InstructionSet isa = InstructionSet::best;
};

// Processors this process may use: the least of its affinity mask and its control groups' quotas, at least 1.
int default_threads();
// The number of threads that `asked` means: itself, or default_threads() for 0. Throws UsageError for an
// absurd one.
int resolve_threads(int asked);

// The instruction set is a property of the process: the first engine decides, a later one that asks for
// another throws.
std::shared_ptr<Engine> create(const CpuOptions& options);

}  // namespace hone::compute::cpu
