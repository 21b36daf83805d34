#include "model/settings.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "model/json.h"

namespace hone::model {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();

// Arguments for the reference's loaders that change no number, or only in ways that hone does not follow:
// weights are 32-bit floats here.
constexpr std::string_view kHarmlessArguments[] = {"trust_remote_code", "dtype", "torch_dtype",
                                                   "attn_implementation", "add_pooling_layer"};

void refuse_arguments(const JsonObject& settings) {
  for (std::string_view key :
       {"model_args", "tokenizer_args", "config_args", "model_kwargs", "processor_kwargs", "config_kwargs"}) {
    const Json* found = settings.find(key);
    if (found == nullptr) continue;
    JsonObject arguments(*found, settings.file(), std::string(key));
    for (const auto& [name, value] : found->items()) {
      if (std::find(std::begin(kHarmlessArguments), std::end(kHarmlessArguments), name) ==
          std::end(kHarmlessArguments))
        arguments.wrong(name, "no such argument");
    }
  }
  for (std::string_view key : {"processing_kwargs", "query_length", "document_length", "query_expansion",
                               "tokenizer_name_or_path"}) {
    const Json* found = settings.find(key);
    if (found != nullptr && !found->empty()) settings.wrong(key, "none");
  }
}

void check_task(const JsonObject& settings) {
  if (settings.text("transformer_task").value_or("feature-extraction") != "feature-extraction")
    settings.wrong("transformer_task", "\"feature-extraction\"");
  if (settings.text("module_output_name").value_or("token_embeddings") != "token_embeddings")
    settings.wrong("module_output_name", "\"token_embeddings\"");
  const Json* modalities = settings.find("modality_config");
  if (modalities == nullptr) return;
  JsonObject config(*modalities, settings.file(), "modality_config");
  config.only({"text"});
  if (!config.has("text")) config.missing("text", "the method forward and its last_hidden_state");
  JsonObject text(*config.find("text"), settings.file(), "modality_config.text");
  if (text.text("method").value_or("forward") != "forward") text.wrong("method", "\"forward\"");
  if (text.text("method_output_name").value_or("last_hidden_state") != "last_hidden_state")
    text.wrong("method_output_name", "\"last_hidden_state\"");
}

void require_type(const JsonObject& tokenizer, std::string_view key, std::string_view type) {
  std::string expected = cat("a ", type, ", as tokenizer_class in tokenizer_config.json asks for");
  const Json* found = tokenizer.find(key);
  if (found == nullptr) tokenizer.missing(key, expected);
  if (!found->is_object() || found->value("type", Json()) != type) tokenizer.wrong(key, expected);
}

std::map<std::string, std::string> parse_prompts(const JsonObject& settings) {
  std::map<std::string, std::string> prompts;
  const Json* found = settings.find("prompts");
  if (found == nullptr) return prompts;
  JsonObject named(*found, settings.file(), "prompts");
  for (const auto& [name, value] : found->items()) prompts[name] = named.text(name).value_or("");
  return prompts;
}

}  // namespace

TransformerSettings parse_transformer_settings(std::string_view json, const fs::path& file) {
  Json document = parse_json(json, file);
  JsonObject settings(document, file);
  settings.only({"max_seq_length", "do_lower_case", "transformer_task", "modality_config",
                 "module_output_name", "processing_kwargs", "unpad_inputs", "query_length", "document_length",
                 "query_expansion", "tokenizer_name_or_path", "model_args", "tokenizer_args", "config_args",
                 "model_kwargs", "processor_kwargs", "config_kwargs"});
  refuse_arguments(settings);
  check_task(settings);
  TransformerSettings made;
  if (auto length = settings.integer("max_seq_length", 3, kMost))
    made.max_seq_length = static_cast<int32_t>(*length);
  made.do_lower_case = settings.boolean("do_lower_case").value_or(false);
  return made;
}

std::string transformer_settings_json(int32_t max_seq_length, bool do_lower_case) {
  nlohmann::ordered_json settings = {{"max_seq_length", max_seq_length}, {"do_lower_case", do_lower_case}};
  return settings.dump(2) + "\n";
}

TokenizerSettings parse_tokenizer_settings(std::string_view json, const fs::path& file) {
  Json document = parse_json(json, file);
  JsonObject settings(document, file);
  TokenizerSettings made;
  // "Unlimited" is written as 10^30, which only a float holds.
  std::string_view key = settings.has("model_max_length") ? "model_max_length" : "max_len";
  if (auto length = settings.number(key)) {
    if (!(*length >= 3)) settings.wrong(key, "at least 3 tokens, two of them special");
    if (*length <= static_cast<double>(kMost)) made.max_length = static_cast<int32_t>(*length);
  }
  if (settings.text("truncation_side").value_or("right") != "right")
    settings.wrong("truncation_side", "\"right\"");
  made.tokenizer_class = settings.text("tokenizer_class").value_or("");
  made.do_lower_case = settings.boolean("do_lower_case").value_or(true);
  made.tokenize_chinese_chars = settings.boolean("tokenize_chinese_chars").value_or(true);
  made.strip_accents = settings.boolean("strip_accents");
  return made;
}

void check_tokenizer(const TokenizerSettings& settings, std::string_view tokenizer_json,
                     const fs::path& file) {
  // Only what is asked about: the vocabulary, by far the most of the file, is not kept.
  Json document = parse_json(tokenizer_json, file, {"normalizer", "pre_tokenizer", "truncation"});
  JsonObject tokenizer(document, file);
  if (const Json* truncation = tokenizer.find("truncation")) {
    JsonObject options(*truncation, file, "truncation");
    if (options.text("direction").value_or("Right") != "Right") options.wrong("direction", "\"Right\"");
  }
  const std::string& name = settings.tokenizer_class;
  if (!name.empty() && name != "BertTokenizer" && name != "BertTokenizerFast") return;
  // A BertTokenizer is built from the vocabulary and tokenizer_config.json alone; the rest of the file must
  // say the same.
  require_type(tokenizer, "normalizer", "BertNormalizer");
  require_type(tokenizer, "pre_tokenizer", "BertPreTokenizer");
  JsonObject options(*tokenizer.find("normalizer"), file, "normalizer");
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

SentenceSettings parse_sentence_settings(std::string_view json, const fs::path& file) {
  Json document = parse_json(json, file);
  JsonObject settings(document, file);
  if (settings.text("model_type").value_or("SentenceTransformer") != "SentenceTransformer")
    settings.wrong("model_type", "\"SentenceTransformer\"");
  SentenceSettings made;
  made.prompts = parse_prompts(settings);
  made.default_prompt_name = settings.text("default_prompt_name").value_or("");
  // "query" and "document" exist in every model of the reference, empty where not given.
  const std::string& name = made.default_prompt_name;
  if (!name.empty() && name != "query" && name != "document" && !made.prompts.contains(name))
    settings.wrong("default_prompt_name", "the name of one of the prompts");
  made.similarity = settings.text("similarity_fn_name").value_or("cosine");
  if (made.similarity != "cosine" && made.similarity != "dot" && made.similarity != "euclidean" &&
      made.similarity != "manhattan")
    settings.wrong("similarity_fn_name", "cosine, dot, euclidean or manhattan");
  made.truncate_dim = static_cast<int32_t>(settings.integer("truncate_dim", 1, kMost).value_or(0));
  return made;
}

std::string sentence_settings_json(const SentenceSettings& settings, std::string_view before,
                                   const fs::path& file) {
  Json document = before.empty() ? Json::object() : parse_json(before, file);
  document["model_type"] = "SentenceTransformer";
  document["prompts"] = settings.prompts;
  document["default_prompt_name"] =
      settings.default_prompt_name.empty() ? Json(nullptr) : Json(settings.default_prompt_name);
  document["similarity_fn_name"] = settings.similarity;
  document.erase("truncate_dim");
  if (settings.truncate_dim > 0) document["truncate_dim"] = settings.truncate_dim;
  Json& versions = document["__version__"];
  if (!versions.is_object()) versions = Json::object();
  versions["hone"] = HONE_VERSION;
  return document.dump(2) + "\n";
}

}  // namespace hone::model
