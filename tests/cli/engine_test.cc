// Threads and instruction set: what the process may use, and what it is told to.
#include <sched.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.h"

namespace hone::cli {
namespace {

std::string engine(const Strings& more = {}, const std::function<void()>& prepare = {}) {
  Strings all{"info", "--model", kModel, "--json"};
  all.insert(all.end(), more.begin(), more.end());
  const Result r = hone(all, prepare);
  EXPECT_EQ(r.code, 0) << r.err;
  return nlohmann::json::parse(r.out).at("engine");
}

// Holds this process to `count` of the processors it may use.
void use_processors(int count) {
  cpu_set_t all, some;
  sched_getaffinity(0, sizeof all, &all);
  CPU_ZERO(&some);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&some) < count; ++cpu) {
    if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &some);
  }
  sched_setaffinity(0, sizeof some, &some);
}

TEST(Threads, follow_the_affinity_of_the_process) {
  EXPECT_TRUE(engine({}, [] { use_processors(1); }).ends_with(", 1 thread"));
  const std::string plain = engine(), two = engine({}, [] { use_processors(2); });
  EXPECT_TRUE(two.ends_with(", 2 threads") || two == plain) << two;
}

TEST(Threads, are_as_many_as_asked_for) {
  for (int threads : {1, 3}) {
    const std::string all = engine({"--threads", std::to_string(threads)}, [] { use_processors(1); });
    EXPECT_TRUE(all.ends_with(threads == 1 ? ", 1 thread" : ", 3 threads")) << all;
  }
}

int64_t threads_of(pid_t process) {
  const fs::path tasks = "/proc/" + std::to_string(process) + "/task";
  return std::distance(fs::directory_iterator(tasks), fs::directory_iterator());
}

TEST(Threads, that_work_are_as_many_as_asked_for) {
  for (int64_t threads : {1, 2, 3}) {
    TempFolder folder;
    const std::string log = (folder / "log").string();
    Program program(
        train(folder / "out", {"--steps", "1000000", "--checkpoint-steps", "0", "--log", log, "--eval",
                               kPairs, "--eval-steps", "10", "--threads", std::to_string(threads)}));
    int64_t most = 0;
    // Before the first step there are more for a moment, which see how many the system allows.
    ASSERT_TRUE(wait_until([&] { return lines_of(log) >= 1; })) << program.err();
    ASSERT_TRUE(wait_until([&] {
      most = std::max(most, threads_of(program.pid()));
      return lines_of(log) >= 100 && most >= threads;
    })) << most;
    EXPECT_EQ(most, threads);
  }
}

TEST(InstructionSet, is_what_the_environment_says) {
  auto with = [](const char* value) { return [value] { setenv("HONE_CPU_ISA", value, 1); }; };
  EXPECT_TRUE(engine({}, with("avx2")).starts_with("cpu, AVX2, "));
  EXPECT_EQ(engine({}, with("avx512")).find("AMX"), std::string::npos);
  EXPECT_EQ(engine({}, with("")), engine({}, [] { unsetenv("HONE_CPU_ISA"); }));
  EXPECT_EQ(engine({}, with("best")), engine({}, with("")));
  for (const char* wrong : {"AVX2", "avx", "avx2 "})
    expect_line(hone({"info", "--model", kModel}, with(wrong)), 2,
                "HONE_CPU_ISA: \"" + std::string(wrong) +
                    "\" found, best, avx512 or avx2 expected; did you mean avx2?");
}

TEST(InstructionSet, is_what_the_option_says) {
  EXPECT_TRUE(engine({"--isa", "avx2"}).starts_with("cpu, AVX2, "));
  EXPECT_EQ(engine({"--isa", "avx512"}).find("AMX"), std::string::npos);
  auto set = [] { setenv("HONE_CPU_ISA", "avx2", 1); };
  EXPECT_EQ(engine({"--isa", "avx512"}, set), engine({"--isa", "avx512"})) << "not what the environment says";
  expect_line(hone({"info", "--model", kModel, "--isa", "sse"}), 2,
              "isa: \"sse\" found, best, avx512 or avx2 expected");
}

}  // namespace
}  // namespace hone::cli
