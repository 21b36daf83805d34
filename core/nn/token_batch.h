// A ragged batch of token ids: what an encoder eats.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compute/graph.h"

namespace hone::nn {

struct TokenBatch {
  std::vector<int32_t> ids;  // [T]
  compute::Segments segments;

  void clear() {
    ids.clear();
    segments = {};
  }
  // Appends a sequence; (row, role) name it for dropout.
  void add(std::span<const int32_t> sequence, uint32_t row, uint32_t role) {
    ids.insert(ids.end(), sequence.begin(), sequence.end());
    segments.offsets.push_back(static_cast<int32_t>(ids.size()));
    segments.row.push_back(row);
    segments.role.push_back(role);
  }
  int64_t sequences() const { return segments.count(); }
  int64_t tokens() const { return segments.tokens(); }
};

}  // namespace hone::nn
