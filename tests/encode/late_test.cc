// Encoding on an engine whose vectors arrive late, as a GPU's do: a batch is read when the next is under way.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "data/dataset.h"
#include "encode/encoder.h"
#include "tests/base/one_line.h"
#include "tests/compute/late_engine.h"
#include "tests/compute/test_engine.h"
#include "tests/places.h"

namespace hone::encode {
namespace {

TEST(EncodeLate, gives_the_same_vectors_and_reads_one_batch_behind) {
  const std::filesystem::path models = std::filesystem::path(testing::kFixtures) / "models";
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

// More texts than are tokenized at once.
struct ManyTexts {
  std::shared_ptr<const model::SentenceModel> model =
      model::load_model(std::filesystem::path(testing::kFixtures) / "models" / "mean-gelu");
  std::vector<std::string> texts;
  ManyTexts() {
    for (int i = 0; i < (1 << 15) + 500; ++i) texts.push_back("a" + std::to_string(i % 977));
  }
};

compute::LateOptions of_own_memory() {
  compute::LateOptions options;
  options.memory = uint64_t{1} << 34;
  return options;
}

// Where the device computes by itself, it has the next chunk's first batch before the last one's vectors are
// waited for.
TEST(EncodeLate, keeps_a_device_of_its_own_busy_between_chunks_of_texts) {
  const ManyTexts many;
  const auto engine = std::make_shared<compute::LateEngine>(compute::test_engine(2), of_own_memory());
  std::vector<size_t> done;
  EncodeOptions options;
  options.progress = [&](size_t texts_done, size_t) { done.push_back(texts_done); };
  const auto found = Encoder(many.model, engine).encode(many.texts, options);
  const int batches = engine->log().batches;
  std::vector<int> behind;
  for (int batch = 2; batch <= batches; ++batch) behind.push_back(batch);
  behind.push_back(batches);
  EXPECT_EQ(engine->log().batches_at_get, behind);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  EXPECT_EQ(done.back(), many.texts.size());
  EXPECT_EQ(Encoder(many.model, compute::test_engine(2)).encode(many.texts), found);
}

// Its host work fails the second time.
class FailingSecond final : public compute::Engine {
 public:
  std::string name() const override { return late_.name(); }
  std::string describe() const override { return late_.describe(); }
  int threads() const override { return late_.threads(); }
  uint64_t device_memory() const override { return late_.device_memory(); }
  void parallel(int64_t n, const std::function<void(int64_t)>& work) override {
    if (++calls_ == 2) fail("the second time");
    late_.parallel(n, work);
  }
  std::unique_ptr<compute::Parameters> parameters() override { return late_.parameters(); }
  std::unique_ptr<compute::Graph> graph(compute::Parameters& parameters) override {
    return late_.graph(parameters);
  }

 private:
  compute::LateEngine late_{compute::test_engine(2), of_own_memory()};
  std::atomic<int> calls_ = 0;
};

TEST(EncodeLate, a_text_that_fails_while_others_are_computed_is_an_error) {
  const ManyTexts many;
  Encoder encoder(many.model, std::make_shared<FailingSecond>());
  EXPECT_EQ(testing::message_of([&] { encoder.encode(many.texts); }), "the second time");
  EXPECT_EQ(encoder.encode(std::span(many.texts).first(3)).size(), 3 * static_cast<size_t>(encoder.dim()));
}

}  // namespace
}  // namespace hone::encode
