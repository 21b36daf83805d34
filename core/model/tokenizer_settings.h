// tokenizer_config.json and special_tokens_map.json, and whether they fit tokenizer.json.
//
// Rules: hone tokenizes by tokenizer.json alone. The reference builds a BertTokenizer anew from the
// vocabulary and these settings and passes over the rest of that file: where the two would differ, the folder
// is refused.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace hone::model {

struct TokenizerSettings {
  std::optional<int32_t> max_length;  // absent when the file says "unlimited"
  std::string tokenizer_class;        // empty: by config.json, a BertTokenizer
  // What a BertTokenizer is built with, whatever tokenizer.json says.
  bool do_lower_case = true, tokenize_chinese_chars = true;
  std::optional<bool> strip_accents;
  std::string unk_token = "[UNK]", cls_token = "[CLS]", sep_token = "[SEP]";
  // Contents of added_tokens_decoder; absent when the file leaves added tokens to the other files.
  std::optional<std::set<std::string>> added_tokens;
};
TokenizerSettings parse_tokenizer_settings(std::string_view json, const std::filesystem::path& file);

// special_tokens_map.json: its names go before those of tokenizer_config.json, unless added_tokens is there.
void apply_special_tokens_map(TokenizerSettings& settings, std::string_view json,
                              const std::filesystem::path& file);

// Throws Error when the reference would build another tokenizer than tokenizer.json describes.
void check_tokenizer(const TokenizerSettings& settings, std::string_view tokenizer_json,
                     const std::filesystem::path& file);
// The same of the special tokens around a text, by what the tokenizer does.
void check_special_tokens(const TokenizerSettings& settings, const text::Tokenizer& tokenizer,
                          const std::filesystem::path& file);

}  // namespace hone::model
