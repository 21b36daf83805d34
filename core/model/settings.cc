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
