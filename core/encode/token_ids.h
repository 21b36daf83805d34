// The token ids of many texts, one after the other: a text costs its ids and eight bytes.
//
// Rules: texts are added, then read; any number of threads may read at once. Beyond a limit, where one is
// set, the ids lie in a temporary file, and a text is read from there when it is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "base/temporary.h"

namespace hone::encode {

class TokenIds {
 public:
  // `most_bytes` of ids are held in memory.
  explicit TokenIds(size_t most_bytes = std::numeric_limits<size_t>::max()) : most_bytes_(most_bytes) {}

  void add(std::span<const int32_t> ids);
  // Text i from now on is the one that was number places[i]: all of them, in another order.
  void reorder(std::vector<uint32_t> places) { places_ = std::move(places); }

  size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  size_t length(size_t text) const;
  // Valid until `scratch` or this object changes.
  std::span<const int32_t> read(size_t text, std::vector<int32_t>& scratch) const;
  int64_t tokens() const { return ends_.empty() ? 0 : static_cast<int64_t>(ends_.back()); }
  size_t bytes() const;  // of memory
  bool in_file() const { return file_ != nullptr; }

 private:
  size_t most_bytes_;
  // Grows without a copy of what is there, which a vector would need as much memory again for.
  std::deque<uint64_t> ends_;
  std::vector<int32_t> ids_;  // those that are in no file
  std::unique_ptr<TemporaryFile> file_;
  std::vector<uint32_t> places_;  // empty: in the order of adding
  void to_file();
  size_t place(size_t text) const { return places_.empty() ? text : places_[text]; }
  uint64_t begin_of(size_t at) const { return at == 0 ? 0 : ends_[at - 1]; }
};

}  // namespace hone::encode
