// The small config files beside config.json: sentence_bert_config.json, tokenizer_config.json,
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

// tokenizer_config.json
struct TokenizerSettings {
  std::optional<int32_t> max_length;  // absent when the file says "unlimited"
  std::string tokenizer_class;        // empty: by config.json, a BertTokenizer
  // What a BertTokenizer is built with, whatever tokenizer.json says.
  bool do_lower_case = true, tokenize_chinese_chars = true;
  std::optional<bool> strip_accents;
};
TokenizerSettings parse_tokenizer_settings(std::string_view json, const std::filesystem::path& file);

// Throws Error when the reference would build another tokenizer than tokenizer.json describes.
void check_tokenizer(const TokenizerSettings& settings, std::string_view tokenizer_json,
                     const std::filesystem::path& file);

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
