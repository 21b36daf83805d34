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

bool parse(cxxopts::Options& options, int argc, char** argv, std::span<const char* const> required,
           cxxopts::ParseResult& result) {
  result = options.parse(argc, argv);
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
