// The 128-bit hash of texts against the reference implementation (mmh3 5.3.1, x64, seed 0).
#include "base/hash128.h"

#include <gtest/gtest.h>

#include <string>

namespace hone {
namespace {

using namespace std::string_literals;

TEST(Hash128, is_murmur3) {
  const struct {
    std::string text;
    uint64_t low, high;
  } cases[] = {
      {"", 0, 0},
      {"a", 0x85555565f6597889, 0xe6b53a48510e895a},
      {"hello", 0xcbd8a7b341bd9b02, 0x5b1e906a48ae1d19},
      {"0123456789abcdef", 0x4be06d94cf4ad1a7, 0x87c35b5c63a708da},
      {"0123456789abcdef0", 0xeb24ae8785a5c075, 0x73fb68b3313128ca},
      {"The quick brown fox jumps over the lazy dog", 0xe34bbc7bbc071b6c, 0x7a433ca9c49a9347},
      {"k\xc3\xa4se \xe4\xbd\xa0", 0x3dd1f56b8f6b85e8, 0x273d7fb2f2888ff4},
      {std::string(31, 'x'), 0x887b5e1ecbc9ba74, 0x1899acd5e8e69db3},
      {"\0"s, 0x4610abe56eff5cb5, 0x51622daa78f83583},
      {"\0\0"s, 0x3044b81a706c5de8, 0x18f96bcc37e8a35b},
  };
  for (const auto& c : cases) EXPECT_EQ(hash128(c.text), (Hash128{c.low, c.high})) << c.text;
}

}  // namespace
}  // namespace hone
