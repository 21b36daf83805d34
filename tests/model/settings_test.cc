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
