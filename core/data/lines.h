// Lines of a text file held in memory, plain or gzip.
//
// Rules: a line is handed out without its "\n" and is valid until the next call; a "\r" before it stays (only
// CSV may mean it). A line longer than 64 MiB is refused, so a gzip file can never unfold into absurd memory.
// A byte order mark is removed, UTF-16 and compressed data under the wrong name are told by their first
// bytes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace hone::data {

constexpr size_t kLongestLine = size_t{64} << 20;

class LineReader {
 public:
  LineReader(std::string_view content, const std::filesystem::path& path, bool gzip);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  bool next(std::string_view& line);         // false at the end
  size_t number() const { return number_; }  // of the line last handed out, from 1

 private:
  struct Inflater;
  const std::filesystem::path& path_;
  std::unique_ptr<Inflater> inflater_;  // null when plain
  std::string buffer_;                  // inflated and not yet handed out, from start_
  size_t start_ = 0;
  std::string_view rest_;  // plain: not yet handed out
  size_t number_ = 0;

  void check_encoding(std::string_view front) const;
  bool next_plain(std::string_view& line);
  bool next_inflated(std::string_view& line);
};

// Removes one "\r" at the end.
inline std::string_view without_return(std::string_view line) {
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

}  // namespace hone::data
