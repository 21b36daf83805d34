// Files without a name.
#include "base/temporary.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>

#include "tests/base/one_line.h"
#include "tests/base/temp_folder.h"

namespace hone {
namespace {

// TMPDIR of one test.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& path) {
    const char* before = getenv("TMPDIR");
    if (before != nullptr) before_ = before;
    had_ = before != nullptr;
    setenv("TMPDIR", path.c_str(), 1);
  }
  ~TemporaryFolder() { had_ ? setenv("TMPDIR", before_.c_str(), 1) : unsetenv("TMPDIR"); }

 private:
  std::string before_;
  bool had_;
};

TEST(TemporaryFile, gives_back_what_was_appended) {
  const testing::TempFolder folder;
  const TemporaryFolder place(folder.path().string());
  TemporaryFile file;
  const std::string large(3 << 20, 'l');
  file.append("one");
  file.append("");
  file.append(large);
  file.append("end");
  EXPECT_EQ(file.size(), large.size() + 6);
  std::string found(5, '\0');
  file.read(0, found.data(), 5);
  EXPECT_EQ(found, "onell");
  file.read(large.size() + 1, found.data(), 5);
  EXPECT_EQ(found, "llend");
  file.read(2, nullptr, 0);
  EXPECT_NE(testing::message_of([&] { file.read(large.size() + 2, found.data(), 5); }).find("it ends"),
            std::string::npos);
  EXPECT_TRUE(folder.names().empty()) << "it has no name";
}

TEST(TemporaryFile, a_folder_that_is_none_is_named) {
  const testing::TempFolder folder;
  const TemporaryFolder place((folder / "none").string());
  const std::string message = testing::message_of([] { TemporaryFile file; });
  EXPECT_NE(message.find("cannot write a temporary file"), std::string::npos) << message;
  EXPECT_NE(message.find("TMPDIR"), std::string::npos) << message;
}

}  // namespace
}  // namespace hone
