#include "command.h"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iostream>

#include "base/file.h"
#include "compute/device.h"
#include "encode/text_file.h"

namespace hone::cli {

void add_device(Arguments& arguments) {
  arguments.add("Device", {"runtime.device", "runtime.precision", "runtime.isa", "runtime.weights"});
}

compute::DeviceOptions device_options(const Arguments& arguments) {
  const config::Options given = arguments.configured();
  compute::DeviceOptions options;
  options.device = given.text("runtime.device");
  options.precision = given.text("runtime.precision");
  options.threads = static_cast<int>(given.integer("runtime.threads"));
  options.isa = compute::cpu::instruction_set(given.text("runtime.isa"));
  const char* variable = std::getenv("HONE_CPU_ISA");
  if (variable != nullptr && *variable != '\0' && !arguments.given("isa"))
    options.isa = compute::cpu::instruction_set(variable, "HONE_CPU_ISA");
  return options;
}

std::shared_ptr<compute::Engine> make_engine(const Arguments& arguments) {
  auto engine = compute::create_engine(device_options(arguments));
  const std::string few = compute::shortage_of_threads(*engine);
  if (!few.empty() && !arguments.given("quiet")) std::cerr << "warning: " << few << '\n';
  return engine;
}

std::shared_ptr<const model::SentenceModel> load_model(const Arguments& arguments, const fs::path& folder) {
  return model::load_model(folder, model::held_as(arguments.configured().text("runtime.weights")));
}

std::map<std::string, std::string> read_columns(const Arguments& arguments,
                                                std::span<const data::RoleRequest> roles) {
  if (!arguments.given("columns")) return {};
  return data::parse_columns(arguments.text("columns"), roles);
}

data::ReadOptions read_text_options(const Arguments& arguments) {
  const auto given = [&](const char* name) {
    return arguments.declared(name) && arguments.given(name) ? arguments.text(name) : std::string();
  };
  return encode::text_options(given("column"), given("input-format"));
}

std::vector<std::string> read_texts(const Arguments& arguments, const fs::path& file) {
  data::Table table = data::read_table(file, read_text_options(arguments));
  return std::move(table.texts.at("text"));
}

namespace {

// An absolute path without links or an empty last part ("out/"), of a file or folder that may not be there.
fs::path resolved(const fs::path& path) {
  std::error_code code;
  fs::path whole = fs::weakly_canonical(fs::absolute(path), code);
  if (code) whole = fs::absolute(path).lexically_normal();  // links in a circle
  return whole.has_filename() ? whole : whole.parent_path();
}

}  // namespace

bool lies_in(const fs::path& file, const fs::path& folder) {
  if (is_stream(file)) return false;
  const fs::path inner = resolved(file), outer = resolved(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

void check_no_model_file(const Arguments& arguments, const std::string& output) {
  const fs::path path = arguments.path(output);
  if (is_stream(path)) return;
  for (const char* input : {"model", "compare"}) {
    if (!arguments.declared(input) || !arguments.given(input)) continue;
    const fs::path folder = arguments.path(input);
    std::error_code absent;
    if (!fs::exists(path, absent) || !lies_in(path, folder)) continue;
    // Vectors and lists may lie beside a model.
    const bool beside = resolved(path).parent_path() == resolved(folder);
    const std::string ending = path.extension().string();
    if (beside && (ending == ".npy" || ending == ".jsonl")) continue;
    fail_usage(output, ": \"", excerpt(path.string()), "\" is a file of --", input, ", which is read");
  }
}

void check_output(const Arguments& arguments, const std::string& output,
                  std::initializer_list<const char*> inputs) {
  check_no_model_file(arguments, output);
  const fs::path path = arguments.path(output);
  for (const char* input : inputs) {
    if (!arguments.given(input)) continue;
    const std::vector<fs::path> read = arguments.paths(input);
    std::error_code absent;
    if (std::any_of(read.begin(), read.end(),
                    [&](const fs::path& p) { return fs::equivalent(path, p, absent); }))
      fail_usage(output, ": \"", excerpt(path.string()), "\" is the file of --", input, ", which is read");
  }
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;  // kibibytes on Linux
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

}  // namespace hone::cli
