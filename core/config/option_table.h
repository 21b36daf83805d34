// Every option of hone that has a name: what the command line and the C interface offer, described once.
//
// Rules: a key is GROUP.NAME in lower case with underscores ("train.batch_size"); the command line writes
// NAME with hyphens (--batch-size). Ranges are checked where a value is set, so what holds an Options may
// trust it.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hone::config {

enum class Type { text, integer, real, boolean };

struct OptionInfo {
  const char* key;
  Type type;
  const char* default_value;  // as text; "": depends on model or data, or nothing
  const char* range;          // in words, for messages and help
  const char* help;           // one line
  const char* value;          // stands for it in the command line's help
  double low = 0, high = 0;
  bool above_low = false, below_high = false;  // the end itself is not in the range
  // A text must be one of these, separated by '|'; "": any.
  const char* choices = "";

  std::string_view name() const {
    const std::string_view whole = key;
    return whole.substr(whole.find('.') + 1);
  }
  std::string flag() const;  // "batch-size"
};

std::span<const OptionInfo> option_table();
const OptionInfo* find_option(std::string_view key);  // null when there is none
std::string_view nearest_key(std::string_view key);   // the one with the fewest letters changed

}  // namespace hone::config
