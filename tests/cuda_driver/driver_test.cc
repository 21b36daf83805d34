// What is made of an NVIDIA driver: a driver of the test's own stands in for it, so that no GPU is needed. A
// program of its own, since libtorch must not meet that driver where there is a real one.
#include "compute/torch/cuda_driver.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "compute/device.h"
#include "tests/base/one_line.h"
#include "tests/cuda_driver/fake_driver.h"
#include "tests/places.h"

namespace hone::compute::torch_engine {
namespace {

using testing::expect_part;
using testing::message_of;

class CudaDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    void* fake = dlopen(testing::kFakeDriver, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(fake, nullptr) << dlerror();
    ASSERT_EQ(dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL), fake) << "another driver was opened before";
    driver_ = static_cast<FakeDriver*>(dlsym(fake, "hone_fake_driver"));
    ASSERT_NE(driver_, nullptr);
    *driver_ = {};
    driver_->version = 12040;
    driver_->count = 2;
    driver_->devices[0] = {"Ampere", size_t{40} << 30, 8, 0};
    driver_->devices[1] = {"Turing", size_t{16} << 30, 7, 5};
  }

  std::string problem() const {
    std::string text;
    EXPECT_TRUE(cuda_driver_devices(text).empty());
    return text;
  }

  FakeDriver* driver_ = nullptr;
};

TEST_F(CudaDriver, describes_its_devices) {
  std::string none;
  const auto found = cuda_driver_devices(none);
  EXPECT_EQ(none, "");
  ASSERT_EQ(found.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(found[i].name, driver_->devices[i].name);
    EXPECT_EQ(found[i].bytes, driver_->devices[i].bytes);
    EXPECT_EQ(found[i].major, driver_->devices[i].major);
    EXPECT_EQ(found[i].minor, driver_->devices[i].minor);
  }
  EXPECT_EQ(cuda_driver_version(), 12040);
}

TEST_F(CudaDriver, without_devices_says_why) {
  driver_->count = 0;
  expect_part(problem(), "sees no device");
  driver_->init_code = 100;
  expect_part(problem(), "cuInit says 100: no device");
}

TEST_F(CudaDriver, too_old_names_both_versions) {
  const std::string text = driver_too_old(11040, 12080);
  expect_part(text, "knows CUDA 11.4,");
  expect_part(text, "needs 12.8;");
  EXPECT_NE(driver_too_old(12090, 13000), "");
  EXPECT_EQ(driver_too_old(12000, 12080), "");
  EXPECT_EQ(driver_too_old(13000, 12080), "");
}

TEST_F(CudaDriver, bf16_needs_compute_capability_8) {
  const std::string text = lacks_bf16({"Turing", 0, 7, 5});
  expect_part(text, "needs compute capability 8.0,");
  expect_part(text, "Turing has 7.5");
  EXPECT_EQ(lacks_bf16({"Ampere", 0, 8, 0}), "");
  EXPECT_EQ(lacks_bf16({"Hopper", 0, 9, 0}), "");
  EXPECT_EQ(lacks_bf16({"Blackwell", 0, 12, 0}), "");
}

#ifdef HONE_HAS_TORCH
TEST_F(CudaDriver, an_engine_of_bf16_is_refused_where_the_device_lacks_it) {
  const std::string text = message_of([] { create_engine({"cuda:1", "bf16", 1}); });
  EXPECT_EQ(text, "device cuda:1: " + lacks_bf16({"Turing", 0, 7, 5}));
}

TEST_F(CudaDriver, a_gpu_that_the_machine_lacks_is_refused_with_those_it_has) {
  EXPECT_EQ(message_of<UsageError>([] {
              create_engine({"cuda:7", "fp32", 1});
            }),
            "device: cuda:7 found, cuda:0 to cuda:1 expected (this machine has 2 GPUs)");
  driver_->count = 1;
  EXPECT_EQ(message_of<UsageError>([] {
              create_engine({"cuda:1", "bf16", 1});
            }),
            "device: cuda:1 found, cuda:0 to cuda:0 expected (this machine has 1 GPU)");
}

// A CUDA of long ago: a libtorch with CUDA says so, one without says what it is.
void expect_refused_as_too_old(const std::string& device, const std::string& text) {
  EXPECT_TRUE(text.starts_with("device " + device + ": the NVIDIA driver is too old: it knows CUDA 6.5, ") ||
              text.starts_with("device " + device + ": this libtorch has no CUDA that can be used: "))
      << text;
}

TEST_F(CudaDriver, an_engine_is_refused_where_the_driver_is_too_old) {
  driver_->version = 6050;
  for (const DeviceOptions& o : {DeviceOptions{"cuda:1", "fp32", 1}, DeviceOptions{"cuda:0", "bf16", 1}})
    expect_refused_as_too_old(o.device, message_of([&] { create_engine(o); }));
}

// What libtorch takes note of when it first looks for devices must not depend on which engine is made first.
TEST_F(CudaDriver, an_engine_of_the_processor_decides_nothing_about_cuda) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process of its own
  driver_->version = 6050;
  EXPECT_EXIT(
      {
        create_engine({"torch-cpu", "fp32", 1});
        expect_refused_as_too_old("cuda", message_of([] { create_engine({"cuda", "fp32", 1}); }));
        std::exit(HasFailure() ? 1 : 0);
      },
      ::testing::ExitedWithCode(0), "");
}
#endif

}  // namespace
}  // namespace hone::compute::torch_engine
