// What files are written to: links to nothing, files that may not be written, pipes, descriptors of one's
// own.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/base/temp_folder.h"

namespace hone {
namespace {

using testing::TempFolder;

template <class F>
std::string refusal(const F& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "none";
}

TEST(Target, that_is_a_link_to_nothing_is_said_to_be_one) {
  TempFolder folder;
  const fs::path link = folder / "link", circle = folder / "circle";
  fs::create_symlink("nowhere", link);
  fs::create_symlink("circle", circle);
  const std::string expected =
      cat("cannot write ", link, ": it is a dangling link: nowhere, where it leads, is not there");
  EXPECT_EQ(refusal([&] { StagedFile file(link); }), expected);
  EXPECT_EQ(refusal([&] { StagedFolder made(link); }), expected);
  EXPECT_EQ(refusal([&] { check_writable(link); }), expected);
  EXPECT_EQ(refusal([&] { StagedFile file(circle); }),
            cat("cannot write ", circle, ": it is a link to circle: Too many levels of symbolic links"));
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"circle", "link"}));
  folder.write("nowhere", "");
  EXPECT_EQ(refusal([&] { check_writable(link); }), "none");
}

TEST(Target, that_is_a_pipe_is_written_to_as_it_is) {
  TempFolder folder;
  const fs::path pipe = folder / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(is_stream(pipe));
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  check_writable(pipe);
  {
    StagedFile file(pipe);
    file.write("one line\n");
    file.commit();
  }
  char read_back[32] = {};
  EXPECT_EQ(read(reader, read_back, sizeof read_back), 9);
  EXPECT_STREQ(read_back, "one line\n");
  close(reader);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"pipe"});
}

TEST(Target, that_is_a_descriptor_of_ones_own_goes_on_where_it_is) {
  TempFolder folder;
  folder.write("rows", "before\n");
  const int fd = open((folder / "rows").c_str(), O_WRONLY | O_APPEND);
  for (const std::string& path : {cat("/dev/fd/", fd), cat("/proc/self/fd/", fd)}) {
    EXPECT_TRUE(is_stream(path)) << path;
    StagedFile file(path);
    file.write("row\n");
    file.commit();
  }
  fs::create_symlink(cat("/dev/fd/", fd), folder / "link");
  EXPECT_TRUE(is_stream(folder / "link"));
  close(fd);
  EXPECT_EQ(folder.read("rows"), "before\nrow\nrow\n");
  EXPECT_FALSE(is_stream(folder / "rows"));
  EXPECT_FALSE(is_stream(folder / "none"));
  EXPECT_TRUE(is_stream("/dev/null"));
  EXPECT_NE(refusal([&] { StagedFile file(cat("/dev/fd/", fd)); }), "none") << "closed by now";
}

}  // namespace
}  // namespace hone
