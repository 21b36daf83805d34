// A matrix as a file, in one block.
#pragma once

#include <filesystem>
#include <span>

#include "encode/vectors_file.h"

namespace hone::testing {

inline void write_vectors(const std::filesystem::path& path, std::span<const float> vectors, int64_t dim) {
  encode::VectorsFile file(path, encode::vectors_format(path));
  file.begin(static_cast<int32_t>(dim), {});
  if (!vectors.empty()) file.write(vectors, 0, false);
  file.finish();
}

}  // namespace hone::testing
