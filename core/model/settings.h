// The small config files of Sentence Transformers: sentence_bert_config.json and
// config_sentence_transformers.json.
//
// Rules: what changes a vector is honoured or refused; what does not is passed over.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace hone::model {

// sentence_bert_config.json
struct TransformerSettings {
  std::optional<int32_t> max_seq_length;  // old schema; the new one leaves it to the tokenizer
  bool do_lower_case = false;
};
TransformerSettings parse_transformer_settings(std::string_view json, const std::filesystem::path& file);
std::string transformer_settings_json(int32_t max_seq_length, bool do_lower_case);

// config_sentence_transformers.json
struct SentenceSettings {
  std::map<std::string, std::string> prompts;
  std::string default_prompt_name;
  std::string similarity = "cosine";
  int32_t truncate_dim = 0;
};
SentenceSettings parse_sentence_settings(std::string_view json, const std::filesystem::path& file);
// `before`: the file as it was read, its other keys are kept; may be empty.
std::string sentence_settings_json(const SentenceSettings& settings, std::string_view before,
                                   const std::filesystem::path& file);

}  // namespace hone::model
