// The frame of a benchmark program: the options that every one has, and a failure as one line.
#pragma once

#include <cxxopts.hpp>
#include <iostream>
#include <string>

namespace hone::bench {

// --model, --data, --batch, --rounds and --threads, with the default that the program gives; it adds its own.
inline cxxopts::Options program_options(const std::string& name, const std::string& what,
                                        const std::string& threads) {
  cxxopts::Options options(name, what);
  options.add_options()("model", "", cxxopts::value<std::string>())(
      "data", "", cxxopts::value<std::string>())("batch", "", cxxopts::value<int64_t>()->default_value("32"))(
      "rounds", "", cxxopts::value<int>()->default_value("5"))("threads", "",
                                                               cxxopts::value<int>()->default_value(threads));
  return options;
}

// Parses the options and calls run(what was parsed); returns the exit code.
template <class Run>
int run_program(cxxopts::Options options, int argc, char** argv, Run run) {
  try {
    run(options.parse(argc, argv));
    return 0;
  } catch (const std::exception& e) {
    std::cerr << options.program() << ": " << e.what() << '\n';
    return 1;
  }
}

}  // namespace hone::bench
