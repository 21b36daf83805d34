#include "model/settings.h"

#include "model/json.h"
#include "tests/model/helpers.h"

namespace hone::model {
namespace {

using hone::testing::expect_error;

// --- sentence_bert_config.json ---

TransformerSettings transformer(const Json& json) {
  return parse_transformer_settings(json.dump(), "s.json");
}

TEST(TransformerSettingsFile, ReadsTheOldSchema) {
  auto settings = transformer({{"max_seq_length", 128}, {"do_lower_case", true}});
  EXPECT_EQ(settings.max_seq_length, 128);
  EXPECT_TRUE(settings.do_lower_case);
  EXPECT_EQ(transformer({{"max_seq_length", nullptr}}).max_seq_length, std::nullopt);
  EXPECT_FALSE(transformer(Json::object()).do_lower_case);
}

TEST(TransformerSettingsFile, ReadsTheNewSchema) {
  EXPECT_EQ(transformer({{"transformer_task", "feature-extraction"},
                         {"modality_config",
                          {{"text", {{"method", "forward"}, {"method_output_name", "last_hidden_state"}}}}},
                         {"module_output_name", "token_embeddings"},
                         {"unpad_inputs", true}})
                .max_seq_length,
            std::nullopt);
}

TEST(TransformerSettingsFile, RefusesWhatItCannotHonour) {
  auto refused = [](const char* key, const Json& value) {
    expect_error([&] { transformer({{key, value}}); }, {"s.json", key});
  };
  refused("max_seq_length", 2);
  refused("max_seq_length", 1e9);
  refused("max_seq_length", "128");
  refused("do_lower_case", 1);
  refused("transformer_task", "fill-mask");
  refused("module_output_name", "sentence_embedding");
  refused("modality_config", {{"image", {{"method", "forward"}}}});
  refused("modality_config", Json::object());
  refused("modality_config", {{"text", {{"method", "other"}}}});
  refused("modality_config", {{"text", {{"method_output_name", "pooler_output"}}}});
  refused("processing_kwargs", {{"text", {{"max_length", 8}}}});
  refused("query_length", 32);
  refused("query_expansion", {{"length", 32}});
  refused("tokenizer_name_or_path", "elsewhere");
  refused("tokenizer_args", {{"model_max_length", 8}});
  refused("config_kwargs", {{"num_hidden_layers", 1}});
  refused("unknown", 1);
  EXPECT_NO_THROW(
      transformer({{"model_args", {{"torch_dtype", "float16"}}}, {"processing_kwargs", Json::object()}}));
}

TEST(TransformerSettingsFile, WritesWhatItReads) {
  auto settings = parse_transformer_settings(transformer_settings_json(77, true), "s.json");
  EXPECT_EQ(settings.max_seq_length, 77);
  EXPECT_TRUE(settings.do_lower_case);
}

// --- tokenizer_config.json ---

TokenizerSettings tokenizer(const Json& json) {
  return parse_tokenizer_settings(json.dump(), "t.json");
}

TEST(TokenizerSettingsFile, ReadsTheLength) {
  EXPECT_EQ(tokenizer({{"model_max_length", 512}}).max_length, 512);
  EXPECT_EQ(tokenizer({{"max_len", 128}}).max_length, 128);
  EXPECT_EQ(tokenizer(Json::object()).max_length, std::nullopt);
  EXPECT_EQ(parse_tokenizer_settings(R"({"model_max_length":1000000000000000019884624838656})", "t.json")
                .max_length,
            std::nullopt);
  expect_error([] { tokenizer({{"model_max_length", 0}}); }, {"t.json", "model_max_length is 0"});
  expect_error([] { tokenizer({{"model_max_length", -5}}); }, {"model_max_length"});
  expect_error([] { tokenizer({{"model_max_length", "512"}}); }, {"a number"});
}

TEST(TokenizerSettingsFile, RefusesTruncationOnTheLeft) {
  expect_error([] { tokenizer({{"truncation_side", "left"}}); }, {"t.json", "truncation_side"});
}

void check(const Json& config, const Json& normalizer, const Json& truncation = nullptr,
           const char* pre_tokenizer = "BertPreTokenizer") {
  Json file = {{"model", {{"vocab", {{"a", 1}}}}},
               {"normalizer", normalizer},
               {"pre_tokenizer", {{"type", pre_tokenizer}}},
               {"truncation", truncation}};
  check_tokenizer(tokenizer(config), file.dump(), "tokenizer.json");
}

TEST(TokenizerSettingsFile, MustAgreeWithTheNormalizer) {
  auto normalizer = [](bool lower, const Json& strip = nullptr, bool chinese = true) {
    return Json{{"type", "BertNormalizer"},
                {"lowercase", lower},
                {"strip_accents", strip},
                {"handle_chinese_chars", chinese}};
  };
  const Json bert_class = {{"tokenizer_class", "BertTokenizer"}};
  EXPECT_NO_THROW(check(bert_class, normalizer(true)));
  EXPECT_NO_THROW(check(bert_class, normalizer(true, true)));
  EXPECT_NO_THROW(check({{"do_lower_case", false}}, normalizer(false)));
  EXPECT_NO_THROW(check({{"do_lower_case", false}, {"strip_accents", true}}, normalizer(false, true)));
  expect_error([&] { check(bert_class, normalizer(false)); },
               {"tokenizer.json", "normalizer.lowercase is false"});
  expect_error([&] { check(Json::object(), normalizer(false)); }, {"normalizer.lowercase"});
  expect_error(
      [&] {
        check({{"do_lower_case", false}}, normalizer(true));
      },
      {"normalizer.lowercase is true"});
  expect_error([&] { check(bert_class, normalizer(true, false)); }, {"normalizer.strip_accents"});
  expect_error(
      [&] {
        check({{"tokenize_chinese_chars", false}}, normalizer(true));
      },
      {"handle_chinese_chars"});
}

TEST(TokenizerSettingsFile, ABertTokenizerHasItsOwnParts) {
  const Json lower = {{"type", "BertNormalizer"}};
  EXPECT_NO_THROW(check(Json::object(), lower));
  expect_error(
      [&] {
        check(Json::object(), {{"type", "NFC"}});
      },
      {"tokenizer.json", "normalizer is", "BertNormalizer"});
  expect_error([&] { check(Json::object(), {{"type", 1}}); }, {"normalizer is"});
  expect_error([&] { check(Json::object(), "BertNormalizer"); }, {"normalizer is"});
  expect_error([&] { check(Json::object(), nullptr); }, {"normalizer is missing"});
  expect_error([&] { check(Json::object(), lower, nullptr, "Whitespace"); },
               {"pre_tokenizer is", "BertPreTokenizer"});
  expect_error(
      [&] {
        check(Json::object(), {{"type", "BertNormalizer"}, {"clean_text", false}});
      },
      {"clean_text"});
}

TEST(TokenizerSettingsFile, OtherClassesAreLeftAlone) {
  const Json other = {{"tokenizer_class", "PreTrainedTokenizerFast"}};
  EXPECT_NO_THROW(check(other, {{"type", "BertNormalizer"}, {"lowercase", false}}));
  EXPECT_NO_THROW(check(other, {{"type", "NFC"}}, nullptr, "Whitespace"));
  EXPECT_NO_THROW(check(other, nullptr));
}

TEST(TokenizerSettingsFile, ATokenizerThatTruncatesOnTheLeftIsRefused) {
  const Json other = {{"tokenizer_class", "PreTrainedTokenizerFast"}};
  EXPECT_NO_THROW(check(other, nullptr, {{"direction", "Right"}}));
  expect_error(
      [&] {
        check(other, nullptr, {{"direction", "Left"}});
      },
      {"tokenizer.json", "truncation.direction"});
}

// --- config_sentence_transformers.json ---

SentenceSettings sentence(const Json& json) {
  return parse_sentence_settings(json.dump(), "c.json");
}

TEST(SentenceSettingsFile, ReadsEverything) {
  auto settings = sentence({{"prompts", {{"query", "q: "}, {"none", nullptr}}},
                            {"default_prompt_name", "query"},
                            {"similarity_fn_name", "dot"},
                            {"truncate_dim", 64}});
  EXPECT_EQ(settings.prompts, (std::map<std::string, std::string>{{"query", "q: "}, {"none", ""}}));
  EXPECT_EQ(settings.default_prompt_name, "query");
  EXPECT_EQ(settings.similarity, "dot");
  EXPECT_EQ(settings.truncate_dim, 64);
}

TEST(SentenceSettingsFile, HasTheReferencesDefaults) {
  auto settings = sentence(
      {{"default_prompt_name", nullptr}, {"similarity_fn_name", nullptr}, {"truncate_dim", nullptr}});
  EXPECT_TRUE(settings.prompts.empty());
  EXPECT_EQ(settings.default_prompt_name, "");
  EXPECT_EQ(settings.similarity, "cosine");
  EXPECT_EQ(settings.truncate_dim, 0);
  EXPECT_NO_THROW(sentence({{"default_prompt_name", "document"}}));
}

TEST(SentenceSettingsFile, RefusesWhatItCannotHonour) {
  auto refused = [](const char* key, const Json& value) {
    expect_error([&] { sentence({{key, value}}); }, {"c.json", key});
  };
  refused("model_type", "SparseEncoder");
  refused("prompts", {{"a", 1}});
  refused("prompts", {1});
  refused("default_prompt_name", "other");
  refused("similarity_fn_name", "maxsim");
  refused("truncate_dim", 0);
  refused("truncate_dim", -3);
}

TEST(SentenceSettingsFile, KeepsOtherKeysWhenSaved) {
  SentenceSettings settings{{{"a", "b"}}, "a", "euclidean", 5};
  Json saved = Json::parse(sentence_settings_json(
      settings, R"({"__version__":{"pytorch":"1"},"requirements":{"x":"1"},"truncate_dim":9})", "c.json"));
  EXPECT_EQ(saved["__version__"]["pytorch"], "1");
  EXPECT_TRUE(saved["__version__"].contains("hone"));
  EXPECT_EQ(saved["requirements"]["x"], "1");
  EXPECT_EQ(saved["truncate_dim"], 5);
  auto read = sentence(saved);
  EXPECT_EQ(read.prompts, settings.prompts);
  EXPECT_EQ(read.default_prompt_name, "a");
  EXPECT_EQ(read.similarity, "euclidean");
  Json bare = Json::parse(sentence_settings_json({}, "", "c.json"));
  EXPECT_FALSE(bare.contains("truncate_dim"));
  EXPECT_TRUE(bare["default_prompt_name"].is_null());
}

}  // namespace
}  // namespace hone::model
