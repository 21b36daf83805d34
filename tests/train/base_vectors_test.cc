// Vectors of the base model: kept in a folder, found again, and never mistaken for those of another model or
// other texts.
#include "train/base_vectors.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/base/temp_folder.h"
#include "tests/train/small_data.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using testing::data_of;
using testing::kModels;
using testing::message_of;
using testing::TempFolder;

using Model = std::shared_ptr<const model::SentenceModel>;

TrainData three_texts(const char* last = "snow") {
  return data_of(cat("anchor\tpositive\nrain in the city\twind\nrain in the city\t", last, "\n"), "mnr");
}

class Cache : public ::testing::Test {
 protected:
  std::vector<float> vectors(const TrainData& data, const Model& model) {
    return base_vectors(model, engine, data, (folder / "cache").string());
  }
  std::vector<std::string> files() const {
    return fs::exists(folder / "cache") ? folder.names("cache") : std::vector<std::string>();
  }
  // The only file there, in whose place `content` is put.
  void replace(const std::string& content) {
    ASSERT_EQ(files().size(), 1U);
    folder.write("cache/" + files()[0], content);
  }
  std::string only() const { return folder.read("cache/" + files().at(0)); }

  TempFolder folder;
  std::shared_ptr<compute::Engine> engine = compute::test_engine(1);
  Model gelu = model::load_model(kModels / "mean-gelu");
};

TEST_F(Cache, vectors_are_of_length_one_by_number_of_the_text) {
  const TrainData data = three_texts();
  const auto found = base_vectors(model::load_model(kModels / "mean-sqrt-len"), engine, data, "");
  ASSERT_EQ(found.size(), 3U * 32U);
  encode::Encoder encoder(model::load_model(kModels / "mean-sqrt-len"), engine);
  const std::vector<std::string> texts{"rain in the city", "wind", "snow"};
  const auto expected = encoder.encode(texts);
  const uint32_t numbers[] = {data.text(0, 0), data.text(1, 0), data.text(1, 1)};
  for (size_t t = 0; t < 3; ++t) {
    double length = 0, along = 0, own = 0;
    for (size_t i = 0; i < 32; ++i) {
      const double x = static_cast<double>(found[numbers[t] * 32 + i]),
                   y = static_cast<double>(expected[t * 32 + i]);
      length += x * x;
      along += x * y;
      own += y * y;
    }
    EXPECT_NEAR(length, 1, 1e-6);
    EXPECT_NEAR(along / std::sqrt(own), 1, 1e-6) << texts[t];
  }
}

TEST_F(Cache, a_file_that_is_there_is_read_and_left_as_it_is) {
  const auto made = vectors(three_texts(), gelu);
  ASSERT_EQ(files().size(), 1U);
  const std::string kept = only();
  EXPECT_EQ(vectors(three_texts(), gelu), made);
  EXPECT_EQ(base_vectors(gelu, engine, three_texts(), ""), made);
  EXPECT_EQ(only(), kept);
  // It is really read: with another number in it, that is what comes back.
  std::string changed = kept;
  changed[changed.size() - 2] = static_cast<char>(changed[changed.size() - 2] ^ 1);
  replace(changed);
  EXPECT_NE(vectors(three_texts(), gelu), made);
}

TEST_F(Cache, other_models_texts_and_lengths_have_files_of_their_own) {
  std::vector<float> gelu_vectors = vectors(three_texts(), gelu);
  size_t expected = 1;
  auto expect_another = [&](const TrainData& data, const Model& model) {
    const auto found = vectors(data, model);
    EXPECT_EQ(files().size(), ++expected);
    EXPECT_EQ(found, base_vectors(model, engine, data, ""));
  };
  expect_another(three_texts(), model::load_model(kModels / "mean-sqrt-len"));
  expect_another(three_texts("sun"), gelu);
  expect_another(three_texts(), gelu->with_max_seq_length(3));
  // One weight of it.
  auto tensors = gelu->tensors;
  std::vector<float> values(tensors[3].data, tensors[3].data + tensors[3].size);
  values[1] += 1;
  tensors[3] = model::HostTensor::owned(tensors[3].name, tensors[3].shape, values);
  expect_another(three_texts(), gelu->with_tensors(tensors));
  // The same texts, joined in another way.
  expect_another(data_of("anchor\tpositive\nrain in\tthe city wind\nrain in\tsnow\n", "mnr"), gelu);
  EXPECT_EQ(vectors(three_texts(), gelu), gelu_vectors);
  EXPECT_EQ(files().size(), expected);
}

TEST_F(Cache, a_file_that_is_broken_is_refused_by_its_name) {
  vectors(three_texts(), gelu);
  const std::string whole = only();
  const std::string path = (folder / "cache" / files()[0]).string();
  for (const std::string& content :
       {whole.substr(0, whole.size() - 1), whole.substr(0, whole.size() / 2), whole.substr(0, 7),
        std::string(), std::string("not a tensor"), whole + "x"}) {
    replace(content);
    const std::string message = message_of([&] { vectors(three_texts(), gelu); });
    testing::expect_part(message, path);
    EXPECT_EQ(only(), content) << "a file that is not understood is left alone";
  }
  replace(whole);
  EXPECT_EQ(message_of([&] { vectors(three_texts(), gelu); }), "no error");
}

TEST_F(Cache, a_file_of_something_else_is_refused_with_what_to_do) {
  vectors(three_texts(), gelu);
  const fs::path path = folder / "cache" / files()[0];
  const std::vector<float> values(3 * 32, 0.5F);
  const auto bytes = std::as_bytes(std::span(values));
  for (const model::RawTensor& tensor :
       {model::RawTensor{"weights", "F32", {3, 32}, bytes},
        model::RawTensor{"vectors", "F32", {32, 3}, bytes}, model::RawTensor{"vectors", "F32", {96}, bytes},
        model::RawTensor{"vectors", "F32", {2, 32}, bytes.first(2 * 32 * sizeof(float))}}) {
    model::write_safetensors(path, {&tensor, 1}, {});
    EXPECT_EQ(message_of([&] { vectors(three_texts(), gelu); }),
              cat(path, ": holds no vectors of 3 texts; remove it"));
  }
}

TEST_F(Cache, a_file_of_what_is_no_number_is_refused) {
  vectors(three_texts(), gelu);
  const fs::path path = folder / "cache" / files()[0];
  std::vector<float> values(3 * 32, 0.5F);
  values.back() = std::nanf("");
  const model::RawTensor tensor{"vectors", "F32", {3, 32}, std::as_bytes(std::span(values))};
  model::write_safetensors(path, {&tensor, 1}, {});
  EXPECT_EQ(message_of([&] { vectors(three_texts(), gelu); }),
            cat(path, ": holds numbers that are not finite; remove it"));
}

TEST_F(Cache, a_folder_that_cannot_be_is_refused_in_one_line) {
  folder.write("cache", "a file");
  EXPECT_TRUE(message_of([&] {
                vectors(three_texts(), gelu);
              }).starts_with(cat("cannot write ", folder / "cache", ": ")));
  EXPECT_EQ(folder.read("cache"), "a file");
}

// Of two runs with the same cache the second one reads what the first has left, and trains the same.
TEST_F(Cache, runs_that_share_it_give_the_same_model) {
  TrainOptions options = testing::small_options();
  options.loss = "mnr";
  options.steps = 3;
  options.mask_similarity = 0.5;
  auto run = [&](const char* out, const std::string& cache) {
    options.vector_cache = cache;
    Trainer trainer(gelu, engine,
                    testing::table_of(testing::bytes_of(kModels / "pairs.jsonl"), "mnr", "", "pairs.jsonl"),
                    nullptr, options);
    trainer.run(folder / out, OnExisting::refuse, {});
    return folder.read(cat(out, "/model.safetensors"));
  };
  const std::string expected = run("none", "");
  EXPECT_EQ(run("first", (folder / "cache" / "deep").string()), expected);
  ASSERT_EQ(folder.names("cache/deep").size(), 1U);
  EXPECT_EQ(run("second", (folder / "cache" / "deep").string()), expected);
  EXPECT_EQ(folder.names("cache/deep").size(), 1U);
}

}  // namespace
}  // namespace hone::train
