// A training run as a user sees it: its lines, its log, interrupted and gone on with.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.h"

namespace hone::cli {
namespace {

using Json = nlohmann::json;

std::vector<Json> objects(const fs::path& file) {
  std::vector<Json> all;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) all.push_back(Json::parse(line));
  return all;
}

TEST(Train, logs_every_step_and_prints_json) {
  TempFolder folder;
  folder.write("log.jsonl", "of another run\n");
  const Result r = hone(train(folder / "out", {"--steps", "6", "--eval", kPairs, "--log",
                                               (folder / "log.jsonl").string(), "--json"}));
  ASSERT_EQ(r.code, 0) << r.err;
  const auto j = Json::parse(r.out);
  EXPECT_EQ(j.at("steps"), 6);
  EXPECT_TRUE(j.contains("before"));
  EXPECT_GT(j.at("peak_megabytes").get<double>(), 1);
  const auto log = objects(folder / "log.jsonl");
  ASSERT_EQ(log.size(), 6U);
  for (size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i].at("step"), i + 1);
    for (const char* key : {"loss", "lr", "grad_norm", "tokens", "seconds"})
      EXPECT_TRUE(log[i].contains(key)) << key;
  }
  EXPECT_EQ(hone({"info", "--model", (folder / "out").string()}).code, 0);
  expect_error(hone(train(folder / "out", {"--steps", "6"})), 1, "--resume");
}

TEST(Train, says_what_it_will_take_and_what_it_took) {
  TempFolder folder;
  const Result r = hone(train(folder / "out", {"--steps", "2", "--eval", kPairs}));
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(r.out.empty()) << r.out;
  size_t at = 0;
  for (const std::string& part :
       {std::string("engine: cpu, "), std::string("\nbefore training: spearman_cosine "),
        std::string("\nestimate: "), std::string("\nstep 2: spearman_cosine "),
        std::string("\ntrained 2 steps in "), std::string(", peak memory "),
        " MB; model in " + (folder / "out").string() + "\n"}) {
    at = r.err.find(part, at);
    ASSERT_NE(at, std::string::npos) << "no \"" << part << "\" in its place in:\n" << r.err;
  }
  const Result quiet = hone(train(folder / "quiet", {"--steps", "2", "--quiet"}));
  EXPECT_EQ(quiet.code, 0);
  EXPECT_TRUE(quiet.err.empty()) << quiet.err;
}

TEST(Train, leaves_the_log_alone_when_it_does_not_begin) {
  TempFolder folder;
  const Strings more{"--steps", "2", "--log", (folder / "log.jsonl").string()};
  ASSERT_EQ(hone(train(folder / "out", more)).code, 0);
  const std::string log = folder.read("log.jsonl");
  expect_error(hone(train(folder / "out", more)), 1, "exists already");
  EXPECT_EQ(folder.read("log.jsonl"), log);
  Strings resumed = more;
  resumed.push_back("--resume");
  EXPECT_NE(hone(train(folder / "out", resumed)).err.find("finished already"), std::string::npos);
  EXPECT_EQ(folder.read("log.jsonl"), log);
}

TEST(Interrupted, training_keeps_a_checkpoint_and_goes_on) {
  TempFolder folder;
  const fs::path log = folder / "log.jsonl";
  const Strings more{"--steps", "400", "--batch-size", "64", "--log", log.string()};
  Strings resumed = more;
  resumed.push_back("--resume");
  for (int signal : {SIGINT, SIGTERM}) {
    Program program(train(folder / "out", signal == SIGTERM ? resumed : more));
    const auto before = lines_of(log);
    wait_until([&] { return lines_of(log) >= std::min<int64_t>(before + 3, 390); });
    program.send(signal);
    const Result r = program.wait();
    ASSERT_EQ(r.code, 130) << r.err;
    EXPECT_NE(r.err.find("checkpoint kept"), std::string::npos);
    EXPECT_TRUE(fs::exists(folder / "out" / "checkpoint" / "state.json"));
    // As a run that was killed later leaves it: lines behind the checkpoint, the last one half.
    std::ofstream(log, std::ios::app) << "{\"step\": 399, \"seconds\": 1e9}\n{\"step\": 400, \"sec";
  }
  const Result last = hone(train(folder / "out", resumed));
  EXPECT_EQ(last.code, 0) << last.err;
  EXPECT_NE(last.err.find("resuming after step"), std::string::npos);
  const auto lines = objects(log);
  ASSERT_EQ(lines.size(), 400U);
  double seconds = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].at("step"), i + 1);
    EXPECT_GT(lines[i].at("seconds").get<double>(), seconds) << "since the start, also when resumed: " << i;
    seconds = lines[i].at("seconds");
  }
  EXPECT_LT(seconds, 1e9);
  // The same as a run that nothing stopped.
  ASSERT_EQ(hone(train(folder / "whole", {"--steps", "400", "--batch-size", "64"})).code, 0);
  EXPECT_EQ(folder.read("whole/model.safetensors"), folder.read("out/model.safetensors"));
}

// Whether the process has a handler of its own for the signal.
bool handles(pid_t process, int signal) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigCgt:"))
      return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
  }
  return false;
}

// The run writes its log into a pipe that nobody empties, and so stands still in the middle of a step.
TEST(Interrupted, a_second_time_it_ends_at_once) {
  TempFolder folder;
  const std::string pipe = (folder / "pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const int size = fcntl(reader, F_SETPIPE_SZ, 4096);
  for (int second : {SIGINT, SIGTERM}) {
    Program program(train(folder / "out", {"--steps", "1000000", "--log", pipe, "--quiet"}));
    int waiting = 0;
    ASSERT_TRUE(wait_until([&] { return ioctl(reader, FIONREAD, &waiting) == 0 && waiting > size - 200; }));
    EXPECT_TRUE(handles(program.pid(), SIGINT));
    program.send(SIGINT);
    ASSERT_TRUE(wait_until([&] { return !handles(program.pid(), SIGINT); })) << "the first one was seen";
    program.send(second);
    const Result r = program.wait();
    EXPECT_EQ(r.code, -second) << "ended by the signal itself: " << r.err;
    std::string all(static_cast<size_t>(size), 0);
    EXPECT_GT(read(reader, all.data(), all.size()), 0);
  }
  close(reader);
}

}  // namespace
}  // namespace hone::cli
