// Texts nearest to queries, against vectors of texts with their prompts written before them and top_k of
// those.
#include "search/nearest_texts.h"

#include <gtest/gtest.h>

#include "tests/compute/test_engine.h"
#include "tests/model/helpers.h"

namespace hone::search {
namespace {

using encode::PromptUse;
using testing::ModelFolder;
using Texts = std::vector<std::string>;

const Texts kTexts{"The horse wants hot tea", "A man sings a little song", "The old dog reads a long letter",
                   "My mother is swimming in the sea", "A black cat is playing a game"};
const Texts kAsked{"The woman reads a letter", "hot tea", "A man"};

class NearestTexts : public ::testing::Test {
 protected:
  std::shared_ptr<const model::SentenceModel> model(const std::string& similarity = "cosine") {
    folder.set("config_sentence_transformers.json", "prompts",
               {{"query", "Find: "}, {"corpus", "the text "}});
    folder.set("config_sentence_transformers.json", "similarity_fn_name", similarity);
    return folder.load();
  }
  std::vector<std::vector<Hit>> found(const model::SentenceModel& m, const Texts& queries,
                                      const Texts& corpus, int64_t top, PromptUse use = PromptUse::roles,
                                      int32_t dim = 0) {
    const auto shared = std::make_shared<const model::SentenceModel>(m);
    encode::Encoder encoder(shared, engine);
    NearestOptions options;
    options.top = top;
    options.prompts = use;
    options.dim = dim;
    size_t last = 0;
    options.progress = [&](size_t done, size_t total) {
      EXPECT_GT(done, last);
      EXPECT_LE(done, total);
      last = done;
    };
    return nearest_texts(queries, corpus, m, *engine, encoder, options);
  }
  // Of texts as they are, with no prompt of the model's.
  std::vector<std::vector<Hit>> expected(const std::string& similarity, const std::string& query,
                                         const std::string& document, int64_t top, int32_t dim = 0) {
    const auto plain = ModelFolder("mean-gelu").load();
    encode::Encoder encoder(plain, engine);
    Texts queries, corpus;
    for (const auto& text : kAsked) queries.push_back(query + text);
    for (const auto& text : kTexts) corpus.push_back(document + text);
    encode::EncodeOptions options;
    options.normalize = similarity == "cosine";
    options.dim = dim;
    const auto asked = encoder.encode(queries, options), there = encoder.encode(corpus, options);
    return top_k(asked, there, encoder.dim(options), top, nearness_of(similarity));
  }
  // The same order; scores are sums of 32 numbers made in another order.
  static void expect_same(const std::vector<std::vector<Hit>>& a, const std::vector<std::vector<Hit>>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t q = 0; q < a.size(); ++q) {
      ASSERT_EQ(a[q].size(), b[q].size());
      for (size_t i = 0; i < a[q].size(); ++i) {
        EXPECT_EQ(a[q][i].index, b[q][i].index);
        EXPECT_NEAR(a[q][i].score, b[q][i].score, 4e-6 * std::max(1.0F, std::abs(b[q][i].score)));
      }
    }
  }
  ModelFolder folder{"mean-gelu"};
  std::shared_ptr<compute::Engine> engine = compute::test_engine(2);
};

TEST_F(NearestTexts, are_found_with_the_prompts_of_their_roles) {
  for (const char* similarity : {"cosine", "dot", "euclidean", "manhattan"}) {
    const auto m = model(similarity);
    expect_same(found(*m, kAsked, kTexts, 3), expected(similarity, "Find: ", "the text ", 3));
    expect_same(found(*m, kAsked, kTexts, 3, PromptUse::none), expected(similarity, "", "", 3));
    expect_same(found(*m, kAsked, kTexts, 3, PromptUse::default_prompt), expected(similarity, "", "", 3));
  }
  EXPECT_NE(found(*model(), kAsked, kTexts, 1)[0][0].score,
            found(*model(), kAsked, kTexts, 1, PromptUse::none)[0][0].score);
}

TEST_F(NearestTexts, of_the_first_numbers_of_vectors) {
  expect_same(found(*model(), kAsked, kTexts, 2, PromptUse::none, 7), expected("cosine", "", "", 2, 7));
}

TEST_F(NearestTexts, count_a_repeated_text_once_at_its_first_place) {
  Texts corpus;
  for (const std::string& text : kTexts) corpus.insert(corpus.end(), 3, text);
  const auto once = found(*model(), kAsked, kTexts, 9), often = found(*model(), kAsked, corpus, 9);
  ASSERT_EQ(once.size(), often.size());
  for (size_t q = 0; q < once.size(); ++q) {
    ASSERT_EQ(often[q].size(), kTexts.size());
    for (size_t i = 0; i < once[q].size(); ++i) {
      EXPECT_EQ(often[q][i].index, 3 * once[q][i].index);
      EXPECT_EQ(often[q][i].score, once[q][i].score);
    }
  }
}

TEST_F(NearestTexts, of_nothing_are_none) {
  EXPECT_TRUE(found(*model(), {}, kTexts, 3).empty());
  const auto none = found(*model(), kAsked, {}, 3);
  ASSERT_EQ(none.size(), kAsked.size());
  for (const auto& hits : none) EXPECT_TRUE(hits.empty());
}

TEST_F(NearestTexts, are_at_least_one) {
  testing::expect_error([&] { found(*model(), kAsked, kTexts, 0); }, {"0 nearest asked for"});
}

}  // namespace
}  // namespace hone::search
