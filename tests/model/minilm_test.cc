// The real model, where the machine has one: HONE_MODEL names a folder of all-MiniLM-L6-v2.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "model/sentence_model.h"
#include "tests/base/temp_folder.h"
#include "tests/reference_data.h"

namespace hone::model {
namespace {

namespace fs = std::filesystem;

class MiniLM : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = hone::testing::minilm();
    if (folder_.empty()) GTEST_SKIP() << hone::testing::kNoMiniLm << "a real model is NOT loaded";
    model_ = load_model(folder_);
  }
  fs::path folder_;
  std::shared_ptr<const SentenceModel> model_;
};

TEST_F(MiniLM, IsReadWhole) {
  EXPECT_EQ(model_->config.vocab_size, 30522);
  EXPECT_EQ(model_->config.hidden_size, 384);
  EXPECT_EQ(model_->config.layers, 6);
  EXPECT_EQ(model_->config.heads, 12);
  EXPECT_EQ(model_->max_seq_length, 256);
  EXPECT_EQ(model_->dim(), 384);
  EXPECT_EQ(model_->tensors.size(), 5U + 6U * 16U);
  EXPECT_EQ(model_->parameters(), 22'565'376);
  ASSERT_EQ(model_->modules.size(), 2U);
  EXPECT_EQ(model_->modules[0].pooling, std::vector{PoolingMode::mean});
  EXPECT_EQ(model_->modules[1].kind, Module::Kind::normalize);
  ASSERT_EQ(model_->unused.size(), 2U);
  EXPECT_EQ(model_->unused[0].name, "pooler.dense.bias");
  EXPECT_EQ(model_->tokenizer->encode("a"), (std::vector<int32_t>{101, 1037, 102}));
}

TEST_F(MiniLM, WeightsStayInTheFile) {
  for (const HostTensor& tensor : model_->tensors) {
    EXPECT_EQ(tensor.owner, model_->tensors[0].owner) << tensor.name;
    EXPECT_TRUE(std::any_of(tensor.data, tensor.data + tensor.size, [](float v) { return v != 0; }))
        << tensor.name;
  }
}

TEST_F(MiniLM, IsTheSameWhenSavedAndReadAgain) {
  hone::testing::TempFolder temporary;
  save_model(*model_, temporary / "saved", {});
  auto again = load_model(temporary / "saved");
  EXPECT_EQ(again->config_json, model_->config_json);
  EXPECT_EQ(again->tokenizer->json(), model_->tokenizer->json());
  EXPECT_EQ(again->extra_files, model_->extra_files);
  EXPECT_EQ(again->max_seq_length, model_->max_seq_length);
  ASSERT_EQ(again->modules.size(), model_->modules.size());
  auto same = [](const std::vector<HostTensor>& a, const std::vector<HostTensor>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(a[i].name, b[i].name);
      ASSERT_EQ(a[i].shape, b[i].shape);
      ASSERT_TRUE(std::equal(a[i].data, a[i].data + a[i].size, b[i].data)) << a[i].name;
    }
  };
  same(again->tensors, model_->tensors);
  same(again->unused, model_->unused);
}

}  // namespace
}  // namespace hone::model
