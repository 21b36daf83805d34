#include "base/staging.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace hone {

void (*write_step_hook)(const char* step) = nullptr;

namespace staging {

namespace {

constexpr std::string_view kStaged = ".hone-staged-";
constexpr std::string_view kReplaced = ".hone-replaced-";
constexpr size_t kLargestWrite = size_t{1} << 30;
constexpr size_t kLongestName = 180;  // of 255, so that the suffix fits

// The front of every temporary name of `name`. A long name is cut and told apart by a hash (FNV-1a).
std::string stem(const std::string& name) {
  if (name.size() <= kLongestName) return cat(".", name);
  uint64_t hash = 14695981039346656037ULL;
  for (unsigned char c : name) hash = (hash ^ c) * 1099511628211ULL;
  return cat(".", std::string_view(name).substr(0, kLongestName - 20), "-", hash);
}

std::string next_suffix() {
  static std::atomic<unsigned> counter{0};
  return cat(getpid(), "-", counter.fetch_add(1));
}

// True for "PID-N", so that a file of the user's that merely looks alike is never touched.
bool is_suffix(std::string_view text) {
  size_t dash = text.find('-');
  auto digits = [](std::string_view s) {
    return !s.empty() && s.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return dash != std::string_view::npos && digits(text.substr(0, dash)) && digits(text.substr(dash + 1));
}

// Whether `path` still names what `fd` is open on.
bool still_names(int fd, const fs::path& path) {
  struct stat opened {
  }, named{};
  return fstat(fd, &opened) == 0 && lstat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

// Takes the lock of new work. False when a cleaner was faster.
bool lock_and_check(int fd, const fs::path& path) {
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return false;
    break;  // a file system without locks, see Leftover
  }
  return still_names(fd, path);
}

// What nobody works on any more, held locked so that nobody takes it up while it is removed. `suffix` is the
// end of its name. When in doubt someone does. Where the file system refuses to lock (network file systems
// do, for folders), the process id has to tell.
class Leftover {
 public:
  Leftover(const fs::path& path, std::string_view suffix) {
    fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd_ < 0) {
      gone_ = errno == ENOENT;
      return;
    }
    bool locked = flock(fd_, LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno != EWOULDBLOCK && errno != EINTR) {
      dead_ = is_dead(suffix);
    } else {
      dead_ = locked && still_names(fd_, path);
    }
  }
  ~Leftover() {
    if (fd_ >= 0) close(fd_);
  }
  Leftover(const Leftover&) = delete;
  Leftover& operator=(const Leftover&) = delete;
  bool dead() const { return dead_; }
  bool gone() const { return gone_; }

 private:
  int fd_ = -1;
  bool dead_ = false, gone_ = false;

  static bool is_dead(std::string_view suffix) {
    pid_t pid = 0;
    auto parsed = std::from_chars(suffix.data(), suffix.data() + suffix.size(), pid);
    return parsed.ec == std::errc() && pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
  }
};

template <class Make>
Staged create(const Place& place, const fs::path& target, Make make) {
  for (;;) {
    fs::path path = place.parent / cat(stem(place.name), kStaged, next_suffix());
    int fd = make(path);
    if (fd < 0) {
      if (errno == EEXIST) continue;
      fail("cannot write ", target, ": ", errno_text(errno));
    }
    if (lock_and_check(fd, path)) return {path, fd};
    close(fd);
  }
}

}  // namespace

bool Place::exists() const {
  struct stat info {};
  return lstat(path().c_str(), &info) == 0;
}

bool Place::is_file() const {
  struct stat info {};
  return lstat(path().c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

bool Place::is_folder() const {
  struct stat info {};
  return lstat(path().c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Place place_of(const fs::path& target) {
  std::error_code ignored;
  fs::path path = target;
  if (path.filename().empty()) path = path.parent_path();  // "out/"
  bool dots = path.filename() == "." || path.filename() == "..";
  if (dots || fs::is_symlink(path, ignored)) {
    std::error_code code;
    fs::path resolved = fs::canonical(path, code);
    if (!code) path = resolved;
  }
  if (!path.has_filename() || path.filename() == "." || path.filename() == "..") {
    fail("cannot write '", target, "': it names no file or folder");
  }
  fs::path parent = path.parent_path();
  return {fs::absolute(parent.empty() ? fs::path(".") : parent), path.filename().string()};
}

void check_target(const Place& place, const fs::path& target) {
  std::error_code code;
  if (fs::is_symlink(place.path(), code)) {  // place_of() follows those that lead somewhere
    const fs::path leads_to = fs::read_symlink(place.path(), code);
    struct stat info {};
    const int error = stat(place.path().c_str(), &info) == 0 ? 0 : errno;
    if (error != 0 && error != ENOENT)
      fail("cannot write ", target, ": it is a link to ", leads_to, ": ", errno_text(error));
    fail("cannot write ", target, ": it is a dangling link: ", leads_to, ", where it leads, is not there");
  }
  if (place.exists() && faccessat(AT_FDCWD, place.path().c_str(), W_OK, AT_EACCESS) != 0)
    fail("cannot write ", target, ": ", errno_text(errno));
}

Place file_place(const fs::path& target) {
  Place place = place_of(target);
  check_target(place, target);
  if (place.exists() && !place.is_file())
    fail("cannot write ", target, ": it exists and is not a regular file");
  return place;
}

Staged create_file(const Place& place, const fs::path& target) {
  return create(place, target, [](const fs::path& path) {
    return open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  });
}

Staged create_folder(const Place& place, const fs::path& target) {
  return create(place, target, [](const fs::path& path) {
    if (mkdir(path.c_str(), 0777) != 0) return -1;
    int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) errno = EEXIST;  // a cleaner was faster: the next name
    return fd;
  });
}

fs::path aside_path(const Place& place, const fs::path& staged) {
  std::string name = staged.filename().string();
  return place.parent /
         cat(stem(place.name), kReplaced, name.substr(stem(place.name).size() + kStaged.size()));
}

void remove_leftovers(const Place& place) {
  std::string front = stem(place.name);
  std::vector<fs::path> staged, replaced;
  std::error_code code;
  for (fs::directory_iterator it(place.parent, code), end; !code && it != end; it.increment(code)) {
    std::string name = it->path().filename().string();
    if (!name.starts_with(front)) continue;
    std::string_view rest = std::string_view(name).substr(front.size());
    if (rest.starts_with(kStaged) && is_suffix(rest.substr(kStaged.size()))) staged.push_back(it->path());
    if (rest.starts_with(kReplaced) && is_suffix(rest.substr(kReplaced.size())))
      replaced.push_back(it->path());
  }
  auto suffix_of = [&](const fs::path& path, std::string_view kind) {
    return path.filename().string().substr(front.size() + kind.size());
  };
  for (const fs::path& old : replaced) {
    std::string suffix = suffix_of(old, kReplaced);
    Leftover work(place.parent / cat(front, kStaged, suffix), suffix);
    if (!work.dead() && !work.gone()) continue;
    // Between "move-aside" and "move-in" the target has no name: the old folder takes it again. Never over
    // anything.
    if (renameat2(AT_FDCWD, old.c_str(), AT_FDCWD, place.path().c_str(), RENAME_NOREPLACE) == 0) continue;
    if (!place.exists()) {
      std::rename(old.c_str(), place.path().c_str());
    } else {
      fs::remove_all(old, code);
    }
  }
  for (const fs::path& left : staged) {
    Leftover work(left, suffix_of(left, kStaged));
    if (work.dead()) fs::remove_all(left, code);
  }
}

void write_all(int fd, std::string_view bytes, const fs::path& target) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), std::min(bytes.size(), kLargestWrite));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot write ", target, ": ", errno_text(errno));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void sync_folder(const fs::path& folder, const fs::path& target) {
  int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail("cannot write ", target, ": ", errno_text(errno));
  int code = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  // Some network file systems know no fsync of a folder: their renames are as durable as they get.
  if (code != 0 && code != EINVAL && code != EROFS) fail("cannot write ", target, ": ", errno_text(code));
}

void sync_tree(const fs::path& folder, const fs::path& target) {
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    if (it->is_symlink()) continue;
    if (it->is_directory()) {
      sync_tree(it->path(), target);
      continue;
    }
    int fd = open(it->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int error = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0) close(fd);
    if (error != 0) fail("cannot write ", target, ": ", it->path().filename(), ": ", errno_text(error));
  }
  if (code) fail("cannot write ", target, ": ", code.message());
  sync_folder(folder, target);
}

void step(const char* name) {
  if (write_step_hook != nullptr) write_step_hook(name);
}

}  // namespace staging
}  // namespace hone
