#include "base/temporary.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace hone {

TemporaryFile::TemporaryFile() {
  std::error_code code;
  folder_ = std::filesystem::temp_directory_path(code);
  if (code) fail("cannot write a temporary file: ", code.message(), " (TMPDIR names the folder)");
  fd_ = open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd_ >= 0) return;
  // A file system that has none without a name.
  std::string name = (folder_ / "hone-XXXXXX").string();
  fd_ = mkostemp(name.data(), O_CLOEXEC);
  if (fd_ < 0) failed(errno);
  unlink(name.c_str());
}

TemporaryFile::~TemporaryFile() {
  if (fd_ >= 0) close(fd_);
}

void TemporaryFile::failed(int code) const {
  fail("cannot write a temporary file in ", folder_, ": ", errno_text(code),
       " (TMPDIR names another folder)");
}

void TemporaryFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) failed(errno);
    size_ += static_cast<uint64_t>(n);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void TemporaryFile::read(uint64_t offset, void* out, size_t size) const {
  for (size_t done = 0; done < size;) {
    const ssize_t n =
        pread(fd_, static_cast<char*>(out) + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      fail("cannot read a temporary file in ", folder_, ": ", n < 0 ? errno_text(errno) : "it ends");
    done += static_cast<size_t>(n);
  }
}

}  // namespace hone
