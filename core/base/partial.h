// A file that is long in the making: what a run that was killed made of it stays for the next one.
//
// Rules: a StagedFile until keep(). From then on it lies beside its target as NAME.partial, and
// NAME.partial.json is the record of what it holds: both together or nothing is kept. What is kept was synced
// before its record, so that a record never speaks of bytes that are not there. The file is locked as long as
// a process works on it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"

namespace hone {

class PartialFile {
 public:
  static fs::path partial_path(const fs::path& target);
  static fs::path record_path(const fs::path& target);
  // Of what is kept for `target`; none where nothing is. Throws Error where NAME.partial has no record: it is
  // someone else's.
  static std::optional<std::string> record_of(const fs::path& target);

  // Begins anew; what was kept is removed. Throws as StagedFile does, and where a process works on it.
  explicit PartialFile(fs::path target);
  // Goes on behind the first `bytes` of what is kept. Throws Error where there are fewer.
  PartialFile(fs::path target, uint64_t bytes);
  ~PartialFile();  // without commit() only what was kept stays
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  void write(std::string_view bytes);
  // Over the first bytes; they must have been written.
  void write_front(std::string_view bytes);
  uint64_t bytes() const { return bytes_; }
  // All that was written so far, and the record of it.
  void keep(const std::string& record);
  void commit();

 private:
  fs::path target_, final_, path_;  // as given, with links resolved, where it lies now
  int fd_ = -1;
  bool kept_ = false;
  uint64_t bytes_ = 0;
  std::string buffer_;
  void flush();
  [[noreturn]] void failed(int code) const;
};

}  // namespace hone
