#include "progress.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "command.h"

namespace hone::cli {

namespace {
constexpr double kTerminalEvery = 0.1, kPlainEvery = 10;  // seconds
constexpr int kBar = 24;
}  // namespace

Progress::Progress(std::string unit, bool quiet)
    : unit_(std::move(unit)),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (shown_ && terminal_) std::cerr << "\r\033[K" << std::flush;
  shown_ = false;
}

void Progress::line(const std::string& text) {
  clear();
  if (!quiet_) std::cerr << text << '\n';
}

void Progress::update(int64_t done, int64_t total, const std::string& detail) {
  if (quiet_) return;
  const auto now = std::chrono::steady_clock::now();
  auto since = [&](auto then) { return std::chrono::duration<double>(now - then).count(); };
  if (first_done_ < 0) {  // a resumed run starts in the middle
    first_done_ = done > 0 ? done - 1 : 0;
  }
  if (since(last_) < (terminal_ ? kTerminalEvery : kPlainEvery) && done < total) return;
  if (!terminal_ && done == total && since(start_) < kPlainEvery) return;
  last_ = now;
  const double rate = static_cast<double>(done - first_done_) / std::max(since(start_), 1e-9);
  std::string text;
  if (terminal_) {
    const auto filled = static_cast<int>(kBar * done / std::max<int64_t>(1, total));
    text = "\r\033[K[" + std::string(static_cast<size_t>(filled), '#') +
           std::string(static_cast<size_t>(kBar - filled), '.') + "] ";
  }
  text += cat(done, "/", total, " ", unit_, "  ", number(rate, rate < 10 ? 1 : 0), "/s");
  if (rate > 0 && done < total)
    text += cat("  ", duration(static_cast<double>(total - done) / rate), " left");
  if (!detail.empty()) text += "  " + detail;
  std::cerr << text << (terminal_ ? "" : "\n") << std::flush;
  shown_ = true;
}

}  // namespace hone::cli
