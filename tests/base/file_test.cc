// Reading, and writing that either happens whole or not at all.
#include "base/file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "base/error.h"
#include "tests/base/temp_folder.h"

namespace fs = std::filesystem;
using hone::Error;
using hone::MappedFile;
using hone::read_text_file;
using hone::StagedFile;
using hone::StagedFolder;
using hone::testing::TempFolder;

namespace {

template <class Work>
std::string error_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST(MappedFile, MapsWholeFiles) {
  TempFolder temp;
  for (size_t size : {size_t{0}, size_t{1}, size_t{4095}, size_t{4096}, size_t{100000}}) {
    std::string content(size, 'x');
    if (size > 0) content.back() = '\0';
    temp.write("file", content);
    MappedFile file(temp / "file");
    EXPECT_EQ(file.text(), content);
    EXPECT_EQ(file.bytes().size(), size);
    EXPECT_EQ(file.path(), temp / "file");
  }
}

TEST(MappedFile, KeepsWhatItMappedWhenTheFileIsReplaced) {
  TempFolder temp;
  temp.write("file", "old");
  MappedFile file(temp / "file");
  StagedFile staged(temp / "file");
  staged.write("new content");
  staged.commit();
  EXPECT_EQ(file.text(), "old");
  EXPECT_EQ(temp.read("file"), "new content");
}

TEST(MappedFile, SaysWhyItCannotRead) {
  TempFolder temp;
  EXPECT_TRUE(contains(error_of([&] { MappedFile file(temp / "none"); }), "none: No such file"));
  EXPECT_TRUE(contains(error_of([&] { MappedFile file(temp.path()); }), "it is a folder, expected a file"));
  EXPECT_TRUE(contains(error_of([&] { MappedFile file("/dev/null"); }), "not a regular file"));
  ASSERT_EQ(mkfifo((temp / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(contains(error_of([&] { MappedFile file(temp / "pipe"); }), "not a regular file"));
}

TEST(ReadTextFile, ReadsUpToItsLimit) {
  TempFolder temp;
  std::string content(200000, 'y');
  temp.write("file", content);
  EXPECT_EQ(read_text_file(temp / "file"), content);
  EXPECT_EQ(read_text_file(temp / "file", 200000), content);
  EXPECT_TRUE(contains(error_of([&] { read_text_file(temp / "file", 199999); }), "larger than 199999 bytes"));
  EXPECT_TRUE(contains(error_of([&] { read_text_file(temp / "none"); }), "No such file"));
  EXPECT_TRUE(contains(error_of([&] { read_text_file(temp.path()); }), "it is a folder"));
}

TEST(StagedFile, AppearsOnlyWithCommit) {
  TempFolder temp;
  {
    StagedFile file(temp / "out");
    file.write("some ");
    file.write("text");
    EXPECT_FALSE(fs::exists(temp / "out"));
    EXPECT_EQ(temp.names().size(), 1U);
    EXPECT_TRUE(temp.names()[0].starts_with(".out.hone-staged-"));
    file.commit();
    EXPECT_EQ(temp.read("out"), "some text");
  }
  EXPECT_EQ(temp.names(), std::vector<std::string>{"out"});
}

TEST(StagedFile, LeavesNothingWithoutCommit) {
  TempFolder temp;
  temp.write("out", "old");
  {
    StagedFile file(temp / "out");
    file.write(std::string(5 << 20, 'z'));
  }
  EXPECT_EQ(temp.names(), std::vector<std::string>{"out"});
  EXPECT_EQ(temp.read("out"), "old");
}

TEST(StagedFile, WritesPiecesOfEverySizeInOrder) {
  TempFolder temp;
  std::string expected;
  StagedFile file(temp / "out");
  for (size_t size : {size_t{0}, size_t{1}, size_t{1000}, size_t{1 << 20}, size_t{3}, (size_t{1} << 20) - 4,
                      size_t{5}, size_t{3 << 20}, size_t{7}}) {
    std::string piece(size, static_cast<char>('a' + expected.size() % 26));
    file.write(piece);
    expected += piece;
  }
  file.commit();
  EXPECT_TRUE(temp.read("out") == expected);
}

TEST(StagedFile, ReplacesAndRefuses) {
  TempFolder temp;
  temp.write("out", "old and longer");
  StagedFile file(temp / "out");
  file.write("new");
  file.commit();
  EXPECT_EQ(temp.read("out"), "new");
  EXPECT_TRUE(contains(error_of([&] { file.write("x"); }), "already committed"));
  EXPECT_TRUE(contains(error_of([&] { file.commit(); }), "already committed"));
  EXPECT_TRUE(contains(error_of([&] { StagedFile f(temp / "no" / "out"); }), "no/out: No such file"));
  EXPECT_TRUE(contains(error_of([&] { StagedFile f(temp / "out" / "x"); }), "out/x: Not a directory"));
  EXPECT_TRUE(contains(error_of([&] { StagedFile f(temp.path()); }), "not a regular file"));
  StagedFile("/dev/null").commit();  // a device is written to as it is
  EXPECT_TRUE(contains(error_of([&] { StagedFile f("/"); }), "names no file"));
  EXPECT_TRUE(contains(error_of([&] { StagedFile f(""); }), "names no file"));
}

TEST(StagedFile, WritesWhereALinkPoints) {
  TempFolder temp;
  fs::create_directory(temp / "there");
  temp.write("there/real", "old");
  fs::create_symlink(temp / "there" / "real", temp / "link");
  StagedFile file(temp / "link");
  file.write("new");
  file.commit();
  EXPECT_TRUE(fs::is_symlink(temp / "link"));
  EXPECT_EQ(temp.read("there/real"), "new");
}

TEST(StagedFile, HandlesTheLongestNames) {
  TempFolder temp;
  std::string a(255, 'n'), b = a;
  b.back() = 'm';
  StagedFile first(temp / a), second(temp / b);
  first.write("first");
  second.write("second");
  first.commit();
  second.commit();
  EXPECT_EQ(temp.read(a), "first");
  EXPECT_EQ(temp.read(b), "second");
  EXPECT_EQ(temp.names().size(), 2U);
}

TEST(StagedFile, OfTwoWritersTheLastWins) {
  TempFolder temp;
  StagedFile a(temp / "out"), b(temp / "out");
  a.write("a");
  b.write("b");
  b.commit();
  EXPECT_EQ(temp.read("out"), "b");
  a.commit();
  EXPECT_EQ(temp.read("out"), "a");
  EXPECT_EQ(temp.names(), std::vector<std::string>{"out"});
}

TEST(StagedFile, FollowsTheFolderNotTheWorkingFolder) {
  TempFolder temp;
  fs::path before = fs::current_path();
  fs::create_directory(temp / "one");
  fs::create_directory(temp / "two");
  fs::current_path(temp / "one");
  StagedFile file("out");
  StagedFolder folder("folder");
  fs::current_path(temp / "two");
  file.write("x");
  file.commit();
  folder.commit();
  fs::current_path(before);
  EXPECT_TRUE(fs::exists(temp / "one" / "out"));
  EXPECT_TRUE(fs::is_directory(temp / "one" / "folder"));
}

// A full disk, played by a limit on the size of files.
TEST(StagedFile, SaysWhenTheDiskIsFullAndLeavesTheOldFile) {
  TempFolder temp;
  temp.write("out", "old");
  pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit {
      3 << 20, 3 << 20
    };
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      StagedFile file(temp / "out");
      for (int i = 0; i < 8; ++i) file.write(std::string(1 << 20, 'x'));
      file.commit();
    } catch (const Error& error) {
      _exit(contains(error.what(), "/out: File too large") ? 0 : 2);
    }
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(temp.read("out"), "old");
  EXPECT_EQ(temp.names(), std::vector<std::string>{"out"});
}

TEST(StagedFolder, AppearsOnlyWithCommit) {
  TempFolder temp;
  {
    StagedFolder folder(temp / "made" / "model");
    temp.write_at(folder.path() / "a", "1");
    fs::create_directory(folder.path() / "sub");
    temp.write_at(folder.path() / "sub" / "b", "2");
    EXPECT_FALSE(fs::exists(temp / "made" / "model"));
    folder.commit();
  }
  EXPECT_EQ(temp.read("made/model/a"), "1");
  EXPECT_EQ(temp.read("made/model/sub/b"), "2");
  EXPECT_EQ(temp.names("made"), std::vector<std::string>{"model"});
}

TEST(StagedFolder, LeavesNothingWithoutCommit) {
  TempFolder temp;
  temp.write("model/a", "old");
  {
    StagedFolder folder(temp / "model");
    temp.write_at(folder.path() / "a", "new");
  }
  EXPECT_EQ(temp.names(), std::vector<std::string>{"model"});
  EXPECT_EQ(temp.read("model/a"), "old");
}

class StagedFolderSwap : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override { hone::use_rename_exchange = GetParam(); }
  void TearDown() override { hone::use_rename_exchange = true; }
};
INSTANTIATE_TEST_SUITE_P(ExchangeAndFallback, StagedFolderSwap, ::testing::Bool());

TEST_P(StagedFolderSwap, ReplacesTheOldFolderWhole) {
  TempFolder temp;
  temp.write("model/a", "old");
  temp.write("model/gone", "old");
  for (const char* name : {"model", "model/"}) {
    StagedFolder folder(temp / name);
    temp.write_at(folder.path() / "a", name);
    folder.commit();
    EXPECT_EQ(temp.read("model/a"), name);
    EXPECT_EQ(temp.names("model"), std::vector<std::string>{"a"});
    EXPECT_EQ(temp.names(), std::vector<std::string>{"model"});
    EXPECT_TRUE(contains(error_of([&] { folder.commit(); }), "already committed"));
  }
}

TEST_P(StagedFolderSwap, TakesATargetThatAppearedMeanwhile) {
  TempFolder temp;
  StagedFolder folder(temp / "model");
  temp.write_at(folder.path() / "a", "new");
  temp.write("model/a", "came between");
  folder.commit();
  EXPECT_EQ(temp.read("model/a"), "new");
  EXPECT_EQ(temp.names(), std::vector<std::string>{"model"});
}

TEST_P(StagedFolderSwap, OfTwoWritersTheLastWins) {
  TempFolder temp;
  StagedFolder a(temp / "model");
  StagedFolder b(temp / "model");
  temp.write_at(a.path() / "x", "a");
  temp.write_at(b.path() / "x", "b");
  b.commit();
  EXPECT_EQ(temp.read("model/x"), "b");
  a.commit();
  EXPECT_EQ(temp.read("model/x"), "a");
  EXPECT_EQ(temp.names(), std::vector<std::string>{"model"});
}

TEST_P(StagedFolderSwap, FromManyThreadsAlwaysLeavesOneWholeFolder) {
  TempFolder temp;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&temp, t] {
      for (int i = 0; i < 10; ++i) {
        try {
          StagedFolder folder(temp / "model");
          temp.write_at(folder.path() / "a", std::to_string(t));
          temp.write_at(folder.path() / "b", std::to_string(t));
          folder.commit();
        } catch (const Error&) {
          // Without an exchange two swaps at once may find the name taken or gone; what is left must still be
          // whole.
          EXPECT_FALSE(GetParam());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  hone::recover_staged_folder(temp / "model");
  EXPECT_EQ(temp.read("model/a"), temp.read("model/b"));
  EXPECT_EQ(temp.names(), std::vector<std::string>{"model"});
}

TEST(StagedFolder, Refuses) {
  TempFolder temp;
  temp.write("file", "x");
  EXPECT_TRUE(
      contains(error_of([&] { StagedFolder f(temp / "file"); }), "file: it exists and is not a folder"));
  EXPECT_TRUE(contains(error_of([&] { StagedFolder f(temp / "file" / "x"); }), "Not a directory"));
  EXPECT_TRUE(contains(error_of([&] { StagedFolder f("/"); }), "names no file or folder"));
  EXPECT_TRUE(contains(error_of([&] { StagedFolder f("/proc/model"); }), "cannot write /proc/model"));
  {
    StagedFolder folder(temp / "late");
    temp.write("late", "a file came between");
    EXPECT_TRUE(contains(error_of([&] { folder.commit(); }), "it exists and is not a folder"));
  }
  EXPECT_EQ(temp.read("late"), "a file came between");
  EXPECT_EQ(temp.names(), (std::vector<std::string>{"file", "late"}));
}

TEST(StagedFolder, WritesWhereALinkPoints) {
  TempFolder temp;
  temp.write("there/real/a", "old");
  fs::create_directory_symlink(temp / "there" / "real", temp / "link");
  StagedFolder folder(temp / "link");
  temp.write_at(folder.path() / "a", "new");
  folder.commit();
  EXPECT_TRUE(fs::is_symlink(temp / "link"));
  EXPECT_EQ(temp.read("there/real/a"), "new");
  EXPECT_EQ(temp.names("there"), std::vector<std::string>{"real"});
}

TEST(StagedFolder, NeverFollowsLinksWhenItRemovesTheOld) {
  TempFolder temp;
  temp.write("precious/file", "kept");
  fs::create_directory(temp / "model");
  fs::create_directory_symlink(temp / "precious", temp / "model" / "link");
  StagedFolder folder(temp / "model");
  folder.commit();
  EXPECT_EQ(temp.read("precious/file"), "kept");
  EXPECT_TRUE(temp.names("model").empty());
}

TEST(RecoverStagedFolder, RemovesOnlyLeftoversOfThisName) {
  TempFolder temp;
  for (const char* name :
       {".model.hone-staged-999999-0/a", ".model.hone-staged-1-7", ".model2.hone-staged-1-0",
        ".model.hone-staged-x", ".model.hone-staged-1-", ".model.hone-staged-1-2.bak", "model.x"}) {
    temp.write(name, "x");
  }
  hone::recover_staged_folder(temp / "model");
  EXPECT_EQ(temp.names(),
            (std::vector<std::string>{".model.hone-staged-1-", ".model.hone-staged-1-2.bak",
                                      ".model.hone-staged-x", ".model2.hone-staged-1-0", "model.x"}));
  hone::recover_staged_folder(temp / "missing" / "model");
}

TEST(RecoverStagedFolder, LeavesLiveWorkAlone) {
  TempFolder temp;
  StagedFolder folder(temp / "model");
  StagedFile file(temp / "model.npy");
  hone::recover_staged_folder(temp / "model");
  hone::recover_staged_folder(temp / "model.npy");
  EXPECT_TRUE(fs::exists(folder.path()));
  folder.commit();
  file.commit();
  EXPECT_EQ(temp.names(), (std::vector<std::string>{"model", "model.npy"}));
}

TEST(RecoverStagedFolder, BringsBackAFolderMovedAside) {
  TempFolder temp;
  temp.write(".model.hone-replaced-999999-0/a", "old");
  temp.write(".model.hone-staged-999999-0/a", "new");
  hone::recover_staged_folder(temp / "model");
  EXPECT_EQ(temp.read("model/a"), "old");
  EXPECT_EQ(temp.names(), std::vector<std::string>{"model"});
}

TEST(RecoverStagedFolder, DropsAFolderMovedAsideOnceItIsReplaced) {
  TempFolder temp;
  temp.write(".model.hone-replaced-999999-0/a", "old");
  temp.write("model/a", "new");
  hone::recover_staged_folder(temp / "model");
  EXPECT_EQ(temp.read("model/a"), "new");
  EXPECT_EQ(temp.names(), std::vector<std::string>{"model"});
}
