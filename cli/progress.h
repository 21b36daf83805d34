// Progress on stderr: a bar with rate and time left on a terminal, a plain line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace hone::cli {

class Progress {
 public:
  Progress(std::string unit, bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // A total of 0 is not known: rate alone, no bar. `detail` stands behind the bar ("loss 0.034"). The first
  // call starts the clock: rate and time left are of what is done after it, so neither what came before nor a
  // run resumed in the middle counts.
  void update(int64_t done, int64_t total, const std::string& detail = "");
  // A line of its own, above the bar.
  void line(const std::string& text);

 private:
  using Clock = std::chrono::steady_clock;
  bool due(int64_t done, int64_t total, Clock::time_point now);
  void clear();
  std::string unit_;
  bool quiet_, terminal_, shown_ = false;
  int64_t first_done_ = -1;
  Clock::time_point first_, next_;
  Clock::duration wait_;  // until the next line, where there is no terminal
};

}  // namespace hone::cli
