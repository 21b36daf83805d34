#include "step_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace hone::cli {

StepLog::StepLog(std::filesystem::path path) : path_(std::move(path)) {
  if (is_stream(path_)) {
    fd_ = open_stream(path_);
    stream_ = true;
    return;
  }
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  made_here_ = fd_ >= 0;
  // One that is there is opened without being made: what is left then is a link to nothing.
  if (fd_ < 0 && errno == EEXIST) {
    fd_ = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    std::error_code code;
    if (fd_ < 0 && errno == ENOENT && std::filesystem::is_symlink(path_, code)) {
      fail("log: cannot write ", path_,
           ": it is a dangling link: ", std::filesystem::read_symlink(path_, code),
           ", where it leads, is not there");
    }
  }
  if (fd_ < 0) fail("log: cannot write ", path_, ": ", errno_text(errno));
}

StepLog::~StepLog() {
  close(fd_);
  if (made_here_ && !begun_) unlink(path_.c_str());
}

// Cuts the file behind the line of step `kept_steps`, or before the first line that is none of ours. A pipe
// or a device is taken as it is.
void StepLog::begin(int64_t kept_steps) {
  begun_ = true;
  struct stat info {};
  if (stream_ || fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) return;
  off_t kept = 0;
  std::ifstream old(path_, std::ios::binary);
  int64_t step = 0;
  for (std::string line; step < kept_steps && std::getline(old, line) && !old.eof();) {
    const auto j = nlohmann::json::parse(line, nullptr, false);
    if (!j.is_object() || !j.contains("step") || !j["step"].is_number_integer()) break;
    if (j["step"] <= step || j["step"] > kept_steps) break;
    step = j["step"];
    if (j.contains("seconds") && j["seconds"].is_number()) earlier_seconds_ = j["seconds"];
    kept += static_cast<off_t>(line.size()) + 1;
  }
  if (ftruncate(fd_, kept) != 0 || lseek(fd_, kept, SEEK_SET) < 0)
    fail("log: cannot write ", path_, ": ", errno_text(errno));
}

void StepLog::add(const train::StepReport& r) {
  if (!begun_) begin(r.step - 1);
  const nlohmann::ordered_json j = {{"step", r.step},        {"loss", r.loss},
                                    {"lr", r.learning_rate}, {"grad_norm", r.grad_norm},
                                    {"tokens", r.tokens},    {"seconds", earlier_seconds_ + r.seconds}};
  const std::string text = j.dump() + '\n';
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t written = write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("log: cannot write ", path_, ": ", errno_text(errno));
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace hone::cli
