// The program as a user runs it: started with arguments, its output, its exit code.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/base/temp_folder.h"
#include "tests/places.h"

namespace hone::cli {

namespace fs = std::filesystem;
using hone::testing::TempFolder;

inline const std::string kModel = std::string(testing::kFixtures) + "/models/mean-gelu";
inline const std::string kPairs = std::string(testing::kFixtures) + "/models/pairs.jsonl";

using Strings = std::vector<std::string>;

struct Result {
  int code = -1;  // negative: ended by this signal
  std::string out, err;
};

class Program {
 public:
  // `prepare` runs in the new process before hone starts there.
  explicit Program(const Strings& arguments, const std::function<void()>& prepare = {});
  ~Program();  // ends it, where wait() was not called
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  pid_t pid() const { return child_; }
  void send(int signal) const { kill(child_, signal); }
  std::string err() const { return folder_.read("err"); }  // so far
  Result wait();

 private:
  TempFolder folder_;
  pid_t child_ = -1;
};

Result hone(const Strings& arguments, const std::function<void()>& prepare = {});

// `hone train` with the small model and pairs.
Strings train(const fs::path& out, const Strings& more = {});
// The same on other files.
Strings train_on(const std::vector<fs::path>& files, const fs::path& out, const Strings& more = {});
// `hone eval` of the small model.
Strings eval_task(const std::string& task, const Strings& more);

// Failed with one line that holds `part`, and nothing on standard output.
void expect_error(const Result& r, int code, const std::string& part);
// Failed with just this line.
void expect_line(const Result& r, int code, const std::string& line);

// Looks every few milliseconds until `seen` is true; false when it was not for a minute.
bool wait_until(const std::function<bool()>& seen);
// Complete lines of a file, none when it is not there.
int64_t lines_of(const fs::path& file);

// For `prepare`: no file gets larger, and writing more is an error, not a signal.
void limit_file_size(uint64_t bytes);
// For `prepare`: root too is held to the permissions of files. False when this cannot be had.
bool obey_permissions();

}  // namespace hone::cli
