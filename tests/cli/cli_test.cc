// The program as a user runs it: output, exit codes, one-line errors.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/base/temp_folder.h"

namespace hone::cli {
namespace {

namespace fs = std::filesystem;
using hone::testing::TempFolder;

const std::string kModel = std::string(HONE_FIXTURES) + "/models/mean-gelu";
const std::string kPairs = std::string(HONE_FIXTURES) + "/models/pairs.jsonl";

struct Result {
  int code = -1;
  std::string out, err;
};

class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments, rlim_t file_limit = RLIM_INFINITY) {
    child_ = fork();
    if (child_ == 0) {
      for (auto [fd, name] : {std::pair{STDOUT_FILENO, "out"}, {STDERR_FILENO, "err"}}) {
        dup2(open((folder_ / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), fd);
      }
      if (file_limit != RLIM_INFINITY) {
        signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{file_limit, file_limit};
        setrlimit(RLIMIT_FSIZE, &limit);
      }
      std::vector<char*> argv{const_cast<char*>(HONE_PROGRAM)};
      for (const auto& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
      argv.push_back(nullptr);
      execv(HONE_PROGRAM, argv.data());
      _exit(127);
    }
  }
  void send(int signal) const { kill(child_, signal); }
  Result wait() {
    int status = 0;
    waitpid(child_, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), folder_.read("out"),
            folder_.read("err")};
  }

 private:
  TempFolder folder_;
  pid_t child_;
};

Result hone(const std::vector<std::string>& arguments) {
  return Program(arguments).wait();
}

// Failed with one line that holds `part`.
void expect_error(const Result& r, int code, const std::string& part) {
  EXPECT_EQ(r.code, code) << r.err;
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
  EXPECT_EQ(r.err.rfind("hone: ", 0), 0U) << r.err;
  EXPECT_NE(r.err.find(part), std::string::npos) << r.err;
  EXPECT_TRUE(r.out.empty()) << r.out;
}

std::vector<std::string> train(const fs::path& out, std::vector<std::string> more = {}) {
  std::vector<std::string> all{"train", "--model",    kModel,      "--data", kPairs,
                               "--out", out.string(), "--threads", "2"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(Cli, version_and_help) {
  EXPECT_EQ(hone({"--version"}).out.rfind("hone 0.", 0), 0U);
  EXPECT_EQ(hone({"--help"}).code, 0);
  for (const char* command : {"train", "encode", "eval", "nearest", "info"}) {
    const Result r = hone({command, "--help"});
    EXPECT_EQ(r.code, 0);
    EXPECT_NE(r.out.find("--threads"), std::string::npos) << command;
    EXPECT_NE(r.out.find("Usage"), std::string::npos) << command;
  }
}

TEST(Cli, wrong_usage_is_exit_code_two) {
  EXPECT_EQ(hone({}).code, 2);
  expect_error(hone({"fly"}), 2, "\"fly\" is not a command");
  expect_error(hone({"info"}), 2, "--model is missing");
  expect_error(hone({"info", "--modl", "x"}), 2, "modl");
  expect_error(hone({"info", "--model", kModel, "stray"}), 2, "stray");
  expect_error(hone({"eval", "--model", kModel, "--data", kPairs, "--task", "poetry"}), 2, "sts expected");
  expect_error(hone({"eval", "--model", kModel, "--data", kPairs, "--threads", "-3"}), 2, "threads: -3");
  expect_error(hone({"encode", "--model", kModel, "--input", kPairs, "--out", "x.bin"}), 2, ".npy");
  TempFolder folder;
  expect_error(hone(train(folder / "o", {"--lr", "fast"})), 2, "lr: \"fast\" found, a number expected");
  expect_error(hone(train(folder / "o", {"--lr=nan"})), 2, "lr: \"nan\" found");
  expect_error(hone(train(folder / "o", {"--seed", "1e"})), 2, "seed: \"1e\" found");
  expect_error(hone(train(folder / "o", {"--loss", "mnr"})), 2, "cosine expected");
  expect_error(hone(train(folder / "o", {"--schedule", "steep"})), 2, "linear, constant or cosine");
  expect_error(hone(train(folder / "o", {"--metric", "accuracy"})), 2, "spearman_cosine");
  expect_error(hone(train(folder / "o", {"--epochs", "1", "--steps", "1"})), 2, "exclude each other");
  expect_error(hone(train(folder / "o", {"--resume", "--overwrite"})), 2, "exclude each other");
  expect_error(hone(train(folder / "o", {"--columns", "sentence1"})), 2, "role=name");
  EXPECT_TRUE(folder.names().empty());
}

TEST(Cli, what_is_missing_or_broken_is_exit_code_one_and_leaves_nothing) {
  TempFolder folder;
  expect_error(hone({"info", "--model", (folder / "none").string()}), 1, "none");
  folder.write("empty.tsv", "");
  folder.write("text.tsv", "sentence1\tsentence2\tscore\na\tb\thigh\n");
  folder.write("nan.tsv", "sentence1\tsentence2\tscore\na\tb\tnan\n");
  folder.write("latin.tsv", "sentence1\tsentence2\tscore\na\tb\t1\ncaf\xe9\tb\t1\n");
  auto with = [&](const std::string& name) {
    return hone(
        {"train", "--model", kModel, "--data", (folder / name).string(), "--out", (folder / "out").string()});
  };
  expect_error(with("empty.tsv"), 1, "empty.tsv");
  expect_error(with("text.tsv"), 1, "high");
  expect_error(with("nan.tsv"), 1, "nan");
  expect_error(with("latin.tsv"), 1, "3");
  expect_error(with("missing.tsv"), 1, "missing.tsv");
  expect_error(hone(train(folder / "out", {"--columns", "score=grade"})), 1, "grade");
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST(Cli, info_describes_the_model) {
  const auto j = nlohmann::json::parse(hone({"info", "--model", kModel, "--json"}).out);
  EXPECT_EQ(j.at("dimension"), 32);
  EXPECT_EQ(j.at("layers"), 2);
  EXPECT_NE(hone({"info", "--model", kModel}).out.find("pooling: mean"), std::string::npos);
}

TEST(Cli, encode_writes_what_was_asked) {
  TempFolder folder;
  folder.write("texts.txt", "one\ntwo words\n\nfour\n");
  const Result r = hone({"encode", "--model", kModel, "--input", (folder / "texts.txt").string(), "--out",
                         (folder / "v.jsonl").string()});
  EXPECT_EQ(r.code, 0) << r.err;
  const std::string lines = folder.read("v.jsonl");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4);
  const Result column = hone({"encode", "--model", kModel, "--input", kPairs, "--column", "sentence2",
                              "--out", (folder / "v.npy").string(), "--quiet"});
  EXPECT_EQ(column.code, 0);
  EXPECT_TRUE(column.err.empty()) << column.err;
  EXPECT_NE(folder.read("v.npy").find("(120, 32)"), std::string::npos);
}

TEST(Cli, eval_and_compare) {
  const Result r = hone({"eval", "--model", kModel, "--data", kPairs, "--compare", kModel, "--json"});
  ASSERT_EQ(r.code, 0) << r.err;
  const auto j = nlohmann::json::parse(r.out);
  EXPECT_EQ(j.at("pairs"), 120);
  EXPECT_EQ(j.at("scores").size(), 9U);
  EXPECT_EQ(j.at("compare").at("spearman_cosine_difference"), 0);
  EXPECT_NE(hone({"eval", "--model", kModel, "--data", kPairs}).out.find("95 % interval"), std::string::npos);
}

TEST(Cli, nearest_finds_the_text_itself_and_a_repeated_one_once) {
  TempFolder folder;
  folder.write("c.txt", "alpha\nalpha\nbeta gamma\ndelta\nbeta gamma\n");
  const auto j =
      nlohmann::json::parse(hone({"nearest", "--model", kModel, "--corpus", (folder / "c.txt").string(),
                                  "--query", "beta gamma", "--top", "9", "--json"})
                                .out);
  ASSERT_EQ(j.size(), 3U);
  EXPECT_EQ(j[0].at("text"), "beta gamma");
  EXPECT_EQ(j[0].at("index"), 2) << "where it stands first";
  EXPECT_NEAR(j[0].at("score").get<double>(), 1, 1e-5);
}

TEST(Cli, train_logs_every_step_and_prints_json) {
  TempFolder folder;
  const Result r = hone(train(folder / "out", {"--steps", "6", "--eval", kPairs, "--log",
                                               (folder / "log.jsonl").string(), "--json"}));
  ASSERT_EQ(r.code, 0) << r.err;
  const auto j = nlohmann::json::parse(r.out);
  EXPECT_EQ(j.at("steps"), 6);
  EXPECT_TRUE(j.contains("before"));
  EXPECT_GT(j.at("peak_megabytes").get<double>(), 1);
  std::ifstream log(folder / "log.jsonl");
  int step = 0;
  for (std::string line; std::getline(log, line);) {
    const auto s = nlohmann::json::parse(line);
    EXPECT_EQ(s.at("step"), ++step);
    for (const char* key : {"loss", "lr", "grad_norm", "tokens", "seconds"})
      EXPECT_TRUE(s.contains(key)) << key;
  }
  EXPECT_EQ(step, 6);
  EXPECT_NE(r.err.find("estimate: "), std::string::npos);
  EXPECT_EQ(hone({"info", "--model", (folder / "out").string()}).code, 0);
  expect_error(hone(train(folder / "out", {"--steps", "6"})), 1, "--resume");
}

TEST(Cli, interrupted_training_keeps_a_checkpoint_and_goes_on) {
  TempFolder folder;
  const std::vector<std::string> more{"--steps", "400",   "--batch-size",
                                      "64",      "--log", (folder / "log.jsonl").string()};
  for (int signal : {SIGINT, SIGTERM}) {
    auto resumed = more;
    if (signal == SIGTERM) resumed.push_back("--resume");
    Program program(train(folder / "out", resumed));
    const auto logged = [&] {
      const std::string text = fs::exists(folder / "log.jsonl") ? folder.read("log.jsonl") : "";
      return std::count(text.begin(), text.end(), '\n');
    };
    const auto before = logged();
    while (logged() < before + 3 && logged() < 390) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    program.send(signal);
    const Result r = program.wait();
    ASSERT_EQ(r.code, 130) << r.err;
    EXPECT_NE(r.err.find("checkpoint kept"), std::string::npos);
    EXPECT_TRUE(fs::exists(folder / "out" / "checkpoint" / "state.json"));
  }
  auto resumed = more;
  resumed.push_back("--resume");
  const Result last = hone(train(folder / "out", resumed));
  EXPECT_EQ(last.code, 0) << last.err;
  EXPECT_NE(last.err.find("resuming after step"), std::string::npos);
  const std::string text = folder.read("log.jsonl");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 400);
  // The same as a run that nothing stopped.
  ASSERT_EQ(hone(train(folder / "whole", {"--steps", "400", "--batch-size", "64"})).code, 0);
  EXPECT_EQ(folder.read("whole/model.safetensors"), folder.read("out/model.safetensors"));
}

// A full disk, as a limit on the size of files: half of a model's fits.
TEST(Cli, a_full_disk_is_one_line_and_leaves_nothing) {
  TempFolder folder;
  const Result r = Program(train(folder / "out", {"--steps", "2", "--quiet"}), 60000).wait();
  expect_error(r, 1, "out");
  EXPECT_FALSE(fs::exists(folder / "out" / "model.safetensors"));
  const Result e = Program({"encode", "--model", kModel, "--input", kPairs, "--column", "sentence1", "--out",
                            (folder / "v.npy").string()},
                           4096)
                       .wait();
  expect_error(e, 1, "v.npy");
  EXPECT_FALSE(fs::exists(folder / "v.npy"));
}

}  // namespace
}  // namespace hone::cli
