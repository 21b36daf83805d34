#include "model/identity.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"

namespace hone::model {

namespace {

void add(Hash& hash, const HostTensor& tensor) {
  hash.add(std::string_view(tensor.name));
  hash.add(std::span(tensor.data, tensor.size));
}

uint64_t weights_hash(const SentenceModel& model) {
  Hash hash;
  for (const HostTensor& tensor : model.tensors) add(hash, tensor);
  for (const HostTensor& tensor : model.unused) add(hash, tensor);
  return hash.value();
}

// The config files as they were read: whatever stands there is either honoured or saved again. Modules have
// no text of their own, as their schema may be the old or the new one.
uint64_t configuration_hash(const SentenceModel& model) {
  Hash hash;
  for (const std::string& text : {model.config_json, model.settings_json}) hash.add(std::string_view(text));
  for (const Module& module : model.modules) {
    hash.add(static_cast<uint64_t>(module.kind));
    hash.add(static_cast<uint64_t>(module.pooling.size()));
    for (PoolingMode mode : module.pooling) hash.add(static_cast<uint64_t>(mode));
    hash.add(static_cast<uint64_t>(module.include_prompt));
    hash.add(static_cast<uint64_t>(module.in_features));
    hash.add(static_cast<uint64_t>(module.out_features));
    hash.add(static_cast<uint64_t>(module.bias));
    hash.add(static_cast<uint64_t>(module.activation));
  }
  hash.add(static_cast<uint64_t>(model.max_seq_length));
  hash.add(static_cast<uint64_t>(model.do_lower_case));
  return hash.value();
}

uint64_t tokenizer_hash(const SentenceModel& model) {
  Hash hash;
  hash.add(std::string_view(model.tokenizer->json()));
  for (const auto& [name, text] : model.extra_files) {
    hash.add(std::string_view(name));
    hash.add(std::string_view(text));
  }
  return hash.value();
}

}  // namespace

std::string model_identity(const SentenceModel& model) {
  return cat("weights with hash ", weights_hash(model), ", configuration with hash ",
             configuration_hash(model), ", tokenizer with hash ", tokenizer_hash(model));
}

void require_same(const Identity& before, const Identity& now, const std::filesystem::path& place) {
  std::string differences;
  bool longer = false;
  for (const auto& [name, value] : now) {
    const auto found = std::find_if(before.begin(), before.end(),
                                    [&name = name](const auto& earlier) { return earlier.first == name; });
    const std::string earlier = found == before.end() ? "none" : found->second;
    if (earlier == value) continue;
    differences +=
        cat(differences.empty() ? "" : ", ", name, " was ", excerpt(earlier, 300), " and is now ", value);
    longer = longer || name == "epochs" || name == "steps";
  }
  if (differences.empty()) return;
  fail("cannot resume ", place, ": ", differences,
       longer
           ? "; how the learning rate falls depends on the number of steps, so a run cannot be made longer "
             "or shorter"
           : "");
}

}  // namespace hone::model
