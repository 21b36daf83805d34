// Where results cannot be written: found before the work where it can be, one line, nothing left behind.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/cli/program.h"

namespace hone::cli {
namespace {

Strings encode(const fs::path& out) {
  return {"encode", "--model", kModel, "--input", kPairs, "--column", "sentence1", "--out", out.string()};
}

// Work that would come before the writing, seen by its own complaint.
Strings encode_nothing(const fs::path& out) {
  return {"encode", "--model", "/no/such/model", "--input", "/no/such/file", "--out", out.string()};
}

Strings train_nothing(const fs::path& out, const fs::path& log) {
  return {"train", "--model",    "/no/such/model", "--data",    "/no/such/file",
          "--out", out.string(), "--log",          log.string()};
}

TEST(Unwritable, output_is_found_before_any_work) {
  TempFolder folder;
  folder.write("file", "kept");
  fs::create_directory(folder / "folder.npy");
  const std::string missing = (folder / "none" / "v.npy").string();
  expect_line(hone(encode_nothing(missing)), 1, "cannot write " + missing + ": No such file or directory");
  expect_error(hone(encode_nothing(folder / "file" / "v.npy")), 1, "file/v.npy: Not a directory");
  expect_error(hone(encode_nothing(folder / "folder.npy")), 1,
               "folder.npy: it exists and is not a regular file");
  expect_error(hone(encode_nothing("/proc/v.npy")), 1, "cannot write /proc/v.npy: ");
  const std::string log = (folder / "none" / "log").string();
  expect_line(hone(train_nothing(folder / "out", log)), 1,
              "log: cannot write " + log + ": No such file or directory");
  expect_error(hone(train_nothing(folder / "out", folder / "file" / "log")), 1, "file/log: Not a directory");
  expect_error(hone(train_nothing(folder / "out", folder / "folder.npy")), 1, "folder.npy: Is a directory");
  expect_error(hone(train("/proc/out")), 1, "/proc/out");
  EXPECT_EQ(folder.names(), (Strings{"file", "folder.npy"}));
  EXPECT_TRUE(folder.names("folder.npy").empty());
}

TEST(Unwritable, by_permission) {
  TempFolder folder;
  fs::create_directory(folder / "locked");
  folder.write("readonly.jsonl", "kept");
  chmod((folder / "locked").c_str(), 0555);
  chmod((folder / "readonly.jsonl").c_str(), 0444);
  auto as_anyone = [] {
    if (!obey_permissions()) _exit(126);
  };
  if (hone({"--version"}, as_anyone).code == 126) GTEST_SKIP() << "root cannot be held to permissions here";
  auto denied = [&](const Strings& command, const fs::path& path) {
    const Result r = hone(command, as_anyone);
    expect_error(r, 1, path.string());
    EXPECT_NE(r.err.find("Permission denied"), std::string::npos) << r.err;
  };
  denied(encode_nothing(folder / "locked" / "v.npy"), folder / "locked" / "v.npy");
  denied(train_nothing(folder / "out", folder / "locked" / "log"), folder / "locked" / "log");
  denied(train_nothing(folder / "out", folder / "readonly.jsonl"), folder / "readonly.jsonl");
  denied(train(folder / "locked" / "out"), folder / "locked" / "out");
  EXPECT_TRUE(folder.names("locked").empty());
  EXPECT_EQ(folder.names(), (Strings{"locked", "readonly.jsonl"}));
  EXPECT_EQ(folder.read("readonly.jsonl"), "kept");
}

TEST(Log, inside_of_out_would_vanish_and_is_refused) {
  TempFolder folder;
  fs::create_directory(folder / "real");
  fs::create_directory_symlink(folder / "real", folder / "link");
  const std::string base = folder.path().string();
  const auto refused = [&](const std::string& out, const std::string& log) {
    const Result r = hone(train(out, {"--log", log, "--steps", "1"}), [&] {
      if (chdir(base.c_str()) != 0) _exit(126);
    });
    expect_line(
        r, 2,
        "log: \"" + log +
            "\" found, a file outside of --out expected: the tuned model replaces that folder as a whole");
  };
  for (const char* out : {"out", "out/", "./out", "x/../out"}) {
    for (const char* log : {"out/log", "out", "out/", "./out/a/../log"}) refused(out, log);
  }
  refused(base + "/real", "link/log");
  refused("link", base + "/real/log");
  EXPECT_EQ(folder.names(), (Strings{"link", "real"}));
  EXPECT_EQ(hone(train(folder / "out", {"--log", base + "/out.log", "--steps", "1"})).code, 0);
  EXPECT_EQ(lines_of(folder / "out.log"), 1);
}

TEST(Log, never_overwrites_what_is_read) {
  TempFolder folder;
  fs::copy(kPairs, folder / "pairs.jsonl");
  const std::string pairs = (folder / "pairs.jsonl").string();
  expect_line(hone(train(folder / "out", {"--data", pairs, "--log", pairs})), 2,
              "log: \"" + pairs + "\" is the file of --data, which is read");
  expect_line(hone(train(folder / "out", {"--eval", pairs, "--log", pairs})), 2,
              "log: \"" + pairs + "\" is the file of --eval, which is read");
  EXPECT_EQ(lines_of(folder / "pairs.jsonl"), 120);
  folder.write("beir/corpus.jsonl", "kept\n");
  const std::string corpus = (folder / "beir" / "corpus.jsonl").string();
  expect_line(hone(train(folder / "out",
                         {"--task", "retrieval", "--eval", (folder / "beir").string(), "--log", corpus})),
              2, "log: \"" + corpus + "\" found, a file outside of --eval expected: what lies there is read");
  EXPECT_EQ(folder.read("beir/corpus.jsonl"), "kept\n");
}

// A model is read, too, mapped while it is: what is written over it would end the program.
TEST(Output, never_overwrites_the_model) {
  TempFolder folder;
  fs::copy(kModel, folder / "model", fs::copy_options::recursive);
  const std::string model = (folder / "model").string();
  const auto bytes = [&] {
    std::string all;
    for (const auto& entry : fs::recursive_directory_iterator(folder / "model")) {
      const fs::path name = entry.path().lexically_relative(folder / "model");
      if (entry.is_regular_file()) all += name.string() + folder.read("model/" + name.string());
    }
    return all;
  };
  const std::string before = bytes();
  folder.write("t.txt", "one\n");
  auto refused = [&](const Strings& arguments, const std::string& option, const std::string& file,
                     const std::string& of = "model") {
    const std::string path = model + "/" + file;
    Strings all = arguments;
    all.insert(all.end(), {"--" + option, path});
    expect_line(hone(all), 2, option + ": \"" + path + "\" is a file of --" + of + ", which is read");
  };
  for (const char* file : {"model.safetensors", "config.json", "1_Pooling/config.json"}) {
    refused({"train", "--model", model, "--data", kPairs, "--out", (folder / "out").string()}, "log", file);
    refused({"eval", "--model", model, "--data", kPairs}, "per-row", file);
    refused({"eval", "--model", kModel, "--compare", model, "--data", kPairs}, "per-row", file, "compare");
  }
  refused({"encode", "--model", model, "--input", (folder / "t.txt").string()}, "out", "model.safetensors");
  EXPECT_TRUE(bytes() == before);
  // Beside it there is room.
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(
        hone({"encode", "--model", model, "--input", (folder / "t.txt").string(), "--out", model + "/v.npy"})
            .code,
        0);
}

// --- a full disk ---

// A file system of its own size, seen by this process and its children only and gone with them.
class SmallDisk {
 public:
  explicit SmallDisk(const fs::path& at) : at_(at) {
    fs::create_directory(at);
    static const bool own_mounts =
        unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    mounted_ = own_mounts && mount("hone-test", at.c_str(), "tmpfs", 0, "size=64k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(at_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  void resize(int kilobytes) const {
    const std::string size = "size=" + std::to_string(kilobytes) + "k";
    if (mount("hone-test", at_.c_str(), "tmpfs", MS_REMOUNT, size.c_str()) != 0)
      throw std::runtime_error("cannot resize the disk");
  }

 private:
  fs::path at_;
  bool mounted_ = false;
};

// OUT may be there, as the place of the first checkpoint, but nothing in it.
bool nothing_in(const fs::path& out) {
  return !fs::exists(out) || fs::is_empty(out);
}

// What is under OUT: the checkpoint of a step, and nothing else.
void expect_checkpoint(const TempFolder& folder, const std::string& out, int64_t at_least) {
  EXPECT_EQ(folder.names(out), Strings{"checkpoint"});
  const std::string state = folder.read(out + "/checkpoint/state.json");
  const size_t step = state.find("\"step\":");
  ASSERT_NE(step, std::string::npos) << state;
  EXPECT_GE(std::stoll(state.substr(step + 7)), at_least) << state;
}

TEST(FullDisk, leaves_nothing_of_what_did_not_fit) {
  TempFolder folder;
  const SmallDisk disk(folder / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "no small disk can be mounted here, which takes root";
  const std::string full = ": No space left on device";
  disk.resize(8);  // of the vectors' 15 kB
  expect_line(hone(encode(folder / "disk" / "v.npy")), 1,
              "cannot write " + (folder / "disk" / "v.npy").string() + full);
  EXPECT_TRUE(folder.names("disk").empty());
  disk.resize(100);  // of the model's 150 kB
  expect_error(hone(train(folder / "disk" / "out", {"--steps", "2", "--quiet"})), 1, full);
  EXPECT_TRUE(nothing_in(folder / "disk" / "out"));
  fs::remove(folder / "disk" / "out");
  disk.resize(4);  // of some 100 lines
  expect_line(
      hone(train(folder / "out", {"--steps", "100", "--quiet", "--log", (folder / "disk" / "log").string()})),
      1, "log: cannot write " + (folder / "disk" / "log").string() + full);
  EXPECT_TRUE(nothing_in(folder / "out"));
}

TEST(FullDisk, keeps_the_checkpoint_before_and_goes_on_from_it) {
  TempFolder folder;
  const SmallDisk disk(folder / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "no small disk can be mounted here, which takes root";
  const Strings more{"--steps", "8", "--checkpoint-steps", "2", "--quiet"};
  disk.resize(600);  // one checkpoint, not a second one beside it
  expect_error(hone(train(folder / "disk" / "out", more)), 1, ": No space left on device");
  expect_checkpoint(folder, "disk/out", 2);
  disk.resize(4000);
  Strings resumed = more;
  resumed.push_back("--resume");
  const Result r = hone(train(folder / "disk" / "out", resumed));
  ASSERT_EQ(r.code, 0) << r.err;
  ASSERT_EQ(hone(train(folder / "whole", more)).code, 0);
  EXPECT_EQ(folder.read("disk/out/model.safetensors"), folder.read("whole/model.safetensors"));
}

// What every user can do: files that may not grow beyond a size.
TEST(FullDisk, as_a_limit_leaves_nothing) {
  TempFolder folder;
  expect_error(hone(train(folder / "out", {"--steps", "2", "--quiet"}), [] { limit_file_size(60'000); }), 1,
               ": File too large");
  EXPECT_TRUE(nothing_in(folder / "out"));
  fs::remove(folder / "out");
  expect_line(hone(encode(folder / "v.npy"), [] { limit_file_size(4096); }), 1,
              "cannot write " + (folder / "v.npy").string() + ": File too large");
  EXPECT_TRUE(folder.names().empty());
}

TEST(FullDisk, as_a_limit_that_comes_late_keeps_the_checkpoint_before) {
  TempFolder folder;
  Strings more{"--steps", "1000000", "--checkpoint-steps", "2", "--quiet"};
  Program program(train(folder / "out", more), [] { signal(SIGXFSZ, SIG_IGN); });
  ASSERT_TRUE(wait_until([&] { return fs::exists(folder / "out" / "checkpoint" / "state.json"); }));
  const rlimit small{60'000, 60'000};
  ASSERT_EQ(prlimit(program.pid(), RLIMIT_FSIZE, &small, nullptr), 0);
  expect_error(program.wait(), 1, ": File too large");
  expect_checkpoint(folder, "out", 2);
  more.push_back("--resume");
  Program resumed(train(folder / "out", more));
  const auto kept = fs::last_write_time(folder / "out" / "checkpoint");
  EXPECT_TRUE(wait_until([&] {
    std::error_code swapping;
    return fs::last_write_time(folder / "out" / "checkpoint", swapping) != kept && !swapping;
  })) << resumed.err();
}

TEST(FullDisk, under_the_log) {
  TempFolder folder;
  expect_line(hone(train(folder / "out", {"--log", "/dev/full", "--quiet"})), 1,
              "log: cannot write /dev/full: No space left on device");
  EXPECT_TRUE(nothing_in(folder / "out"));
  const Result help = hone({"--help"}, [] { dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO); });
  expect_line(help, 1, "could not write to standard output");
}

}  // namespace
}  // namespace hone::cli
