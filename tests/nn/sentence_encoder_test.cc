// What goes into an engine's parameters comes out as the same tensors.
#include "nn/sentence_encoder.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "model/sentence_model.h"
#include "tests/compute/test_engine.h"
#include "tests/places.h"

namespace hone::nn {
namespace {

// A matrix of one row (a model with a single token type, a Dense to one number) stays a matrix: as a vector
// it could not be saved in its model.
TEST(SentenceEncoder, a_matrix_of_one_row_keeps_its_shape) {
  const auto loaded = model::load_model(std::filesystem::path(testing::kFixtures) / "models" / "mean-gelu");
  model::SentenceModel one_type = *loaded;
  one_type.config.type_vocab_size = 1;
  for (model::HostTensor& tensor : one_type.tensors) {
    if (tensor.name != "embeddings.token_type_embeddings.weight") continue;
    tensor.shape[0] = 1;
    tensor.size = static_cast<size_t>(tensor.shape[1]);
  }
  const auto engine = compute::test_engine(1);
  const auto parameters = engine->parameters();
  const SentenceEncoder encoder(one_type, *parameters, {});
  const auto read = encoder.read(*parameters);
  ASSERT_EQ(read.size(), one_type.tensors.size());
  for (size_t i = 0; i < read.size(); ++i)
    EXPECT_EQ(read[i].shape, one_type.tensors[i].shape) << read[i].name;
  EXPECT_NO_THROW(one_type.with_tensors(read));
}

}  // namespace
}  // namespace hone::nn
