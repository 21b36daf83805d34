#include "model/bert_config.h"
#include "model/json.h"
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

}  // namespace
}  // namespace hone::model
