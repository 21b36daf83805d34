#include "tests/cli/program.h"
#include "tests/places.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace hone::cli {

Program::Program(const Strings& arguments, const std::function<void()>& prepare) {
  child_ = fork();
  if (child_ != 0) return;
  for (auto [fd, name] : {std::pair{STDOUT_FILENO, "out"}, {STDERR_FILENO, "err"}})
    dup2(open((folder_ / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), fd);
  for (int number : {SIGINT, SIGTERM}) signal(number, SIG_DFL);  // whatever started the tests ignores
  if (prepare) prepare();
  std::vector<char*> argv{const_cast<char*>(testing::kProgram)};
  for (const auto& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  execv(testing::kProgram, argv.data());
  _exit(127);
}

Program::~Program() {
  if (child_ < 0) return;
  send(SIGKILL);
  waitpid(child_, nullptr, 0);
}

Result Program::wait() {
  int status = 0;
  waitpid(child_, &status, 0);
  child_ = -1;
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), folder_.read("out"),
          folder_.read("err")};
}

Result hone(const Strings& arguments, const std::function<void()>& prepare) {
  return Program(arguments, prepare).wait();
}

Strings train(const fs::path& out, const Strings& more) {
  return train_on({kPairs}, out, more);
}

Strings train_on(const std::vector<fs::path>& files, const fs::path& out, const Strings& more) {
  Strings all{"train", "--model", kModel, "--out", out.string(), "--threads", "2"};
  for (const fs::path& file : files) all.insert(all.end(), {"--data", file.string()});
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

Strings eval_task(const std::string& task, const Strings& more) {
  Strings all{"eval", "--model", kModel, "--task", task};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

void expect_error(const Result& r, int code, const std::string& part) {
  EXPECT_EQ(r.code, code) << r.err;
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
  EXPECT_TRUE(r.err.starts_with("hone: ") && r.err.ends_with('\n')) << r.err;
  EXPECT_NE(r.err.find(part), std::string::npos) << "no \"" << part << "\" in: " << r.err;
  EXPECT_TRUE(r.out.empty()) << r.out;
}

void expect_line(const Result& r, int code, const std::string& line) {
  EXPECT_EQ(r.code, code);
  EXPECT_EQ(r.err, "hone: " + line + "\n");
  EXPECT_TRUE(r.out.empty()) << r.out;
}

bool wait_until(const std::function<bool()>& seen) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!seen()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

int64_t lines_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
}

void limit_file_size(uint64_t bytes) {
  signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{bytes, bytes};
  setrlimit(RLIMIT_FSIZE, &limit);
}

bool obey_permissions() {
  if (geteuid() != 0) return true;
  // What a program started by root may have is cut by the bounding set.
  return prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) == 0 && prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH) == 0;
}

}  // namespace hone::cli
