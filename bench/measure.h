// What every benchmark of this folder measures with: clock, stolen time, medians, peak memory.
#pragma once

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

namespace hone::bench {

using Clock = std::chrono::steady_clock;
inline double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Processor time of the whole machine so far, and how much of it other guests took.
struct Ticks {
  double steal = 0, all = 0;
};
inline Ticks processor_ticks() {
  std::ifstream stat("/proc/stat");
  std::string cpu;
  stat >> cpu;
  Ticks t;
  double value = 0;
  for (int i = 0; i < 8 && stat >> value; ++i) {
    t.all += value;
    if (i == 7) t.steal = value;
  }
  return t;
}
// A round in which more than 5 % were stolen is thrown away.
inline bool disturbed(const Ticks& before, const Ticks& after) {
  return after.steal - before.steal > 0.05 * (after.all - before.all);
}

inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

inline double peak_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

}  // namespace hone::bench
