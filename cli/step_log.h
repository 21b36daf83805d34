// --log: one JSON object per step of training, one a line.
//
// Rules: the file is opened before any work, so that one that cannot be written is found in time, and is not
// changed before the first step. A resumed run keeps the lines of the steps it builds on; "seconds" goes on
// from the last of them.
#pragma once

#include <cstdint>
#include <filesystem>

#include "train/options.h"

namespace hone::cli {

class StepLog {
 public:
  explicit StepLog(std::filesystem::path path);
  ~StepLog();  // a file that was made here and got no line is removed
  StepLog(const StepLog&) = delete;
  StepLog& operator=(const StepLog&) = delete;
  void add(const train::StepReport& report);

 private:
  void begin(int64_t kept_steps);
  std::filesystem::path path_;
  int fd_ = -1;
  bool stream_ = false, made_here_ = false, begun_ = false;
  double earlier_seconds_ = 0;
};

}  // namespace hone::cli
