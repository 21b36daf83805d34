// A 128-bit hash of a text, which stands for it where keeping the text would take too much memory: of ten
// million texts two have the same one with a probability below 2^-80. MurmurHash3 x64 128 (Austin Appleby,
// public domain), seed 0. Not a defence against anyone: collisions can be made.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace hone {

struct Hash128 {
  uint64_t low = 0, high = 0;
  bool operator==(const Hash128&) const = default;
};

inline Hash128 hash128(std::string_view text) {
  static_assert(std::endian::native == std::endian::little);
  constexpr uint64_t kFirst = 0x87C37B91114253D5ULL, kSecond = 0x4CF5AD432745937FULL;
  auto mixed_first = [](uint64_t word) { return std::rotl(word * kFirst, 31) * kSecond; };
  auto mixed_second = [](uint64_t word) { return std::rotl(word * kSecond, 33) * kFirst; };
  auto finish = [](uint64_t word) {
    word = (word ^ word >> 33) * 0xFF51AFD7ED558CCDULL;
    word = (word ^ word >> 33) * 0xC4CEB9FE1A85EC53ULL;
    return word ^ word >> 33;
  };
  const uint64_t size = text.size();
  uint64_t low = 0, high = 0;
  for (; text.size() >= 16; text.remove_prefix(16)) {
    uint64_t words[2];
    std::memcpy(words, text.data(), 16);
    low = (std::rotl(low ^ mixed_first(words[0]), 27) + high) * 5 + 0x52DCE729;
    high = (std::rotl(high ^ mixed_second(words[1]), 31) + low) * 5 + 0x38495AB5;
  }
  uint64_t rest[2] = {};
  if (!text.empty()) std::memcpy(rest, text.data(), text.size());
  high ^= mixed_second(rest[1]);  // of no bytes: nothing
  low ^= mixed_first(rest[0]);
  low ^= size;
  high ^= size;
  low += high;
  high += low;
  low = finish(low);
  high = finish(high);
  low += high;
  high += low;
  return {low, high};
}

}  // namespace hone
