// What a killed run leaves of a long file, and how the next one goes on with it.
#include "base/partial.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/base/one_line.h"
#include "tests/base/temp_folder.h"

namespace hone {
namespace {

using testing::expect_part;
using testing::message_of;
using testing::TempFolder;
using Names = std::vector<std::string>;

const Names kKept{"out.partial", "out.partial.json"};

void keep_one(const TempFolder& folder) {
  PartialFile file(folder / "out");
  file.write("HEAD");
  file.write("one");
  file.keep("1");
}

TEST(PartialFile, is_a_staged_file_where_nothing_is_kept) {
  TempFolder folder;
  folder.write("out", "old");
  {
    PartialFile dropped(folder / "out");
    dropped.write("new");
  }
  EXPECT_EQ(folder.names(), Names{"out"});
  EXPECT_EQ(folder.read("out"), "old");
  PartialFile file(folder / "out");
  file.write("new");
  file.commit();
  EXPECT_EQ(folder.names(), Names{"out"});
  EXPECT_EQ(folder.read("out"), "new");
}

TEST(PartialFile, goes_on_behind_what_was_kept) {
  TempFolder folder;
  keep_one(folder);
  EXPECT_EQ(folder.names(), kKept);
  EXPECT_EQ(PartialFile::record_of(folder / "out"), "1");
  {
    PartialFile again(folder / "out", 7);
    EXPECT_EQ(again.bytes(), 7U);
    again.write("two");
    again.keep("2");
    again.write("lost");
  }
  EXPECT_EQ(folder.names(), kKept);
  EXPECT_EQ(PartialFile::record_of(folder / "out"), "2");
  PartialFile last(folder / "out", 10);
  last.write("three");
  last.write_front("head");
  last.commit();
  EXPECT_EQ(folder.names(), Names{"out"});
  EXPECT_EQ(folder.read("out"), "headonetwothree");
}

TEST(PartialFile, takes_large_pieces_and_small_ones) {
  TempFolder folder;
  const std::string large(3 << 20, 'l');
  PartialFile file(folder / "out");
  file.write("small");
  file.write(large);
  file.write("tail");
  file.write_front("S");
  file.commit();
  EXPECT_EQ(folder.read("out"), "Small" + large + "tail");
}

TEST(PartialFile, beginning_anew_removes_what_was_kept) {
  TempFolder folder;
  keep_one(folder);
  PartialFile file(folder / "out");
  file.write("new");
  file.commit();
  EXPECT_EQ(folder.names(), Names{"out"});
  EXPECT_EQ(folder.read("out"), "new");
}

TEST(PartialFile, what_is_not_as_recorded_is_refused) {
  TempFolder folder;
  EXPECT_EQ(PartialFile::record_of(folder / "out"), std::nullopt);
  folder.write("out.partial", "someone else's");
  expect_part(message_of([&] { PartialFile::record_of(folder / "out"); }), "hone did not keep it");
  folder.write("out.partial.json", "1");
  expect_part(message_of([&] { PartialFile(folder / "out", 100); }), "found 14 bytes, expected 100");
  EXPECT_EQ(folder.read("out.partial"), "someone else's");
  std::filesystem::remove(folder / "out.partial");
  EXPECT_EQ(PartialFile::record_of(folder / "out"), std::nullopt) << "a record alone is nothing";
  expect_part(message_of([&] { PartialFile(folder / "out", 1); }), "out.partial");
  std::filesystem::create_directory(folder / "folder");
  expect_part(message_of([&] { PartialFile(folder / "folder"); }), "not a regular file");
  expect_part(message_of([&] { PartialFile(folder / "none" / "out"); }), "No such file");
}

TEST(PartialFile, is_written_by_one_at_a_time) {
  TempFolder folder;
  keep_one(folder);
  PartialFile first(folder / "out", 7);
  expect_part(message_of([&] { PartialFile(folder / "out", 7); }), "another process is writing it");
  expect_part(message_of([&] { PartialFile(folder / "out"); }), "another process is writing it");
  EXPECT_EQ(folder.names(), kKept);
}

int steps_to_live = 0;

// Killed before any step, what is there is the old file or the new one, and what is kept fits its record.
TEST(PartialFile, killed_at_any_step_leaves_what_can_be_gone_on_with) {
  bool killed = true, seen_kept = false, seen_old = false;
  for (int step = 0; killed; ++step) {
    ASSERT_LT(step, 100);
    TempFolder folder;
    folder.write("out", "old");
    const pid_t child = fork();
    if (child == 0) {
      steps_to_live = step;
      write_step_hook = [](const char*) {
        if (steps_to_live-- == 0) kill(getpid(), SIGKILL);
      };
      PartialFile file(folder / "out");
      for (int block = 1; block <= 3; ++block) {
        file.write("block " + std::to_string(block) + "\n");
        if (block < 3) file.keep(std::to_string(block));
      }
      file.write_front("B");
      file.commit();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    killed = WIFSIGNALED(status);
    const std::string whole = "Block 1\nblock 2\nblock 3\n";
    EXPECT_TRUE(folder.read("out") == "old" || folder.read("out") == whole) << step;
    seen_old = seen_old || folder.read("out") == "old";
    const auto record = PartialFile::record_of(folder / "out");
    int done = 0;
    if (record) {
      seen_kept = true;
      done = std::stoi(*record);
      ASSERT_GE(folder.read("out.partial").size(), 8U * static_cast<size_t>(done)) << step;
    }
    {
      std::optional<PartialFile> file;
      if (record) {
        file.emplace(folder / "out", 8U * static_cast<uint64_t>(done));
      } else {
        file.emplace(folder / "out");
      }
      for (int block = done + 1; block <= 3; ++block) file->write("block " + std::to_string(block) + "\n");
      file->write_front("B");
      file->commit();
    }
    EXPECT_EQ(folder.read("out"), whole) << step;
    EXPECT_EQ(folder.names(), Names{"out"}) << step;
  }
  EXPECT_TRUE(seen_kept);
  EXPECT_TRUE(seen_old);
}

}  // namespace
}  // namespace hone
