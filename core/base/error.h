// Errors of hone: one exception type, one line of text.
//
// Rules: a message is a single line that names the file, row, column, option or tensor, what was found and
// what was expected. It is built with `cat`, which never depends on the host's locale. Code that can explain
// a failure better than its callee catches `Error` and prefixes its own place.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace hone {

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
};

// An option's value that cannot be: the caller's mistake, found before any work (exit code 2 of the command
// line).
class UsageError : public Error {
 public:
  using Error::Error;
};

// About one row of data.
class RowError : public Error {
 public:
  RowError(const std::string& message, int64_t row) : Error(message), row_(row) {}
  int64_t row() const { return row_; }  // from 0

 private:
  int64_t row_;
};

namespace detail {
inline void append(std::string& out, std::string_view s) {
  out += s;
}
inline void append(std::string& out, const std::string& s) {
  out += s;
}
inline void append(std::string& out, const char* s) {
  out += s;
}
inline void append(std::string& out, char c) {
  out += c;
}
inline void append(std::string& out, bool b) {
  out += b ? "true" : "false";
}
inline void append(std::string& out, const std::filesystem::path& p) {
  out += p.string();
}
template <class N>
requires(std::integral<N> && !std::same_as<N, char> && !std::same_as<N, bool>) ||
    std::floating_point<N> void append(std::string& out, N n) {
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, n).ptr;
  out.append(buffer, end);
}
}  // namespace detail

// Concatenates strings, paths and numbers (shortest round-trip form).
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::string out;
  (detail::append(out, parts), ...);
  return out;
}

template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw Error(cat(parts...));
}

template <class... Parts>
[[noreturn]] void fail_usage(const Parts&... parts) {
  throw UsageError(cat(parts...));
}

// Text of an errno value, for messages.
inline std::string errno_text(int code) {
  return std::generic_category().message(code);
}

// A piece of foreign text made fit for a one-line message: control characters and line breaks shown as '?',
// at most `limit` bytes, no UTF-8 character cut in two.
inline std::string excerpt(std::string_view text, size_t limit = 60) {
  size_t end = text.size();
  if (end > limit) {
    end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  }
  std::string out;
  for (char c : text.substr(0, end)) out += (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) ? '?' : c;
  if (text.size() > end) out += "...";
  return out;
}

}  // namespace hone
