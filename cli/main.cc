// The `hone` command: picks the command, turns every failure into one line and an exit code.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iostream>
#include <map>
#include <new>

#include "base/spelling.h"
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
  hone::fail_usage("\"", hone::excerpt(name), "\" is not a command",
                   hone::did_you_mean_of(name, kCommands, [](const Entry& e) { return e.name; }),
                   "; see hone --help");
}

// A descriptor that is closed would be given to the first file opened, and messages would land in it. One
// that is open the wrong way round keeps its place: what is written to standard output then fails, and is
// said.
void hold_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// Whoever read standard output has gone ("hone ... | head -1").
bool reader_left() {
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_descriptors();
  // A reader of messages or of --log that goes away does not end a training run: writing to it fails.
  const auto broken_pipe = std::signal(SIGPIPE, SIG_IGN);
  // What went wrong may hold any text of the user's, the line breaks of a file's name too.
  auto failed = [](int code, const char* what) {
    std::cerr << "hone: " << hone::excerpt(what, std::string_view::npos) << '\n';
    return code;
  };
  try {
    const int code = dispatch(argc, argv);
    std::cout.flush();
    if (!std::cout && broken_pipe == SIG_DFL && reader_left()) {
      std::signal(SIGPIPE, SIG_DFL);  // ends as every program does whose reader has enough
      std::raise(SIGPIPE);
    }
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
