// Writing a model's folder, in the old schema: it is the one that every reader of such folders understands.
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "model/bert_config.h"
#include "model/model_card.h"
#include "model/modules.h"
#include "model/sentence_model.h"
#include "model/settings.h"

namespace hone::model {

namespace {

void write_text(const fs::path& file, std::string_view text) {
  StagedFile staged(file);
  staged.write(text);
  staged.commit();
}

RawTensor raw(const HostTensor& tensor, std::string name) {
  return {std::move(name), "F32", tensor.shape, std::as_bytes(std::span(tensor.data, tensor.size))};
}

void write_weights(const fs::path& file, const std::vector<RawTensor>& tensors) {
  write_safetensors(file, tensors, {{"format", "pt"}});
}

// Tensors of dense modules are named "INDEX.linear.weight", those of the encoder never start with a digit.
bool of_dense(const HostTensor& tensor) {
  return tensor.name.front() >= '0' && tensor.name.front() <= '9';
}

void write_encoder(const SentenceModel& model, const fs::path& folder) {
  std::vector<RawTensor> tensors;
  for (const HostTensor& tensor : model.tensors) {
    if (!of_dense(tensor)) tensors.push_back(raw(tensor, tensor.name));
  }
  for (const HostTensor& tensor : model.unused) tensors.push_back(raw(tensor, tensor.name));
  write_weights(folder / "model.safetensors", tensors);
}

void write_module(const SentenceModel& model, size_t index, const fs::path& folder) {
  const Module& module = model.modules[index];
  std::error_code code;
  fs::create_directory(folder, code);
  if (code) fail("cannot write ", folder, ": ", code.message());
  write_text(folder / "config.json", module_config_json(module, model.config.hidden_size));
  if (module.kind != Module::Kind::dense) return;
  std::vector<RawTensor> tensors;
  tensors.push_back(raw(model.tensor(cat(index, ".linear.weight")), "linear.weight"));
  if (module.bias) tensors.push_back(raw(model.tensor(cat(index, ".linear.bias")), "linear.bias"));
  write_weights(folder / "model.safetensors", tensors);
}

}  // namespace

void write_model_files(const SentenceModel& model, const fs::path& into, const ModelCard& card) {
  write_encoder(model, into);
  write_text(into / "config.json", config_for_float32(model.config_json, into / "config.json"));
  write_text(into / "tokenizer.json", model.tokenizer->json());
  for (const auto& [name, text] : model.extra_files) write_text(into / name, text);
  write_text(into / "sentence_bert_config.json",
             transformer_settings_json(model.max_seq_length, model.do_lower_case));
  fs::path settings_file = into / "config_sentence_transformers.json";
  SentenceSettings settings{model.prompts, model.default_prompt_name, model.similarity, model.truncate_dim};
  write_text(settings_file, sentence_settings_json(settings, model.settings_json, settings_file));
  for (size_t i = 0; i < model.modules.size(); ++i)
    write_module(model, i, into / module_folder(model.modules[i], i + 1));
  write_text(into / "modules.json", modules_json(model.modules));
  write_text(into / "README.md", model_card_text(model, card));
}

void save_model(const SentenceModel& model, const fs::path& target, const ModelCard& card) {
  StagedFolder staged(target);
  write_model_files(model, staged.path(), card);
  staged.commit();
}

}  // namespace hone::model
