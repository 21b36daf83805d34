// Engines for tests: HONE_CPU_ISA=avx2 or avx512 holds the whole test program to it.
#pragma once

#include <cstdlib>
#include <string_view>

#include "compute/cpu/cpu_engine.h"

namespace hone::compute {

inline cpu::InstructionSet test_isa() {
  const char* isa = std::getenv("HONE_CPU_ISA");
  const std::string_view held = isa != nullptr ? isa : "";
  if (held == "avx2") return cpu::InstructionSet::avx2;
  return held == "avx512" ? cpu::InstructionSet::avx512 : cpu::InstructionSet::best;
}

inline std::shared_ptr<Engine> test_engine(int threads) {
  return cpu::create({threads, test_isa()});
}

}  // namespace hone::compute
