// What was meant by a name that is not known.
//
// Rules: every message about an unknown name (option, command, loss, task, role) ends with did_you_mean(), so
// that all suggest alike. Letters' case does not count. Nothing is suggested where no name is near.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

// Letters to change, insert, leave out or swap with their neighbour. Case does not count.
size_t spelling_distance(std::string_view a, std::string_view b);

// The nearest of `names`, the first of several; empty where more than a third of the letters differ.
std::string_view nearest_name(std::string_view found, std::span<const std::string_view> names);

// "; did you mean --NAME?" for a prefix of "--", or "".
std::string did_you_mean(std::string_view found, std::span<const std::string_view> names,
                         std::string_view prefix = "");

// The same for anything that holds names: `name_of(element)` is text that outlives the call.
template <class List, class NameOf>
std::string did_you_mean_of(std::string_view found, const List& list, const NameOf& name_of,
                            std::string_view prefix = "") {
  std::vector<std::string_view> names;
  for (const auto& element : list) names.push_back(name_of(element));
  return did_you_mean(found, names, prefix);
}

// "a|b|c" as its parts.
std::vector<std::string_view> choices_of(std::string_view joined);

}  // namespace hone
