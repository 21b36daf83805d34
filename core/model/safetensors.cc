#include "model/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "model/dtype.h"
#include "model/json.h"

namespace hone::model {

static_assert(std::endian::native == std::endian::little,
              "safetensors data is little endian and read as it lies");

namespace {

namespace fs = std::filesystem;
constexpr uint64_t kHeaderLimit = 100'000'000;  // as the format's own implementation
constexpr size_t kMaxRank = 32;

// Reads the header as it is parsed. Its shape is fixed: {"__metadata__": {text: text}, name: {"dtype": text,
// "shape": [integers], "data_offsets": [begin, end]}}; anything else stops at once, so neither depth nor size
// can hurt.
class HeaderReader : public nlohmann::json_sax<Json> {
 public:
  HeaderReader(const fs::path& file, std::vector<TensorEntry>& entries,
               std::map<std::string, std::string>& metadata)
      : file_(file), entries_(entries), metadata_(metadata) {}

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a boolean"); }
  bool number_float(double, const std::string& text) override { unexpected(text); }
  bool number_integer(int64_t value) override { unexpected(cat(value)); }
  bool binary(Json::binary_t&) override { unexpected("binary data"); }

  bool number_unsigned(uint64_t value) override {
    if (state_ == State::shape) {
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) unexpected(cat(value));
      if (entry().shape.size() == kMaxRank) fail(file_, place(), " has more than ", kMaxRank, " dimensions");
      entry().shape.push_back(static_cast<int64_t>(value));
    } else if (state_ == State::offsets) {
      if (offsets_ == 2) fail(file_, place(), " has more than two data_offsets");
      (offsets_ == 0 ? entry().begin : entry().end) = value;
      offsets_ += 1;
    } else {
      unexpected(cat(value));
    }
    return true;
  }

  bool string(std::string& value) override {
    if (state_ == State::metadata) {
      metadata_[key_] = value;
    } else if (state_ == State::tensor && key_ == "dtype") {
      entry().dtype_name = value;
    } else {
      unexpected(cat("\"", excerpt(value), "\""));
    }
    return true;
  }

  bool start_object(size_t) override {
    if (state_ == State::start) {
      state_ = State::top;
    } else if (state_ == State::top && key_ == "__metadata__") {
      state_ = State::metadata;
    } else if (state_ == State::top) {
      state_ = State::tensor;
      entries_.push_back({.name = key_});
      seen_dtype_ = seen_shape_ = seen_offsets_ = false;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    if (state_ == State::tensor) {
      if (!seen_dtype_ || !seen_shape_ || !seen_offsets_)
        fail(file_, place(), " lacks ", !seen_dtype_ ? "dtype" : !seen_shape_ ? "shape" : "data_offsets");
      state_ = State::top;
    } else if (state_ == State::metadata) {
      state_ = State::top;
    }
    return true;
  }

  bool key(std::string& name) override {
    key_ = name;
    if (state_ == State::top) {
      if (name != "__metadata__") return true;  // repeated names are found once all are known
      if (seen_metadata_) twice();
      seen_metadata_ = true;
    } else if (state_ == State::metadata) {
      if (metadata_.contains(name)) twice();
    } else {
      bool* seen = name == "dtype"          ? &seen_dtype_
                   : name == "shape"        ? &seen_shape_
                   : name == "data_offsets" ? &seen_offsets_
                                            : nullptr;
      if (seen == nullptr) fail(file_, place(), " has the unknown key \"", excerpt(name), "\"");
      if (*seen) twice();
      *seen = true;
    }
    return true;
  }

  bool start_array(size_t) override {
    if (state_ == State::tensor && key_ == "shape") {
      state_ = State::shape;
    } else if (state_ == State::tensor && key_ == "data_offsets") {
      state_ = State::offsets;
      offsets_ = 0;
    } else {
      unexpected("an array");
    }
    return true;
  }

  bool end_array() override {
    if (state_ == State::offsets && offsets_ != 2)
      fail(file_, place(), " has ", offsets_, " data_offsets, expected two");
    state_ = State::tensor;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const Json::exception&) override {
    fail(file_, ": the header is not valid JSON at its byte ", position);
  }

 private:
  enum class State { start, top, metadata, tensor, shape, offsets };
  const fs::path& file_;
  std::vector<TensorEntry>& entries_;
  std::map<std::string, std::string>& metadata_;
  State state_ = State::start;
  std::string key_;
  bool seen_metadata_ = false, seen_dtype_ = false, seen_shape_ = false, seen_offsets_ = false;
  int offsets_ = 0;

  TensorEntry& entry() { return entries_.back(); }

  std::string place() const {
    bool in_tensor = state_ == State::tensor || state_ == State::shape || state_ == State::offsets;
    return in_tensor ? cat(": tensor \"", excerpt(entries_.back().name), "\"") : std::string(": the header");
  }

  [[noreturn]] void twice() { fail(file_, place(), " has the key \"", excerpt(key_), "\" twice"); }

  [[noreturn]] void unexpected(std::string_view what) {
    fail(file_, place(), " has ", what, key_.empty() ? "" : cat(" at \"", excerpt(key_), "\""),
         ", which the safetensors format does not allow there");
  }
};

float half_to_float(uint16_t half) {
  uint32_t sign = (half & 0x8000U) << 16;
  uint32_t exponent = (half >> 10) & 0x1fU;
  uint32_t mantissa = half & 0x3ffU;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000U | (mantissa << 13));
  if (exponent == 0) {  // subnormal: mantissa * 2^-24, exact in float
    float value = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -value : value;
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

template <class Stored, class Convert>
std::shared_ptr<std::vector<float>> converted(std::span<const std::byte> bytes, Convert convert) {
  auto values = std::make_shared<std::vector<float>>(bytes.size() / sizeof(Stored));
  for (size_t i = 0; i < values->size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof stored, sizeof stored);
    (*values)[i] = convert(stored);
  }
  return values;
}

}  // namespace

struct SafetensorsParser {
  static std::shared_ptr<const SafetensorsFile> parse(std::span<const std::byte> bytes, const fs::path& name,
                                                      std::shared_ptr<const void> held) {
    std::shared_ptr<SafetensorsFile> file(new SafetensorsFile());
    file->path_ = name;
    file->bytes_ = std::move(held);
    uint64_t length = 0;
    if (bytes.size() < sizeof length)
      fail(name, ": not a safetensors file: ", bytes.size(), " bytes, expected at least 8");
    std::memcpy(&length, bytes.data(), sizeof length);
    if (length > kHeaderLimit)
      fail(name, ": not a safetensors file: its header would be ", length, " bytes long, expected at most ",
           kHeaderLimit);
    if (length > bytes.size() - sizeof length)
      fail(name, ": truncated: the header is ", length, " bytes long, but only ",
           bytes.size() - sizeof length, " bytes follow");
    std::string_view header(reinterpret_cast<const char*>(bytes.data()) + sizeof length, length);
    if (!header.starts_with('{')) fail(name, ": not a safetensors file: the header does not start with '{'");
    // The JSON library takes a zero byte for the end of the text.
    if (size_t zero = header.find('\0'); zero != std::string_view::npos)
      fail(name, ": the header is not valid JSON at its byte ", zero);
    HeaderReader reader(name, file->entries_, file->metadata_);
    if (!Json::sax_parse(header, &reader)) fail(name, ": the header is not valid JSON");
    file->data_ = bytes.subspan(sizeof length + length);
    check_entries(*file);
    return file;
  }

  static void check_entries(SafetensorsFile& file) {
    auto& entries = file.entries_;
    for (TensorEntry& entry : entries) check_size(file.path_, entry, file.data_.size());
    check_names(file);
    // An empty tensor shares its offset with the one after it, and comes first.
    std::sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
      return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    uint64_t next = 0;
    for (const TensorEntry& entry : entries) {
      if (entry.begin != next)
        fail(file.path_, ": tensor \"", excerpt(entry.name), "\" starts at byte ", entry.begin,
             " of the data, ",
             entry.begin < next ? "inside the tensor before it, which ends at byte "
                                : "but the tensor before it ends at byte ",
             next);
      next = entry.end;
    }
    if (next != file.data_.size())
      fail(file.path_, ": ", file.data_.size(), " bytes of data, but its tensors end at byte ", next);
  }

  static void check_size(const fs::path& path, TensorEntry& entry, uint64_t data_size) {
    const DtypeInfo* info = find_dtype(entry.dtype_name);
    if (info == nullptr)
      fail(path, ": tensor \"", excerpt(entry.name), "\" has the unknown dtype \"", excerpt(entry.dtype_name),
           "\"");
    entry.dtype = info->dtype;
    auto size = byte_size(entry.shape, *info);
    if (!size) fail(path, ": tensor \"", excerpt(entry.name), "\" has a shape too large for any file");
    if (entry.begin > entry.end || entry.end > data_size)
      fail(path, ": tensor \"", excerpt(entry.name), "\" lies at bytes ", entry.begin, " to ", entry.end,
           ", but there are ", data_size, " bytes of data (is the file truncated?)");
    if (entry.end - entry.begin != *size)
      fail(path, ": tensor \"", excerpt(entry.name), "\" takes ", entry.end - entry.begin, " bytes, but ",
           entry.dtype_name, " of shape ", shown_shape(entry.shape), " takes ", *size);
  }

  static void check_names(const SafetensorsFile& file) {
    std::vector<std::string_view> names;
    names.reserve(file.entries_.size());
    for (const TensorEntry& entry : file.entries_) names.push_back(entry.name);
    std::sort(names.begin(), names.end());
    auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) fail(file.path_, ": the tensor \"", excerpt(*twice), "\" appears twice");
  }
};

HostTensor HostTensor::owned(std::string name, std::vector<int64_t> shape, std::vector<float> values) {
  auto held = std::make_shared<const std::vector<float>>(std::move(values));
  auto bytes = byte_size(shape, *find_dtype("F32"));
  if (!bytes || *bytes != held->size() * sizeof(float))
    fail("tensor \"", excerpt(name), "\" of shape ", shown_shape(shape), " was given ", held->size(),
         " values");
  const float* data = held->data();
  size_t size = held->size();
  return {std::move(name), std::move(shape), std::move(held), data, size};
}

Held held_as(std::string_view name) {
  return name == "read" ? Held::read : Held::mapped;
}

std::shared_ptr<const SafetensorsFile> SafetensorsFile::open(const fs::path& path, Held held) {
  if (held == Held::read) {
    FileInput input(path);
    auto copy = std::make_shared<std::vector<std::byte>>();
    copy->reserve(input.size());
    for (std::string_view piece = input.next(); !piece.empty(); piece = input.next()) {
      const auto bytes = std::as_bytes(std::span(piece));
      copy->insert(copy->end(), bytes.begin(), bytes.end());
    }
    const std::span<const std::byte> bytes = *copy;
    return SafetensorsParser::parse(bytes, path, std::move(copy));
  }
  auto mapping = std::make_shared<const MappedFile>(path);
  auto bytes = mapping->bytes();
  return SafetensorsParser::parse(bytes, path, std::move(mapping));
}

std::shared_ptr<const SafetensorsFile> SafetensorsFile::parse(std::span<const std::byte> bytes,
                                                              const fs::path& name) {
  return SafetensorsParser::parse(bytes, name, nullptr);
}

const TensorEntry* SafetensorsFile::find(std::string_view name) const {
  auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const TensorEntry& e) { return e.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

std::span<const std::byte> SafetensorsFile::raw(const TensorEntry& entry) const {
  return data_.subspan(entry.begin, entry.end - entry.begin);
}

HostTensor SafetensorsFile::floats(const TensorEntry& entry) const {
  std::span<const std::byte> bytes = raw(entry);
  std::shared_ptr<std::vector<float>> values;
  switch (entry.dtype) {
    case Dtype::f32:
      if (reinterpret_cast<uintptr_t>(bytes.data()) % alignof(float) == 0) {
        return {entry.name, entry.shape, shared_from_this(), reinterpret_cast<const float*>(bytes.data()),
                bytes.size() / sizeof(float)};
      }
      values = converted<float>(bytes, [](float value) { return value; });
      break;
    case Dtype::f16:
      values = converted<uint16_t>(bytes, half_to_float);
      break;
    case Dtype::bf16:
      values = converted<uint16_t>(bytes, [](uint16_t v) { return std::bit_cast<float>(uint32_t{v} << 16); });
      break;
    case Dtype::f64:
      values = converted<double>(bytes, [&](double value) {
        // Halfway above the largest float already rounds to infinity; infinities and NaN are themselves.
        if (std::isfinite(value) && std::fabs(value) >= 0x1.ffffffp127)
          fail(path_, ": tensor \"", excerpt(entry.name), "\" holds ", value,
               ", too large for a 32-bit float");
        return static_cast<float>(value);
      });
      break;
    default:
      fail(path_, ": tensor \"", excerpt(entry.name), "\" is ", entry.dtype_name,
           ", expected floating-point numbers (F32, F16, BF16 or F64)");
  }
  const float* data = values->data();
  size_t size = values->size();
  return {entry.name, entry.shape, std::move(values), data, size};
}

}  // namespace hone::model
