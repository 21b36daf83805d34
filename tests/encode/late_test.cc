// Encoding on an engine whose vectors arrive late, as a GPU's do: a batch is read when the next is under way.
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "encode/encoder.h"
#include "tests/compute/late_engine.h"
#include "tests/compute/test_engine.h"

namespace hone::encode {
namespace {

TEST(EncodeLate, gives_the_same_vectors_and_reads_one_batch_behind) {
  const std::filesystem::path models = std::filesystem::path(HONE_FIXTURES) / "models";
  const auto texts = data::read_table(models / "texts.jsonl", {{{"text"}}, {}}).text("text");
  const auto model = model::load_model(models / "mean-gelu");
  EncodeOptions options;
  options.batch_tokens = 64;
  const auto expected = Encoder(model, compute::test_engine(2)).encode(texts, options);

  const auto engine = std::make_shared<compute::LateEngine>(compute::test_engine(2), compute::LateOptions{});
  std::vector<size_t> done;
  std::vector<int> under_way;
  options.progress = [&](size_t texts_done, size_t) {
    done.push_back(texts_done);
    under_way.push_back(engine->log().batches);
  };
  EXPECT_EQ(Encoder(model, engine).encode(texts, options), expected);
  const int batches = engine->log().batches;
  ASSERT_GT(batches, 3);
  std::vector<int> behind;
  for (int batch = 2; batch <= batches; ++batch) behind.push_back(batch);
  behind.push_back(batches);  // behind the last there is none
  EXPECT_EQ(engine->log().batches_at_get, behind);
  EXPECT_EQ(under_way, behind);
  EXPECT_EQ(engine->log().waits, batches);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  EXPECT_EQ(done.back(), texts.size());
}

}  // namespace
}  // namespace hone::encode
