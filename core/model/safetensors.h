// safetensors files, read and written.
//
// Rules: a file is mapped, its header is checked whole before any tensor is handed out: every range inside
// the data, no overlap, size = product of shape times dtype, no integer overflow, no duplicate name. Data is
// only 8-byte aligned (older files less), so f32 data is handed out as a view where aligned to 4 and
// converted otherwise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone::model {

enum class Dtype { f32, f16, bf16, f64, i64, i32, i16, i8, u8, boolean, other };

// A tensor in host memory as float, row-major. `owner` keeps `data` alive: a mapped file or a vector.
struct HostTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::shared_ptr<const void> owner;
  const float* data = nullptr;
  size_t size = 0;  // elements

  static HostTensor owned(std::string name, std::vector<int64_t> shape, std::vector<float> values);
};

struct TensorEntry {
  std::string name;
  Dtype dtype = Dtype::other;
  std::string dtype_name;  // as in the file: "F32", "BF16", ...
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // bytes in the data section
};

// How the bytes of a file are held: as a mapping, which is shared with other processes and shows what is
// written over the file, or as a copy.
enum class Held { mapped, read };
Held held_as(std::string_view name);  // of runtime.weights

class SafetensorsFile : public std::enable_shared_from_this<SafetensorsFile> {
 public:
  static std::shared_ptr<const SafetensorsFile> open(const std::filesystem::path& path,
                                                     Held held = Held::mapped);
  // From memory, for tests and fuzzing; `bytes` must outlive the object.
  static std::shared_ptr<const SafetensorsFile> parse(std::span<const std::byte> bytes,
                                                      const std::filesystem::path& name);

  const std::vector<TensorEntry>& entries() const { return entries_; }  // in order of data offset
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const TensorEntry* find(std::string_view name) const;
  // As float: f32 as a view, f16/bf16/f64 converted. Throws Error naming file and tensor for other dtypes.
  HostTensor floats(const TensorEntry& entry) const;
  std::span<const std::byte> raw(const TensorEntry& entry) const;

 private:
  SafetensorsFile() = default;
  friend struct SafetensorsParser;
  std::filesystem::path path_;
  std::shared_ptr<const void> bytes_;  // the mapping, or the copy
  std::span<const std::byte> data_;
  std::vector<TensorEntry> entries_;
  std::map<std::string, std::string> metadata_;
};

// A tensor to be written: raw bytes of `dtype_name` ("F32", "U8", "I64", ...), row-major.
struct RawTensor {
  std::string name;
  std::string dtype_name;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

// Writes beside and renames (StagedFile). Header padded so that data starts 64-byte aligned; tensors in the
// given order.
void write_safetensors(const std::filesystem::path& path, std::span<const RawTensor> tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace hone::model
