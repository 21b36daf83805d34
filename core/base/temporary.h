// Bytes in a file without a name, for what need not lie in memory. It is gone with the process, however that
// ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace hone {

class TemporaryFile {
 public:
  TemporaryFile();  // in the folder for temporary files, which TMPDIR names
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  // Behind what is there. Throws Error naming the folder.
  void append(std::string_view bytes);
  // Any number of threads may read at once, what was appended before.
  void read(uint64_t offset, void* out, size_t size) const;
  uint64_t size() const { return size_; }

 private:
  std::filesystem::path folder_;
  int fd_ = -1;
  uint64_t size_ = 0;
  [[noreturn]] void failed(int code) const;
};

}  // namespace hone
