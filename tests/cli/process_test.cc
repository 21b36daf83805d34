// What a program is given by whoever starts it: descriptors that are closed, readers that go away, few
// threads.
#include <fcntl.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/program.h"

namespace hone::cli {
namespace {

std::function<void()> closing(const std::vector<int>& descriptors) {
  return [descriptors] {
    for (int fd : descriptors) close(fd);
  };
}

Strings eval_rows(const fs::path& rows) {
  return eval_task("sts", {"--data", kPairs, "--per-row", rows.string(), "--threads", "2"});
}

// --- descriptors ---

TEST(Closed, descriptors_do_not_lead_messages_into_files) {
  TempFolder folder;
  const auto trained = [&](const std::string& name, const std::vector<int>& closed) {
    const Result r =
        hone(train(folder / name, {"--steps", "2", "--log", (folder / (name + ".log")).string()}),
             closing(closed));
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(lines_of(folder / (name + ".log")), 2) << folder.read(name + ".log");
    for (std::istringstream lines(folder.read(name + ".log")); lines.good();) {
      std::string line;
      if (std::getline(lines, line)) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
    }
  };
  trained("open", {});
  trained("no_err", {2});
  trained("no_out", {1});
  trained("none", {0, 1, 2});
  ASSERT_EQ(hone(eval_rows(folder / "rows")).code, 0);
  EXPECT_EQ(hone(eval_rows(folder / "rows_no_err"), closing({2})).code, 0);
  EXPECT_EQ(folder.read("rows_no_err"), folder.read("rows"));
}

TEST(Closed, standard_output_that_results_are_for_is_an_error) {
  TempFolder folder;
  const std::string line = "could not write to standard output";
  expect_line(hone(eval_rows(folder / "rows"), closing({1})), 1, line);
  EXPECT_EQ(lines_of(folder / "rows"), 120) << "what has a file of its own is whole";
  expect_line(hone({"losses"}, closing({1})), 1, line);
  expect_line(hone({"info", "--json"}, closing({0, 1})), 1, line);
  const auto full = [] { dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO); };
  expect_line(hone({"losses"}, full), 1, line);
  expect_line(hone(eval_rows(folder / "rows"), full), 1, line);
}

// A pipe whose reader has gone.
void to_nobody(int descriptor) {
  int ends[2];
  if (pipe(ends) != 0) _exit(126);
  close(ends[0]);
  dup2(ends[1], descriptor);
}

TEST(Reader, of_results_that_goes_away_ends_the_program_as_any_other) {
  const Result r = hone({"losses"}, [] {
    signal(SIGPIPE, SIG_DFL);
    to_nobody(STDOUT_FILENO);
  });
  EXPECT_EQ(r.code, -SIGPIPE);
  EXPECT_EQ(r.err, "");
  const Result ignored = hone({"losses"}, [] {
    signal(SIGPIPE, SIG_IGN);
    to_nobody(STDOUT_FILENO);
  });
  expect_line(ignored, 1, "could not write to standard output");
}

TEST(Reader, of_messages_that_goes_away_does_not_end_a_training_run) {
  TempFolder folder;
  const Result r = hone(train(folder / "out", {"--steps", "2"}), [] {
    signal(SIGPIPE, SIG_DFL);
    to_nobody(STDERR_FILENO);
  });
  EXPECT_EQ(r.code, 0);
  EXPECT_TRUE(fs::exists(folder / "out" / "model.safetensors"));
}

TEST(Reader, of_a_log_that_goes_away_is_an_error_of_the_log) {
  TempFolder folder;
  const Result r =
      hone(train(folder / "out", {"--steps", "2", "--quiet", "--log", "/dev/fd/3"}), [] { to_nobody(3); });
  expect_line(r, 1, "log: cannot write /dev/fd/3: Broken pipe");
}

// --- pipes as files ---

TEST(Pipe, is_taken_for_every_file_that_is_written) {
  TempFolder folder;
  ASSERT_EQ(hone(eval_rows(folder / "rows")).code, 0);
  const auto through_a_pipe = [](const Strings& arguments) {
    // Standard output is a file in these tests: `cat` makes a pipe of it.
    std::string command = std::string("'") + testing::kProgram + "'";
    for (const std::string& a : arguments) command += " '" + a + "'";
    FILE* out = popen((command + " 2>/dev/null | cat").c_str(), "r");
    std::string text;
    for (int c = 0; (c = fgetc(out)) != EOF;) text += static_cast<char>(c);
    EXPECT_EQ(pclose(out), 0);
    return text;
  };
  EXPECT_TRUE(through_a_pipe(eval_rows("/dev/stdout")).starts_with(folder.read("rows")));
  const std::string log =
      through_a_pipe(train(folder / "out", {"--steps", "2", "--quiet", "--log", "/dev/stdout"}));
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2) << log;
}

TEST(Target, that_is_a_dangling_link_is_said_to_be_one) {
  TempFolder folder;
  const fs::path link = folder / "v.npy";
  fs::create_symlink("none", link);
  const std::string why = link.string() + ": it is a dangling link: none, where it leads, is not there";
  expect_line(hone({"encode", "--model", "/none", "--input", "/none", "--out", link.string()}), 1,
              "cannot write " + why);
  expect_line(hone(eval_rows(link)), 1, "cannot write " + why);
  expect_line(hone(train(link)), 1, "cannot write " + why);
  expect_line(hone(train(folder / "out", {"--log", link.string()})), 1, "log: cannot write " + why);
  EXPECT_EQ(folder.names(), Strings{"v.npy"});
}

TEST(Target, that_may_not_be_written_is_not_replaced) {
  TempFolder folder;
  chmod(folder.path().c_str(), 0777);
  folder.write("rows", "kept");
  chmod((folder / "rows").c_str(), 0444);
  const auto as_anyone = [] {
    if (!obey_permissions()) _exit(126);
  };
  if (hone({"--version"}, as_anyone).code == 126) GTEST_SKIP() << "root cannot be held to permissions here";
  expect_line(hone(eval_rows(folder / "rows"), as_anyone), 1,
              "cannot write " + (folder / "rows").string() + ": Permission denied");
  EXPECT_EQ(folder.read("rows"), "kept");
}

// --- threads ---

// A user of its own, whom the limit binds, where root starts the tests.
bool allow_processes(uint64_t most) {
  constexpr uid_t kNobodyElse = 48151;
  const rlimit limit{most, most};
  if (setrlimit(RLIMIT_NPROC, &limit) != 0) return false;
  return geteuid() != 0 ||
         (setgroups(0, nullptr) == 0 && setresuid(kNobodyElse, kNobodyElse, kNobodyElse) == 0);
}

TEST(Threads, that_the_system_refuses_are_done_without) {
  if (geteuid() != 0) GTEST_SKIP() << "another user, who has no processes yet, is root's to become";
  TempFolder folder;  // what that user can read
  fs::permissions(folder.path(), fs::perms::all);
  fs::copy(kModel, folder / "model", fs::copy_options::recursive);
  fs::copy(kPairs, folder / "pairs.jsonl");
  const Strings command{
      "eval", "--model", (folder / "model").string(), "--data", (folder / "pairs.jsonl").string(), "--json"};
  const auto with = [&](const std::string& threads) {
    Strings all = command;
    all.insert(all.end(), {"--threads", threads});
    return all;
  };
  const Result free = hone(with("1"));
  ASSERT_EQ(free.code, 0) << free.err;
  const auto limited = [&](uint64_t most) {
    return [most] {
      setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // the search for leaks takes a process of its own
      if (!allow_processes(most)) _exit(126);
    };
  };
  const int code = hone({"--version"}, limited(1)).code;
  if (code == 126 || code == 127) GTEST_SKIP() << "the program cannot be run as another user here";
  for (uint64_t most = 1; most <= 12; ++most) {
    const Result r = hone(with("6"), limited(most));
    EXPECT_EQ(r.code, 0) << most << ": " << r.err;
    EXPECT_EQ(r.out, free.out) << most;
    EXPECT_EQ(r.err.find("warning: 6 threads were to be used") != r.err.npos, most < 8)
        << most << ": " << r.err;
  }
}

}  // namespace
}  // namespace hone::cli
