#include <algorithm>
#include <cmath>
#include <fstream>

#include "tests/model/helpers.h"

namespace hone::model {
namespace {

using hone::testing::expect_error;
using hone::testing::fixture_model;
using hone::testing::ModelFolder;
using hone::testing::TempFolder;
namespace fs = std::filesystem;
using Json = nlohmann::json;

const char* const kWord = "embeddings.word_embeddings.weight";

std::vector<std::string> texts() {
  std::vector<std::string> all;
  std::ifstream file(fixture_model("texts.jsonl"));
  for (std::string line; std::getline(file, line);) all.push_back(Json::parse(line)["text"]);
  return all;
}

class EveryFixture : public ::testing::TestWithParam<const char*> {};

// The tokenizer with everything that bears on it: length, lower-casing, prompt, and its own truncation
// overridden.
TEST_P(EveryFixture, TokenizesAsTheReference) {
  auto model = load_model(fixture_model(GetParam()));
  auto expected = SafetensorsFile::open(fixture_model("expected.safetensors"));
  auto integers = [&](const char* what) {
    auto bytes = expected->raw(*expected->find(cat(GetParam(), ".", what)));
    std::vector<int32_t> values(bytes.size() / 4);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  };
  std::vector<int32_t> ids = integers("ids"), offsets = integers("offsets");
  std::vector<std::string> all = texts();
  ASSERT_EQ(offsets.size(), all.size() + 1);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(model->tokenizer->encode(model->prompt() + all[i]),
              std::vector<int32_t>(ids.begin() + offsets[i], ids.begin() + offsets[i + 1]))
        << "text " << i;
  }
  int32_t width = model->truncate_dim > 0 ? std::min(model->truncate_dim, model->dim()) : model->dim();
  EXPECT_EQ(expected->find(cat(GetParam(), ".vectors"))->shape[1], width);
}

TEST_P(EveryFixture, HasEveryTensor) {
  auto model = load_model(fixture_model(GetParam()));
  int64_t sum = 0;
  for (const HostTensor& tensor : model->tensors) {
    double square = 0;
    for (size_t i = 0; i < tensor.size; ++i) square += double(tensor.data[i]) * tensor.data[i];
    EXPECT_TRUE(std::isfinite(square) && square > 0) << tensor.name;
    sum += static_cast<int64_t>(tensor.size);
  }
  EXPECT_EQ(model->parameters(), sum);
  EXPECT_EQ(model->config.hidden_size, 32);
  EXPECT_EQ(model->tensors[0].name, kWord);
  EXPECT_EQ(&model->tensor(kWord), &model->tensors[0]);
  EXPECT_EQ(model->find("none"), nullptr);
  expect_error([&] { model->tensor("none"); }, {"\"none\""});
}

INSTANTIATE_TEST_SUITE_P(Models, EveryFixture,
                         ::testing::Values("mean-gelu", "cls-relu", "max", "mean-sqrt-len", "weighted-mean",
                                           "last-token", "concatenated", "dense-tanh", "float16", "bfloat16",
                                           "lower-prompt", "new-schema", "new-schema-list", "bare"),
                         hone::testing::fixture_name);

TEST(LoadModel, ReadsAModel) {
  auto model = load_model(fixture_model("mean-gelu"));
  EXPECT_EQ(model->folder, fixture_model("mean-gelu"));
  EXPECT_EQ(model->max_seq_length, 32);
  EXPECT_FALSE(model->do_lower_case);
  EXPECT_EQ(model->similarity, "cosine");
  EXPECT_EQ(model->dim(), 32);
  ASSERT_EQ(model->modules.size(), 2U);
  EXPECT_EQ(model->modules[0].pooling, std::vector{PoolingMode::mean});
  EXPECT_EQ(model->modules[1].kind, Module::Kind::normalize);
  ASSERT_EQ(model->unused.size(), 2U);
  EXPECT_EQ(model->unused[0].name, "pooler.dense.bias");
  EXPECT_TRUE(model->extra_files.contains("tokenizer_config.json"));
}

TEST(LoadModel, ReadsDense) {
  auto model = load_model(fixture_model("dense-tanh"));
  ASSERT_EQ(model->modules.size(), 3U);
  EXPECT_EQ(model->modules[1].activation, Activation::tanh);
  EXPECT_EQ(model->tensor("1.linear.weight").shape, (std::vector<int64_t>{24, 32}));
  EXPECT_EQ(model->tensor("1.linear.bias").shape, std::vector<int64_t>{24});
  EXPECT_EQ(model->tensors.back().name, "1.linear.bias");
  EXPECT_EQ(model->dim(), 24);
}

TEST(LoadModel, ReadsTheNewSchema) {
  auto model = load_model(fixture_model("new-schema-list"));
  EXPECT_EQ(model->modules[0].pooling, (std::vector{PoolingMode::mean, PoolingMode::cls}));
  EXPECT_FALSE(model->modules[1].bias);
  EXPECT_EQ(model->modules[1].activation, Activation::identity);
  EXPECT_EQ(model->truncate_dim, 16);
  EXPECT_EQ(model->dim(), 20);
  EXPECT_EQ(model->similarity, "euclidean");
  EXPECT_EQ(model->max_seq_length, 48);
}

TEST(LoadModel, ReadsPrompts) {
  auto model = load_model(fixture_model("lower-prompt"));
  EXPECT_EQ(model->prompt(), "Find: ");
  EXPECT_EQ(model->prompts.at("other"), "x ");
  EXPECT_TRUE(model->do_lower_case);
  EXPECT_EQ(load_model(fixture_model("mean-gelu"))->prompt(), "");
}

TEST(LoadModel, ReadsABareEncoder) {
  auto model = load_model(fixture_model("bare"));
  EXPECT_EQ(model->max_seq_length, 40);
  ASSERT_EQ(model->modules.size(), 1U);
  EXPECT_EQ(model->modules[0].pooling, std::vector{PoolingMode::mean});
  EXPECT_EQ(model->similarity, "cosine");
  for (const HostTensor& tensor : model->unused) EXPECT_EQ(tensor.name.substr(0, 4), "cls.");
  EXPECT_FALSE(model->unused.empty());
}

TEST(LoadModel, ConvertsHalfPrecision) {
  for (const char* name : {"float16", "bfloat16"}) {
    auto model = load_model(fixture_model(name));
    auto file = SafetensorsFile::open(fixture_model(name) / "model.safetensors");
    EXPECT_EQ(file->find(kWord)->dtype, name[0] == 'f' ? Dtype::f16 : Dtype::bf16);
    EXPECT_GT(std::fabs(model->tensors[0].data[0]), 1e-3F);
  }
}

TEST(LoadModel, LengthIsTheSmallerOfTokenizerAndPositions) {
  ModelFolder model("bare");
  model.set("tokenizer_config.json", "model_max_length", 1000);
  EXPECT_EQ(model.load()->max_seq_length, 64);
  model.set("tokenizer_config.json", "model_max_length", nullptr);
  EXPECT_EQ(model.load()->max_seq_length, 64);
  model.set("tokenizer_config.json", "model_max_length", 7);
  EXPECT_EQ(model.load()->max_seq_length, 7);
}

TEST(LoadModel, LengthOfTheOldSchemaWins) {
  ModelFolder model("mean-gelu");
  model.set("tokenizer_config.json", "model_max_length", 10);
  EXPECT_EQ(model.load()->max_seq_length, 32);
  model.remove("sentence_bert_config.json");
  EXPECT_EQ(model.load()->max_seq_length, 10);
  model.write("sentence_distilbert_config.json", R"({"max_seq_length": 20})");
  EXPECT_EQ(model.load()->max_seq_length, 20);
}

TEST(LoadModel, ReadsAnEncoderInAFolderOfItsOwn) {
  ModelFolder model("mean-gelu");
  fs::create_directory(model / "0_Transformer");
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
                           "sentence_bert_config.json"})
    fs::rename(model / name, model / "0_Transformer" / name);
  model.edit("modules.json", [](Json& json) { json[0]["path"] = "0_Transformer"; });
  EXPECT_EQ(model.load()->max_seq_length, 32);
}

TEST(LoadModel, NormalizeMayHaveAFolder) {
  ModelFolder model("mean-gelu");
  EXPECT_FALSE(fs::exists(model / "2_Normalize"));
  model.write("2_Normalize/config.json", "{}");
  EXPECT_NO_THROW(model.load());
  model.write("2_Normalize/config.json", R"({"module_input_name":"token_embeddings"})");
  model.expect_refused({"2_Normalize/config.json", "module_input_name"});
  model.edit("modules.json", [](Json& json) { json[2]["path"] = ""; });
  EXPECT_NO_THROW(model.load());
}

TEST(LoadModel, ReadsPrefixedAndVeryOldNames) {
  ModelFolder model("mean-gelu");
  auto before = model.load();
  model.edit_tensors([](std::vector<RawTensor>& tensors) {
    for (auto& tensor : tensors) {
      tensor.name = "bert." + tensor.name;
      if (tensor.name.ends_with("LayerNorm.weight")) tensor.name.replace(tensor.name.size() - 6, 6, "gamma");
      if (tensor.name.ends_with("LayerNorm.bias")) tensor.name.replace(tensor.name.size() - 4, 4, "beta");
    }
  });
  auto after = model.load();
  ASSERT_EQ(after->tensors.size(), before->tensors.size());
  for (size_t i = 0; i < after->tensors.size(); ++i) {
    EXPECT_EQ(after->tensors[i].name, before->tensors[i].name);
    EXPECT_TRUE(std::equal(after->tensors[i].data, after->tensors[i].data + after->tensors[i].size,
                           before->tensors[i].data));
  }
  EXPECT_EQ(after->unused.size(), 2U);
}

TEST(LoadModel, PoolerMayBeMissingAndBuffersAreDropped) {
  ModelFolder model("mean-gelu");
  std::vector<int64_t> positions(64);
  model.edit_tensors([&](std::vector<RawTensor>& tensors) {
    std::erase_if(tensors, [](const RawTensor& t) { return t.name.starts_with("pooler."); });
    tensors.insert(tensors.begin(),
                   {"embeddings.position_ids", "I64", {1, 64}, std::as_bytes(std::span(positions))});
  });
  EXPECT_TRUE(model.load()->unused.empty());
}

// --- copies ---

TEST(WithTensors, SharesEverythingElse) {
  auto model = load_model(fixture_model("mean-gelu"));
  std::vector<HostTensor> tensors = model->tensors;
  tensors[0] =
      HostTensor::owned(tensors[0].name, tensors[0].shape, std::vector<float>(tensors[0].size, 2.0F));
  auto other = model->with_tensors(tensors);
  EXPECT_EQ(other->tensor(kWord).data[5], 2.0F);
  EXPECT_NE(model->tensor(kWord).data[5], 2.0F);
  EXPECT_EQ(other->tensors[1].data, model->tensors[1].data);
  EXPECT_EQ(other->tokenizer, model->tokenizer);
}

TEST(WithTensors, RefusesOthers) {
  auto model = load_model(fixture_model("mean-gelu"));
  std::vector<HostTensor> tensors = model->tensors;
  std::swap(tensors[3], tensors[4]);
  expect_error([&] { model->with_tensors(tensors); }, {"LayerNorm.bias", "LayerNorm.weight"});
  tensors = model->tensors;
  tensors[0].shape = {32, 388};
  expect_error([&] { model->with_tensors(tensors); }, {"[32, 388]", "[388, 32]"});
  tensors.pop_back();
  expect_error([&] { model->with_tensors(tensors); }, {"37 tensors", "36"});
}

TEST(WithMaxSeqLength, TruncatesThere) {
  auto model = load_model(fixture_model("lower-prompt"));
  auto shorter = model->with_max_seq_length(5);
  EXPECT_EQ(shorter->max_seq_length, 5);
  EXPECT_EQ(shorter->tokenizer->encode("water water water water water").size(), 5U);
  EXPECT_EQ(shorter->tokenizer->encode("WATER"), model->tokenizer->encode("water"));
  EXPECT_EQ(model->tokenizer->encode("water water water water water").size(), 7U);
  EXPECT_EQ(model->with_max_seq_length(64)->max_seq_length, 64);
  for (int32_t n : {65, 2, 0, -1})
    expect_error([&] { model->with_max_seq_length(n); }, {cat("max_seq_length is ", n), "64"});
}

}  // namespace
}  // namespace hone::model
