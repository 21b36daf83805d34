#include "eval/texts.h"

#include <map>
#include <string_view>
#include <unordered_map>

namespace hone::eval {

Texts::Texts(std::initializer_list<Column> columns, const model::SentenceModel& model,
             compute::Engine& engine) {
  std::vector<encode::PromptedText> distinct;  // the table's
  {
    std::map<std::string_view, std::unordered_map<std::string_view, uint32_t>> by_prompt;
    for (const Column& column : columns) {
      auto& seen = by_prompt[column.prompt];
      std::vector<uint32_t>& place = place_.emplace_back();
      place.reserve(column.texts->size());
      for (const std::string& text : *column.texts) {
        const auto [at, fresh] = seen.try_emplace(text, static_cast<uint32_t>(distinct.size()));
        if (fresh) distinct.push_back({column.prompt, text});
        place.push_back(at->second);
      }
    }
  }
  ids_ = encode::tokenize(model, engine, std::span<const encode::PromptedText>(distinct));
}

Texts::Vectors Texts::encode(encode::Encoder& encoder, int32_t dim,
                             const std::function<void(size_t done, size_t total)>& progress) const {
  encode::EncodeOptions options;
  options.dim = dim;
  options.progress = progress;
  Vectors vectors;
  vectors.texts_ = this;
  vectors.dim_ = static_cast<size_t>(encoder.dim(options));
  vectors.values_ = encoder.encode_ids(ids_, options);
  return vectors;
}

size_t Texts::bytes() const {
  size_t bytes = ids_.bytes();
  for (const auto& place : place_) bytes += place.capacity() * sizeof place[0];
  return bytes;
}

size_t Texts::vector_bytes(int64_t dim) const {
  return ids_.size() * (static_cast<size_t>(dim) * sizeof(float));
}

}  // namespace hone::eval
