// Writing safetensors. Header and data go out in one pass, straight from the caller's memory.
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "model/dtype.h"
#include "model/json.h"
#include "model/safetensors.h"

namespace hone::model {

namespace {

// A JSON string; file names and tensor names must be UTF-8 for that.
std::string quoted(const std::filesystem::path& path, const std::string& text) {
  try {
    return Json(text).dump();
  } catch (const Json::exception&) {
    fail("cannot write ", path, ": \"", excerpt(text), "\" is not UTF-8 text");
  }
}

std::string make_header(const std::filesystem::path& path, std::span<const RawTensor> tensors,
                        const std::map<std::string, std::string>& metadata) {
  std::string header = "{";
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata)
      header += cat(header.back() == '{' ? "" : ",", quoted(path, key), ":", quoted(path, value));
    header += "}";
  }
  std::set<std::string_view> names{"__metadata__"};
  uint64_t offset = 0;
  for (const RawTensor& tensor : tensors) {
    const DtypeInfo* info = find_dtype(tensor.dtype_name);
    if (info == nullptr)
      fail("cannot write ", path, ": tensor \"", excerpt(tensor.name), "\" has the unknown dtype \"",
           excerpt(tensor.dtype_name), "\"");
    auto size = byte_size(tensor.shape, *info);
    if (!size || *size != tensor.bytes.size())
      fail("cannot write ", path, ": tensor \"", excerpt(tensor.name), "\" of ", tensor.dtype_name, " ",
           shown_shape(tensor.shape), " was given ", tensor.bytes.size(), " bytes");
    if (!names.insert(tensor.name).second)
      fail("cannot write ", path, ": the tensor name \"", excerpt(tensor.name), "\" is taken");
    std::string shape;
    for (int64_t n : tensor.shape) shape += cat(shape.empty() ? "" : ",", n);
    header +=
        cat(header.size() == 1 ? "" : ",", quoted(path, tensor.name), ":{\"dtype\":\"", tensor.dtype_name,
            "\",\"shape\":[", shape, "],\"data_offsets\":[", offset, ",", offset + *size, "]}");
    offset += *size;
  }
  header += "}";
  size_t aligned = (sizeof(uint64_t) + header.size() + 63) / 64 * 64;
  header.resize(aligned - sizeof(uint64_t), ' ');
  return header;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const RawTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::string header = make_header(path, tensors, metadata);
  uint64_t length = header.size();
  StagedFile file(path);
  file.write(&length, sizeof length);
  file.write(header);
  for (const RawTensor& tensor : tensors) file.write(tensor.bytes.data(), tensor.bytes.size());
  file.commit();
}

}  // namespace hone::model
