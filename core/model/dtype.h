// The element types of safetensors, by the names that stand in files.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/safetensors.h"

namespace hone::model {

struct DtypeInfo {
  std::string_view name;
  Dtype dtype;
  unsigned bits;
};

const DtypeInfo* find_dtype(std::string_view name);  // null when unknown

// Bytes of a tensor; none when they do not fit 64 bits or end inside a byte, or a dimension is negative.
std::optional<uint64_t> byte_size(std::span<const int64_t> shape, const DtypeInfo& info);

std::string shown_shape(std::span<const int64_t> shape);  // "[2, 3]"

}  // namespace hone::model
