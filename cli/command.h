// What the commands of `hone` share.
//
// Rules: results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed (one line on stderr),
// 2 wrong usage, 130 interrupted with a checkpoint kept.
#pragma once

#include <cxxopts.hpp>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "compute/graph.h"
#include "data/dataset.h"

namespace hone::cli {

inline constexpr int kOk = 0, kFailed = 1, kUsage = 2, kInterrupted = 130;

// A command's own options; the common ones (--threads, --quiet, --help) are added by make_options.
cxxopts::Options make_options(const std::string& name, const std::string& summary);
// Parses; prints help and returns true when it was asked for. Throws UsageError for a missing required option
// or a stray argument.
bool parse(cxxopts::Options& options, int argc, char** argv, std::span<const char* const> required,
           cxxopts::ParseResult& result);

std::shared_ptr<compute::Engine> make_engine(const cxxopts::ParseResult& parsed);
bool quiet(const cxxopts::ParseResult& parsed);
// --columns, where given.
std::map<std::string, std::string> read_columns(const cxxopts::ParseResult& parsed,
                                                std::span<const std::string> roles);
// Texts of a file: a .txt's lines, or the named column of a table (the only text column when there is one
// name only).
std::vector<std::string> read_texts(const std::string& path, const std::string& column);

double peak_megabytes();
std::string duration(double seconds);              // "1 min 05 s"
std::string number(double value, int digits);      // fixed, locale-free
nlohmann::ordered_json json_number(double value);  // NaN becomes null

int train(int argc, char** argv);
int encode(int argc, char** argv);
int eval(int argc, char** argv);
int nearest(int argc, char** argv);
int info(int argc, char** argv);

}  // namespace hone::cli
