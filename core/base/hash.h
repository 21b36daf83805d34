// A 64-bit hash of a sequence of values, to tell whether data and models are the same as in an earlier run.
// Not a defence against anyone: collisions can be made.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace hone {

// Each eight bytes are mixed in by a multiplication; sizes too, so that neighbours do not run together.
class Hash {
 public:
  void add(uint64_t value) {
    state_ = (state_ ^ value) * 0x9E3779B97F4A7C15ULL;
    state_ ^= state_ >> 29;
  }
  void add(std::string_view text) {
    add(text.size());
    while (!text.empty()) {
      uint64_t word = 0;
      size_t n = std::min(text.size(), sizeof word);
      std::memcpy(&word, text.data(), n);
      add(word);
      text.remove_prefix(n);
    }
  }
  void add(std::span<const float> values) {
    add(std::string_view(reinterpret_cast<const char*>(values.data()), values.size_bytes()));
  }
  void add(double value) {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    add(bits);
  }
  uint64_t value() const { return state_; }

 private:
  uint64_t state_ = 0x243F6A8885A308D3ULL;
};

}  // namespace hone
