// What is put before a text: a model's prompts, chosen by what the text is there for.
//
// Rules
// - A query gets the model's prompt "query", a document the first of "document", "passage" and "corpus" that
// is
//   not empty, any other text the default prompt. A query or document without such a prompt gets none: the
//   default prompt is for neither, as in the reference. (Where a model has an empty "document", the reference
//   stops there and never looks at the other two.)
// - A prompt and its text are tokenized as one text, so both count towards the length a text is cut to.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/sentence_model.h"

namespace hone::encode {

enum class Role { none, query, document };

enum class PromptUse { none, default_prompt, roles };
// "none", "default" or "roles".
PromptUse parse_prompt_use(std::string_view name);
std::string_view prompt_use_name(PromptUse use);

// What stands before a text of this role; "": nothing.
std::string prompt_for(const model::SentenceModel& model, Role role, PromptUse use = PromptUse::roles);
// The prompt of this name. Throws UsageError that lists the names there are.
std::string named_prompt(const model::SentenceModel& model, const std::string& name);

// Texts ("anchor", "queries") and what stands before them.
using PromptedTexts = std::vector<std::pair<std::string, std::string>>;
// Which use gives these prompts: "none" where all are empty, "default" where all are the default prompt, else
// "roles". Two ways to say the same are one for who compares runs.
std::string use_of(const model::SentenceModel& model, const PromptedTexts& prompts);
// `"query : " before anchor; "passage : " before positive, negative`; `none before anchor, positive`.
std::string prompts_line(const PromptedTexts& prompts);
nlohmann::ordered_json prompts_json(const PromptedTexts& prompts);  // {texts: prompt}
bool any_prompt(const PromptedTexts& prompts);
bool has_prompts(const model::SentenceModel& model);  // one at least that is not empty

}  // namespace hone::encode
