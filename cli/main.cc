// The `hone` command: picks the command, turns every failure into one line and an exit code.
#include <functional>
#include <iostream>
#include <map>
#include <new>

#include "command.h"

namespace {

using hone::cli::kFailed;
using hone::cli::kOk;
using hone::cli::kUsage;

struct Entry {
  const char* name;
  const char* summary;
  int (*run)(int, char**);
};
constexpr Entry kCommands[] = {
    {"train", "fine-tune a model on pairs, triplets or a teacher's signals", hone::cli::train},
    {"losses", "list the losses: columns, options, when to use which", hone::cli::losses},
    {"encode", "turn texts into vectors", hone::cli::encode},
    {"eval", "score a model by one of five tasks, compare two models", hone::cli::eval},
    {"nearest", "find the texts nearest to a query", hone::cli::nearest},
    {"info", "describe a model", hone::cli::info},
    {"options", "list every option and its name in programs", hone::cli::options},
};

void help(std::ostream& out) {
  out << "hone fine-tunes sentence-embedding models.\n\nUsage: hone COMMAND [OPTION...]\n\nCommands:\n";
  for (const Entry& e : kCommands)
    out << "  " << e.name << std::string(10 - std::string(e.name).size(), ' ') << e.summary << '\n';
  out << "\nhone COMMAND --help describes a command, hone --version tells the version.\n";
}

int dispatch(int argc, char** argv) {
  if (argc < 2) {
    help(std::cerr);
    return kUsage;
  }
  const std::string name = argv[1];
  if (name == "--help" || name == "-h" || name == "help") {
    help(std::cout);
    return kOk;
  }
  if (name == "--version") {
    std::cout << "hone " << HONE_VERSION << '\n';
    return kOk;
  }
  for (const Entry& e : kCommands) {
    if (name == e.name) return e.run(argc - 1, argv + 1);
  }
  hone::fail_usage("\"", hone::excerpt(name), "\" is not a command; see hone --help");
}

}  // namespace

int main(int argc, char** argv) {
  // What went wrong may hold any text of the user's, the line breaks of a file's name too.
  auto failed = [](int code, const char* what) {
    std::cerr << "hone: " << hone::excerpt(what, std::string_view::npos) << '\n';
    return code;
  };
  try {
    const int code = dispatch(argc, argv);
    std::cout.flush();
    if (!std::cout) return failed(kFailed, "could not write to standard output");
    return code;
  } catch (const hone::UsageError& e) {
    return failed(kUsage, e.what());
  } catch (const std::bad_alloc&) {
    return failed(kFailed, "out of memory");
  } catch (const std::exception& e) {
    return failed(kFailed, e.what());
  }
}
