// What vectors are in bytes: .npy (version 1.0, '<f4', C order), .safetensors (one tensor, "embeddings") or
// JSONL (one object a line, {"index":0,"embedding":[...]}, numbers in shortest round-trip form; a number that
// is not finite is an Error, as JSON has none).
//
// Rules: rows are bytes behind a header whose size is known before their number, so that it can be written
// last. JSONL has no header: it is what can be written where there is no way back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace hone::encode {

enum class VectorsFormat { npy, safetensors, jsonl };

// By the ending of a file's name. Throws UsageError naming the valid endings.
VectorsFormat vectors_format(const std::filesystem::path& path);
std::string_view name_of(VectorsFormat format);

// Empty for JSONL, else always of the same size.
std::string vectors_header(VectorsFormat format, int64_t rows, int64_t dim);

// Gives the bytes of [rows, dim] to `out`, in pieces; the first row is number `first`. `path` is what a
// message names.
void put_vectors(VectorsFormat format, std::span<const float> vectors, int64_t dim, int64_t first,
                 const std::filesystem::path& path, const std::function<void(std::string_view)>& out);

}  // namespace hone::encode
