// The first engine of a process: what libtorch makes of its devices then, it keeps. A program of its own, and
// a process for each test: nothing else has opened the plugin, nor listed devices.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "compute/device.h"

namespace hone::compute {
namespace {

constexpr int kComputed = 0, kNoGpu = 77;

void compute_on(const char* device) {
  const auto engine = create_engine({device, "fp32", 1});
  const auto parameters = engine->parameters();
  const auto graph = engine->graph(*parameters);
  graph->begin(Mode::infer);
  std::vector<float> out(4);
  graph->read(graph->input(std::vector<float>{1, 2, 3, 4}, {1, 4}), out);
  if (out != std::vector<float>{1, 2, 3, 4}) fail(device, ": other numbers came back");
}

// Ends the process; standard error says why where nothing was computed.
void exit_after(std::initializer_list<const char*> devices) {
  for (const char* device : devices) {
    try {
      compute_on(device);
    } catch (const Error& e) {
      const std::string_view text = e.what();
      std::fprintf(stderr, "%s\n", e.what());
      const bool no_gpu = text.starts_with("device cuda: no NVIDIA driver here") ||
                          text.starts_with("device cuda: the NVIDIA driver ") ||
                          text.starts_with("device cuda: this libtorch has no CUDA that can be used");
      std::exit(no_gpu ? kNoGpu : 1);
    }
  }
  std::exit(kComputed);
}

// With this machine's GPU, or skipped where it has none: `skipped` is then true.
void expect_computed(std::initializer_list<const char*> devices, bool& skipped) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto as_expected = [&](int status) {
    skipped = WIFEXITED(status) && WEXITSTATUS(status) == kNoGpu;
    return skipped || (WIFEXITED(status) && WEXITSTATUS(status) == kComputed);
  };
  EXPECT_EXIT(exit_after(devices), as_expected, "");
}

TEST(FirstEngine, may_be_of_cuda) {
  bool skipped = false;
  expect_computed({"cuda"}, skipped);
  if (skipped) GTEST_SKIP() << "no GPU, or a libtorch without CUDA: nothing was tested";
}

TEST(FirstEngine, may_be_of_the_processor_before_one_of_cuda) {
  bool skipped = false;
  expect_computed({"torch-cpu", "cuda"}, skipped);
  if (skipped) GTEST_SKIP() << "no GPU, or a libtorch without CUDA: nothing was tested";
}

}  // namespace
}  // namespace hone::compute
