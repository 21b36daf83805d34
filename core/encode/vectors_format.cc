#include "encode/vectors_format.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace hone::encode {

namespace {

// Both headers are padded with blanks to a multiple of 64, which numbers of any size leave at two of them.
constexpr size_t kHeader = 128;
constexpr size_t kJsonPiece = size_t{1} << 16;

std::string npy_header(int64_t rows, int64_t dim) {
  std::string header("\x93NUMPY\x01\x00", 8);
  constexpr size_t kPrefix = 10;  // with the length of what follows
  header += static_cast<char>(kHeader - kPrefix);
  header += '\0';
  header += cat("{'descr': '<f4', 'fortran_order': False, 'shape': (", rows, ", ", dim, "), }");
  header.resize(kHeader - 1, ' ');
  return header + '\n';
}

std::string safetensors_header(int64_t rows, int64_t dim) {
  const uint64_t length = kHeader - sizeof(uint64_t);
  std::string header(sizeof length, '\0');
  std::memcpy(header.data(), &length, sizeof length);
  header += cat("{\"embeddings\":{\"dtype\":\"F32\",\"shape\":[", rows, ",", dim, "],\"data_offsets\":[0,",
                rows * dim * static_cast<int64_t>(sizeof(float)), "]}}");
  header.resize(kHeader, ' ');
  return header;
}

void put_json(std::span<const float> vectors, size_t dim, int64_t first, const std::filesystem::path& path,
              const std::function<void(std::string_view)>& out) {
  std::string piece;
  for (size_t at = 0; at < vectors.size(); at += dim, ++first) {
    piece += cat("{\"index\":", first, ",\"embedding\":[");
    for (size_t c = 0; c < dim; ++c) {
      const float value = vectors[at + c];
      if (!std::isfinite(value)) {
        fail(path, ": row ", first, ", column ", c, ": ", value,
             " cannot be written as JSON; .npy and .safetensors hold it");
      }
      if (c > 0) piece += ',';
      char digits[32];
      piece.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    }
    piece += "]}\n";
    if (piece.size() < kJsonPiece) continue;
    out(piece);
    piece.clear();
  }
  if (!piece.empty()) out(piece);
}

}  // namespace

VectorsFormat vectors_format(const std::filesystem::path& path) {
  const auto ending = path.extension();
  if (ending == ".npy") return VectorsFormat::npy;
  if (ending == ".safetensors") return VectorsFormat::safetensors;
  if (ending == ".jsonl") return VectorsFormat::jsonl;
  fail_usage("out: \"", excerpt(path.string()),
             "\" found, a name ending in .npy, .safetensors or .jsonl expected");
}

std::string_view name_of(VectorsFormat format) {
  return format == VectorsFormat::npy ? "npy" : format == VectorsFormat::jsonl ? "jsonl" : "safetensors";
}

std::string vectors_header(VectorsFormat format, int64_t rows, int64_t dim) {
  if (format == VectorsFormat::jsonl) return "";
  return format == VectorsFormat::npy ? npy_header(rows, dim) : safetensors_header(rows, dim);
}

void put_vectors(VectorsFormat format, std::span<const float> vectors, int64_t dim, int64_t first,
                 const std::filesystem::path& path, const std::function<void(std::string_view)>& out) {
  if (dim < 1 || vectors.size() % static_cast<size_t>(dim) != 0)
    fail(path, ": ", vectors.size(), " numbers for rows of ", dim);
  if (format == VectorsFormat::jsonl) return put_json(vectors, static_cast<size_t>(dim), first, path, out);
  out({reinterpret_cast<const char*>(vectors.data()), vectors.size_bytes()});
}

}  // namespace hone::encode
