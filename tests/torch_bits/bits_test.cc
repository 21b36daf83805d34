// The libtorch plugin leaves the cpu engine's bits alone. A program of its own: nothing else has opened the
// plugin when the first numbers are computed.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/base/temp_folder.h"
#include "tests/torch/torch_engines.h"
#include "tests/train/small_run.h"

namespace hone::train {
namespace {

bool is_loaded(const std::string& library) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(library) != std::string::npos) return true;
  }
  return false;
}

TEST(TorchPlugin, leaves_the_cpu_engines_bits_alone) {
  testing::TempFolder folder;
  const TrainOptions o = testing::small_options();
  auto run = [&](const char* name, std::shared_ptr<compute::Engine> engine) {
    testing::small_trainer(std::move(engine), o, false).run(folder / name, OnExisting::refuse, {});
    return testing::contents(folder / name);
  };
  ASSERT_FALSE(is_loaded("libhone_torch") || is_loaded("libtorch_cpu"));
  const auto before = run("before", compute::test_engine(2));
  const auto torch = run("torch", compute::torch_engine("torch-cpu", 2));
  ASSERT_TRUE(is_loaded("libhone_torch") && is_loaded("libtorch_cpu"));
  const auto after = run("after", compute::test_engine(2));
  EXPECT_EQ(testing::differences(before, after), "");
  EXPECT_NE(testing::differences(before, torch), "") << "the engines sum in different orders";
}

}  // namespace
}  // namespace hone::train
