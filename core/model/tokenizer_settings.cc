#include "model/tokenizer_settings.h"

#include <limits>
#include <vector>

#include "base/error.h"
#include "model/json.h"

namespace hone::model {

namespace {

namespace fs = std::filesystem;

bool is_bert(const TokenizerSettings& settings) {
  const std::string& name = settings.tokenizer_class;
  return name.empty() || name == "BertTokenizer" || name == "BertTokenizerFast";
}

// A token is written as a string or as an object with its content.
std::string token(const JsonObject& settings, std::string_view key, const std::string& otherwise) {
  const Json* found = settings.find(key);
  if (found == nullptr || !found->is_object()) return settings.text(key).value_or(otherwise);
  JsonObject object(*found, settings.file(), std::string(key));
  auto content = object.text("content");
  if (!content) object.missing("content", "the token");
  return *content;
}

void read_special_tokens(TokenizerSettings& made, const JsonObject& settings) {
  made.unk_token = token(settings, "unk_token", made.unk_token);
  made.cls_token = token(settings, "cls_token", made.cls_token);
  made.sep_token = token(settings, "sep_token", made.sep_token);
}

void require_type(const JsonObject& tokenizer, std::string_view key, std::string_view type) {
  std::string expected = cat("a ", type, ", as tokenizer_class in tokenizer_config.json asks for");
  const Json* found = tokenizer.find(key);
  if (found == nullptr) tokenizer.missing(key, expected);
  if (!found->is_object() || found->value("type", Json()) != type) tokenizer.wrong(key, expected);
}

void check_normalizer(const TokenizerSettings& settings, const JsonObject& tokenizer) {
  require_type(tokenizer, "normalizer", "BertNormalizer");
  JsonObject options(*tokenizer.find("normalizer"), tokenizer.file(), "normalizer");
  if (!options.boolean("clean_text").value_or(true))
    options.wrong("clean_text", "true, as a BertTokenizer has it");
  bool lower = options.boolean("lowercase").value_or(true);
  if (lower != settings.do_lower_case)
    options.wrong("lowercase", cat(settings.do_lower_case,
                                   " as do_lower_case in tokenizer_config.json (true where absent)"));
  bool strip = settings.strip_accents.value_or(settings.do_lower_case);
  if (options.boolean("strip_accents").value_or(lower) != strip)
    options.wrong("strip_accents",
                  cat(strip, " as by strip_accents and do_lower_case in tokenizer_config.json"));
  if (options.boolean("handle_chinese_chars").value_or(true) != settings.tokenize_chinese_chars)
    options.wrong("handle_chinese_chars",
                  cat(settings.tokenize_chinese_chars,
                      " as tokenize_chinese_chars in tokenizer_config.json (true where absent)"));
}

void check_word_piece(const TokenizerSettings& settings, const JsonObject& tokenizer) {
  const Json* found = tokenizer.find("model");
  if (found == nullptr) tokenizer.missing("model", "a WordPiece model");
  JsonObject model(*found, tokenizer.file(), "model");
  if (model.text("type").value_or("WordPiece") != "WordPiece")
    model.wrong("type", "\"WordPiece\", as a BertTokenizer has it");
  if (model.text("unk_token").value_or(settings.unk_token) != settings.unk_token)
    model.wrong("unk_token", cat("\"", excerpt(settings.unk_token), "\" as in tokenizer_config.json"));
  if (model.text("continuing_subword_prefix").value_or("##") != "##")
    model.wrong("continuing_subword_prefix", "\"##\", as a BertTokenizer has it");
  constexpr int64_t kLongestWord = 100;
  if (model.integer("max_input_chars_per_word", 0, std::numeric_limits<int64_t>::max())
          .value_or(kLongestWord) != kLongestWord)
    model.wrong("max_input_chars_per_word", cat(kLongestWord, ", as a BertTokenizer has it"));
}

std::set<std::string> added_tokens(const JsonObject& tokenizer) {
  std::set<std::string> contents;
  const Json* found = tokenizer.find("added_tokens");
  if (found == nullptr) return contents;
  if (!found->is_array()) tokenizer.wrong("added_tokens", "a list");
  for (const Json& entry : *found) {
    JsonObject added(entry, tokenizer.file(), "added_tokens");
    if (auto content = added.text("content")) contents.insert(*content);
  }
  return contents;
}

// Words that are tokens whole, wherever they stand: hone knows those of tokenizer.json.
void check_added_tokens(const TokenizerSettings& settings, const JsonObject& tokenizer) {
  const std::set<std::string> known = added_tokens(tokenizer);
  std::set<std::string> wanted = settings.added_tokens.value_or(std::set<std::string>());
  if (is_bert(settings)) wanted.insert({settings.cls_token, settings.sep_token});
  for (const std::string& content : wanted) {
    if (!known.contains(content))
      fail(tokenizer.file(), ": added_tokens lacks \"", excerpt(content),
           "\", which the reference adds, by tokenizer_config.json or as a BertTokenizer does");
  }
  if (!is_bert(settings) || !settings.added_tokens) return;
  for (const std::string& content : known) {
    if (!wanted.contains(content) && content != settings.unk_token)
      fail(tokenizer.file(), ": added_tokens holds \"", excerpt(content),
           "\", expected only those of added_tokens_decoder in tokenizer_config.json");
  }
}

}  // namespace

TokenizerSettings parse_tokenizer_settings(std::string_view json, const fs::path& file) {
  Json document = parse_json(json, file);
  JsonObject settings(document, file);
  TokenizerSettings made;
  // "Unlimited" is written as 10^30, which only a float holds.
  std::string_view key = settings.has("model_max_length") ? "model_max_length" : "max_len";
  if (auto length = settings.number(key)) {
    if (!(*length >= 3)) settings.wrong(key, "at least 3 tokens, two of them special");
    constexpr int32_t kMostTokens = std::numeric_limits<int32_t>::max();
    if (*length <= static_cast<double>(kMostTokens)) made.max_length = static_cast<int32_t>(*length);
  }
  if (settings.text("truncation_side").value_or("right") != "right")
    settings.wrong("truncation_side", "\"right\"");
  made.tokenizer_class = settings.text("tokenizer_class").value_or("");
  made.do_lower_case = settings.boolean("do_lower_case").value_or(true);
  made.tokenize_chinese_chars = settings.boolean("tokenize_chinese_chars").value_or(true);
  made.strip_accents = settings.boolean("strip_accents");
  read_special_tokens(made, settings);
  if (const Json* found = settings.find("added_tokens_decoder")) {
    JsonObject decoder(*found, file, "added_tokens_decoder");
    made.added_tokens.emplace();
    for (const auto& [id, ignored] : found->items()) made.added_tokens->insert(token(decoder, id, ""));
  }
  return made;
}

void apply_special_tokens_map(TokenizerSettings& settings, std::string_view json, const fs::path& file) {
  Json document = parse_json(json, file);
  JsonObject names(document, file);
  if (!settings.added_tokens) read_special_tokens(settings, names);
}

void check_tokenizer(const TokenizerSettings& settings, std::string_view tokenizer_json,
                     const fs::path& file) {
  // Only what is asked about: the vocabulary, by far the most of the file, is not kept.
  Json document =
      parse_json(tokenizer_json, file, {"normalizer", "pre_tokenizer", "truncation", "added_tokens", "model"},
                 {"vocab"});
  JsonObject tokenizer(document, file);
  if (const Json* truncation = tokenizer.find("truncation")) {
    JsonObject options(*truncation, file, "truncation");
    if (options.text("direction").value_or("Right") != "Right") options.wrong("direction", "\"Right\"");
  }
  check_added_tokens(settings, tokenizer);
  if (!is_bert(settings)) return;
  check_normalizer(settings, tokenizer);
  require_type(tokenizer, "pre_tokenizer", "BertPreTokenizer");
  check_word_piece(settings, tokenizer);
}

void check_special_tokens(const TokenizerSettings& settings, const text::Tokenizer& tokenizer,
                          const fs::path& file) {
  if (!is_bert(settings)) return;
  // Both names are added tokens, so each is one token of a text: the same must stand before or after it.
  const std::vector<int32_t> first = tokenizer.encode(settings.cls_token);
  const std::vector<int32_t> last = tokenizer.encode(settings.sep_token);
  if (first.size() == 3 && first[0] == first[1] && last.size() == 3 && last[1] == last[2]) return;
  Json document = parse_json(tokenizer.json(), file, {"post_processor"});
  JsonObject object(document, file);
  const std::string expected = cat("one that puts \"", excerpt(settings.cls_token), "\" before a text and \"",
                                   excerpt(settings.sep_token), "\" after it, as a BertTokenizer does");
  if (!object.has("post_processor")) object.missing("post_processor", expected);
  object.wrong("post_processor", expected);
}

}  // namespace hone::model
