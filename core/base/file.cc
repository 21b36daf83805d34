// Reading: a mapping, pieces, or a small file as a string. Writing one file beside its target.
#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/staging.h"

namespace hone {

namespace {

constexpr size_t kBuffer = size_t{1} << 20;

int open_for_reading(const fs::path& path, struct stat& info) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail("cannot read ", path, ": ", errno_text(errno));
  if (fstat(fd, &info) != 0) {
    int code = errno;
    close(fd);
    fail("cannot read ", path, ": ", errno_text(code));
  }
  if (!S_ISREG(info.st_mode)) {
    close(fd);
    fail("cannot read ", path, ": it is ", S_ISDIR(info.st_mode) ? "a folder" : "not a regular file",
         ", expected a file");
  }
  return fd;
}

// N of a path that leads to /proc/self/fd/N through links or none; else -1. The entry itself is no link to
// follow: what it shows ("pipe:[123]", a file that was removed) may have no path.
int own_descriptor(fs::path path) {
  constexpr int kMostLinks = 8;
  for (int links = 0; links <= kMostLinks; ++links) {
    std::error_code code;
    const fs::path folder = fs::canonical(path.has_parent_path() ? path.parent_path() : fs::path("."), code);
    if (code) return -1;
    if (folder == cat("/proc/", getpid(), "/fd") ||
        folder == cat("/proc/", getpid(), "/task/", gettid(), "/fd")) {
      const std::string name = path.filename().string();
      int number = -1;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
      return error == std::errc() && end == name.data() + name.size() ? number : -1;
    }
    const fs::path link = folder / path.filename();
    if (!fs::is_symlink(link, code)) return -1;
    path = folder / fs::read_symlink(link, code);
    if (code) return -1;
  }
  return -1;
}

}  // namespace

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  struct stat info {};
  int fd = open_for_reading(path, info);
  size_ = static_cast<size_t>(info.st_size);
  if (size_ > 0) {
    void* mapped = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    int code = errno;
    if (mapped == MAP_FAILED) {
      close(fd);
      fail("cannot map ", path, ": ", errno_text(code));
    }
    data_ = static_cast<const std::byte*>(mapped);
  }
  close(fd);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

FileInput::FileInput(const fs::path& path) : path_(path) {
  struct stat info {};
  fd_ = open_for_reading(path, info);
  size_ = static_cast<uint64_t>(info.st_size);
}

std::unique_ptr<FileInput> FileInput::standard_input() {
  std::unique_ptr<FileInput> made(new FileInput);
  made->path_ = "standard input";
  made->fd_ = STDIN_FILENO;
  made->owned_ = false;
  return made;
}

FileInput::~FileInput() {
  if (owned_ && fd_ >= 0) close(fd_);
}

std::string_view FileInput::next() {
  buffer_.resize(kBuffer);
  size_t filled = 0;
  while (filled < buffer_.size()) {
    const ssize_t n = read(fd_, buffer_.data() + filled, buffer_.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot read ", path_, ": ", errno_text(errno));
    if (n == 0) break;
    filled += static_cast<size_t>(n);
  }
  given_ += filled;
  return std::string_view(buffer_).substr(0, filled);
}

std::string read_text_file(const fs::path& path, size_t limit) {
  struct stat info {};
  int fd = open_for_reading(path, info);
  std::string text;
  char chunk[1 << 16];
  for (;;) {
    ssize_t n = read(fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      int code = errno;
      close(fd);
      fail("cannot read ", path, ": ", errno_text(code));
    }
    if (n == 0) break;
    text.append(chunk, static_cast<size_t>(n));
    if (text.size() > limit) {
      close(fd);
      fail(path, " is larger than ", limit, " bytes, the most expected of such a file");
    }
  }
  close(fd);
  return text;
}

bool is_stream(const fs::path& path) {
  struct stat info {};
  if (own_descriptor(path) >= 0) return true;
  return stat(path.c_str(), &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode));
}

int open_stream(const fs::path& path) {
  const int own = own_descriptor(path);
  const int fd =
      own >= 0 ? fcntl(own, F_DUPFD_CLOEXEC, 3) : open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) fail("cannot write ", path, ": ", errno_text(errno));
  return fd;
}

void check_writable(const fs::path& target) {
  if (is_stream(target)) {
    // Opened and closed, a pipe would have come to its end.
    if (own_descriptor(target) < 0 && access(target.c_str(), W_OK) != 0)
      fail("cannot write ", target, ": ", errno_text(errno));
    return;
  }
  StagedFile writable(target);
}

StagedFile::StagedFile(fs::path target) : target_(std::move(target)), stream_(is_stream(target_)) {
  if (stream_) {
    fd_ = open_stream(target_);
    return;
  }
  staging::Place place = staging::file_place(target_);
  final_ = place.path();
  staging::remove_leftovers(place);
  staging::step("open");
  staging::Staged staged = staging::create_file(place, target_);
  staged_ = staged.path;
  fd_ = staged.lock;
}

StagedFile::~StagedFile() {
  if (fd_ < 0) return;
  if (!stream_) unlink(staged_.c_str());
  close(fd_);
}

void StagedFile::write(const void* data, size_t size) {
  if (fd_ < 0) fail("cannot write ", target_, ": it is already committed");
  const char* bytes = static_cast<const char*>(data);
  if (buffer_.size() + size < kBuffer) {
    buffer_.append(bytes, size);
    return;
  }
  flush();
  if (size >= kBuffer) {
    staging::step("write");
    staging::write_all(fd_, {bytes, size}, target_);
  } else {
    buffer_.assign(bytes, size);
  }
}

void StagedFile::flush() {
  if (buffer_.empty()) return;
  staging::step("write");
  staging::write_all(fd_, buffer_, target_);
  buffer_.clear();
}

void StagedFile::commit() {
  if (fd_ < 0) fail("cannot write ", target_, ": it is already committed");
  flush();
  if (stream_) {
    close(fd_);
    fd_ = -1;
    return;
  }
  staging::step("fsync");
  if (fsync(fd_) != 0) fail("cannot write ", target_, ": ", errno_text(errno));
  staging::step("rename");
  if (std::rename(staged_.c_str(), final_.c_str()) != 0)
    fail("cannot write ", target_, ": ", errno_text(errno));
  // From here on the target is the new file: nothing below may undo it.
  close(fd_);
  fd_ = -1;
  staging::step("fsync-parent");
  staging::sync_folder(final_.parent_path(), target_);
}

}  // namespace hone
