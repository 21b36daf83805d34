// Numbers for texts: 0, 1, ... in the order in which they first come; equal texts have the same one.
//
// Rules: a text is known by a hash of 128 bits (base/hash128.h), which takes 16 bytes and a place of 4 to 8,
// however long the text is.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <string_view>
#include <vector>

#include "base/hash128.h"

namespace hone::train {

class TextNumbers {
 public:
  // The text is new where its number is what size() was.
  uint32_t of(std::string_view text);
  uint32_t size() const { return static_cast<uint32_t>(hashes_.size()); }

 private:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  std::deque<Hash128> hashes_;  // by number; grows without a copy
  std::vector<uint32_t> slots_ =
      std::vector<uint32_t>(16, kNone);  // numbers, at the place of the hash or behind
  void grow();
};

}  // namespace hone::train
