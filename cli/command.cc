#include "command.h"

#include <sys/resource.h>

#include <charconv>
#include <cmath>
#include <iostream>

#include "compute/cpu/cpu_engine.h"

namespace hone::cli {

cxxopts::Options make_options(const std::string& name, const std::string& summary) {
  cxxopts::Options options("hone " + name, summary);
  options.set_width(110);
  options.add_options("Common")("threads", "Processors to use, obeyed exactly (0: all this process may use)",
                                cxxopts::value<int>()->default_value("0"), "N")(
      "quiet", "Say nothing but results and errors")("h,help", "Show this help");
  return options;
}

namespace {

// cxxopts says which text it could not read, but not of which option; the options that are read are numbers.
[[noreturn]] void fail_number(int argc, char** argv, const std::string& message) {
  for (int i = 1; i < argc; ++i) {
    std::string_view option = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (const size_t equals = option.find('='); equals != option.npos) {
      value = option.substr(equals + 1);
      option = option.substr(0, equals);
    }
    const std::string quoted = cxxopts::LQUOTE + std::string(value) + cxxopts::RQUOTE;
    if (!option.starts_with("--") || message.find(quoted) == message.npos) continue;
    fail_usage(option.substr(2), ": \"", excerpt(value), "\" found, a number expected");
  }
  fail_usage(message);
}

}  // namespace

bool parse(cxxopts::Options& options, int argc, char** argv, std::span<const char* const> required,
           cxxopts::ParseResult& result) {
  try {
    result = options.parse(argc, argv);
  } catch (const cxxopts::exceptions::incorrect_argument_type& e) {
    fail_number(argc, argv, e.what());
  }
  if (result.count("help") != 0) {
    std::cout << options.help() << '\n';
    return true;
  }
  if (!result.unmatched().empty()) {
    fail_usage("\"", excerpt(result.unmatched()[0]), "\" is not an option; see ", options.program(),
               " --help");
  }
  for (const char* name : required) {
    if (result.count(name) == 0)
      fail_usage("option --", name, " is missing; see ", options.program(), " --help");
  }
  return false;
}

std::shared_ptr<compute::Engine> make_engine(const cxxopts::ParseResult& parsed) {
  return compute::cpu::create({parsed["threads"].as<int>(), compute::cpu::InstructionSet::best});
}

bool quiet(const cxxopts::ParseResult& parsed) {
  return parsed.count("quiet") != 0;
}

std::map<std::string, std::string> read_columns(const cxxopts::ParseResult& parsed,
                                                std::span<const std::string> roles) {
  if (parsed.count("columns") == 0) return {};
  return data::parse_columns(parsed["columns"].as<std::string>(), roles);
}

std::vector<std::string> read_texts(const std::string& path, const std::string& column) {
  data::ReadOptions options;
  options.roles = {{"text", data::ColumnKind::text, true, {}}};
  if (!column.empty()) options.columns["text"] = column;
  data::Table table = data::read_table(path, options);
  return std::move(table.texts.at("text"));
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;  // kilobytes on Linux
}

std::string number(double value, int digits) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, digits).ptr;
  return {buffer, end};
}

std::string duration(double seconds) {
  if (!(seconds >= 0)) return "?";
  if (seconds < 60) return number(seconds, seconds < 10 ? 1 : 0) + " s";
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  auto two = [](int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  if (whole < 3600) return cat(whole / 60, " min ", two(whole % 60), " s");
  return cat(whole / 3600, " h ", two(whole / 60 % 60), " min");
}

nlohmann::ordered_json json_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

}  // namespace hone::cli
