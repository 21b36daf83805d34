#include "config/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "base/spelling.h"

namespace hone::config {

namespace {

const char* type_name(Type type) {
  switch (type) {
    case Type::text:
      return "a text";
    case Type::integer:
      return "a whole number";
    case Type::real:
      return "a number";
    case Type::boolean:
      break;
  }
  return "true or false";
}

[[noreturn]] void fail_option(std::string_view label, const std::string& found, std::string_view expected,
                              const std::string& hint = "") {
  throw OptionError(std::string(label), cat(label, ": ", found, " found, ", expected, " expected", hint));
}

std::string quoted(std::string_view text) {
  return cat("\"", excerpt(text), "\"");
}

const OptionInfo& known(std::string_view key, Type type, std::string_view type_found) {
  const OptionInfo* info = find_option(key);
  if (info == nullptr) {
    throw OptionError(excerpt(key), cat(excerpt(key), ": no such option, the nearest is ", nearest_key(key)));
  }
  const bool widened = info->type == Type::real && type == Type::integer;
  if (info->type != type && !widened) fail_option(key, std::string(type_found), type_name(info->type));
  return *info;
}

void check_choice(const OptionInfo& info, std::string_view text, std::string_view label) {
  const std::vector<std::string_view> choices = choices_of(info.choices);
  if (choices.empty() || std::find(choices.begin(), choices.end(), text) != choices.end()) return;
  fail_option(label, quoted(text), info.range, did_you_mean(text, choices));
}

}  // namespace

void check_range(const OptionInfo& info, double number, std::string_view found, std::string_view label) {
  const bool low = info.above_low ? number > info.low : number >= info.low;
  const bool high = info.below_high ? number < info.high : number <= info.high;
  if (!low || !high) fail_option(label, std::string(found), info.range);
}

void Options::set(std::string_view key, std::string_view text) {
  const OptionInfo& info = known(key, Type::text, "a text");
  check_choice(info, text, key);
  values_.insert_or_assign(info.key, std::string(text));
}

void Options::set(std::string_view key, int64_t number) {
  const OptionInfo& info = known(key, Type::integer, "a whole number");
  check_range(info, static_cast<double>(number), cat(number), key);
  if (info.type == Type::real) {
    values_.insert_or_assign(info.key, static_cast<double>(number));
  } else {
    values_.insert_or_assign(info.key, number);
  }
}

void Options::set(std::string_view key, double number) {
  const OptionInfo& info = known(key, Type::real, "a number with a fraction");
  if (!std::isfinite(number)) fail_option(key, cat(number), "a finite number");
  check_range(info, number, cat(number), key);
  values_.insert_or_assign(info.key, number);
}

void Options::set_boolean(std::string_view key, bool value) {
  values_.insert_or_assign(known(key, Type::boolean, "true or false").key, value);
}

void Options::parse(const OptionInfo& info, std::string_view typed, std::string_view label) {
  const char *begin = typed.data(), *end = begin + typed.size();
  switch (info.type) {
    case Type::text:
      check_choice(info, typed, label);
      values_.insert_or_assign(info.key, std::string(typed));
      return;
    case Type::boolean:
      if (typed != "true" && typed != "false") fail_option(label, quoted(typed), info.range);
      values_.insert_or_assign(info.key, typed == "true");
      return;
    case Type::integer: {
      int64_t number = 0;
      const auto [stop, error] = std::from_chars(begin, end, number);
      if (error == std::errc::invalid_argument || stop != end)
        fail_option(label, quoted(typed), "a whole number");
      if (error != std::errc()) fail_option(label, quoted(typed), info.range);
      check_range(info, static_cast<double>(number), quoted(typed), label);
      values_.insert_or_assign(info.key, number);
      return;
    }
    case Type::real: {
      double number = 0;
      const auto [stop, error] = std::from_chars(begin, end, number);
      if (error == std::errc::invalid_argument || stop != end) fail_option(label, quoted(typed), "a number");
      if (error != std::errc()) fail_option(label, quoted(typed), "a number that fits into a double");
      if (!std::isfinite(number)) fail_option(label, quoted(typed), "a finite number");
      check_range(info, number, quoted(typed), label);
      values_.insert_or_assign(info.key, number);
      return;
    }
  }
}

const Options::Value& Options::value(std::string_view key) const {
  if (const auto found = values_.find(key); found != values_.end()) return found->second;
  static const std::map<std::string, Value, std::less<>> defaults = [] {
    Options all;
    for (const OptionInfo& info : option_table()) {
      if (*info.default_value != '\0') {
        all.parse(info, info.default_value, info.key);
      } else if (info.type == Type::text) {
        all.values_.emplace(info.key, std::string());  // nothing, also where a given text is one of several
      }
    }
    return all.values_;
  }();
  const auto found = defaults.find(key);
  if (found == defaults.end())
    throw std::logic_error(cat("option ", key, " was not given and has no default value"));
  return found->second;
}

std::string Options::text(std::string_view key) const {
  return std::get<std::string>(value(key));
}
int64_t Options::integer(std::string_view key) const {
  return std::get<int64_t>(value(key));
}
double Options::real(std::string_view key) const {
  return std::get<double>(value(key));
}
bool Options::boolean(std::string_view key) const {
  return std::get<bool>(value(key));
}

}  // namespace hone::config
