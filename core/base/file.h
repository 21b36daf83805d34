// Files: read by mapping or a piece at a time, written beside and then renamed.
//
// Rules: nothing here ever writes over a file or folder that a reader could hold open or a crash could leave
// half written. A StagedFile/StagedFolder lies beside its target under a temporary name until commit(), which
// fsyncs the files, swaps the name and fsyncs the parent. Without commit() the destructor removes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace hone {

namespace fs = std::filesystem;

// A whole file, mapped read-only. The pointer lives as long as the object. An empty file gives an empty span.
class MappedFile {
 public:
  explicit MappedFile(const fs::path& path);  // throws Error: missing, a folder, not readable
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// Bytes that come a piece at a time, so that the memory they take does not grow with their number.
class ByteInput {
 public:
  virtual ~ByteInput() = default;
  virtual std::string_view next() = 0;  // valid until the next call; empty: the end
  // For a progress bar: bytes given so far, and how many there are; 0: not known.
  virtual uint64_t given() const = 0;
  virtual uint64_t size() const = 0;
};

class MemoryInput final : public ByteInput {
 public:
  explicit MemoryInput(std::string_view content) : content_(content) {}
  std::string_view next() override { return content_.substr(std::exchange(given_, content_.size())); }
  uint64_t given() const override { return given_; }
  uint64_t size() const override { return content_.size(); }

 private:
  std::string_view content_;
  size_t given_ = 0;
};

// A file, or standard input, read from front to back.
class FileInput final : public ByteInput {
 public:
  explicit FileInput(const fs::path& path);  // throws Error: missing, a folder, not readable
  static std::unique_ptr<FileInput> standard_input();
  ~FileInput() override;
  FileInput(const FileInput&) = delete;
  FileInput& operator=(const FileInput&) = delete;
  // Whole pieces but for the last, however few bytes a pipe gives at once. Throws Error naming the file.
  std::string_view next() override;
  uint64_t given() const override { return given_; }
  uint64_t size() const override { return size_; }

 private:
  FileInput() = default;
  fs::path path_;
  int fd_ = -1;
  bool owned_ = true;
  uint64_t given_ = 0, size_ = 0;
  std::string buffer_;
};

// A small text file as a string; refuses files above `limit` bytes.
std::string read_text_file(const fs::path& path, size_t limit = size_t{64} << 20);

// A pipe, a device or one of this process's own descriptors (/dev/stdout, /dev/fd/63): what is written goes
// there at once, nothing is staged.
bool is_stream(const fs::path& path);
// Opens it for writing; a descriptor of the process's own is duplicated, so that what it has written stays.
int open_stream(const fs::path& path);  // throws Error

// Throws what StagedFile would, so that a file that cannot be written is found before the work.
void check_writable(const fs::path& target);

// One file written beside its target (same folder) and renamed over it by commit(). A target that is a link
// is written where the link points, a stream (above) is written to as it is; what is neither that nor a file
// nor absent is refused, and so are a link to nothing and a file that its permissions keep from being
// written: a rename would not ask for them.
class StagedFile {
 public:
  explicit StagedFile(fs::path target);  // throws Error when the folder is missing or not writable
  ~StagedFile();
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;
  void write(const void* data, size_t size);  // throws Error (disk full, ...) naming the target
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();

 private:
  fs::path target_, final_, staged_;  // as given, with links resolved, temporary
  int fd_ = -1;
  bool stream_ = false;
  std::string buffer_;
  void flush();
};

// A folder filled at path() and swapped with its target by commit(). An existing target is exchanged in one
// step (renameat2 RENAME_EXCHANGE; where the file system lacks it: old one moved aside under a name that
// recover_staged_folder() knows, new one moved in) and then removed. The constructor calls
// recover_staged_folder().
class StagedFolder {
 public:
  explicit StagedFolder(fs::path target);  // creates missing parents; throws Error when not writable
  ~StagedFolder();
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;
  const fs::path& path() const { return staged_; }
  void commit();

 private:
  fs::path target_, final_, staged_;
  int lock_ = -1;
  bool done_ = false;
  void swap_in();
};

// Called before a folder written by StagedFolder is read or written again: undoes a swap that a crash
// interrupted half way (the old folder is whole and takes its name again), and removes what dead processes
// left staged for `target`, file or folder. Staged work of a process that lives, this one included, is left
// alone. Does nothing when the parent cannot be written.
void recover_staged_folder(const fs::path& target);

// Tests only: called with the name of each step inside a write or swap ("open", "write", "fsync", "rename",
// "fsync-parent", "exchange", "move-aside", "move-in", "remove-old") before it is done, so that a test build
// can pause there. Null in normal use.
extern void (*write_step_hook)(const char* step);

// Tests only: false makes StagedFolder work as on a file system without RENAME_EXCHANGE.
extern bool use_rename_exchange;

}  // namespace hone
