// The first numbers of each vector, as the reference's encode(truncate_dim=...) gives them: a slice of what
// the last module gives, Normalize or not, which is then scaled where that is asked for.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/dataset.h"
#include "encode/encoder.h"
#include "tests/compute/test_engine.h"
#include "tests/places.h"

namespace hone::encode {
namespace {

const std::filesystem::path kModels = std::filesystem::path(testing::kFixtures) / "models";
// Ends with Normalize; has 20 numbers, of which its folder keeps 16.
constexpr const char *kNormalized = "mean-gelu", *kCut = "new-schema-list";

std::vector<std::string> some_texts() {
  return data::read_table(kModels / "texts.jsonl", {{{"text"}}, {}}).text("text");
}

Encoder encoder_of(const char* name) {
  return {model::load_model(kModels / name), compute::test_engine(2)};
}

EncodeOptions first(int32_t dim, bool normalize = false) {
  EncodeOptions options;
  options.dim = dim;
  options.normalize = normalize;
  return options;
}

// The first `dim` of every `width` numbers.
std::vector<float> cut(const std::vector<float>& vectors, size_t width, size_t dim) {
  std::vector<float> out;
  for (size_t i = 0; i < vectors.size(); ++i) {
    if (i % width < dim) out.push_back(vectors[i]);
  }
  return out;
}

TEST(EncodeDim, is_a_slice_to_the_bit) {
  const auto texts = some_texts();
  for (const char* name : {kNormalized, "max"}) {
    Encoder encoder = encoder_of(name);
    const auto whole = encoder.encode(texts);
    for (const int32_t dim : {1, 5, 31, 32}) {
      SCOPED_TRACE(std::string(name) + " " + std::to_string(dim));
      EXPECT_EQ(encoder.dim(first(dim)), dim);
      EXPECT_EQ(encoder.encode(texts, first(dim)), cut(whole, 32, static_cast<size_t>(dim)));
    }
    EXPECT_EQ(encoder.encode(texts, first(0)), whole);
    EXPECT_EQ(encoder.encode(texts), whole) << "an encoder keeps no width";
  }
}

TEST(EncodeDim, takes_the_place_of_the_models_own) {
  const auto texts = some_texts();
  Encoder encoder = encoder_of(kCut);
  ASSERT_EQ(encoder.dim(), 16);
  const auto whole = encoder.encode(texts, first(20));
  ASSERT_EQ(whole.size(), texts.size() * 20);
  EXPECT_EQ(encoder.encode(texts), cut(whole, 20, 16));
  EXPECT_EQ(encoder.encode(texts, first(7)), cut(whole, 20, 7));
}

TEST(EncodeDim, normalizes_what_is_left) {
  const auto texts = some_texts();
  for (const char* name : {kNormalized, "max"}) {
    Encoder encoder = encoder_of(name);
    const auto vectors = encoder.encode(texts, first(5)), unit = encoder.encode(texts, first(5, true));
    ASSERT_EQ(unit.size(), vectors.size());
    for (size_t at = 0; at < unit.size(); at += 5) {
      double square = 0;
      for (size_t i = at; i < at + 5; ++i) square += std::pow(static_cast<double>(vectors[i]), 2);
      EXPECT_GT(std::abs(std::sqrt(square) - 1), 1e-3) << "there is nothing to scale";
      // One rounding to float.
      for (size_t i = at; i < at + 5; ++i) EXPECT_NEAR(unit[i], vectors[i] / std::sqrt(square), 1e-7);
    }
  }
}

TEST(EncodeDim, is_that_of_ids_too) {
  const auto texts = some_texts();
  Encoder encoder = encoder_of(kNormalized);
  const auto ids = tokenize(*model::load_model(kModels / kNormalized), *compute::test_engine(1), texts);
  EXPECT_EQ(encoder.encode_ids(ids, first(9, true)), encoder.encode(texts, first(9, true)));
}

TEST(EncodeDim, wider_than_the_model_is_refused) {
  Encoder encoder = encoder_of(kCut);
  for (const int32_t dim : {21, 1 << 30, -1}) {
    const std::string line =
        cat("dim: ", dim, " found, 1 to 20 expected, the width of the vectors of ", kModels / kCut);
    for (const std::vector<std::string>& texts : {std::vector<std::string>{}, {"one"}}) {
      try {
        encoder.encode(texts, first(dim));
        ADD_FAILURE() << dim << " is taken";
      } catch (const UsageError& e) {
        EXPECT_EQ(e.what(), line);
      }
    }
    EXPECT_THROW(encoder.encode_ids(TokenIds(), first(dim)), UsageError);
    EXPECT_THROW(encoder.dim(first(dim)), UsageError);
  }
}

TEST(EncodeDim, of_named_options) {
  config::Options options;
  EXPECT_EQ(encode_options(options).dim, 0);
  EXPECT_FALSE(encode_options(options).normalize);
  options.set("encode.dim", int64_t{3});
  options.set("encode.normalize", true);
  EXPECT_EQ(encode_options(options).dim, 3);
  EXPECT_TRUE(encode_options(options).normalize);
  for (const int64_t bad : {int64_t{0}, int64_t{-1}, int64_t{1} << 40})
    EXPECT_THROW(options.set("encode.dim", bad), UsageError);
}

}  // namespace
}  // namespace hone::encode
