// Where vectors go, a block at a time.
#pragma once

#include <cstdint>
#include <span>

namespace hone::encode {

class VectorSink {
 public:
  virtual ~VectorSink() = default;
  // Whole rows, in the order of the texts. `texts` is the hash of all texts so far, as their source gives it;
  // `more`: these are not the last.
  virtual void write(std::span<const float> vectors, uint64_t texts, bool more) = 0;
  virtual void finish() = 0;  // all were written
};

}  // namespace hone::encode
