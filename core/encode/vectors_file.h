// Vectors as files: .npy (version 1.0, '<f4', C order), .safetensors (one tensor, "embeddings") or .jsonl
// (one object a line, {"index":0,"embedding":[...]}, numbers in shortest round-trip form; a number
// that is not finite is an Error, as JSON has none). Written beside and renamed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace hone::encode {

// Throws UsageError naming the valid endings.
void check_vectors_path(const std::filesystem::path& path);

// vectors: [rows, cols] row-major.
void write_vectors(const std::filesystem::path& path, std::span<const float> vectors, int64_t rows,
                   int64_t cols);

}  // namespace hone::encode
