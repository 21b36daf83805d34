#include "progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "command.h"

namespace hone::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto kTerminalEvery = 100ms;
constexpr auto kFirstLine = 2s, kMostBetweenLines = 60s;  // each wait is twice the one before
constexpr int kBar = 24;

size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Progress::Progress(std::string unit, bool quiet)
    : unit_(std::move(unit)), quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1), wait_(kFirstLine) {}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (shown_ && terminal_) std::cerr << "\r\033[K" << std::flush;
}

void Progress::line(const std::string& text) {
  clear();
  if (!quiet_) std::cerr << text << '\n';
}

bool Progress::due(int64_t done, int64_t total, Clock::time_point now) {
  if (first_done_ < 0) {
    first_done_ = done;
    first_ = now;
    next_ = terminal_ ? now : now + wait_;
  }
  // A run too short for a plain line does not get one at its end either.
  const bool last = total > 0 && done >= total;
  if (now < next_ && (!last || (!terminal_ && !shown_))) return false;
  if (!terminal_) wait_ = std::min<Clock::duration>(2 * wait_, kMostBetweenLines);
  next_ = now + (terminal_ ? kTerminalEvery : wait_);
  return true;
}

void Progress::update(int64_t done, int64_t total, const std::string& detail) {
  const auto now = Clock::now();
  if (quiet_ || !due(done, total, now)) return;
  std::string text;
  if (terminal_ && total > 0) {
    const auto filled = static_cast<int>(kBar * done / std::max<int64_t>(1, total));
    text = "[" + std::string(static_cast<size_t>(filled), '#') +
           std::string(static_cast<size_t>(kBar - filled), '.') + "] ";
  }
  text += total > 0 ? cat(done, "/", total, " ", unit_) : cat(done, " ", unit_);
  if (done > first_done_) {
    const double seconds = std::max(std::chrono::duration<double>(now - first_).count(), 1e-9);
    const double rate = static_cast<double>(done - first_done_) / seconds;
    text += cat("  ", number(rate, rate < 10 ? 1 : 0), "/s");
    if (done < total) text += cat("  ", duration(static_cast<double>(total - done) / rate), " left");
  }
  if (!detail.empty()) text += "  " + detail;
  if (terminal_) {
    text.resize(
        std::min(text.size(), terminal_width() - 1));  // a longer one would wrap and could not be cleared
    std::cerr << "\r\033[K" << text << std::flush;
  } else {
    std::cerr << text << '\n';
  }
  shown_ = true;
}

}  // namespace hone::cli
