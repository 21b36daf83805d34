#include "arguments.h"

#include <algorithm>
#include <cmath>
#include <iostream>

#include "base/spelling.h"

namespace hone::cli {

namespace {

constexpr size_t kWidth = 80;

// cxxopts would take "--json=no" for --json.
class Flag final : public cxxopts::values::standard_value<bool> {
 public:
  explicit Flag(std::string name) : name_(std::move(name)) {}
  using standard_value::parse;
  void parse(const std::string& text) const override {
    if (text != get_implicit_value()) fail_usage(name_, ": \"", excerpt(text), "\" found, no value expected");
    standard_value::parse(text);
  }
  std::shared_ptr<cxxopts::Value> clone() const override { return std::make_shared<Flag>(*this); }

 private:
  std::string name_;
};

}  // namespace

Arguments::Arguments(const std::string& command, const std::string& summary,
                     std::vector<std::string> required)
    : options_("hone " + command, summary + "\n"), required_(std::move(required)) {
  options_.set_width(kWidth);
}

void Arguments::add(const std::string& group, std::initializer_list<Option> options) {
  auto adder = options_.add_options(group);
  for (const Option& o : options) {
    const std::string names = o.name, name = names.substr(names.find(',') + 1);  // "h,help": -h and --help
    declared_.insert(name);
    if (o.value == nullptr) {
      adder(names, o.meaning, std::make_shared<Flag>(name));
      continue;
    }
    std::shared_ptr<cxxopts::Value> value = cxxopts::value<std::string>();
    for (const char* kind : {"FILE", "DIR", "PATH"}) {
      if (kind == std::string_view(o.value)) files_.insert(name);
    }
    if (o.repeated) {
      repeated_.insert(name);
      value = cxxopts::value<std::vector<std::string>>();
    }
    if (o.default_value != nullptr) value->default_value(o.default_value);
    adder(names, o.meaning, value, o.value);
    if (std::find(required_.begin(), required_.end(), name) != required_.end())
      usage_ += cat("--", name, " ", o.value, " ");
  }
  if (std::find(groups_.begin(), groups_.end(), group) == groups_.end()) groups_.push_back(group);
}

void Arguments::add(const std::string& group, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const config::OptionInfo& info = *config::find_option(key);
    // Where two options of a command have one name, the second is told by its group: --eval-prompts.
    std::string flag = info.flag();
    if (declared_.contains(flag))
      flag = cat(std::string_view(key).substr(0, std::string_view(key).find('.')), "-", flag);
    from_table_.emplace_back(&info, flag);
    add(group, {Option{flag.c_str(), info.value, info.help,
                       *info.default_value != '\0' && info.value != nullptr ? info.default_value : nullptr}});
  }
}

config::Options Arguments::configured() const {
  config::Options options;
  for (const auto& [info, flag] : from_table_) {
    if (!given(flag)) continue;
    // An empty text would be no choice at all: most likely a variable of the shell that is not set.
    if (info->type == config::Type::text && text(flag).empty())
      fail_usage(flag, ": \"\" found, ", info->range, " expected");
    options.parse(*info, info->type == config::Type::boolean ? "true" : text(flag), flag);
  }
  return options;
}

bool Arguments::parse(int argc, char** argv) {
  add("Common", {"runtime.threads"});
  add("Common",
      {{"quiet", nullptr, "Print nothing but results and errors"}, {"h,help", nullptr, "Print this help"}});
  const std::string see = cat("; see ", options_.program(), " --help");
  try {
    parsed_ = options_.parse(argc, argv);
  } catch (const cxxopts::exceptions::no_such_option& e) {
    fail_usage(excerpt(e.what(), 200), meant(argc, argv), see);
  } catch (const cxxopts::exceptions::exception& e) {
    fail_usage(excerpt(e.what(), 200), see);
  }
  if (given("help")) {
    options_.custom_help(usage_ + "[OPTION...]");
    std::cout << options_.help(groups_);
    return false;
  }
  if (!parsed_.unmatched().empty())
    fail_usage("\"", excerpt(parsed_.unmatched()[0]), "\" is not an option", see);
  // Of other options the last counts, as scripts that add to a command want it; a file is never dropped.
  for (const std::string& name : files_) {
    if (!repeated_.contains(name) && parsed_.count(name) > 1)
      fail_usage("option --", name, " found ", parsed_.count(name), " times, once expected", see);
  }
  for (const std::string& name : required_) {
    if (!given(name)) fail_usage("option --", name, " is missing", see);
  }
  return true;
}

// The exception says what it could not read in a sentence alone: the first option typed that is not one.
std::string Arguments::meant(int argc, char** argv) const {
  for (int i = 1; i < argc; ++i) {
    std::string_view typed = argv[i];
    if (typed == "--") break;
    if (!typed.starts_with("--")) continue;
    typed = typed.substr(2);
    typed = typed.substr(0, typed.find('='));
    if (declared_.contains(std::string(typed))) continue;
    return did_you_mean_of(
        typed, declared_, [](const std::string& n) { return std::string_view(n); }, "--");
  }
  return "";
}

fs::path Arguments::path(const std::string& name) const {
  std::string typed = text(name);
  if (typed.empty()) fail_usage(name, ": \"\" found, the name of a file or folder expected");
  return typed;
}

std::vector<fs::path> Arguments::paths(const std::string& name) const {
  if (!repeated_.contains(name)) return {path(name)};
  std::vector<fs::path> all;
  for (const std::string& typed : parsed_[name].as<std::vector<std::string>>()) {
    if (typed.empty()) fail_usage(name, ": \"\" found, the name of a file or folder expected");
    all.emplace_back(typed);
  }
  return all;
}

void Arguments::wrong_integer(const std::string& name, const std::string& typed, const std::string& range) {
  const std::string digits = typed.substr(typed.starts_with('-') ? 1 : 0);
  const bool whole = !digits.empty() && digits.find_first_not_of("0123456789") == digits.npos;
  fail_usage(name, ": \"", excerpt(typed), "\" found, ", whole ? range : "a whole number", " expected");
}

}  // namespace hone::cli
