// Lines of a text, plain or gzip, that comes a piece at a time.
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

#include "base/file.h"

namespace hone::data {

constexpr size_t kLongestLine = size_t{64} << 20;

class LineReader {
 public:
  // Throws Error where nothing comes at all. `path` is how messages call the text; both must outlive this.
  LineReader(ByteInput& input, const std::filesystem::path& path, bool gzip);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  bool next(std::string_view& line);         // false at the end
  size_t number() const { return number_; }  // of the line last handed out, from 1

 private:
  struct Inflater;
  ByteInput& input_;
  const std::filesystem::path& path_;
  std::unique_ptr<Inflater> inflater_;  // null when plain
  std::string_view piece_;              // not yet handed out
  std::string joined_;                  // a line that began in an earlier piece
  size_t number_ = 0;

  std::string_view next_piece();
};

// Removes one "\r" at the end.
inline std::string_view without_return(std::string_view line) {
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

}  // namespace hone::data
