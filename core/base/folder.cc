// Writing a folder beside its target and swapping it in.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/staging.h"

namespace hone {

bool use_rename_exchange = true;

namespace {

int rename_with(const fs::path& from, const fs::path& to, unsigned flags) {
  return renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0 ? 0 : errno;
}

int plain_rename(const fs::path& from, const fs::path& to) {
  return std::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

// What a file system or kernel without a renameat2 flag answers.
bool unsupported(int code) {
  return code == EINVAL || code == ENOSYS || code == EOPNOTSUPP;
}

}  // namespace

StagedFolder::StagedFolder(fs::path target) : target_(std::move(target)) {
  staging::Place place = staging::place_of(target_);
  staging::check_target(place, target_);
  std::error_code code;
  fs::create_directories(place.parent, code);
  if (code) fail("cannot write ", target_, ": ", code.message());
  staging::remove_leftovers(place);
  if (place.exists() && !place.is_folder()) fail("cannot write ", target_, ": it exists and is not a folder");
  final_ = place.path();
  staging::step("open");
  staging::Staged staged = staging::create_folder(place, target_);
  staged_ = staged.path;
  lock_ = staged.lock;
}

StagedFolder::~StagedFolder() {
  if (!done_) {
    std::error_code ignored;
    fs::remove_all(staged_, ignored);
  }
  if (lock_ >= 0) close(lock_);
}

void StagedFolder::commit() {
  if (done_) fail("cannot write ", target_, ": it is already committed");
  staging::step("fsync");
  staging::sync_tree(staged_, target_);
  swap_in();
  staging::step("fsync-parent");
  staging::sync_folder(final_.parent_path(), target_);
  staging::step("remove-old");
  std::error_code ignored;  // what cannot be removed now is a leftover for the next writer
  staging::Place place = staging::place_of(final_);
  fs::remove_all(staging::aside_path(place, staged_), ignored);
  fs::remove_all(staged_, ignored);
}

// The target becomes the new folder; the old one, if any, then lies at staged_ or aside.
void StagedFolder::swap_in() {
  staging::Place place = staging::place_of(final_);
  int code = 0;
  if (!place.exists()) {
    staging::step("rename");
    code = rename_with(staged_, final_, RENAME_NOREPLACE);
    if (unsupported(code)) code = plain_rename(staged_, final_);
    done_ = code == 0;
    if (done_) return;
    if (code != EEXIST && code != ENOTEMPTY) fail("cannot write ", target_, ": ", errno_text(code));
  }
  if (!place.is_folder()) fail("cannot write ", target_, ": it exists and is not a folder");
  if (use_rename_exchange) {
    staging::step("exchange");
    code = rename_with(staged_, final_, RENAME_EXCHANGE);
    done_ = code == 0;
    if (done_) return;
    if (!unsupported(code)) fail("cannot write ", target_, ": ", errno_text(code));
  }
  fs::path aside = staging::aside_path(place, staged_);
  staging::step("move-aside");
  code = plain_rename(final_, aside);
  if (code != 0) fail("cannot write ", target_, ": ", errno_text(code));
  staging::sync_folder(place.parent, target_);
  staging::step("move-in");
  code = plain_rename(staged_, final_);
  if (code != 0) {
    plain_rename(aside, final_);
    fail("cannot write ", target_, ": ", errno_text(code));
  }
  done_ = true;
}

void recover_staged_folder(const fs::path& target) {
  staging::remove_leftovers(staging::place_of(target));
}

}  // namespace hone
