#include "encode/prompts.h"

#include <algorithm>

#include "base/error.h"
#include "config/options.h"

namespace hone::encode {

namespace {

std::string prompt_text(const model::SentenceModel& model, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = model.prompts.find(name);
    if (found != model.prompts.end() && !found->second.empty()) return found->second;
  }
  return "";
}

}  // namespace

PromptUse parse_prompt_use(std::string_view name) {
  if (name == "none") return PromptUse::none;
  if (name == "default") return PromptUse::default_prompt;
  if (name == "roles") return PromptUse::roles;
  fail_usage("prompts: \"", excerpt(name), "\" found, none, default or roles expected");
}

std::string_view prompt_use_name(PromptUse use) {
  switch (use) {
    case PromptUse::none:
      return "none";
    case PromptUse::default_prompt:
      return "default";
    case PromptUse::roles:
      break;
  }
  return "roles";
}

std::string prompt_for(const model::SentenceModel& model, Role role, PromptUse use) {
  if (use == PromptUse::none) return "";
  if (use == PromptUse::default_prompt || role == Role::none) return model.prompt();
  return role == Role::query ? prompt_text(model, {"query"})
                             : prompt_text(model, {"document", "passage", "corpus"});
}

std::string named_prompt(const model::SentenceModel& model, const std::string& name) {
  const auto found = model.prompts.find(name);
  if (found != model.prompts.end()) return found->second;
  std::string list;
  for (const auto& [known, text] : model.prompts) list += cat(list.empty() ? "" : ", ", known);
  throw config::OptionError(
      "encode.prompt", cat("prompt: \"", excerpt(name), "\" found, ",
                           list.empty() ? cat("but the model of ", model.folder, " has no prompts")
                                        : cat("one of the prompts of ", model.folder, " expected: ", list)));
}

std::string use_of(const model::SentenceModel& model, const PromptedTexts& prompts) {
  if (!any_prompt(prompts)) return "none";
  const bool all_default = std::all_of(prompts.begin(), prompts.end(),
                                       [&](const auto& one) { return one.second == model.prompt(); });
  return all_default ? "default" : "roles";
}

std::string prompts_line(const PromptedTexts& prompts) {
  PromptedTexts groups;  // prompt, texts
  for (const auto& [texts, prompt] : prompts) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&, &prompt = prompt](const auto& group) {
      return group.first == prompt;
    });
    if (same == groups.end()) {
      groups.emplace_back(prompt, texts);
    } else {
      same->second += cat(", ", texts);
    }
  }
  std::string line;
  for (const auto& [prompt, texts] : groups) {
    line += cat(line.empty() ? "" : "; ", prompt.empty() ? "none" : cat("\"", excerpt(prompt, 200), "\""),
                " before ", texts);
  }
  return line;
}

nlohmann::ordered_json prompts_json(const PromptedTexts& prompts) {
  nlohmann::ordered_json j = nlohmann::ordered_json::object();
  for (const auto& [texts, prompt] : prompts) j[texts] = prompt;
  return j;
}

bool any_prompt(const PromptedTexts& prompts) {
  return std::any_of(prompts.begin(), prompts.end(), [](const auto& one) { return !one.second.empty(); });
}

bool has_prompts(const model::SentenceModel& model) {
  return std::any_of(model.prompts.begin(), model.prompts.end(),
                     [](const auto& one) { return !one.second.empty(); });
}

}  // namespace hone::encode
