// Values of options, checked against the table when they are set.
//
// Rules: what was not set has the table's default value. A wrong key or value is an OptionError: one line
// that names the option as the caller does (`label`: the key, or the flag on the command line), what was
// found and what was expected.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "config/option_table.h"

namespace hone::config {

class OptionError : public UsageError {
 public:
  OptionError(std::string option, const std::string& message)
      : UsageError(message), option_(std::move(option)) {}
  const std::string& option() const { return option_; }

 private:
  std::string option_;
};

class Options {
 public:
  // By type. A whole number is accepted for a real option; nothing else is converted.
  void set(std::string_view key, std::string_view text);
  void set(std::string_view key, int64_t number);
  void set(std::string_view key, double number);
  template <std::same_as<bool> Bool>  // or a pointer to a text would be one
  void set(std::string_view key, Bool value) {
    set_boolean(key, value);
  }
  // What was typed: the text of a value of any type.
  void parse(const OptionInfo& info, std::string_view typed, std::string_view label);

  bool given(std::string_view key) const { return values_.contains(std::string(key)); }
  // Of a given option or one with a default value; of the right type (else a defect, thrown as
  // std::logic_error).
  std::string text(std::string_view key) const;
  int64_t integer(std::string_view key) const;
  double real(std::string_view key) const;
  bool boolean(std::string_view key) const;

 private:
  void set_boolean(std::string_view key, bool value);
  using Value = std::variant<std::string, int64_t, double, bool>;
  const Value& value(std::string_view key) const;
  std::map<std::string, Value, std::less<>> values_;
};

// Throws OptionError when the number is out of the option's range; `found` is how messages show it.
void check_range(const OptionInfo& info, double number, std::string_view found, std::string_view label);

}  // namespace hone::config
