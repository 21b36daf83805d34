// Where texts come from, a block at a time: encoding takes memory for a block, however many there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hone::encode {

struct TextBlock {
  size_t first = 0;  // place of the first text among all
  std::vector<std::string> texts;
  uint64_t hash = 0;  // of all texts so far, however they are cut into blocks; 0 where the source keeps none
};

class TextSource {
 public:
  virtual ~TextSource() = default;
  // The next texts, at most `most`; false at the end.
  virtual bool next(TextBlock& block, size_t most) = 0;
  virtual size_t count() const = 0;  // of all texts; 0 where it is not known
};

}  // namespace hone::encode
