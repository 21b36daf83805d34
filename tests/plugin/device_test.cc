// Asking for a device: names and precisions that cannot be; plugins missing, broken or of another build.
#include "compute/device.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "compute/plugin/library.h"
#include "tests/base/one_line.h"
#include "tests/base/temp_folder.h"
#include "tests/compute/test_engine.h"
#include "tests/places.h"

namespace hone::compute {
namespace {

using testing::expect_part;
using testing::message_of;
using testing::TempFolder;

TEST(Device, cpu_needs_no_plugin) {
  EXPECT_EQ(create_engine({"cpu", "fp32", 1, test_isa()})->name(), "cpu");
  EXPECT_EQ(create_engine({"cpu", "fp32", 3, test_isa()})->threads(), 3);
  const DeviceList list = list_devices();
  ASSERT_GE(list.devices.size(), 1U);
  EXPECT_EQ(list.devices[0].name, "cpu");
  EXPECT_GT(list.devices[0].bytes, uint64_t{1} << 20);
}

TEST(Device, names_and_precisions_that_cannot_be_are_usage_errors) {
  expect_part(message_of<UsageError>([] {
                create_engine({"gpu", "fp32", 1});
              }),
              "cpu, cuda, cuda:N or torch-cpu");
  expect_part(message_of<UsageError>([] { create_engine({"cpu", "fp64", 1}); }), "precision: \"fp64\"");
  expect_part(message_of<UsageError>([] {
                create_engine({"cpu", "bf16", 1});
              }),
              "device cpu computes in float32");
  expect_part(message_of<UsageError>([] { create_engine({"cpu", "fp32", -1}); }), "threads: -1");
}

TEST(Device, a_missing_plugin_says_what_and_how) {
  TempFolder folder;
  const std::string text = message_of([&] {
    plugin::open_plugin({(folder / "libhone_torch.so").string(), "libhone_no_such.so"});
  });
  expect_part(text, "libhone_torch.so is not installed");
  expect_part(text, folder.path().string());
  expect_part(text, "scripts/build --torch");
  // What the loader found wrong: the file, or a library below it, is missing.
  expect_part(text, "the loader's own search: libhone_no_such.so: cannot open shared object file");
}

TEST(Device, what_is_no_library_or_no_plugin_is_refused) {
  TempFolder folder;
  folder.write("libhone_torch.so", "not a library");
  expect_part(message_of([&] { plugin::open_plugin({(folder / "libhone_torch.so").string()}); }),
              "cannot be opened");
  expect_part(message_of([&] { plugin::open_plugin({testing::kNoPlugin}); }), "is no engine plugin of hone");
}

TEST(Device, a_plugin_of_another_build_is_refused_with_both_builds) {
  const std::string text = message_of([&] { plugin::open_plugin({testing::kOtherBuild}); });
  expect_part(text, "0.0.9-of-another-day");
  expect_part(text, plugin::plugin_build());
}

TEST(Device, a_folder_can_be_named_for_plugins) {
  TempFolder folder;
  setenv("HONE_PLUGIN_DIR", folder.path().c_str(), 1);
  const auto places = plugin::plugin_places("libhone_torch.so");
  unsetenv("HONE_PLUGIN_DIR");
  EXPECT_EQ(places, std::vector<std::string>{(folder / "libhone_torch.so").string()});
  EXPECT_GT(plugin::plugin_places("libhone_torch.so").size(), 2U);
}

}  // namespace
}  // namespace hone::compute
