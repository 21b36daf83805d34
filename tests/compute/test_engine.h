// Engines for tests: HONE_CPU_ISA=avx2 holds the whole test program to AVX2.
#pragma once

#include <cstdlib>
#include <string_view>

#include "compute/cpu/cpu_engine.h"

namespace hone::compute {

inline cpu::InstructionSet test_isa() {
  const char* isa = std::getenv("HONE_CPU_ISA");
  const bool held = isa != nullptr && std::string_view(isa) == "avx2";
  return held ? cpu::InstructionSet::avx2 : cpu::InstructionSet::best;
}

inline std::shared_ptr<Engine> test_engine(int threads) {
  return cpu::create({threads, test_isa()});
}

}  // namespace hone::compute
