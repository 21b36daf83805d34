#include "train/text_numbers.h"

namespace hone::train {

uint32_t TextNumbers::of(std::string_view text) {
  const Hash128 hash = hash128(text);
  const size_t mask = slots_.size() - 1;  // a power of two
  size_t at = hash.low & mask;
  for (; slots_[at] != kNone; at = (at + 1) & mask) {
    if (hashes_[slots_[at]] == hash) return slots_[at];
  }
  const uint32_t number = size();
  slots_[at] = number;
  hashes_.push_back(hash);
  if (hashes_.size() > slots_.size() / 4 * 3) grow();
  return number;
}

void TextNumbers::grow() {
  const size_t count = 2 * slots_.size(), mask = count - 1;
  slots_ = std::vector<uint32_t>();  // all is found in the hashes: no need to hold both
  slots_.assign(count, kNone);
  for (uint32_t number = 0; number < size(); ++number) {
    size_t at = hashes_[number].low & mask;
    while (slots_[at] != kNone) at = (at + 1) & mask;
    slots_[at] = number;
  }
}

}  // namespace hone::train
