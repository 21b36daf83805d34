#include "tests/train/killed_run.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <vector>

#include "tests/train/small_run.h"

namespace hone::testing {

namespace {

Moment moment;
int written = 0;

void count_write_step(const char*) {
  if (++written == moment.n && moment.where == Moment::in_write) kill(getpid(), SIGKILL);
}

}  // namespace

std::string Moment::text() const {
  constexpr const char* kWhere[] = {"never killed ", "killed in write ", "killed after step ",
                                    "killed when asking for time "};
  return cat(kWhere[where], n);
}

Ending run_killed(const KilledRun& run) {
  const std::string words[] = {"test_train",
                               kKilledRunMark,
                               run.out.string(),
                               cat(static_cast<int>(run.existing)),
                               cat(static_cast<int>(run.moment.where)),
                               cat(run.moment.n),
                               cat(run.seed),
                               run.exchange ? "exchange" : "renames",
                               run.one_step ? "one" : "all",
                               run.writes.string()};
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    execv("/proc/self/exe", arguments.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFSIGNALED(status), WIFEXITED(status) ? WEXITSTATUS(status) : 0};
}

int killed_run_main(int argc, char** arguments) {
  if (argc != 8) return 2;
  const fs::path out = arguments[0];
  const auto existing = static_cast<train::OnExisting>(std::stoi(arguments[1]));
  moment = {static_cast<Moment::Where>(std::stoi(arguments[2])), std::stoi(arguments[3])};
  train::TrainOptions options = small_options();
  options.seed = std::stoull(arguments[4]);
  use_rename_exchange = std::string(arguments[5]) == "exchange";
  if (std::string(arguments[6]) == "one") options.max_minutes = 1e-9;
  write_step_hook = count_write_step;
  train::TrainCallbacks callbacks;
  callbacks.step = [done = 0](const train::StepReport&) mutable {
    if (++done == moment.n && moment.where == Moment::after_step) kill(getpid(), SIGKILL);
  };
  callbacks.stop = [asked = 0]() mutable {
    if (++asked == moment.n && moment.where == Moment::when_asked) kill(getpid(), SIGKILL);
    return false;
  };
  try {
    train_small(out, options, existing, 1, callbacks);
  } catch (const std::exception& e) {
    std::cerr << e.what() << std::endl;
    return 3;
  }
  std::ofstream(arguments[7]) << written;
  return 0;
}

}  // namespace hone::testing
