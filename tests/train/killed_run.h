// A training run in a process of its own that kills itself at a given moment. The process is this test
// program started anew, so that nothing of the parent (threads, locks, open files) is in it.
#pragma once

#include <filesystem>
#include <string>

#include "train/trainer.h"

namespace hone::testing {

// When a run is to kill itself: in the n-th step of a write of checkpoint or model, after the n-th training
// step, when it asks for the n-th time whether to stop (between the batches of an evaluation, too, and in the
// verdict), or never.
struct Moment {
  enum Where { never, in_write, after_step, when_asked } where = never;
  int n = 0;
  std::string text() const;
};

struct KilledRun {
  std::filesystem::path out;
  train::OnExisting existing = train::OnExisting::refuse;
  Moment moment;
  uint64_t seed = 42;
  bool exchange = true;          // false: as on a file system without RENAME_EXCHANGE
  bool one_step = false;         // its time is over after one
  std::filesystem::path writes;  // a run that lives to the end leaves the number of its write steps here
};

struct Ending {
  bool killed = false;
  int code = 0;  // exit code of a run that was not
};

Ending run_killed(const KilledRun& run);

// The other side: what main() does when it is such a process. `arguments` follow the mark.
inline constexpr const char* kKilledRunMark = "--killed-run";
int killed_run_main(int argc, char** arguments);

}  // namespace hone::testing
