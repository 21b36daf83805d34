#include "encode/vectors_file.h"

#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "model/safetensors.h"

namespace hone::encode {

namespace {

void write_npy(const fs::path& path, std::span<const float> vectors, int64_t rows, int64_t cols) {
  std::string header = cat("{'descr': '<f4', 'fortran_order': False, 'shape': (", rows, ", ", cols, "), }");
  constexpr size_t kPrefix = 10, kAlign = 64;  // magic, version and length; data starts on a multiple of 64
  header.append(kAlign - 1 - (kPrefix + header.size()) % kAlign, ' ');
  header += '\n';
  std::string prefix("\x93NUMPY\x01\x00", 8);
  prefix += static_cast<char>(header.size() & 0xFF);
  prefix += static_cast<char>(header.size() >> 8);
  StagedFile file(path);
  file.write(prefix);
  file.write(header);
  file.write(vectors.data(), vectors.size_bytes());
  file.commit();
}

void write_jsonl(const fs::path& path, std::span<const float> vectors, int64_t rows, int64_t cols) {
  StagedFile file(path);
  std::string line;
  for (int64_t r = 0; r < rows; ++r) {
    line = cat("{\"index\":", r, ",\"embedding\":[");
    for (int64_t c = 0; c < cols; ++c) {
      const float value = vectors[static_cast<size_t>(r * cols + c)];
      if (!std::isfinite(value)) {
        fail(path, ": row ", r, ", column ", c, ": ", value,
             " cannot be written as JSON; .npy and .safetensors hold it");
      }
      if (c > 0) line += ',';
      char digits[32];
      line.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    }
    line += "]}\n";
    file.write(line);
  }
  file.commit();
}

}  // namespace

void check_vectors_path(const fs::path& path) {
  const auto ending = path.extension();
  if (ending != ".npy" && ending != ".safetensors" && ending != ".jsonl") {
    fail_usage("out: \"", excerpt(path.string()),
               "\" found, a name ending in .npy, .safetensors or .jsonl expected");
  }
}

void write_vectors(const fs::path& path, std::span<const float> vectors, int64_t rows, int64_t cols) {
  check_vectors_path(path);
  // By division: the product of absurd sizes would wrap round to a size that fits.
  const auto count = static_cast<int64_t>(vectors.size());
  const bool fits =
      rows > 0 && cols > 0 ? count % cols == 0 && count / cols == rows : rows >= 0 && cols >= 0 && count == 0;
  if (!fits) fail(path, ": ", vectors.size(), " numbers for shape [", rows, ",", cols, "]");
  if (path.extension() == ".npy") {
    write_npy(path, vectors, rows, cols);
  } else if (path.extension() == ".jsonl") {
    write_jsonl(path, vectors, rows, cols);
  } else {
    const model::RawTensor tensor{"embeddings", "F32", {rows, cols}, std::as_bytes(vectors)};
    model::write_safetensors(path, std::span(&tensor, 1), {});
  }
}

}  // namespace hone::encode
