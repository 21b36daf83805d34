#include "train/base_vectors.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "encode/encoder.h"
#include "model/identity.h"
#include "model/safetensors.h"

namespace hone::train {

namespace {

std::string hexadecimal(uint64_t value) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(value >> shift) & 15];
  return text;
}

uint64_t hash_of(const model::SentenceModel& model, const TrainData& data) {
  Hash hash;
  hash.add(std::string_view(model::model_identity(model)));
  std::vector<int32_t> scratch;
  for (uint32_t text = 0; text < data.encodings(); ++text) {
    const std::span<const int32_t> ids = data.ids().read(text, scratch);
    hash.add(std::string_view(reinterpret_cast<const char*>(ids.data()), ids.size_bytes()));
  }
  return hash.value();
}

}  // namespace

void require_cache(const std::string& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) fail("cannot write ", folder, ": ", code.message());
  StagedFile writable(fs::path(folder) / "vectors");
}

std::vector<float> base_vectors(const std::shared_ptr<const model::SentenceModel>& model,
                                const std::shared_ptr<compute::Engine>& engine, const TrainData& data,
                                const std::string& folder,
                                const std::function<void(size_t, size_t)>& progress) {
  const std::vector<int64_t> shape{static_cast<int64_t>(data.encodings()), model->vector_dim()};
  fs::path file;
  if (!folder.empty()) {
    file = fs::path(folder) / (hexadecimal(hash_of(*model, data)) + ".safetensors");
    if (fs::exists(file)) {
      const auto kept = model::SafetensorsFile::open(file);
      const auto* entry = kept->find("vectors");
      if (entry == nullptr || entry->shape != shape)
        fail(file, ": holds no vectors of ", shape[0], " texts; remove it");
      const model::HostTensor tensor = kept->floats(*entry);
      if (!std::all_of(tensor.data, tensor.data + tensor.size, [](float x) { return std::isfinite(x); }))
        fail(file, ": holds numbers that are not finite; remove it");
      return {tensor.data, tensor.data + tensor.size};
    }
  }
  encode::Encoder encoder(model, engine);
  encode::EncodeOptions options;
  options.normalize = true;
  options.progress = progress;
  std::vector<float> vectors = encoder.encode_ids(data.ids(), options);
  if (!folder.empty()) {
    require_cache(folder);
    const model::RawTensor tensor{"vectors", "F32", shape, std::as_bytes(std::span(std::as_const(vectors)))};
    model::write_safetensors(file, {&tensor, 1}, {});
  }
  return vectors;
}

}  // namespace hone::train
