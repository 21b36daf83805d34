// What StagedFile and StagedFolder share: where staged work lies, and whose it is.
//
// Rules: staged work for NAME lies in the same folder as `.NAME.hone-staged-PID-N`, a folder moved aside by
// the fallback swap as `.NAME.hone-replaced-PID-N` with the PID-N of the work that replaces it. Whoever
// stages holds an flock on the staged file or folder as long as it lives, so that a leftover is told from
// live work by its lock: process ids are used again, and mean nothing between containers that share a disk.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace hone::staging {

namespace fs = std::filesystem;

// A target with links resolved, cut into folder (absolute: a host may change its working folder) and name.
struct Place {
  fs::path parent;
  std::string name;
  fs::path path() const { return parent / name; }
  bool exists() const;
  bool is_file() const;
  bool is_folder() const;
};

// Throws Error when `target` has no name of its own ("/").
Place place_of(const fs::path& target);
// Throws Error where the place is a link that leads nowhere, or is there and may not be written: a rename
// would ask for the folder's permissions alone.
void check_target(const Place& place, const fs::path& target);
// Where a file goes: throws as that does, and where something else than a regular file is there.
Place file_place(const fs::path& target);

struct Staged {
  fs::path path;
  int lock = -1;  // descriptor of the file or folder, locked
};

// `target` is what messages name.
Staged create_file(const Place& place, const fs::path& target);
Staged create_folder(const Place& place, const fs::path& target);

// Where the fallback swap keeps the old folder.
fs::path aside_path(const Place& place, const fs::path& staged);

// Brings back a folder whose swap died half way, then removes everything staged for `place` by dead
// processes.
void remove_leftovers(const Place& place);

// `target` is what a message names.
void write_all(int fd, std::string_view bytes, const fs::path& target);
void sync_folder(const fs::path& folder, const fs::path& target);
void sync_tree(const fs::path& folder, const fs::path& target);

void step(const char* name);

}  // namespace hone::staging
