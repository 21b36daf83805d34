// --device and --precision, and the list of devices.
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"

namespace hone::cli {
namespace {

using Json = nlohmann::json;

Result encode_on(const TempFolder& folder, const std::string& out, const Strings& device) {
  folder.write("texts.txt", "one\ntwo words\n");
  Strings all{"encode",
              "--model",
              kModel,
              "--input",
              (folder / "texts.txt").string(),
              "--out",
              (folder / out).string()};
  all.insert(all.end(), device.begin(), device.end());
  return hone(all);
}

TEST(Device, is_listed_with_its_memory) {
  const Json j = Json::parse(hone({"info", "--json"}).out);
  ASSERT_FALSE(j.at("devices").empty());
  EXPECT_EQ(j["devices"][0].at("name"), "cpu");
  EXPECT_GT(j["devices"][0].at("megabytes").get<int64_t>(), 0);
  EXPECT_FALSE(j.contains("dimension"));
  EXPECT_NE(hone({"info"}).out.find("cpu: "), std::string::npos);
}

TEST(Device, that_cannot_be_is_wrong_usage) {
  TempFolder folder;
  expect_error(encode_on(folder, "v.npy", {"--device", "gpu"}), 2, "cpu, cuda, cuda:N or torch-cpu expected");
  expect_error(encode_on(folder, "v.npy", {"--precision", "fp8"}), 2, "fp32 or bf16 expected");
  expect_error(encode_on(folder, "v.npy", {"--precision", "bf16"}), 2, "device cpu computes in float32");
  EXPECT_EQ(folder.names(), Strings{"texts.txt"});
}

TEST(Device, without_its_plugin_is_one_line_that_says_how_to_get_it) {
  TempFolder folder;
  folder.write("empty/nothing", "");
  setenv("HONE_PLUGIN_DIR", (folder / "empty").c_str(), 1);
  for (const char* device : {"torch-cpu", "cuda", "cuda:1"}) {
    const Result r = encode_on(folder, "v.npy", {"--device", device});
    expect_error(r, 1, "device " + std::string(device) + ": plugin libhone_torch.so is not installed");
    EXPECT_NE(r.err.find("scripts/build --torch"), std::string::npos) << r.err;
  }
  const Json j = Json::parse(hone({"info", "--json"}).out);
  unsetenv("HONE_PLUGIN_DIR");
  EXPECT_EQ(j.at("devices").size(), 1U);
  EXPECT_NE(j.at("no_gpu").get<std::string>().find("is not installed"), std::string::npos);
}

#ifdef HONE_HAS_TORCH
TEST(Device, torch_cpu_trains_encodes_and_evaluates) {
  TempFolder folder;
  const Strings device{"--device", "torch-cpu"};
  EXPECT_EQ(encode_on(folder, "v.npy", device).code, 0);
  EXPECT_EQ(encode_on(folder, "w.npy", {}).code, 0);
  EXPECT_EQ(folder.read("v.npy").size(), folder.read("w.npy").size());
  Strings train{"train",   "--model", kModel, "--data", kPairs, "--out", (folder / "out").string(),
                "--steps", "3"};
  train.insert(train.end(), device.begin(), device.end());
  const Result trained = hone(train);
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_NE(trained.err.find("engine: torch-cpu, libtorch 2."), std::string::npos) << trained.err;
  const Result scored = hone(
      {"eval", "--model", (folder / "out").string(), "--data", kPairs, "--device", "torch-cpu", "--json"});
  EXPECT_EQ(scored.code, 0) << scored.err;
  EXPECT_TRUE(Json::parse(scored.out).at("scores").contains("spearman_cosine"));
}

TEST(Device, a_gpu_that_is_not_there_is_one_line) {
  TempFolder folder;
  const Json devices = Json::parse(hone({"info", "--json"}).out).at("devices");
  const bool has_gpu = devices.size() > 2;
  expect_error(encode_on(folder, "v.npy", {"--device", has_gpu ? "cuda:99" : "cuda"}), has_gpu ? 2 : 1,
               "device");
}
#endif

}  // namespace
}  // namespace hone::cli
