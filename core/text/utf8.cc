// UTF-8 well-formedness (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
#include <cstdint>
#include <cstring>
#include <string_view>

#include "text/tokenizer.h"

namespace hone::text {

size_t valid_utf8_prefix(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t size = text.size(), at = 0;
  auto continues = [&](size_t i, unsigned low, unsigned high) {
    return i < size && bytes[i] >= low && bytes[i] <= high;
  };
  while (at < size) {
    // Most text is ASCII: eight bytes at a time.
    uint64_t eight = 0;
    while (at + sizeof eight <= size) {
      std::memcpy(&eight, bytes + at, sizeof eight);
      if ((eight & 0x8080808080808080U) != 0) break;
      at += sizeof eight;
    }
    if (at == size) break;
    unsigned lead = bytes[at];
    if (lead < 0x80) {
      at += 1;
    } else if (lead >= 0xC2 && lead <= 0xDF) {
      if (!continues(at + 1, 0x80, 0xBF)) return at;
      at += 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      unsigned low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xED ? 0x9F : 0xBF;
      if (!continues(at + 1, low, high) || !continues(at + 2, 0x80, 0xBF)) return at;
      at += 3;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      unsigned low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
      if (!continues(at + 1, low, high) || !continues(at + 2, 0x80, 0xBF) || !continues(at + 3, 0x80, 0xBF))
        return at;
      at += 4;
    } else {
      return at;
    }
  }
  return size;
}

bool valid_utf8(std::string_view text) {
  return valid_utf8_prefix(text) == text.size();
}

}  // namespace hone::text
