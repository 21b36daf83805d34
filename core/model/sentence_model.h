// A Sentence Transformers model in host memory: what a folder holds, checked, immutable.
//
// Rules: reads the old and the new schema and a bare Hugging Face encoder folder (mean pooling), writes the
// old one. What hone does not use but found (extra config keys, prompts, pooler weights) is
// kept and saved again. Whatever it cannot honour it refuses with one line that names file and key. A path in
// modules.json may not leave the folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/safetensors.h"
#include "text/tokenizer.h"

namespace hone::model {

enum class Activation { identity, gelu, gelu_tanh, relu, tanh };

// config.json of the BERT family (model_type "bert").
struct BertConfig {
  int32_t vocab_size = 0, hidden_size = 0, layers = 0, heads = 0, intermediate_size = 0;
  int32_t max_positions = 0, type_vocab_size = 0;
  Activation activation = Activation::gelu;
  float layer_norm_eps = 1e-12F;
  float hidden_dropout = 0.1F, attention_dropout = 0.1F;
};

enum class PoolingMode { cls, max, mean, mean_sqrt_len, weighted_mean, last_token };

// One module after the encoder, in order.
struct Module {
  enum class Kind { pooling, dense, normalize } kind = Kind::pooling;
  // pooling: the parts of the vector, in this order. The old schema always means the order of PoolingMode,
  // the new one may list another.
  std::vector<PoolingMode> pooling;
  bool include_prompt = true;                 // pooling: false only where no prompt is set; kept for saving
  int32_t in_features = 0, out_features = 0;  // dense
  bool bias = true;                           // dense
  Activation activation = Activation::tanh;   // dense
};

struct SentenceModel {
  std::filesystem::path folder;  // where it was read from; for messages and the model card
  BertConfig config;
  std::string config_json;    // as read, written back with `architectures` and the rest kept
  std::string settings_json;  // config_sentence_transformers.json as read, for its other keys; may be empty
  std::vector<Module> modules;
  // Encoder tensors under their Hugging Face names without a leading "bert."
  // ("embeddings.word_embeddings.weight", "encoder.layer.0.attention.self.query.weight", ...), all float,
  // shapes checked against config; then those of dense modules as "I.linear.weight" and "I.linear.bias",
  // where I is the index in `modules` (0 is the pooling).
  std::vector<HostTensor> tensors;
  std::vector<HostTensor> unused;  // kept and saved, never trained: "pooler.dense.weight", ...
  std::shared_ptr<const text::Tokenizer> tokenizer;
  // tokenizer_config.json, special_tokens_map.json, added_tokens.json, vocab.txt as read
  std::map<std::string, std::string> extra_files;
  int32_t max_seq_length = 512;
  bool do_lower_case = false;
  std::map<std::string, std::string> prompts;
  std::string default_prompt_name;  // empty: none
  std::string similarity;           // "cosine" (default), "dot", "euclidean", "manhattan"
  int32_t truncate_dim = 0;         // 0: none

  const HostTensor& tensor(std::string_view name) const;  // throws Error
  const HostTensor* find(std::string_view name) const;    // null when absent
  int32_t dim() const;                                    // width of a vector (before truncate_dim)
  // How many numbers of a vector are used where the first `asked` are asked for; 0: as many as truncate_dim
  // leaves. Throws UsageError where there are fewer.
  int32_t vector_dim(int32_t asked = 0) const;
  int64_t parameters() const;  // trainable numbers
  std::string prompt() const;  // text of the default prompt, or ""
  // A copy with other weights, same order and shapes as `tensors`; everything else shared.
  std::shared_ptr<const SentenceModel> with_tensors(std::vector<HostTensor> tensors) const;
  std::shared_ptr<const SentenceModel> with_max_seq_length(int32_t n) const;
};

// Throws Error naming file and place for anything broken, missing or unsupported.
std::shared_ptr<const SentenceModel> load_model(const std::filesystem::path& folder,
                                                Held held = Held::mapped);

// What the model card (README.md) says; empty fields are left out.
struct ModelCard {
  std::string base_model;  // path or name of the model trained from; the card shows the last name of a path
  std::string data;        // training file and its number of rows
  std::string loss;
  std::vector<std::pair<std::string, std::string>> settings;
  struct Score {
    std::string data, metric;
    double before, after;
  };
  std::vector<Score> scores;
  std::string verdict;  // of the tuned model against the base model, one line
};

// Writes the whole folder beside `target` and swaps it in (StagedFolder), or into an empty existing folder
// `into` for callers that stage a larger folder themselves.
void save_model(const SentenceModel& model, const std::filesystem::path& target, const ModelCard& card);
void write_model_files(const SentenceModel& model, const std::filesystem::path& into, const ModelCard& card);

}  // namespace hone::model
