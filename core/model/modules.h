// modules.json and the config.json of each module, in the reference's old and new schema.
//
// Rules: a module or setting that hone does not know is refused by name. Paths are relative and stay inside
// the folder; here that is checked on their text, the loader checks where links lead.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "model/sentence_model.h"

namespace hone::model {

struct ModuleEntry {
  enum class Kind { transformer, pooling, dense, normalize } kind = Kind::transformer;
  std::filesystem::path path;  // relative to the model's folder, may be empty
};

// The first entry is the transformer, the second the pooling, then come dense and normalize in any order.
std::vector<ModuleEntry> parse_modules(std::string_view json, const std::filesystem::path& file);

Module parse_pooling(std::string_view json, const std::filesystem::path& file, int32_t hidden_size);
Module parse_dense(std::string_view json, const std::filesystem::path& file);
void check_normalize(std::string_view json, const std::filesystem::path& file);

// Files of the old schema. `index` counts from 1 after the transformer.
std::string modules_json(const std::vector<Module>& modules);
std::string module_folder(const Module& module, size_t index);  // "1_Pooling"
std::string module_config_json(const Module& module, int32_t hidden_size);

std::string_view pooling_mode_name(PoolingMode mode);  // of the new schema: "mean_sqrt_len_tokens"
// "mean", "cls, max": for people.
std::string pooling_name(const Module& pooling);

}  // namespace hone::model
