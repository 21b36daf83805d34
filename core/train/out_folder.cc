#include "train/out_folder.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "train/run_record.h"

namespace hone::train {

namespace {

// What another process is staging for the checkpoint, or a dead one left where it could not be removed.
bool is_staged(std::string_view name) {
  return name.starts_with(".checkpoint.hone-");
}

// Names in OUT but for the checkpoint's; empty for a folder that is not there.
std::vector<std::string> other_names(const fs::path& out) {
  std::vector<std::string> names;
  if (!fs::exists(out)) return names;
  for (const auto& entry : fs::directory_iterator(out)) {
    std::string name = entry.path().filename().string();
    if (name != "checkpoint" && !is_staged(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_record(const fs::path& file) {
  if (!fs::exists(file)) return false;
  try {
    read_run_record(file);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// As links, so that whoever still writes to such a file writes to the one that stays.
void link_tree(const fs::path& from, const fs::path& to) {
  constexpr auto kTree = fs::copy_options::recursive | fs::copy_options::copy_symlinks;
  std::error_code code;
  fs::copy(from, to, kTree | fs::copy_options::create_hard_links, code);
  if (!code) return;
  fs::remove_all(to, code);
  fs::copy(from, to, kTree, code);
  if (code) fail("cannot keep ", from, ": ", code.message());
}

void check_overwrite(const fs::path& out, const std::vector<std::string>& others) {
  if (is_record(out / "training.json")) return;
  if (!is_record(out / "checkpoint" / "state.json"))
    fail(out,
         ": holds neither a finished run of hone (training.json) nor a checkpoint of one, so --overwrite "
         "leaves it alone; remove it yourself or name another folder");
  if (!others.empty())
    fail(out, ": holds \"", excerpt(others.front()),
         "\" beside the checkpoint of a run, so --overwrite leaves it alone; move that away or name another "
         "folder");
}

void check_resume(const fs::path& out) {
  if (fs::exists(out / "training.json")) return;  // whose it is, its content tells
  for (const char* name : {"modules.json", "config.json", "model.safetensors"}) {
    if (fs::exists(out / name))
      fail(out, ": holds a model that was not trained by hone (", name,
           ", but no training.json), so there is nothing to resume; name another folder");
  }
  if (!fs::exists(out / "checkpoint" / "state.json"))
    fail(out, ": is not empty and holds no run to resume (no checkpoint/state.json); name another folder");
}

}  // namespace

void recover_out_folder(const fs::path& out) {
  recover_staged_folder(out);
  if (fs::is_directory(out)) recover_staged_folder(out / "checkpoint");
}

bool holds_run(const fs::path& out, OnExisting existing) {
  if (!fs::exists(out)) return false;
  if (!fs::is_directory(out)) fail(out, ": exists and is not a folder; name another");
  const std::vector<std::string> others = other_names(out);
  if (others.empty() && !fs::exists(out / "checkpoint")) return false;
  switch (existing) {
    case OnExisting::refuse:
      fail(out, ": exists already; go on with --resume, replace it with --overwrite, or name another folder");
    case OnExisting::overwrite:
      check_overwrite(out, others);
      break;
    case OnExisting::resume:
      check_resume(out);
      break;
  }
  return true;
}

void require_writable(const fs::path& out) {
  { StagedFolder model(out); }
  { StagedFolder checkpoint(out / "checkpoint"); }
}

void keep_other_files(const fs::path& out, const fs::path& staged) {
  std::vector<std::string> of_earlier;
  if (fs::exists(out / "training.json")) {
    of_earlier = read_run_record(out / "training.json").files;
    if (of_earlier.empty()) return;  // of a hone that did not note them
  }
  for (const std::string& name : other_names(out)) {
    if (fs::exists(staged / name)) continue;
    if (std::find(of_earlier.begin(), of_earlier.end(), name) != of_earlier.end()) continue;
    link_tree(out / name, staged / name);
  }
}

void keep_checkpoint(const fs::path& out, const fs::path& staged) {
  link_tree(out / "checkpoint", staged / "checkpoint");
}

size_t bytes_of_folder(const fs::path& folder) {
  size_t bytes = 0;
  std::error_code code;
  for (const auto& entry : fs::recursive_directory_iterator(folder, code)) {
    if (entry.is_regular_file(code)) bytes += entry.file_size(code);
  }
  return bytes;
}

std::string shown_bytes(size_t bytes) {
  const auto tenths = std::max<long long>(1, std::llround(static_cast<double>(bytes) / 1e5));
  return tenths < 100 ? cat(tenths / 10, ".", tenths % 10, " MB") : cat((tenths + 5) / 10, " MB");
}

NewFolders::NewFolders(const fs::path& out) {
  fs::path path = fs::absolute(out).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "out/"
  while (path.has_filename() && !fs::exists(fs::symlink_status(path))) {
    absent_.push_back(path);
    path = path.parent_path();
  }
}

NewFolders::~NewFolders() {
  for (const fs::path& path : absent_) {
    if (rmdir(path.c_str()) != 0) return;
  }
}

}  // namespace hone::train
