#include "base/partial.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/error.h"
#include "base/staging.h"

namespace hone {

namespace {

constexpr size_t kGathered = size_t{1} << 20;  // bytes written at once

fs::path beside(const fs::path& target, const char* ending) {
  const fs::path path = staging::place_of(target).path();
  return path.parent_path() / cat(path.filename(), ending);
}

// The file at `path`, locked; -1 where there is none.
int open_locked(const fs::path& path, const fs::path& target) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return -1;
  if (fd < 0) fail("cannot write ", target, ": ", path.filename(), ": ", errno_text(errno));
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) break;  // a file system without locks
    close(fd);
    fail("cannot write ", target, ": another process is writing it");
  }
  return fd;
}

}  // namespace

fs::path PartialFile::partial_path(const fs::path& target) {
  return beside(target, ".partial");
}

fs::path PartialFile::record_path(const fs::path& target) {
  return beside(target, ".partial.json");
}

std::optional<std::string> PartialFile::record_of(const fs::path& target) {
  const fs::path partial = partial_path(target), record = record_path(target);
  if (!fs::exists(fs::symlink_status(partial))) return std::nullopt;
  if (!fs::exists(record))
    fail(partial, ": is there without ", record.filename(), ", so hone did not keep it; remove it");
  return read_text_file(record);
}

PartialFile::PartialFile(fs::path target) : target_(std::move(target)) {
  const staging::Place place = staging::file_place(target_);
  final_ = place.path();
  staging::remove_leftovers(place);
  staging::remove_leftovers(staging::place_of(record_path(target_)));
  const int old = open_locked(partial_path(target_), target_);
  staging::step("open");
  const staging::Staged staged = staging::create_file(place, target_);
  path_ = staged.path;
  fd_ = staged.lock;
  unlink(partial_path(target_).c_str());
  unlink(record_path(target_).c_str());
  if (old >= 0) close(old);
}

PartialFile::PartialFile(fs::path target, uint64_t bytes) : target_(std::move(target)), kept_(true) {
  const staging::Place place = staging::place_of(target_);
  staging::check_target(place, target_);
  final_ = place.path();
  path_ = partial_path(target_);
  staging::remove_leftovers(staging::place_of(record_path(target_)));
  fd_ = open_locked(path_, target_);
  if (fd_ < 0) fail("cannot read ", path_, ": ", errno_text(ENOENT));
  struct stat info {};
  const int code = fstat(fd_, &info) == 0 ? 0 : errno;
  const bool whole = code == 0 && S_ISREG(info.st_mode) && static_cast<uint64_t>(info.st_size) >= bytes;
  if (!whole || ftruncate(fd_, static_cast<off_t>(bytes)) != 0 ||
      lseek(fd_, static_cast<off_t>(bytes), SEEK_SET) < 0) {
    close(std::exchange(fd_, -1));
    fail(path_, ": found ", info.st_size, " bytes, expected ", bytes, " as its record says; remove both");
  }
  bytes_ = bytes;
}

PartialFile::~PartialFile() {
  if (fd_ < 0) return;
  if (!kept_) unlink(path_.c_str());
  close(fd_);
}

void PartialFile::failed(int code) const {
  fail("cannot write ", target_, ": ", errno_text(code));
}

void PartialFile::write(std::string_view bytes) {
  bytes_ += bytes.size();
  if (buffer_.size() + bytes.size() >= kGathered) flush();
  if (bytes.size() < kGathered) {
    buffer_.append(bytes);
    return;
  }
  staging::step("write");
  staging::write_all(fd_, bytes, target_);
}

void PartialFile::flush() {
  if (buffer_.empty()) return;
  staging::step("write");
  staging::write_all(fd_, buffer_, target_);
  buffer_.clear();
}

void PartialFile::write_front(std::string_view bytes) {
  flush();
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = pwrite(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno != EINTR) failed(errno);
    if (n > 0) done += static_cast<size_t>(n);
  }
}

// The record comes first: one without its file is nothing, a file without its record would be in the way.
void PartialFile::keep(const std::string& record) {
  flush();
  staging::step("fsync");
  if (fdatasync(fd_) != 0) failed(errno);
  StagedFile file(record_path(target_));
  file.write(record);
  file.commit();
  if (kept_) return;
  staging::step("rename");
  const fs::path partial = partial_path(target_);
  if (std::rename(path_.c_str(), partial.c_str()) != 0) failed(errno);
  path_ = partial;
  kept_ = true;
  staging::sync_folder(final_.parent_path(), target_);
}

void PartialFile::commit() {
  flush();
  staging::step("fsync");
  if (fsync(fd_) != 0) failed(errno);
  staging::step("rename");
  if (std::rename(path_.c_str(), final_.c_str()) != 0) failed(errno);
  close(std::exchange(fd_, -1));
  staging::step("fsync-parent");
  staging::sync_folder(final_.parent_path(), target_);
  staging::step("remove-old");
  if (kept_) unlink(record_path(target_).c_str());
}

}  // namespace hone
