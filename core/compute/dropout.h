// Which elements dropout drops: a pure function of names, not of positions.
//
// Rules: every engine and every instruction set draws the same masks. Random bits: Philox4x32-10 with
//   key     = (low word of seed xor high word of seed * 0x9E3779B9, step)
//   counter = (c0, c1, row, role << 24 | site)
// One call gives 4 words = 8 halves of 16 bits. An element is dropped when its half is below threshold(p) =
// round(p * 65536), so the real probability is threshold / 65536 and kept elements are scaled by 65536 /
// (65536 - threshold).
//   features of a token:     group of 128 features: c0 = feature / 128 * 16 + feature % 16, c1 = token;
//                            half number feature / 16 % 8
//   attention probabilities: c0 = head << 16 | key token, c1 = query token / 8; half number query token % 8
// Half number n is word n / 2, low half first. The layout lets 16 lanes of a vector hold neighbouring
// elements.
#pragma once

#include <array>
#include <cstdint>

#include "base/philox.h"

namespace hone::compute {

struct DropoutKey {
  uint32_t k0 = 0, k1 = 0;
  static constexpr DropoutKey of(uint64_t seed, uint64_t step) {
    return {static_cast<uint32_t>(seed) ^ (static_cast<uint32_t>(seed >> 32) * 0x9E3779B9U),
            static_cast<uint32_t>(step)};
  }
};

constexpr uint32_t dropout_threshold(float p) {
  return static_cast<uint32_t>(p * 65536.0F + 0.5F);
}
constexpr float dropout_scale(float p) {
  return 65536.0F / (65536.0F - static_cast<float>(dropout_threshold(p)));
}

constexpr uint32_t dropout_half(const std::array<uint32_t, 4>& words, uint32_t number) {
  return (words[number / 2] >> (16 * (number % 2))) & 0xFFFFU;
}

// Whether the element survives. `name` is role << 24 | site.
constexpr bool keeps_feature(DropoutKey key, uint32_t threshold, uint32_t row, uint32_t name, uint32_t token,
                             uint32_t feature) {
  auto words = philox4x32({feature / 128 * 16 + feature % 16, token, row, name}, {key.k0, key.k1});
  return dropout_half(words, feature / 16 % 8) >= threshold;
}
constexpr bool keeps_probability(DropoutKey key, uint32_t threshold, uint32_t row, uint32_t name,
                                 uint32_t head, uint32_t query, uint32_t key_token) {
  auto words = philox4x32({head << 16 | key_token, query / 8, row, name}, {key.k0, key.k1});
  return dropout_half(words, query % 8) >= threshold;
}

}  // namespace hone::compute
