// Vectors against the reference: every pooling mode, Dense, no Normalize, 16-bit weights, both schemas
// (tests/fixtures/README.md). The same 300 awkward texts go through every small model and through MiniLM.
#include <gtest/gtest.h>

#include <cmath>

#include "data/dataset.h"
#include "encode/encoder.h"
#include "tests/compute/test_engine.h"
#include "tests/places.h"
#include "tests/reference_data.h"

namespace hone::encode {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> texts_of(const fs::path& file) {
  data::ReadOptions options;
  options.roles = {{"text", data::ColumnKind::text, true, {}}};
  return data::read_table(file, options).text("text");
}

// Largest difference of unit vectors.
void expect_same_directions(const std::vector<float>& found, const float* expected, size_t rows, size_t dim,
                            double tolerance) {
  ASSERT_EQ(found.size(), rows * dim);
  for (size_t r = 0; r < rows; ++r) {
    double a = 0, b = 0, worst = 0;
    for (size_t i = r * dim; i < (r + 1) * dim; ++i) {
      a += static_cast<double>(found[i]) * static_cast<double>(found[i]);
      b += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
    }
    EXPECT_NEAR(std::sqrt(a) / std::sqrt(b), 1, 1e-5) << "text " << r;
    for (size_t i = r * dim; i < (r + 1) * dim; ++i) {
      worst = std::max(worst, std::abs(static_cast<double>(found[i]) / std::sqrt(a) -
                                       static_cast<double>(expected[i]) / std::sqrt(b)));
    }
    EXPECT_LE(worst, tolerance) << "text " << r;
  }
}

std::vector<std::string> awkward_texts() {
  return texts_of(fs::path(testing::kFixtures) / "minilm" / "awkward.jsonl");
}

class SmallModels : public ::testing::TestWithParam<const char*> {
 protected:
  // In full batches, then one text at a time.
  void expect_the_references_vectors(const std::vector<std::string>& texts, const char* file) {
    const fs::path models = fs::path(testing::kFixtures) / "models";
    const auto fixture = model::SafetensorsFile::open(models / file);
    const auto* entry = fixture->find(std::string(GetParam()) + ".vectors");
    ASSERT_NE(entry, nullptr);
    const auto expected = fixture->floats(*entry);
    Encoder encoder(model::load_model(models / GetParam()), compute::test_engine(2));
    ASSERT_EQ(encoder.dim(), entry->shape[1]);
    const auto dim = static_cast<size_t>(encoder.dim());
    expect_same_directions(encoder.encode(texts), expected.data, texts.size(), dim, 2e-6);
    EncodeOptions alone;
    alone.batch_tokens = 1;
    expect_same_directions(encoder.encode(texts, alone), expected.data, texts.size(), dim, 2e-6);
  }
};
TEST_P(SmallModels, give_the_references_vectors) {
  expect_the_references_vectors(texts_of(fs::path(testing::kFixtures) / "models" / "texts.jsonl"),
                                "expected.safetensors");
}
TEST_P(SmallModels, give_the_references_vectors_of_awkward_texts) {
  const auto texts = awkward_texts();
  ASSERT_EQ(texts.size(), 300U);
  expect_the_references_vectors(texts, "expected-awkward.safetensors");
}
INSTANTIATE_TEST_SUITE_P(Reference, SmallModels,
                         ::testing::Values("mean-gelu", "cls-relu", "max", "mean-sqrt-len", "weighted-mean",
                                           "last-token", "concatenated", "dense-tanh", "float16", "bfloat16",
                                           "lower-prompt", "new-schema", "new-schema-list", "bare",
                                           "narrow"));

TEST(Reference, minilm_on_awkward_texts) {
  const fs::path folder = hone::testing::minilm();
  if (folder.empty())
    GTEST_SKIP() << hone::testing::kNoMiniLm << "it is NOT compared with the reference on awkward texts";
  const auto texts = awkward_texts();
  ASSERT_EQ(texts.size(), 300U);
  const auto file =
      model::SafetensorsFile::open(fs::path(testing::kFixtures) / "minilm" / "awkward.safetensors");
  const auto expected = file->floats(*file->find("vectors"));
  Encoder encoder(model::load_model(folder), compute::test_engine(2));
  expect_same_directions(encoder.encode(texts), expected.data, texts.size(), 384, 2e-6);
}

TEST(Encode, nothing_gives_nothing_and_order_is_kept) {
  const fs::path models = fs::path(testing::kFixtures) / "models";
  Encoder encoder(model::load_model(models / "mean-gelu"), compute::test_engine(2));
  EXPECT_TRUE(encoder.encode({}).empty());
  const auto texts = texts_of(models / "texts.jsonl");
  const auto all = encoder.encode(texts);
  std::vector<std::string> backwards(texts.rbegin(), texts.rend());
  const auto other = encoder.encode(backwards);
  const auto dim = static_cast<size_t>(encoder.dim());
  for (size_t r = 0; r < texts.size(); ++r) {
    for (size_t i = 0; i < dim; ++i)
      ASSERT_NEAR(all[r * dim + i], other[(texts.size() - 1 - r) * dim + i], 1e-6);
  }
}

TEST(Encode, the_same_bits_at_any_thread_count) {
  const fs::path models = fs::path(testing::kFixtures) / "models";
  const auto texts = texts_of(models / "texts.jsonl");
  const auto model = model::load_model(models / "concatenated");
  const auto one = Encoder(model, compute::test_engine(1)).encode(texts);
  EXPECT_EQ(one, Encoder(model, compute::test_engine(2)).encode(texts));
  EXPECT_EQ(one, Encoder(model, compute::test_engine(4)).encode(texts));
}

TEST(Encode, normalize_gives_unit_vectors) {
  const fs::path models = fs::path(testing::kFixtures) / "models";
  Encoder encoder(model::load_model(models / "max"), compute::test_engine(1));
  EncodeOptions options;
  options.normalize = true;
  const std::vector<std::string> texts{"one", "two words"};
  const auto vectors = encoder.encode(texts, options);
  for (size_t r = 0; r < 2; ++r) {
    double square = 0;
    for (int i = 0; i < encoder.dim(); ++i)
      square += std::pow(
          static_cast<double>(vectors[r * static_cast<size_t>(encoder.dim()) + static_cast<size_t>(i)]), 2);
    EXPECT_NEAR(square, 1, 1e-6);
  }
}

}  // namespace
}  // namespace hone::encode
