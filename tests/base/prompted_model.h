// A copy of a fixture's model with other keys in its config_sentence_transformers.json, for tests that see no
// core.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/base/temp_folder.h"
#include "tests/places.h"

namespace hone::testing {

class PromptedModel {
 public:
  explicit PromptedModel(const nlohmann::json& settings) {
    std::filesystem::copy(std::filesystem::path(kFixtures) / "models" / "mean-gelu", path(),
                          std::filesystem::copy_options::recursive);
    const std::string file = "model/config_sentence_transformers.json";
    auto all = nlohmann::json::parse(folder_.read(file));
    all.update(settings);
    folder_.write(file, all.dump());
  }
  std::filesystem::path path() const { return folder_ / "model"; }

 private:
  TempFolder folder_;
};

}  // namespace hone::testing
