#include "model/bert_config.h"
#include "model/json.h"
#include "model/modules.h"
#include "model/settings.h"
#include "tests/model/helpers.h"

namespace hone::model {
namespace {

using hone::testing::expect_error;

const Json kConfig = {{"model_type", "bert"},          {"vocab_size", 100},        {"hidden_size", 12},
                      {"num_hidden_layers", 2},        {"num_attention_heads", 3}, {"intermediate_size", 24},
                      {"max_position_embeddings", 16}, {"type_vocab_size", 2}};

Json config_with(const std::string& key, const Json& value) {
  Json config = kConfig;
  config[key] = value;
  return config;
}

BertConfig bert(const Json& config) {
  return parse_bert_config(config.dump(), "config.json");
}

void expect_bert_refused(const std::string& key, const Json& value) {
  expect_error([&] { bert(config_with(key, value)); }, {"config.json", key});
}

TEST(BertConfigFile, ReadsSizes) {
  BertConfig config = bert(kConfig);
  EXPECT_EQ(config.vocab_size, 100);
  EXPECT_EQ(config.hidden_size, 12);
  EXPECT_EQ(config.layers, 2);
  EXPECT_EQ(config.heads, 3);
  EXPECT_EQ(config.intermediate_size, 24);
  EXPECT_EQ(config.max_positions, 16);
  EXPECT_EQ(config.type_vocab_size, 2);
}

TEST(BertConfigFile, HasTheReferencesDefaults) {
  BertConfig config = bert(kConfig);
  EXPECT_EQ(config.activation, Activation::gelu);
  EXPECT_EQ(config.layer_norm_eps, 1e-12F);
  EXPECT_EQ(config.hidden_dropout, 0.1F);
  EXPECT_EQ(config.attention_dropout, 0.1F);
}

TEST(BertConfigFile, ReadsTheRest) {
  Json json = kConfig;
  json["layer_norm_eps"] = 1e-5;
  json["hidden_dropout_prob"] = 0;
  json["attention_probs_dropout_prob"] = 0.25;
  BertConfig config = bert(json);
  EXPECT_EQ(config.layer_norm_eps, 1e-5F);
  EXPECT_EQ(config.hidden_dropout, 0.0F);
  EXPECT_EQ(config.attention_dropout, 0.25F);
}

TEST(BertConfigFile, KnowsActivations) {
  EXPECT_EQ(bert(config_with("hidden_act", "gelu")).activation, Activation::gelu);
  EXPECT_EQ(bert(config_with("hidden_act", "gelu_new")).activation, Activation::gelu_tanh);
  EXPECT_EQ(bert(config_with("hidden_act", "gelu_pytorch_tanh")).activation, Activation::gelu_tanh);
  EXPECT_EQ(bert(config_with("hidden_act", "relu")).activation, Activation::relu);
  for (const char* other : {"silu", "gelu_fast", "GELU", ""}) expect_bert_refused("hidden_act", other);
  expect_bert_refused("hidden_act", 3);
}

TEST(BertConfigFile, RefusesOtherArchitectures) {
  expect_error([] { bert(config_with("model_type", "roberta")); }, {"model_type is \"roberta\"", "\"bert\""});
  Json none = kConfig;
  none.erase("model_type");
  expect_error([&] { bert(none); }, {"model_type is missing"});
  expect_bert_refused("position_embedding_type", "relative_key");
  expect_bert_refused("position_embedding_type", "alibi");
  expect_bert_refused("is_decoder", true);
  expect_bert_refused("add_cross_attention", true);
  expect_bert_refused("auto_map", {{"AutoModel", "x.Y"}});
  expect_bert_refused("quantization_config", {{"bits", 4}});
  expect_bert_refused("pruned_heads", {{"0", {1}}});
}

TEST(BertConfigFile, AcceptsWhatChangesNothing) {
  for (auto [key, value] : std::map<std::string, Json>{{"position_embedding_type", "absolute"},
                                                       {"is_decoder", false},
                                                       {"pruned_heads", Json::object()},
                                                       {"architectures", {"BertModel"}},
                                                       {"classifier_dropout", nullptr},
                                                       {"anything", {{"else", 1}}}})
    EXPECT_NO_THROW(bert(config_with(key, value))) << key;
}

TEST(BertConfigFile, RefusesAbsurdSizes) {
  for (const char* key : {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
                          "intermediate_size", "max_position_embeddings", "type_vocab_size"}) {
    for (const Json& value :
         {Json(0), Json(-1), Json(2147483648), Json(uint64_t{1} << 63), Json(1e30), Json(2.5), Json("12")})
      expect_bert_refused(key, value);
  }
  for (const char* key : {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
                          "intermediate_size", "max_position_embeddings"}) {
    Json config = kConfig;
    config.erase(key);
    expect_error([&] { bert(config); }, {key, "missing"});
  }
  expect_error([] { bert(config_with("num_attention_heads", 5)); },
               {"hidden_size is 12", "num_attention_heads, 5"});
  expect_bert_refused("layer_norm_eps", -1);
  expect_bert_refused("layer_norm_eps", 1);
  expect_bert_refused("hidden_dropout_prob", 1.0);
  expect_bert_refused("attention_probs_dropout_prob", -0.1);
}

TEST(BertConfigFile, ListsEveryTensor) {
  auto specs = encoder_tensors(bert(kConfig));
  ASSERT_EQ(specs.size(), 5U + 2 * 16);
  EXPECT_EQ(specs[0].name, "embeddings.word_embeddings.weight");
  EXPECT_EQ(specs[0].shape, (std::vector<int64_t>{100, 12}));
  EXPECT_EQ(specs.back().name, "encoder.layer.1.output.LayerNorm.bias");
  int64_t sum = 0;
  for (const auto& spec : specs) {
    int64_t size = 1;
    for (int64_t n : spec.shape) size *= n;
    sum += size;
  }
  EXPECT_EQ(sum, (100 + 16 + 2 + 2) * 12 + 2 * (4 * (12 * 12 + 12) + 24 * 12 + 24 + 12 * 24 + 12 + 4 * 12));
}

TEST(BertConfigFile, SaysFloat32WhenSaved) {
  std::string same = R"({"architectures":["X"],"torch_dtype":"float32"})";
  EXPECT_EQ(config_for_float32(same, "f"), same);
  EXPECT_EQ(config_for_float32("{}", "f"), "{}");
  Json changed =
      Json::parse(config_for_float32(R"({"dtype":"bfloat16","torch_dtype":"float16","a":[1]})", "f"));
  EXPECT_EQ(changed, (Json{{"dtype", "float32"}, {"torch_dtype", "float32"}, {"a", {1}}}));
}

// --- modules.json ---

Json entry(const std::string& type, const std::string& path) {
  static int name = 0;
  return {{"name", std::to_string(name++)}, {"path", path}, {"type", type}};
}

std::vector<ModuleEntry> modules(const Json& list) {
  return parse_modules(list.dump(), "modules.json");
}

const std::string kOld = "sentence_transformers.models.";

TEST(Modules, ReadsBothSchemas) {
  auto old_entries = modules({entry(kOld + "Transformer", ""), entry(kOld + "Pooling", "1_Pooling"),
                              entry(kOld + "Dense", "2_Dense"), entry(kOld + "Normalize", "3_Normalize")});
  auto new_entries =
      modules({entry("sentence_transformers.base.modules.transformer.Transformer", ""),
               entry("sentence_transformers.sentence_transformer.modules.pooling.Pooling", "1_Pooling"),
               entry("sentence_transformers.base.modules.dense.Dense", "2_Dense"),
               entry("sentence_transformers.base.modules.normalize.Normalize", "3_Normalize")});
  ASSERT_EQ(old_entries.size(), 4U);
  ASSERT_EQ(new_entries.size(), 4U);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(static_cast<size_t>(old_entries[i].kind), i);
    EXPECT_EQ(new_entries[i].kind, old_entries[i].kind);
    EXPECT_EQ(new_entries[i].path, old_entries[i].path);
  }
}

TEST(Modules, RefusesUnknownModulesByName) {
  for (const char* type :
       {"sentence_transformers.models.CNN", "sentence_transformers.models.WeightedLayerPooling",
        "sentence_transformers.models.CLIPModel", "my.package.Pooling", "Pooling", ""}) {
    expect_error(
        [&] {
          modules({entry(kOld + "Transformer", ""), entry(type, "1")});
        },
        {"modules.json", "[1].type", cat("\"", type, "\"")});
  }
  Json without = {{"path", ""}};
  expect_error([&] { modules(Json::array({without})); }, {"[0].type is missing"});
}

TEST(Modules, RefusesAnotherOrder) {
  Json t = entry(kOld + "Transformer", ""), p = entry(kOld + "Pooling", "p"), d = entry(kOld + "Dense", "d");
  expect_error([&] { modules({p, t}); }, {"[0].type", "Transformer as the first"});
  expect_error([&] { modules({t, d, p}); }, {"[1].type", "Pooling as the second"});
  expect_error([&] { modules({t, p, entry(kOld + "Pooling", "q")}); }, {"[2].type"});
  expect_error([&] { modules(Json::array({t})); }, {"ends after the Transformer"});
  expect_error([&] { modules(Json::array()); }, {"expected a list"});
  expect_error([&] { modules(Json::object()); }, {"expected a list"});
  expect_error([&] { modules({1, 2}); }, {"[0] is 1", "object"});
}

TEST(Modules, RefusesNamesTwiceAndArguments) {
  Json t = entry(kOld + "Transformer", ""), p = entry(kOld + "Pooling", "p");
  p["name"] = t["name"];
  expect_error([&] { modules({t, p}); }, {"[1].name"});
  p["name"] = "other";
  p["kwargs"] = {"task"};
  expect_error([&] { modules({t, p}); }, {"[1].kwargs"});
  p["kwargs"] = Json::array();
  EXPECT_NO_THROW(modules({t, p}));
}

TEST(Modules, RefusesPathsThatLeaveTheFolder) {
  for (const char* path : {"..", "../x", "a/../../x", "a/..", "/etc", "\\\\host\\x", "..\\x"})
    expect_error(
        [&] {
          modules({entry(kOld + "Transformer", ""), entry(kOld + "Pooling", path)});
        },
        {"modules.json", "[1].path", "stays inside"});
  expect_error(
      [&] {
        modules({entry(kOld + "Transformer", ""), entry(kOld + "Pooling", std::string("a\0b", 3))});
      },
      {"[1].path"});
  expect_error([&] { modules({{{"type", kOld + "Transformer"}, {"path", 1}}}); }, {"[0].path", "a string"});
}

Module pooling(const Json& config) {
  return parse_pooling(config.dump(), "p.json", 8);
}

TEST(Pooling, ReadsEveryModeOfBothSchemas) {
  const std::pair<const char*, const char*> names[] = {
      {"pooling_mode_cls_token", "cls"},
      {"pooling_mode_max_tokens", "max"},
      {"pooling_mode_mean_tokens", "mean"},
      {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"},
      {"pooling_mode_weightedmean_tokens", "weightedmean"},
      {"pooling_mode_lasttoken", "lasttoken"}};
  for (size_t i = 0; i < std::size(names); ++i) {
    std::vector<PoolingMode> expected{static_cast<PoolingMode>(i)};
    EXPECT_EQ(pooling({{"word_embedding_dimension", 8}, {names[i].first, true}}).pooling, expected);
    EXPECT_EQ(pooling({{"embedding_dimension", 8}, {"pooling_mode", names[i].second}}).pooling, expected);
    EXPECT_EQ(pooling({{"embedding_dimension", 8}, {"pooling_mode", {names[i].second}}}).pooling, expected);
  }
}

TEST(Pooling, ConcatenatesInTheReferencesOrder) {
  EXPECT_EQ(pooling({{"word_embedding_dimension", 8},
                     {"pooling_mode_mean_tokens", true},
                     {"pooling_mode_cls_token", true}})
                .pooling,
            (std::vector{PoolingMode::cls, PoolingMode::mean}));
  EXPECT_EQ(pooling({{"embedding_dimension", 8}, {"pooling_mode", {"mean", "cls"}}}).pooling,
            (std::vector{PoolingMode::mean, PoolingMode::cls}));
}

TEST(Pooling, NothingSaidMeansTheMean) {
  EXPECT_EQ(pooling({{"word_embedding_dimension", 8}}).pooling, std::vector{PoolingMode::mean});
  EXPECT_EQ(pooling({{"word_embedding_dimension", 8}, {"pooling_mode_cls_token", false}}).pooling,
            std::vector{PoolingMode::mean});
}

TEST(Pooling, TheNewKeyWins) {
  EXPECT_EQ(pooling({{"embedding_dimension", 8}, {"pooling_mode", "max"}, {"pooling_mode_cls_token", true}})
                .pooling,
            std::vector{PoolingMode::max});
}

TEST(Pooling, RefusesWhatItDoesNotKnow) {
  auto refused = [](const Json& config, std::initializer_list<std::string_view> words) {
    expect_error([&] { pooling(config); }, words);
  };
  refused({{"word_embedding_dimension", 9}}, {"p.json", "word_embedding_dimension is 9", "hidden_size", "8"});
  refused({{"embedding_dimension", 9}}, {"embedding_dimension is 9"});
  refused(Json::object(), {"word_embedding_dimension is missing"});
  refused({{"embedding_dimension", 8}, {"pooling_mode", "median"}}, {"pooling_mode is \"median\""});
  refused({{"embedding_dimension", 8}, {"pooling_mode", 1}}, {"pooling_mode is 1"});
  refused({{"embedding_dimension", 8}, {"pooling_mode", Json::array()}}, {"at least one"});
  refused({{"embedding_dimension", 8}, {"pooling_mode", {"cls", "cls"}}}, {"at most once"});
  refused({{"embedding_dimension", 8}, {"pooling_mode", {{"cls"}}}}, {"pooling_mode"});
  refused({{"word_embedding_dimension", 8}, {"pooling_mode_mean_tokens", 1}}, {"true or false"});
  refused({{"word_embedding_dimension", 8}, {"pooling_mode_new", true}},
          {"pooling_mode_new is not a setting"});
}

Module dense(const Json& config) {
  return parse_dense(config.dump(), "d.json");
}

TEST(Dense, ReadsItsSettings) {
  Module module = dense({{"in_features", 8}, {"out_features", 4}});
  EXPECT_EQ(module.kind, Module::Kind::dense);
  EXPECT_EQ(module.in_features, 8);
  EXPECT_EQ(module.out_features, 4);
  EXPECT_TRUE(module.bias);
  EXPECT_EQ(module.activation, Activation::tanh);
  EXPECT_FALSE(dense({{"in_features", 8}, {"out_features", 4}, {"bias", false}}).bias);
}

TEST(Dense, KnowsActivations) {
  auto activation = [](const char* name) {
    return dense({{"in_features", 8}, {"out_features", 4}, {"activation_function", name}}).activation;
  };
  EXPECT_EQ(activation("torch.nn.modules.activation.Tanh"), Activation::tanh);
  EXPECT_EQ(activation("torch.nn.modules.linear.Identity"), Activation::identity);
  EXPECT_EQ(activation("torch.nn.modules.activation.GELU"), Activation::gelu);
  EXPECT_EQ(activation("torch.nn.modules.activation.ReLU"), Activation::relu);
  for (const char* other : {"torch.nn.modules.activation.SiLU", "my.code.Tanh", "Tanh", ""})
    expect_error([&] { activation(other); }, {"d.json", "activation_function", other});
}

TEST(Dense, RefusesWhatItDoesNotKnow) {
  auto refused = [](const char* key, const Json& value) {
    Json config = {{"in_features", 8}, {"out_features", 4}};
    config[key] = value;
    expect_error([&] { dense(config); }, {"d.json", key});
  };
  refused("in_features", 0);
  refused("in_features", nullptr);
  refused("out_features", 2147483648);
  refused("bias", "yes");
  refused("use_residual", true);
  refused("module_input_name", "token_embeddings");
  refused("module_output_name", "other");
  refused("new_setting", 1);
  EXPECT_NO_THROW(dense({{"in_features", 8},
                         {"out_features", 4},
                         {"use_residual", false},
                         {"module_input_name", "sentence_embedding"},
                         {"module_output_name", nullptr}}));
}

TEST(Normalize, ChecksItsSettings) {
  EXPECT_NO_THROW(check_normalize("{}", "n.json"));
  EXPECT_NO_THROW(check_normalize(R"({"module_input_name":"sentence_embedding"})", "n.json"));
  expect_error([] { check_normalize(R"({"module_input_name":"token_embeddings"})", "n.json"); }, {"n.json"});
  expect_error([] { check_normalize(R"({"p":1})", "n.json"); }, {"n.json", "p "});
}

TEST(Modules, WritesWhatItReads) {
  std::vector<Module> list{
      {.kind = Module::Kind::pooling, .pooling = {PoolingMode::max, PoolingMode::last_token}},
      {.kind = Module::Kind::dense,
       .in_features = 16,
       .out_features = 3,
       .bias = false,
       .activation = Activation::gelu},
      {.kind = Module::Kind::normalize}};
  auto entries = parse_modules(modules_json(list), "modules.json");
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries[1].path, "1_Pooling");
  EXPECT_EQ(entries[2].path, "2_Dense");
  EXPECT_EQ(entries[3].path, "3_Normalize");
  EXPECT_NE(modules_json(list).find("\"sentence_transformers.models.Pooling\""), std::string::npos);
  EXPECT_EQ(parse_pooling(module_config_json(list[0], 8), "p", 8).pooling, list[0].pooling);
  Module read = parse_dense(module_config_json(list[1], 8), "d");
  EXPECT_EQ(read.in_features, 16);
  EXPECT_EQ(read.out_features, 3);
  EXPECT_FALSE(read.bias);
  EXPECT_EQ(read.activation, Activation::gelu);
  EXPECT_NO_THROW(check_normalize(module_config_json(list[2], 8), "n"));
}

TEST(Modules, WritesTheOldPoolingSchema) {
  Json config =
      Json::parse(module_config_json({.kind = Module::Kind::pooling, .pooling = {PoolingMode::mean}}, 8));
  EXPECT_EQ(config, (Json{{"word_embedding_dimension", 8},
                          {"pooling_mode_cls_token", false},
                          {"pooling_mode_max_tokens", false},
                          {"pooling_mode_mean_tokens", true},
                          {"pooling_mode_mean_sqrt_len_tokens", false},
                          {"pooling_mode_weightedmean_tokens", false},
                          {"pooling_mode_lasttoken", false},
                          {"include_prompt", true}}));
}

TEST(Modules, KeepsAnOrderThatTheOldSchemaCannotSay) {
  Module module{.kind = Module::Kind::pooling, .pooling = {PoolingMode::mean, PoolingMode::cls}};
  EXPECT_EQ(parse_pooling(module_config_json(module, 8), "p", 8).pooling, module.pooling);
}

TEST(Modules, RefusesToWriteTheTanhFormOfGelu) {
  Module module{.kind = Module::Kind::dense, .activation = Activation::gelu_tanh};
  expect_error([&] { module_config_json(module, 8); }, {"GELU"});
}

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
