// Vectors of token ids that are there already are those of their texts.
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "encode/encoder.h"
#include "tests/compute/test_engine.h"
#include "tests/places.h"

namespace hone::encode {
namespace {

TEST(EncodeIds, gives_the_vectors_of_the_texts) {
  const std::filesystem::path models = std::filesystem::path(testing::kFixtures) / "models";
  const auto texts = data::read_table(models / "texts.jsonl", {{{"text"}}, {}}).text("text");
  // One model puts a prompt before each text.
  for (const char* name : {"mean-gelu", "lower-prompt"}) {
    const auto model = model::load_model(models / name);
    auto engine = compute::test_engine(2);
    const auto ids = tokenize(*model, *engine, texts);
    Encoder encoder(model, engine);
    EXPECT_EQ(encoder.encode_ids(ids), encoder.encode(texts));
    EncodeOptions options;
    options.normalize = true;
    options.batch_tokens = 64;
    size_t last = 0;
    options.progress = [&](size_t done, size_t total) {
      EXPECT_GT(done, last);
      EXPECT_EQ(total, texts.size());
      last = done;
    };
    const auto unit = encoder.encode_ids(ids, options);
    EXPECT_EQ(last, texts.size());
    last = 0;
    EXPECT_EQ(unit, encoder.encode(texts, options));
  }
  EXPECT_TRUE(Encoder(model::load_model(models / "mean-gelu"), compute::test_engine(1))
                  .encode_ids(TokenIds())
                  .empty());
}

}  // namespace
}  // namespace hone::encode
