// Which instruction sets the kernels are compiled for; included before Highway.
//
// x86-64: AVX2, AVX-512 and a portable fallback (SSSE3 and SSE4 are not worth their compile time). Arm: NEON;
// SVE's vectors cannot stand in arrays and structs, which the kernels use.
#pragma once

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
