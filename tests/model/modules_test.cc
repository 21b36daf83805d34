#include "model/modules.h"

#include "model/json.h"
#include "tests/model/helpers.h"

namespace hone::model {
namespace {

using hone::testing::expect_error;

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

}  // namespace
}  // namespace hone::model
