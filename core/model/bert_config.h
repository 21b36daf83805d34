// config.json of the BERT family.
//
// Rules: only what hone computes exactly is accepted: an encoder with absolute positions and a known
// activation. Sizes are bounded here, before anything is made from them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "model/sentence_model.h"

namespace hone::model {

BertConfig parse_bert_config(std::string_view json, const std::filesystem::path& file);

// The same text, but saying that weights are 32-bit floats, as hone writes them.
std::string config_for_float32(const std::string& json, const std::filesystem::path& file);

struct TensorSpec {
  std::string name;
  std::vector<int64_t> shape;
};

// Every tensor that an encoder of this config has, under its Hugging Face name, in the order of
// SentenceModel::tensors.
std::vector<TensorSpec> encoder_tensors(const BertConfig& config);

}  // namespace hone::model
