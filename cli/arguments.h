// The options of one command: declared, read, described.
//
// Rules: cxxopts takes the line apart and lays out the help. Every value stays the text that was typed until
// it is read here, whole and without the locale: "1,5" and "2e-5x" are no numbers. Whatever is wrong is a
// UsageError that names the option, what was found and what was expected.
#pragma once

// A value with a comma in it is one value.
#define CXXOPTS_VECTOR_DELIMITER '\0'
#include <cxxopts.hpp>

#include <charconv>
#include <concepts>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/options.h"

namespace hone::cli {

namespace fs = std::filesystem;

struct Option {
  const char* name;
  const char* value;  // stands for the value in the help; null: a flag
  const char* meaning;
  const char* default_value = nullptr;  // taken where the option is not given
  bool repeated = false;                // may be given several times: paths()
};

class Arguments {
 public:
  // The options of all commands (--threads, --quiet, --help) are added by parse().
  Arguments(const std::string& command, const std::string& summary, std::vector<std::string> required);
  // Groups are described in the order in which they were added; "" has no title.
  void add(const std::string& group, std::initializer_list<Option> options);
  // Options of config/option_table.h, by key.
  void add(const std::string& group, std::initializer_list<const char*> keys);
  // False when the help was asked for, and printed. Throws for what is missing, unknown or stray.
  bool parse(int argc, char** argv);

  // Those of the table that were given, checked.
  config::Options configured() const;

  bool declared(const std::string& name) const { return declared_.contains(name); }
  bool given(const std::string& name) const { return parsed_.count(name) != 0; }
  std::string text(const std::string& name) const { return parsed_[name].as<std::string>(); }
  // Of a file or folder: never empty.
  fs::path path(const std::string& name) const;
  std::vector<fs::path> paths(const std::string& name) const;  // one, or all of a repeated option
  template <std::integral N>
  N integer(const std::string& name, N lowest, N highest = std::numeric_limits<N>::max()) const {
    const std::string typed = text(name);
    N value = 0;
    const auto [end, error] = std::from_chars(typed.data(), typed.data() + typed.size(), value);
    const bool whole = end == typed.data() + typed.size();
    if (error == std::errc() && whole && value >= lowest && value <= highest) return value;
    const bool high = value > highest || (error == std::errc::result_out_of_range && typed[0] != '-');
    wrong_integer(name, typed, high ? cat("at most ", highest) : cat(lowest, " or more"));
  }

 private:
  // `range` is what a whole number should have been.
  [[noreturn]] static void wrong_integer(const std::string& name, const std::string& typed,
                                         const std::string& range);
  std::string meant(int argc, char** argv) const;  // "; did you mean --loss?", of an option that is not one
  cxxopts::Options options_;
  std::vector<std::string> required_, groups_;
  std::set<std::string> declared_, repeated_, files_;  // files_: what names a file or folder
  std::vector<std::pair<const config::OptionInfo*, std::string>> from_table_;  // and the flag of each
  std::string usage_;                                                          // the required options
  cxxopts::ParseResult parsed_;
};

}  // namespace hone::cli
