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

namespace {

// White_Space of Unicode, the controls (Cc), and format characters without a width of their own.
bool is_unseen(uint32_t c) {
  return c <= 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD || c == 0x1680 || (c >= 0x2000 && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202F) || (c >= 0x205F && c <= 0x2064) || c == 0x3000 || c == 0xFEFF;
}

}  // namespace

bool only_blanks(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
    // No character of four bytes is among them.
    const size_t size = byte(0) < 0x80 ? 1 : byte(0) < 0xE0 ? 2 : 3;
    if (byte(0) >= 0xF0 || at + size > text.size()) return false;
    const uint32_t c = size == 1   ? byte(0)
                       : size == 2 ? (byte(0) & 0x1FU) << 6 | (byte(1) & 0x3FU)
                                   : (byte(0) & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
    if (!is_unseen(c)) return false;
    at += size;
  }
  return true;
}

bool valid_utf8(std::string_view text) {
  return valid_utf8_prefix(text) == text.size();
}

}  // namespace hone::text
