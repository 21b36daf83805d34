// Any bytes as a safetensors file: sound tensors, all inside the data, or an Error of one line.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "model/safetensors.h"

namespace {

void require(bool holds) {
  if (!holds) abort();
}

void read_all(const hone::model::SafetensorsFile& file, size_t size) {
  size_t bytes = 0;
  for (const auto& entry : file.entries()) {
    auto raw = file.raw(entry);
    bytes += raw.size();
    require(file.find(entry.name) == &entry);
    try {
      hone::model::HostTensor tensor = file.floats(entry);
      float sum = 0;
      for (size_t i = 0; i < tensor.size; ++i) sum += tensor.data[i];
      require(sum == sum || sum != sum);  // every number was read
    } catch (const hone::Error& error) {
      require(std::string_view(error.what()).find('\n') == std::string_view::npos);
    }
  }
  require(bytes <= size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  try {
    auto file =
        hone::model::SafetensorsFile::parse(std::as_bytes(std::span(bytes, size)), "fuzz.safetensors");
    read_all(*file, size);
  } catch (const hone::Error& error) {
    std::string_view message = error.what();
    require(!message.empty() && message.find('\n') == std::string_view::npos);
  }
  return 0;
}
