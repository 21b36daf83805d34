// From a source of texts to a sink of vectors: the same vectors, block by block.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "encode/encoder.h"
#include "encode/text_file.h"
#include "tests/base/one_line.h"
#include "tests/base/temp_folder.h"
#include "tests/compute/late_engine.h"
#include "tests/compute/test_engine.h"
#include "tests/places.h"

namespace hone::encode {
namespace {

using testing::message_of;
using testing::TempFolder;

constexpr size_t kChunk = 1 << 15;

const std::filesystem::path kStreamModels = std::filesystem::path(testing::kFixtures) / "models";

std::vector<std::string> numbered(size_t count) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) texts.push_back("a" + std::to_string(i % 977));
  return texts;
}

// Of a vector, in blocks no larger than `most`, with the number of texts as their hash.
class Given final : public TextSource {
 public:
  explicit Given(std::vector<std::string> texts, size_t most = SIZE_MAX)
      : texts_(std::move(texts)), most_(most) {}
  bool next(TextBlock& block, size_t most) override {
    const size_t count = std::min({most, most_, texts_.size() - given_});
    block.first = given_;
    block.texts.assign(texts_.begin() + static_cast<std::ptrdiff_t>(given_),
                       texts_.begin() + static_cast<std::ptrdiff_t>(given_ + count));
    block.hash = given_ += count;
    return count > 0;
  }
  size_t count() const override { return texts_.size(); }

 private:
  std::vector<std::string> texts_;
  size_t most_, given_ = 0;
};

class Gathered final : public VectorSink {
 public:
  void write(std::span<const float> vectors, uint64_t texts, bool more) override {
    values.insert(values.end(), vectors.begin(), vectors.end());
    hashes.push_back(texts);
    last.push_back(!more);
  }
  void finish() override { finished = true; }
  std::vector<float> values;
  std::vector<uint64_t> hashes;
  std::vector<bool> last;
  bool finished = false;
};

TEST(EncodeStream, gives_the_vectors_of_all_texts_at_once) {
  const auto engine = compute::test_engine(2);
  // One model puts a prompt before each text.
  for (const char* name : {"mean-gelu", "lower-prompt"}) {
    Encoder encoder(model::load_model(kStreamModels / name), engine);
    EncodeOptions options;
    options.normalize = true;
    const auto texts = numbered(1000);
    for (const size_t most : {1000, 999, 64}) {
      Given source(texts, most);
      Gathered sink;
      encoder.encode(source, sink, options);
      EXPECT_EQ(sink.values, encoder.encode(texts, options)) << name << " by " << most;
      EXPECT_TRUE(sink.finished);
      ASSERT_EQ(sink.last.size(), (texts.size() + most - 1) / most);
      EXPECT_EQ(std::count(sink.last.begin(), sink.last.end(), true), 1);
      EXPECT_TRUE(sink.last.back());
      EXPECT_EQ(sink.hashes.front(), std::min(most, texts.size()));
      EXPECT_EQ(sink.hashes.back(), texts.size());
    }
  }
}

TEST(EncodeStream, cuts_at_chunks_and_tells_progress_of_the_whole) {
  Encoder encoder(model::load_model(kStreamModels / "mean-gelu"), compute::test_engine(2));
  for (const size_t count : {size_t{0}, size_t{1}, kChunk, kChunk + 1}) {
    Given source(numbered(count));
    Gathered sink;
    std::vector<size_t> done;
    EncodeOptions options;
    options.progress = [&](size_t texts, size_t total) {
      done.push_back(texts);
      EXPECT_EQ(total, count);
    };
    encoder.encode(source, sink, options);
    EXPECT_EQ(sink.hashes.size(), (count + kChunk - 1) / kChunk) << count;
    EXPECT_EQ(sink.values.size(), count * 32);
    EXPECT_TRUE(sink.finished);
    EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
    if (count > 0) {
      EXPECT_EQ(done.back(), count);
    }
  }
}

// A device of its own has the next chunk tokenized meanwhile.
TEST(EncodeStream, is_the_same_on_an_engine_that_computes_elsewhere) {
  const auto model = model::load_model(kStreamModels / "mean-gelu");
  const auto texts = numbered(700);
  const auto expected = Encoder(model, compute::test_engine(2)).encode(texts);
  compute::LateOptions late;
  late.memory = uint64_t{1} << 34;
  Given source(texts, 100);
  Gathered sink;
  Encoder(model, std::make_shared<compute::LateEngine>(compute::test_engine(2), late)).encode(source, sink);
  EXPECT_EQ(sink.values, expected);
  EXPECT_EQ(sink.hashes.size(), 7U);
}

TEST(EncodeStream, what_a_source_or_a_sink_throws_ends_it) {
  struct BadSource final : TextSource {
    int calls = 0;
    bool next(TextBlock& block, size_t) override {
      if (++calls == 3) fail("the third block");
      block.texts = {"a", "b"};
      return true;
    }
    size_t count() const override { return 0; }
  };
  struct FullSink final : VectorSink {
    void write(std::span<const float>, uint64_t, bool) override { fail("full"); }
    void finish() override {}
  };
  compute::LateOptions late;
  late.memory = uint64_t{1} << 34;
  const auto model = model::load_model(kStreamModels / "mean-gelu");
  const auto engine = compute::test_engine(2);
  for (const std::shared_ptr<compute::Engine>& e :
       {engine, std::shared_ptr<compute::Engine>(std::make_shared<compute::LateEngine>(engine, late))}) {
    Encoder encoder(model, e);
    BadSource bad;
    Gathered sink;
    EXPECT_EQ(message_of([&] { encoder.encode(bad, sink); }), "the third block");
    EXPECT_FALSE(sink.finished);
    Given source(numbered(10));
    FullSink full;
    EXPECT_EQ(message_of([&] { encoder.encode(source, full); }), "full");
  }
}

TEST(TextFile, gives_the_texts_of_a_file_by_blocks) {
  TempFolder folder;
  folder.write("t.csv", "n,text\n1,one\n2,two\n3,three\n");
  TextFile file(folder / "t.csv", text_options(""));
  EXPECT_EQ(file.count(), 0U) << "not known yet";
  file.check();
  EXPECT_EQ(file.count(), 3U);
  TextBlock block;
  ASSERT_TRUE(file.next(block, 2));
  EXPECT_EQ(block.texts, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(block.first, 0U);
  const uint64_t of_two = block.hash;
  ASSERT_TRUE(file.next(block, 2));
  EXPECT_EQ(block.texts, std::vector<std::string>{"three"});
  EXPECT_EQ(block.first, 2U);
  EXPECT_NE(block.hash, of_two);
  const uint64_t of_three = block.hash;
  EXPECT_FALSE(file.next(block, 2));
  // However the same texts lie in files and are cut.
  folder.write("t.txt", "one\ntwo\nthree\nfour\n");
  TextFile lines(folder / "t.txt", text_options(""));
  ASSERT_TRUE(lines.next(block, 3));
  EXPECT_EQ(block.hash, of_three);
}

TEST(TextFile, finds_a_bad_row_beforehand) {
  TempFolder folder;
  folder.write("t.csv", "text\none\ntwo,2\n");
  TextFile file(folder / "t.csv", text_options(""));
  EXPECT_NE(message_of([&] { file.check(); }).find("t.csv:3: found 2 fields"), std::string::npos);
  EXPECT_THROW(TextFile(folder / "none.csv", text_options("")), Error);
  EXPECT_THROW(TextFile("-", text_options("", "xml")), Error);
}

}  // namespace
}  // namespace hone::encode
