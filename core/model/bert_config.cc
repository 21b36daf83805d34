#include "model/bert_config.h"

#include <cmath>

#include "base/error.h"
#include "model/json.h"

namespace hone::model {

namespace {

namespace fs = std::filesystem;

Activation hidden_activation(const JsonObject& config) {
  std::string name = config.text("hidden_act").value_or("gelu");
  if (name == "gelu") return Activation::gelu;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") return Activation::gelu_tanh;
  if (name == "relu") return Activation::relu;
  config.wrong("hidden_act", "gelu, gelu_new, gelu_pytorch_tanh or relu");
}

float probability(const JsonObject& config, std::string_view key) {
  double value = config.number(key).value_or(0.1);
  if (!(value >= 0 && value < 1)) config.wrong(key, "a number of at least 0 and below 1");
  return static_cast<float>(value);
}

void refuse_unsupported(const JsonObject& config) {
  auto type = config.text("model_type");
  if (!type) config.missing("model_type", "\"bert\", the one architecture supported");
  if (*type != "bert") config.wrong("model_type", "\"bert\", the one architecture supported");
  if (config.text("position_embedding_type").value_or("absolute") != "absolute")
    config.wrong("position_embedding_type", "\"absolute\"");
  if (config.boolean("is_decoder").value_or(false)) config.wrong("is_decoder", "false: hone trains encoders");
  if (config.boolean("add_cross_attention").value_or(false))
    config.wrong("add_cross_attention", "false: hone trains encoders");
  for (std::string_view key : {"auto_map", "quantization_config", "pruned_heads"}) {
    const Json* found = config.find(key);
    if (found != nullptr && !found->empty())
      config.wrong(key, key == "auto_map"              ? "none: code that comes with a model is not run"
                        : key == "quantization_config" ? "none: quantized weights are not supported"
                                                       : "none: pruned heads are not supported");
  }
}

}  // namespace

BertConfig parse_bert_config(std::string_view json, const fs::path& file) {
  Json document = parse_json(json, file);
  JsonObject config(document, file);
  refuse_unsupported(config);
  auto size = [&](std::string_view key, int64_t high) {
    return static_cast<int32_t>(config.required_integer(key, 1, high));
  };
  BertConfig made;
  made.vocab_size = size("vocab_size", 1 << 24);
  made.hidden_size = size("hidden_size", 1 << 15);
  made.layers = size("num_hidden_layers", 1 << 10);
  made.heads = size("num_attention_heads", 1 << 10);
  made.intermediate_size = size("intermediate_size", 1 << 17);
  made.max_positions = size("max_position_embeddings", 1 << 20);
  made.type_vocab_size = static_cast<int32_t>(config.integer("type_vocab_size", 1, 1 << 10).value_or(2));
  if (made.hidden_size % made.heads != 0)
    fail(file, ": hidden_size is ", made.hidden_size, ", expected a multiple of num_attention_heads, ",
         made.heads);
  made.activation = hidden_activation(config);
  double eps = config.number("layer_norm_eps").value_or(1e-12);
  if (!(eps >= 0 && eps < 1)) config.wrong("layer_norm_eps", "a number of at least 0 and below 1");
  made.layer_norm_eps = static_cast<float>(eps);
  made.hidden_dropout = probability(config, "hidden_dropout_prob");
  made.attention_dropout = probability(config, "attention_probs_dropout_prob");
  return made;
}

std::string config_for_float32(const std::string& json, const fs::path& file) {
  Json config = parse_json(json, file);
  bool changed = false;
  for (const char* key : {"dtype", "torch_dtype"}) {
    auto found = config.find(key);
    if (found == config.end() || found->is_null() || *found == "float32") continue;
    *found = "float32";
    changed = true;
  }
  return changed ? config.dump(2) + "\n" : json;
}

std::vector<TensorSpec> encoder_tensors(const BertConfig& config) {
  const int64_t hidden = config.hidden_size, inner = config.intermediate_size;
  std::vector<TensorSpec> specs;
  auto norm = [&](const std::string& name) {
    specs.push_back({name + ".weight", {hidden}});
    specs.push_back({name + ".bias", {hidden}});
  };
  auto linear = [&](const std::string& name, int64_t out, int64_t in) {
    specs.push_back({name + ".weight", {out, in}});
    specs.push_back({name + ".bias", {out}});
  };
  specs.push_back({"embeddings.word_embeddings.weight", {config.vocab_size, hidden}});
  specs.push_back({"embeddings.position_embeddings.weight", {config.max_positions, hidden}});
  specs.push_back({"embeddings.token_type_embeddings.weight", {config.type_vocab_size, hidden}});
  norm("embeddings.LayerNorm");
  for (int32_t i = 0; i < config.layers; ++i) {
    std::string layer = cat("encoder.layer.", i, ".");
    linear(layer + "attention.self.query", hidden, hidden);
    linear(layer + "attention.self.key", hidden, hidden);
    linear(layer + "attention.self.value", hidden, hidden);
    linear(layer + "attention.output.dense", hidden, hidden);
    norm(layer + "attention.output.LayerNorm");
    linear(layer + "intermediate.dense", inner, hidden);
    linear(layer + "output.dense", hidden, inner);
    norm(layer + "output.LayerNorm");
  }
  return specs;
}

}  // namespace hone::model
