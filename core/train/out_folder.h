// OUT, the folder a run writes to: what may lie there, and what is left of it when a run ends.
//
// Rules
// - A run only takes a folder that is absent, empty, or proves to be the work of an earlier run: by a
//   training.json or a checkpoint/state.json with the record of one. Names alone prove nothing.
// - Whatever lies in OUT stays until something new and whole takes its place: a checkpoint the checkpoint, at
//   the end the model the whole folder. A run that fails before leaves OUT as it was.
// - A run that a limit ended can go on: its checkpoint stays, beside the model.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace hone::train {

enum class OnExisting { refuse, resume, overwrite };

// Completes or undoes what killed runs left half done in and beside OUT.
void recover_out_folder(const std::filesystem::path& out);

// True when a run lies there that `existing` allows to go on from or to replace, false when nothing does.
// Throws Error when OUT may not be used.
bool holds_run(const std::filesystem::path& out, OnExisting existing);

// Throws Error when OUT or its checkpoint could not be written: now, not after an hour. Makes OUT.
void require_writable(const std::filesystem::path& out);

// Other files in OUT (a log that was put there while it ran, notes on a finished model) go into the folder
// that is about to take its place. Not what an earlier run wrote.
void keep_other_files(const std::filesystem::path& out, const std::filesystem::path& staged);

// The checkpoint in OUT goes into that folder, too.
void keep_checkpoint(const std::filesystem::path& out, const std::filesystem::path& staged);

// Of all files below; 0 where there is no such folder.
size_t bytes_of_folder(const std::filesystem::path& folder);

std::string shown_bytes(size_t bytes);  // "0.3 MB", "271 MB"

// Removes at its end those of OUT and its parents that were not there at its beginning and are empty.
class NewFolders {
 public:
  explicit NewFolders(const std::filesystem::path& out);
  ~NewFolders();
  NewFolders(const NewFolders&) = delete;
  NewFolders& operator=(const NewFolders&) = delete;

 private:
  std::vector<std::filesystem::path> absent_;  // the innermost first
};

}  // namespace hone::train
