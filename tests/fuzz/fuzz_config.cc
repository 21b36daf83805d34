// Any bytes as one of a model's JSON files (the first byte says which): settings that can be written and read
// again, or an Error of one line.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "model/bert_config.h"
#include "model/json.h"
#include "model/modules.h"
#include "model/settings.h"
#include "model/tokenizer_settings.h"

namespace {

using namespace hone::model;

void require(bool holds) {
  if (!holds) abort();
}

void check_bert_config(std::string_view text) {
  BertConfig config = parse_bert_config(text, "config.json");
  require(config.hidden_size > 0 && config.hidden_size % config.heads == 0);
  for (const TensorSpec& spec : encoder_tensors(config)) require(spec.shape[0] > 0);
  std::string saved = config_for_float32(std::string(text), "config.json");
  require(parse_bert_config(saved, "config.json").hidden_size == config.hidden_size);
}

void check_modules(std::string_view text) {
  auto entries = parse_modules(text, "modules.json");
  require(entries.size() >= 2 && entries[1].kind == ModuleEntry::Kind::pooling);
  for (const ModuleEntry& entry : entries) {
    require(entry.path.is_relative());
    for (const auto& part : entry.path) require(part != "..");
  }
}

void check_pooling(std::string_view text) {
  Module module = parse_pooling(text, "pooling.json", 8);
  require(!module.pooling.empty());
  require(parse_pooling(module_config_json(module, 8), "pooling.json", 8).pooling == module.pooling);
}

void check_dense(std::string_view text) {
  Module module = parse_dense(text, "dense.json");
  Module again = parse_dense(module_config_json(module, 8), "dense.json");
  require(again.in_features == module.in_features && again.activation == module.activation);
}

void check_transformer(std::string_view text) {
  TransformerSettings settings = parse_transformer_settings(text, "sentence_bert_config.json");
  require(!settings.max_seq_length || *settings.max_seq_length >= 3);
}

void check_tokenizer_config(std::string_view text) {
  TokenizerSettings settings = parse_tokenizer_settings(text, "tokenizer_config.json");
  require(!settings.max_length || *settings.max_length >= 3);
  apply_special_tokens_map(settings, text, "special_tokens_map.json");
}

void check_settings(std::string_view text) {
  SentenceSettings settings = parse_sentence_settings(text, "settings.json");
  std::string saved = sentence_settings_json(settings, text, "settings.json");
  SentenceSettings again = parse_sentence_settings(saved, "settings.json");
  require(again.prompts == settings.prompts && again.truncate_dim == settings.truncate_dim);
}

void check(char which, std::string_view text) {
  switch (which) {
    case 'b':
      return check_bert_config(text);
    case 'm':
      return check_modules(text);
    case 'p':
      return check_pooling(text);
    case 'd':
      return check_dense(text);
    case 'n':
      return check_normalize(text, "normalize.json");
    case 't':
      return check_transformer(text);
    case 'k':
      return check_tokenizer_config(text);
    case 'j':
      return check_tokenizer({}, text, "tokenizer.json");
    case 's':
      return check_settings(text);
    default:
      parse_json(text, "any.json", {"a", "normalizer"});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  try {
    check(static_cast<char>(bytes[0]), {reinterpret_cast<const char*>(bytes) + 1, size - 1});
  } catch (const hone::Error& error) {
    std::string_view message = error.what();
    require(!message.empty() && message.find('\n') == std::string_view::npos);
  }
  return 0;
}
