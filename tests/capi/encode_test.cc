// Texts to vectors in the caller's memory.
#include <cmath>
#include <cstring>

#include <nlohmann/json.hpp>

#include "encode/encoder.h"
#include "tests/base/temp_folder.h"
#include "tests/capi/host.h"
#include "tests/compute/test_engine.h"
#include "tests/places.h"

namespace hone::testing {

namespace {

class Encode : public ::testing::Test {
 protected:
  Runtime runtime = make_runtime();
  Model model = load_model(runtime);
};

constexpr float kMark = 12345;

TEST_F(Encode, VectorsAreThoseOfTheEncoder) {
  encode::Encoder encoder(model::load_model(kModelFolder), compute::test_engine(1));
  EXPECT_EQ(encode(model, kTexts), encoder.encode(kTexts));
}

TEST_F(Encode, AModelThatWasReadNeedsItsFileNoMore) {
  TempFolder folder;
  const std::filesystem::path copy = folder / "model", weights = copy / "model.safetensors";
  std::filesystem::copy(kModelFolder, copy, std::filesystem::copy_options::recursive);
  const Config config = make_config({{"runtime.weights", "read"}, {"runtime.threads", 1}});
  Runtime reading;
  ASSERT_EQ(hone_runtime_create(config, reading.place(), nullptr), HONE_OK);
  const Model read = load_model(reading, copy);
  std::filesystem::resize_file(weights, 0);
  EXPECT_EQ(encode(read, kTexts), encode(model, kTexts));
}

TEST_F(Encode, NumbersOfAModel) {
  EXPECT_EQ(hone_model_dim(model), 32);
  EXPECT_EQ(hone_model_max_length(model), 32);
  const std::filesystem::path folder = std::filesystem::path(testing::kFixtures) / "models";
  EXPECT_EQ(hone_model_dim(load_model(runtime, folder / "concatenated")), 128);
  EXPECT_EQ(hone_model_dim(load_model(runtime, folder / "dense-tanh")), 24);
  EXPECT_EQ(hone_model_dim(load_model(runtime, folder / "new-schema-list")), 16) << "truncate_dim";
  EXPECT_EQ(hone_model_max_length(load_model(runtime, folder / "new-schema")), 48);
}

TEST_F(Encode, InfoOfAModel) {
  Buffer buffer;
  ASSERT_EQ(hone_model_info(model, buffer.place(), nullptr), HONE_OK);
  size_t size = 0;
  const char* data = hone_buffer_data(buffer, &size);
  EXPECT_EQ(data[size], 0);
  EXPECT_EQ(std::strlen(data), size);
  const auto info = nlohmann::json::parse(text_of(buffer));
  EXPECT_EQ(info["dim"], 32);
  EXPECT_EQ(info["max_length"], 32);
  EXPECT_EQ(info["layers"], 2);
  EXPECT_EQ(info["hidden_size"], 32);
  EXPECT_EQ(info["heads"], 4);
  EXPECT_EQ(info["similarity"], "cosine");
  EXPECT_EQ(info["normalizes"], true);
  for (const char* key : {"folder", "parameters", "pooling"}) EXPECT_TRUE(info.contains(key)) << key;
}

TEST_F(Encode, InfoOfARuntime) {
  Buffer buffer;
  ASSERT_EQ(hone_runtime_info(runtime, buffer.place(), nullptr), HONE_OK);
  const auto info = nlohmann::json::parse(text_of(buffer));
  EXPECT_EQ(info["threads"], 2);
  EXPECT_FALSE(info["engine"].get<std::string>().empty());
  ASSERT_GE(info["devices"].size(), 1u);
  for (const auto& device : info["devices"]) {
    EXPECT_TRUE(device.contains("name") && device.contains("description") && device.contains("bytes"))
        << device;
  }
  EXPECT_TRUE(info["no_gpu"].is_null() || info["no_gpu"].is_string()) << info;
}

TEST_F(Encode, ARoomTooSmallIsLeftAlone) {
  const std::vector<hone_str> views = strings(kTexts);
  const size_t needed = views.size() * kDim;
  for (const size_t room : {size_t{0}, size_t{1}, needed / 2, needed - 1}) {
    std::vector<float> out(needed, kMark);
    const Failure failure = refused(HONE_EINVAL, [&](hone_error** error) {
      return hone_model_encode(model, views.data(), views.size(), nullptr, out.data(), room, error);
    });
    EXPECT_EQ(failure.subject(), "out_floats");
    EXPECT_NE(failure.message().find(std::to_string(needed)), std::string::npos) << failure.message();
    EXPECT_EQ(out, std::vector<float>(needed, kMark));
  }
}

TEST_F(Encode, ARoomTooLargeIsFilledOnlyAsFarAsNeeded) {
  const std::vector<hone_str> views = strings(kTexts);
  const size_t needed = views.size() * kDim;
  std::vector<float> out(needed + 5, kMark);
  ASSERT_EQ(hone_model_encode(model, views.data(), views.size(), nullptr, out.data(), out.size(), nullptr),
            HONE_OK);
  EXPECT_EQ(std::vector<float>(out.begin(), out.end() - 5), encode(model, kTexts));
  EXPECT_EQ(std::vector<float>(out.end() - 5, out.end()), std::vector<float>(5, kMark));
}

TEST_F(Encode, NoTextsAreNoVectors) {
  float out = kMark;
  const hone_str text = {"one", 3};
  EXPECT_EQ(hone_model_encode(model, &text, 0, nullptr, &out, 0, nullptr), HONE_OK);
  EXPECT_EQ(hone_model_encode(model, &text, 0, nullptr, &out, 1, nullptr), HONE_OK);
  EXPECT_EQ(out, kMark);
}

TEST_F(Encode, ATextThatIsNotUtf8IsNamedByItsRow) {
  for (const std::string bad : {"a\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    const std::vector<std::string> texts = {"one", "two", bad, "four"};
    const std::vector<hone_str> views = strings(texts);
    std::vector<float> out(texts.size() * kDim, kMark);
    const Failure failure = refused(HONE_EFORMAT, [&](hone_error** error) {
      return hone_model_encode(model, views.data(), views.size(), nullptr, out.data(), out.size(), error);
    });
    EXPECT_EQ(failure.row(), 2);
    EXPECT_EQ(out, std::vector<float>(out.size(), kMark));
  }
}

TEST_F(Encode, AnErrorAboutNoRowSaysSo) {
  Failure failure;
  ASSERT_EQ(hone_model_encode(nullptr, nullptr, 0, nullptr, nullptr, 0, failure.place()), HONE_EINVAL);
  EXPECT_EQ(failure.row(), -1);
}

TEST_F(Encode, VectorsAreScaledWhereAsked) {
  const Model plain = load_model(runtime, std::filesystem::path(testing::kFixtures) / "models" / "max");
  const std::vector<float> vectors = encode(plain, kTexts),
                           unit = encode(plain, kTexts, {{"encode.normalize", true}});
  ASSERT_EQ(vectors, encode(plain, kTexts, {{"encode.normalize", false}}));
  for (size_t i = 0; i < kTexts.size(); ++i) {
    double norm = 0, unit_norm = 0;
    for (size_t j = 0; j < kDim; ++j) {
      norm += std::pow(vectors[i * kDim + j], 2);
      unit_norm += std::pow(unit[i * kDim + j], 2);
    }
    EXPECT_GT(std::abs(std::sqrt(norm) - 1), 0.1);
    // Each of 32 squares is off by at most 3 halves of a float's epsilon, 6e-8.
    EXPECT_NEAR(std::sqrt(unit_norm), 1, 1e-6);
    for (size_t j = 0; j < kDim; ++j) {
      EXPECT_NEAR(unit[i * kDim + j], vectors[i * kDim + j] / std::sqrt(norm), 1e-6);
    }
  }
}

TEST_F(Encode, ASavedModelGivesTheSameBits) {
  const TempFolder folder;
  const std::string saved = folder / "saved";
  ASSERT_EQ(hone_model_save(model, saved.c_str(), nullptr, nullptr), HONE_OK);
  EXPECT_EQ(encode(load_model(runtime, saved), kTexts), encode(model, kTexts));
  EXPECT_NE(refused(HONE_EFAILED, [&](auto e) { return hone_model_save(model, saved.c_str(), nullptr, e); })
                .message()
                .find(saved),
            std::string::npos);
  const Config overwrite = make_config({{"save.overwrite", true}});
  EXPECT_EQ(hone_model_save(model, saved.c_str(), overwrite, nullptr), HONE_OK);
  folder.write("other/file.txt", "kept");
  refused(HONE_EFAILED,
          [&](auto e) { return hone_model_save(model, (folder / "other").c_str(), overwrite, e); });
  EXPECT_EQ(folder.read("other/file.txt"), "kept");
}

TEST_F(Encode, AFolderThatIsNoModelIsNamed) {
  const TempFolder folder;
  folder.write("empty/readme.txt", "nothing");
  for (const char* name : {"none", "empty", "empty/readme.txt"}) {
    Model none;
    const std::string path = folder / name;
    const Failure failure = refused(
        HONE_EFAILED, [&](auto e) { return hone_model_load(runtime, path.c_str(), none.place(), e); });
    EXPECT_NE(failure.message().find(path), std::string::npos) << failure.message();
    EXPECT_EQ(none, nullptr);
  }
}

TEST_F(Encode, ScoresOfPairs) {
  const Dataset dataset = read_pairs(runtime);
  Buffer buffer;
  ASSERT_EQ(hone_model_evaluate(model, dataset, nullptr, buffer.place(), nullptr), HONE_OK);
  const auto scores = nlohmann::json::parse(text_of(buffer));
  EXPECT_EQ(scores["pairs"], 120);
  for (const char* kind : {"cosine", "dot", "euclidean", "manhattan", "max"}) {
    for (const char* correlation : {"spearman_", "pearson_"}) {
      const double score = scores.at(std::string(correlation) + kind);
      EXPECT_LE(std::abs(score), 1);
    }
  }
  const double low = scores["spearman_cosine_95"][0], high = scores["spearman_cosine_95"][1];
  EXPECT_LT(low, scores["spearman_cosine"]);
  EXPECT_GT(high, scores["spearman_cosine"]);
}

}  // namespace

}  // namespace hone::testing
