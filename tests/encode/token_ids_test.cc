// Token ids in one piece of memory, or in a temporary file.
#include "encode/token_ids.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "encode/encoder.h"
#include "tests/compute/test_engine.h"
#include "tests/places.h"

namespace hone::encode {
namespace {

using Ids = std::vector<int32_t>;

std::vector<Ids> many_texts(size_t count) {
  std::vector<Ids> texts(count);
  for (size_t i = 0; i < count; ++i) {
    for (size_t t = 0; t < i % 7; ++t) texts[i].push_back(static_cast<int32_t>(1000 * i + t));
  }
  return texts;
}

void expect_texts(const TokenIds& ids, const std::vector<Ids>& texts) {
  ASSERT_EQ(ids.size(), texts.size());
  Ids scratch;
  int64_t tokens = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(ids.length(i), texts[i].size());
    const auto found = ids.read(i, scratch);
    EXPECT_TRUE(std::equal(found.begin(), found.end(), texts[i].begin(), texts[i].end())) << i;
    tokens += static_cast<int64_t>(texts[i].size());
  }
  EXPECT_EQ(ids.tokens(), tokens);
}

TEST(TokenIds, gives_back_each_text_wherever_it_lies) {
  const std::vector<Ids> texts = many_texts(300'000);  // more than goes to the file at once
  for (const size_t limit : {size_t{0}, size_t{1}, size_t{4}, size_t{400}, size_t{1} << 21, SIZE_MAX}) {
    TokenIds ids(limit);
    for (const Ids& text : texts) ids.add(text);
    expect_texts(ids, texts);
    EXPECT_EQ(ids.in_file(), limit != SIZE_MAX);
  }
}

TEST(TokenIds, an_empty_one_and_empty_texts) {
  TokenIds none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.tokens(), 0);
  for (const size_t limit : {size_t{0}, SIZE_MAX}) {
    TokenIds ids(limit);
    ids.add({});
    ids.add({});
    expect_texts(ids, {{}, {}});
  }
}

TEST(TokenIds, another_order_is_that_of_all) {
  std::vector<Ids> texts = many_texts(50);
  for (const size_t limit : {size_t{0}, SIZE_MAX}) {
    TokenIds ids(limit);
    for (const Ids& text : texts) ids.add(text);
    std::vector<uint32_t> places;
    for (uint32_t i = 50; i > 0; --i) places.push_back(i - 1);
    ids.reorder(places);
    expect_texts(ids, {texts.rbegin(), texts.rend()});
  }
}

TEST(TokenIds, memory_is_what_is_counted) {
  TokenIds in_memory, in_file(1 << 20);
  const Ids text(20, 7);
  constexpr size_t kCount = 200'000;
  for (size_t i = 0; i < kCount; ++i) {
    in_memory.add(text);
    in_file.add(text);
  }
  EXPECT_GE(in_memory.bytes(), kCount * (8 + 20 * 4));
  EXPECT_LE(in_memory.bytes(), kCount * (8 + 2 * 20 * 4)) << "a vector grows to twice its size at the most";
  EXPECT_LE(in_file.bytes(), kCount * 8 + (4 << 20));
}

TEST(TokenIds, parts_of_them_are_encoded_as_their_texts) {
  const auto model = model::load_model(std::filesystem::path(testing::kFixtures) / "models" / "mean-gelu");
  const auto engine = compute::test_engine(2);
  Encoder encoder(model, engine);
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.push_back("text " + std::to_string(i * i));
  const std::vector<float> all = encoder.encode(texts);
  std::vector<PromptedText> prompted;
  for (const std::string& text : texts) prompted.push_back({"", text});
  for (const size_t limit : {size_t{0}, SIZE_MAX}) {
    TokenIds ids(limit);
    tokenize(*model, *engine, std::span(prompted).first(30), ids);
    tokenize(*model, *engine, std::span(prompted).subspan(30), ids);
    EXPECT_EQ(encoder.encode_ids(ids), all);
    const auto some = encoder.encode_ids(ids, 20, 50);
    EXPECT_EQ(some, std::vector<float>(all.begin() + 20 * 32, all.begin() + 70 * 32));
    EXPECT_TRUE(encoder.encode_ids(ids, 100, 0).empty());
  }
}

}  // namespace
}  // namespace hone::encode
