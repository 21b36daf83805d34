// What must be the same for a run to be gone on with: settings, data and base model, as name and value. A
// difference is told by its name.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "model/sentence_model.h"

namespace hone::model {

using Identity = std::vector<std::pair<std::string, std::string>>;

// Hashes of the model's weights, of its configuration as it stands in its files (config, modules, prompts,
// lengths) and of its tokenizer.
std::string model_identity(const SentenceModel& model);

// Throws Error that names every value of `now` which differs in `before` or is not there. `place` is the
// folder with the earlier run.
void require_same(const Identity& before, const Identity& now, const std::filesystem::path& place);

}  // namespace hone::model
