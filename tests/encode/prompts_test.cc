// Which prompt stands before which text, and that prompt and text are encoded as one text.
#include "encode/prompts.h"

#include <gtest/gtest.h>

#include "encode/encoder.h"
#include "tests/compute/test_engine.h"
#include "tests/model/helpers.h"

namespace hone::encode {
namespace {

using testing::ModelFolder;
using Prompts = std::map<std::string, std::string>;

model::SentenceModel with(Prompts prompts, std::string default_name = "") {
  model::SentenceModel model;
  model.prompts = std::move(prompts);
  model.default_prompt_name = std::move(default_name);
  return model;
}

TEST(Prompts, a_query_and_a_document_get_their_own) {
  const auto model = with({{"query", "q: "}, {"document", "d: "}, {"topic", "t: "}}, "topic");
  EXPECT_EQ(prompt_for(model, Role::query), "q: ");
  EXPECT_EQ(prompt_for(model, Role::document), "d: ");
  EXPECT_EQ(prompt_for(model, Role::none), "t: ");
  for (const Role role : {Role::none, Role::query, Role::document}) {
    EXPECT_EQ(prompt_for(model, role, PromptUse::none), "");
    EXPECT_EQ(prompt_for(model, role, PromptUse::default_prompt), "t: ");
  }
}

TEST(Prompts, the_default_prompt_is_neither_for_queries_nor_for_documents) {
  const auto model = with({{"topic", "t: "}}, "topic");
  EXPECT_EQ(prompt_for(model, Role::query), "");
  EXPECT_EQ(prompt_for(model, Role::document), "");
  EXPECT_EQ(prompt_for(with({}), Role::none), "");
}

TEST(Prompts, of_document_passage_and_corpus_the_first_that_is_not_empty) {
  const std::pair<Prompts, const char*> cases[] = {
      {{{"document", "d"}, {"passage", "p"}, {"corpus", "c"}}, "d"},
      {{{"document", ""}, {"passage", "p"}, {"corpus", "c"}}, "p"},
      {{{"passage", "p"}, {"corpus", "c"}}, "p"},
      {{{"passage", ""}, {"corpus", "c"}}, "c"},
      {{{"document", ""}, {"query", "q"}}, ""},
      {{{"documents", "x"}, {"Document", "y"}}, ""}};
  for (const auto& [prompts, expected] : cases)
    EXPECT_EQ(prompt_for(with(prompts), Role::document), expected);
}

TEST(Prompts, uses_have_names) {
  for (const char* name : {"none", "default", "roles"})
    EXPECT_EQ(prompt_use_name(parse_prompt_use(name)), name);
  testing::expect_error([] { parse_prompt_use("role"); },
                        {"prompts: \"role\" found", "none, default or roles"});
}

TEST(Prompts, are_told_by_what_they_come_to) {
  const auto model = with({{"query", "q: "}, {"topic", "t: "}}, "topic");
  EXPECT_EQ(use_of(model, {{"a", ""}, {"b", ""}}), "none");
  EXPECT_EQ(use_of(model, {{"a", "t: "}, {"b", "t: "}}), "default");
  EXPECT_EQ(use_of(model, {{"a", "q: "}, {"b", ""}}), "roles");
  EXPECT_EQ(use_of(with({}), {{"a", ""}}), "none");
}

TEST(Prompts, one_line_says_what_stands_where) {
  EXPECT_EQ(prompts_line({{"anchor", "q: "}, {"positive", "d: "}, {"negative", "d: "}}),
            "\"q: \" before anchor; \"d: \" before positive, negative");
  EXPECT_EQ(prompts_line({{"anchor", ""}, {"positive", ""}}), "none before anchor, positive");
  EXPECT_EQ(prompts_line({{"queries", "a\nb"}}).find('\n'), std::string::npos);
}

TEST(Prompts, are_found_by_name) {
  const auto model = with({{"query", "q: "}, {"empty", ""}});
  EXPECT_EQ(named_prompt(model, "query"), "q: ");
  EXPECT_EQ(named_prompt(model, "empty"), "");
  testing::expect_error([&] { named_prompt(model, "topic"); }, {"prompt: \"topic\" found", "empty, query"});
  testing::expect_error([&] { named_prompt(with({}), "topic"); }, {"has no prompts"});
}

class EncodedPrompts : public ::testing::Test {
 protected:
  EncodedPrompts() {
    folder.set("config_sentence_transformers.json", "prompts",
               {{"query", "Find: "}, {"document", "the text "}, {"topic", "A man "}});
    folder.set("config_sentence_transformers.json", "default_prompt_name", "topic");
    model = folder.load();
  }
  // The same weights without any prompt: the oracle.
  std::vector<float> plain(const std::string& prefix) const {
    std::vector<std::string> prefixed;
    for (const std::string& text : texts) prefixed.push_back(prefix + text);
    return Encoder(ModelFolder("mean-gelu").load(), engine).encode(prefixed);
  }
  EncodeOptions read(std::initializer_list<std::pair<const char*, const char*>> settings) const {
    config::Options options;
    for (const auto& [key, value] : settings) options.set(key, std::string_view(value));
    return encode_options(options, *model);
  }
  std::vector<float> encoded(std::initializer_list<std::pair<const char*, const char*>> settings) const {
    return Encoder(model, engine).encode(texts, read(settings));
  }
  ModelFolder folder{"mean-gelu"};
  std::shared_ptr<const model::SentenceModel> model;
  std::shared_ptr<compute::Engine> engine = compute::test_engine(2);
  const std::vector<std::string> texts{"The horse wants hot tea", "", "A man sings a little song"};
};

TEST_F(EncodedPrompts, stand_before_each_text) {
  EXPECT_EQ(encoded({}), plain("A man "));
  EXPECT_EQ(encoded({{"encode.role", "none"}}), plain("A man "));
  EXPECT_EQ(encoded({{"encode.role", "query"}}), plain("Find: "));
  EXPECT_EQ(encoded({{"encode.role", "document"}}), plain("the text "));
  EXPECT_EQ(encoded({{"encode.prompt", "document"}}), plain("the text "));
  EXPECT_EQ(encoded({{"encode.prompt", "none"}}), plain(""));
  EXPECT_NE(encoded({{"encode.role", "query"}}), plain(""));
}

TEST_F(EncodedPrompts, that_cannot_be_are_refused) {
  testing::expect_error(
      [&] {
        read({{"encode.prompt", "topics"}});
      },
      {"prompt: \"topics\" found", "document, query, topic"});
  testing::expect_error(
      [&] {
        read({{"encode.prompt", "topic"}, {"encode.role", "query"}});
      },
      {"prompt and role exclude each other"});
}

}  // namespace
}  // namespace hone::encode
