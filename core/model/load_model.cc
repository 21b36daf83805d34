// Reading a model's folder. Each file is checked by itself first, then against the others; weights come last
// and stay in the mapped file where they are 32-bit floats already.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "model/bert_config.h"
#include "model/dtype.h"
#include "model/json.h"
#include "model/modules.h"
#include "model/sentence_model.h"
#include "model/settings.h"
#include "model/tokenizer_settings.h"

namespace hone::model {

namespace {

constexpr const char* kExtraFiles[] = {"tokenizer_config.json", "special_tokens_map.json",
                                       "added_tokens.json", "vocab.txt"};

// Names that the reference has used for one and the same file; the first that exists counts.
constexpr const char* kTransformerSettings[] = {
    "sentence_bert_config.json",      "sentence_roberta_config.json", "sentence_distilbert_config.json",
    "sentence_camembert_config.json", "sentence_albert_config.json",  "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
};

std::optional<std::string> read_if_there(const fs::path& file) {
  std::error_code code;
  fs::file_status status = fs::status(file, code);
  if (status.type() == fs::file_type::not_found) return std::nullopt;
  return read_text_file(file, kJsonFileSize);
}

// The folder of a module. Files inside may be links (download caches are made of them), the folder may not
// lead away.
fs::path module_directory(const fs::path& folder, const fs::path& relative) {
  std::error_code code;
  fs::path root = fs::canonical(folder, code);
  if (code) fail("cannot read ", folder, ": ", code.message());
  fs::path inner = fs::weakly_canonical(folder / relative, code);
  if (code) fail("cannot read ", folder / relative, ": ", code.message());
  auto [root_end, inner_end] = std::mismatch(root.begin(), root.end(), inner.begin(), inner.end());
  if (root_end != root.end())
    fail(folder / "modules.json", ": the path \"", excerpt(relative.string()),
         "\" leads out of the model's folder");
  return relative.empty() ? folder : folder / relative;
}

// Weights beside which an adapter lies are not the model's: the reference adds the adapter to them.
void refuse_adapter(const fs::path& folder) {
  for (const char* name : {"adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"}) {
    std::error_code code;
    if (!fs::exists(fs::symlink_status(folder / name, code))) continue;
    fail(folder / name,
         ": an adapter (PEFT, LoRA) found, which is not read; merge it into the weights in Python "
         "(PeftModel.from_pretrained(base, folder).merge_and_unload(), then save_pretrained()) and "
         "open what was saved");
  }
}

std::shared_ptr<const SafetensorsFile> open_weights(const fs::path& folder, Held held) {
  fs::path file = folder / "model.safetensors";
  std::error_code code;
  if (!fs::exists(file, code)) {
    if (fs::exists(folder / "model.safetensors.index.json", code))
      fail(file,
           " is missing: the weights are split into several files (model.safetensors.index.json), expected "
           "one; save the model again as a single file");
    if (fs::exists(folder / "pytorch_model.bin", code))
      fail(file,
           " is missing and pytorch_model.bin is not read (it can run code when opened); load the model in "
           "sentence-transformers once and save it again, which writes model.safetensors");
    fail(file, " is missing");
  }
  return SafetensorsFile::open(file, held);
}

// The name of an encoder tensor without its prefix, and in the words of today: very old checkpoints say gamma
// and beta.
std::string plain_name(std::string_view name) {
  if (name.starts_with("bert.")) name.remove_prefix(5);
  std::string plain(name);
  if (plain.ends_with("LayerNorm.gamma")) plain.replace(plain.size() - 5, 5, "weight");
  if (plain.ends_with("LayerNorm.beta")) plain.replace(plain.size() - 4, 4, "bias");
  return plain;
}

HostTensor take(const SafetensorsFile& file, const fs::path& path, const TensorEntry& entry,
                const TensorSpec& spec) {
  if (entry.shape != spec.shape)
    fail(path, ": tensor \"", excerpt(entry.name), "\" has the shape ", shown_shape(entry.shape),
         ", expected ", shown_shape(spec.shape));
  HostTensor tensor = file.floats(entry);
  tensor.name = spec.name;
  return tensor;
}

void read_encoder(SentenceModel& model, const fs::path& folder, Held held) {
  fs::path path = folder / "model.safetensors";
  auto file = open_weights(folder, held);
  std::map<std::string, const TensorEntry*> found;
  for (const TensorEntry& entry : file->entries()) {
    if (!found.emplace(plain_name(entry.name), &entry).second)
      fail(path, ": tensor \"", excerpt(entry.name),
           "\" appears twice, with and without \"bert.\" or under an old name");
  }
  for (const TensorSpec& spec : encoder_tensors(model.config)) {
    auto entry = found.find(spec.name);
    if (entry == found.end()) fail(path, ": tensor \"", spec.name, "\" is missing");
    model.tensors.push_back(take(*file, path, *entry->second, spec));
    found.erase(entry);
  }
  for (const auto& [name, entry] : found) {
    // Buffers that hold 0, 1, 2, ... and zeros.
    if (name == "embeddings.position_ids" || name == "embeddings.token_type_ids") continue;
    if (name.starts_with("embeddings.") || name.starts_with("encoder."))
      fail(path, ": tensor \"", excerpt(entry->name),
           "\" is not part of the encoder that config.json describes");
    HostTensor tensor = file->floats(*entry);
    tensor.name = name;
    model.unused.push_back(std::move(tensor));
  }
}

void read_dense(SentenceModel& model, const fs::path& folder, const Module& module, size_t index, Held held) {
  fs::path path = folder / "model.safetensors";
  auto file = open_weights(folder, held);
  for (const TensorEntry& entry : file->entries()) {
    if (entry.name != "linear.weight" && !(entry.name == "linear.bias" && module.bias))
      fail(path, ": tensor \"", excerpt(entry.name),
           "\" is not part of a Dense module as its config.json describes it");
  }
  auto read = [&](const std::string& name, std::vector<int64_t> shape) {
    const TensorEntry* entry = file->find(name);
    if (entry == nullptr) fail(path, ": tensor \"", name, "\" is missing");
    model.tensors.push_back(take(*file, path, *entry, {cat(index, ".", name), std::move(shape)}));
  };
  read("linear.weight", {module.out_features, module.in_features});
  if (module.bias) read("linear.bias", {module.out_features});
}

// Configs and weights of all modules after the transformer.
void read_modules(SentenceModel& model, const std::vector<ModuleEntry>& entries, Held held) {
  int32_t width = model.config.hidden_size;
  for (size_t i = 1; i < entries.size(); ++i) {
    fs::path folder = module_directory(model.folder, entries[i].path);
    fs::path file = folder / "config.json";
    if (entries[i].kind == ModuleEntry::Kind::normalize) {
      // Needs no settings. Without a folder of its own, config.json would be the transformer's.
      auto json = entries[i].path.empty() ? std::nullopt : read_if_there(file);
      if (json) check_normalize(*json, file);
      model.modules.push_back({.kind = Module::Kind::normalize});
    } else if (entries[i].kind == ModuleEntry::Kind::pooling) {
      model.modules.push_back(parse_pooling(read_text_file(file, kJsonFileSize), file, width));
      width *= static_cast<int32_t>(model.modules.back().pooling.size());
    } else {
      Module module = parse_dense(read_text_file(file, kJsonFileSize), file);
      if (module.in_features != width)
        fail(file, ": in_features is ", module.in_features, ", expected ", width,
             ", the width that comes in");
      read_dense(model, folder, module, i - 1, held);
      width = module.out_features;
      model.modules.push_back(module);
    }
  }
}

void read_settings(SentenceModel& model) {
  fs::path file = model.folder / "config_sentence_transformers.json";
  auto json = read_if_there(file);
  SentenceSettings settings;
  if (json) settings = parse_sentence_settings(*json, file);
  model.settings_json = json.value_or("");
  model.prompts = settings.prompts;
  model.default_prompt_name = settings.default_prompt_name;
  model.similarity = settings.similarity;
  model.truncate_dim = settings.truncate_dim;
}

// sentence_bert_config.json, of a folder that has modules.json.
TransformerSettings read_transformer_settings(const fs::path& folder, fs::path& file) {
  for (const char* name : kTransformerSettings) {
    file = folder / name;
    if (auto json = read_if_there(file)) return parse_transformer_settings(*json, file);
  }
  return {};
}

void read_tokenizer(SentenceModel& model, const fs::path& folder, bool bare) {
  for (const char* name : kExtraFiles) {
    if (auto text = read_if_there(folder / name)) model.extra_files[name] = *text;
  }
  fs::path file = folder / "tokenizer_config.json";
  TokenizerSettings tokenizer;
  if (auto found = model.extra_files.find("tokenizer_config.json"); found != model.extra_files.end())
    tokenizer = parse_tokenizer_settings(found->second, file);
  if (auto found = model.extra_files.find("special_tokens_map.json"); found != model.extra_files.end())
    apply_special_tokens_map(tokenizer, found->second, folder / "special_tokens_map.json");
  fs::path settings_file;
  TransformerSettings settings;
  if (!bare) settings = read_transformer_settings(folder, settings_file);
  const int32_t positions = model.config.max_positions;
  if (settings.max_seq_length && *settings.max_seq_length > positions)
    fail(settings_file, ": max_seq_length is ", *settings.max_seq_length, ", expected at most the ",
         positions, " positions that config.json gives the model");
  model.max_seq_length =
      settings.max_seq_length.value_or(std::min(tokenizer.max_length.value_or(positions), positions));
  model.do_lower_case = settings.do_lower_case;
  std::error_code code;
  fs::path json_file = folder / "tokenizer.json";
  if (!fs::exists(json_file, code))
    fail(json_file, " is missing",
         model.extra_files.contains("vocab.txt") ? "; vocab.txt alone is not read" : "");
  model.tokenizer = text::Tokenizer::load(
      folder, {.max_length = model.max_seq_length, .do_lower_case = model.do_lower_case});
  check_tokenizer(tokenizer, model.tokenizer->json(), json_file);
  check_special_tokens(tokenizer, *model.tokenizer, json_file);
  if (model.tokenizer->vocab_size() > model.config.vocab_size)
    fail(json_file, ": token ids go up to ", model.tokenizer->vocab_size() - 1,
         ", but vocab_size in config.json is ", model.config.vocab_size);
}

void check_prompts(const SentenceModel& model, const std::vector<ModuleEntry>& entries) {
  if (model.modules.front().include_prompt) return;
  for (const auto& [name, text] : model.prompts) {
    if (!text.empty())
      fail(model.folder / entries[1].path / "config.json",
           ": include_prompt is false and there is a prompt \"", excerpt(name),
           "\"; leaving a prompt out of the pooling is not supported");
  }
}

}  // namespace

std::shared_ptr<const SentenceModel> load_model(const fs::path& folder, Held held) {
  if (folder.empty()) fail("there is no folder \"\", expected a model");
  recover_staged_folder(folder);
  std::error_code code;
  fs::file_status status = fs::status(folder, code);
  if (status.type() == fs::file_type::not_found) fail("there is no folder ", folder, ", expected a model");
  if (status.type() != fs::file_type::directory) fail(folder, " is not a folder, expected a model's folder");
  auto model = std::make_shared<SentenceModel>();
  model->folder = folder;
  refuse_adapter(folder);
  fs::path modules_file = folder / "modules.json";
  auto modules = read_if_there(modules_file);
  bool bare = !modules.has_value();
  std::vector<ModuleEntry> entries;
  fs::path encoder = folder;
  if (!bare) {
    entries = parse_modules(*modules, modules_file);
    encoder = module_directory(folder, entries[0].path);
    refuse_adapter(encoder);
    read_settings(*model);
  } else {
    model->similarity = "cosine";
  }
  fs::path config_file = encoder / "config.json";
  if (bare && !fs::exists(config_file, code))
    fail(folder,
         " holds neither modules.json nor config.json, expected a Sentence Transformers or Hugging Face "
         "model");
  model->config_json = read_text_file(config_file, kJsonFileSize);
  model->config = parse_bert_config(model->config_json, config_file);
  read_tokenizer(*model, encoder, bare);
  read_encoder(*model, encoder, held);
  if (bare) {
    model->modules.push_back({.kind = Module::Kind::pooling, .pooling = {PoolingMode::mean}});
  } else {
    read_modules(*model, entries, held);
    check_prompts(*model, entries);
  }
  return model;
}

}  // namespace hone::model
