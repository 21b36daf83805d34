// SIGKILL before every step of a write: what lies under the target's name is the old content or the new,
// whole.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "tests/base/temp_folder.h"

namespace fs = std::filesystem;
using hone::StagedFile;
using hone::StagedFolder;
using hone::testing::TempFolder;

namespace {

int steps_left = 0;

void die_at_step(const char*) {
  if (steps_left-- == 0) kill(getpid(), SIGKILL);
}

// Runs `work` in a process that is killed before its step number `step`. True when it was killed.
template <class Work>
bool run_killed(int step, Work work) {
  pid_t child = fork();
  if (child == 0) {
    steps_left = step;
    hone::write_step_hook = die_at_step;
    try {
      work();
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  return WIFSIGNALED(status);
}

void write_folder(const fs::path& target, const std::string& content) {
  StagedFolder folder(target);
  for (const char* name : {"a", "b", "c"}) {
    StagedFile file(folder.path() / name);
    file.write(content);
    file.commit();
  }
  folder.commit();
}

// The one content of all files, or "" when the folder is not whole.
std::string whole_content(const TempFolder& temp) {
  std::set<std::string> contents;
  for (const char* name : {"model/a", "model/b", "model/c"}) contents.insert(temp.read(name));
  return contents.size() == 1 && temp.names("model").size() == 3 ? *contents.begin() : "";
}

}  // namespace

TEST(KilledWhileWriting, AFileIsOldOrNew) {
  bool seen_old = false, seen_new = false, killed = true;
  for (int step = 0; killed; ++step) {
    TempFolder temp;
    temp.write("out", "old");
    killed = run_killed(step, [&] {
      StagedFile file(temp / "out");
      file.write(std::string(3 << 20, 'n'));
      file.write("tail");
      file.commit();
    });
    std::string content = temp.read("out");
    bool is_new = content == std::string(3 << 20, 'n') + "tail";
    EXPECT_TRUE(is_new || content == "old") << step;
    (is_new ? seen_new : seen_old) |= killed;
    { StagedFile next(temp / "out"); }
    EXPECT_EQ(temp.names(), std::vector<std::string>{"out"}) << "the next writer cleans up";
    ASSERT_LT(step, 100);
  }
  EXPECT_TRUE(seen_old);
  EXPECT_TRUE(seen_new);
}

TEST(KilledWhileWriting, AFolderIsOldOrNewAtOnceWithExchange) {
  bool seen_old = false, seen_new = false, killed = true;
  for (int step = 0; killed; ++step) {
    TempFolder temp;
    write_folder(temp / "model", "old");
    killed = run_killed(step, [&] { write_folder(temp / "model", "new"); });
    std::string content = whole_content(temp);
    EXPECT_TRUE(content == "old" || content == "new") << step;
    (content == "new" ? seen_new : seen_old) |= killed;
    hone::recover_staged_folder(temp / "model");
    EXPECT_EQ(whole_content(temp), content);
    EXPECT_EQ(temp.names(), std::vector<std::string>{"model"}) << step;
    ASSERT_LT(step, 100);
  }
  EXPECT_TRUE(seen_old);
  EXPECT_TRUE(seen_new);
}

TEST(KilledWhileWriting, AFolderIsOldOrNewAfterRecoveryWithoutExchange) {
  hone::use_rename_exchange = false;
  bool seen_gone = false, seen_new = false, killed = true;
  for (int step = 0; killed; ++step) {
    TempFolder temp;
    write_folder(temp / "model", "old");
    killed = run_killed(step, [&] { write_folder(temp / "model", "new"); });
    seen_gone |= !fs::exists(temp / "model");
    hone::recover_staged_folder(temp / "model");
    std::string content = whole_content(temp);
    EXPECT_TRUE(content == "old" || content == "new") << step;
    seen_new |= killed && content == "new";
    EXPECT_EQ(temp.names(), std::vector<std::string>{"model"}) << step;
    ASSERT_LT(step, 100);
  }
  hone::use_rename_exchange = true;
  EXPECT_TRUE(seen_gone);
  EXPECT_TRUE(seen_new);
}

TEST(KilledWhileWriting, AFirstFolderIsAbsentOrWhole) {
  bool seen_absent = false, seen_new = false, killed = true;
  for (int step = 0; killed; ++step) {
    TempFolder temp;
    killed = run_killed(step, [&] { write_folder(temp / "model", "new"); });
    hone::recover_staged_folder(temp / "model");
    if (fs::exists(temp / "model")) {
      EXPECT_EQ(whole_content(temp), "new") << step;
      seen_new |= killed;
    } else {
      EXPECT_TRUE(temp.names().empty()) << step;
      seen_absent = true;
    }
    ASSERT_LT(step, 100);
  }
  EXPECT_TRUE(seen_absent);
  EXPECT_TRUE(seen_new);
}

// Killed again and again, the writer still gets through, and nothing piles up.
TEST(KilledWhileWriting, RepeatedlyThenWrittenInTheEnd) {
  TempFolder temp;
  write_folder(temp / "model", "old");
  for (int step = 0; step < 12; ++step) {
    ASSERT_TRUE(run_killed(step % 9, [&] { write_folder(temp / "model", "new"); }));
    ASSERT_LE(temp.names().size(), 2U);
  }
  write_folder(temp / "model", "newest");
  EXPECT_EQ(whole_content(temp), "newest");
  EXPECT_EQ(temp.names(), std::vector<std::string>{"model"});
}
