// Folders that load_model() must refuse, each with a line that names the file and what is wrong in it.
#include <algorithm>

#include "tests/model/helpers.h"

namespace hone::model {
namespace {

using hone::testing::expect_error;
using hone::testing::fixture_model;
using hone::testing::ModelFolder;
using hone::testing::TempFolder;
namespace fs = std::filesystem;
using Json = nlohmann::json;

const char* const kWords = "embeddings.word_embeddings.weight";

TEST(LoadModelRefuses, MissingFolders) {
  TempFolder folder;
  expect_error([&] { load_model(folder / "none"); }, {"no folder", "none"});
  expect_error([&] { load_model(folder / "no" / "none"); }, {"no folder", "none"});
  folder.write("file", "");
  expect_error([&] { load_model(folder / "file"); }, {"not a folder"});
  expect_error([&] { load_model(folder.path()); }, {"neither modules.json nor config.json"});
  expect_error([&] { load_model(""); }, {"no folder"});
}

TEST(LoadModelRefuses, MissingFiles) {
  for (const char* name : {"config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json",
                           "1_Pooling", "2_Dense/config.json", "2_Dense/model.safetensors"}) {
    ModelFolder model("dense-tanh");
    model.remove(name);
    model.expect_refused({name});
  }
}

TEST(LoadModelRefuses, Adapters) {
  for (const char* name : {"adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"}) {
    ModelFolder model("mean-gelu");
    model.write(name, "{}");
    model.expect_refused(
        {name, "an adapter (PEFT, LoRA) found", "merge_and_unload()", "open what was saved"});
  }
  // Also where it lies alone, as a training of adapters saves it.
  TempFolder alone;
  alone.write("adapter_config.json", "{}");
  expect_error([&] { load_model(alone.path()); }, {"adapter_config.json", "merge_and_unload()"});
}

TEST(LoadModelRefuses, FoldersInPlaceOfFiles) {
  for (const char* name :
       {"config.json", "tokenizer.json", "model.safetensors", "modules.json", "tokenizer_config.json",
        "sentence_bert_config.json", "config_sentence_transformers.json"}) {
    ModelFolder model("mean-gelu");
    model.remove(name);
    fs::create_directory(model / name);
    model.expect_refused({name});
  }
}

TEST(LoadModelRefuses, BrokenJson) {
  for (const char* name :
       {"config.json", "tokenizer.json", "modules.json", "tokenizer_config.json", "sentence_bert_config.json",
        "config_sentence_transformers.json", "1_Pooling/config.json", "2_Dense/config.json"}) {
    ModelFolder model("dense-tanh");
    std::string whole = model.read(name);
    for (const std::string& bad : {std::string(), whole.substr(0, whole.size() / 2), std::string("[1, 2"),
                                   std::string(100'000, '['), std::string("\x00\x01", 2), std::string("7")}) {
      model.write(name, bad);
      model.expect_refused({name});
    }
  }
}

TEST(LoadModelRefuses, FilesThatAreTooLarge) {
  ModelFolder model("mean-gelu");
  fs::resize_file(model / "config.json", uint64_t{1} << 40);
  model.expect_refused({"config.json", "larger than"});
}

TEST(LoadModelRefuses, WeightsInOtherForms) {
  ModelFolder model("mean-gelu");
  model.remove("model.safetensors");
  model.write("pytorch_model.bin", "x");
  model.expect_refused({"pytorch_model.bin", "sentence-transformers", "save"});
  model.write("model.safetensors.index.json", "{}");
  model.expect_refused({"model.safetensors.index.json", "single file"});
}

TEST(LoadModelRefuses, BrokenWeights) {
  ModelFolder model("mean-gelu");
  std::string whole = model.read("model.safetensors");
  for (size_t size : {size_t{0}, size_t{7}, size_t{8}, size_t{100}, whole.size() - 1}) {
    model.write("model.safetensors", whole.substr(0, size));
    model.expect_refused({"model.safetensors"});
  }
}

TEST(LoadModelRefuses, MissingAndMisshapenTensors) {
  ModelFolder model("mean-gelu");
  std::string whole = model.read("model.safetensors");
  auto names = model.load()->tensors;
  for (const HostTensor& tensor : names) {
    model.write("model.safetensors", whole);
    model.edit_tensors([&](std::vector<RawTensor>& tensors) {
      std::erase_if(tensors, [&](const RawTensor& t) { return t.name == tensor.name; });
    });
    model.expect_refused({"model.safetensors", cat("\"", tensor.name, "\" is missing")});
    model.write("model.safetensors", whole);
    model.edit_tensors([&](std::vector<RawTensor>& tensors) {
      for (auto& t : tensors) {
        if (t.name == tensor.name) t.shape.push_back(1);
      }
    });
    model.expect_refused({"model.safetensors", cat("\"", tensor.name, "\""), "shape", "expected ["});
  }
}

TEST(LoadModelRefuses, TensorsOfAnotherType) {
  ModelFolder model("mean-gelu");
  model.edit_tensors([](std::vector<RawTensor>& tensors) {
    for (auto& tensor : tensors) {
      if (tensor.name == kWords) tensor.dtype_name = "I32";
    }
  });
  model.expect_refused({"model.safetensors", kWords, "I32", "floating-point"});
}

TEST(LoadModelRefuses, TensorsThatConfigDoesNotKnow) {
  float one = 1;
  auto bytes = std::as_bytes(std::span(&one, 1));
  for (const char* name : {"encoder.layer.7.output.dense.bias", "embeddings.extra"}) {
    ModelFolder model("mean-gelu");
    model.edit_tensors([&](std::vector<RawTensor>& tensors) {
      tensors.push_back({name, "F32", {1}, bytes});
    });
    model.expect_refused({name, "config.json"});
  }
  ModelFolder model("mean-gelu");
  model.edit_tensors([&](std::vector<RawTensor>& tensors) {
    tensors.push_back({"bert.pooler.dense.bias", "F32", {1}, bytes});
  });
  model.expect_refused({"pooler.dense.bias", "twice"});
}

TEST(LoadModelRefuses, SizesThatDoNotFit) {
  const std::pair<const char*, int> changes[] = {{"hidden_size", 64},      {"num_hidden_layers", 3},
                                                 {"num_hidden_layers", 1}, {"intermediate_size", 65},
                                                 {"vocab_size", 400},      {"max_position_embeddings", 65},
                                                 {"type_vocab_size", 3}};
  for (auto [key, value] : changes) {
    ModelFolder model("mean-gelu");
    model.set("config.json", key, value);
    model.expect_refused({"model.safetensors", "tensor"});
  }
  ModelFolder model("mean-gelu");
  model.set("config.json", "hidden_size", 2147483648);
  model.expect_refused({"config.json", "hidden_size is 2147483648"});
  model.set("config.json", "hidden_size", 32);
  model.set("config.json", "num_attention_heads", 5);
  model.expect_refused({"config.json", "num_attention_heads"});
}

TEST(LoadModelRefuses, DenseThatDoesNotFit) {
  ModelFolder model("dense-tanh");
  std::string config = model.read("2_Dense/config.json");
  model.set("2_Dense/config.json", "in_features", 33);
  model.expect_refused({"2_Dense/config.json", "in_features is 33", "32"});
  model.write("2_Dense/config.json", config);
  model.set("2_Dense/config.json", "out_features", 25);
  model.expect_refused({"2_Dense/model.safetensors", "\"linear.weight\"", "[24, 32]", "[25, 32]"});
  model.write("2_Dense/config.json", config);
  model.set("2_Dense/config.json", "bias", false);
  model.expect_refused({"2_Dense/model.safetensors", "\"linear.bias\""});
  model.write("2_Dense/config.json", config);
  model.edit_tensors([](std::vector<RawTensor>& tensors) { tensors.pop_back(); },
                     "2_Dense/model.safetensors");
  model.expect_refused({"2_Dense/model.safetensors", "is missing"});
}

TEST(LoadModelRefuses, PathsThatLeaveTheFolder) {
  ModelFolder model("mean-gelu");
  fs::path outside = model.path().parent_path() / "outside";
  fs::copy(model / "1_Pooling", outside);
  model.edit("modules.json", [](Json& json) { json[1]["path"] = "../outside"; });
  model.expect_refused({"modules.json", "[1].path"});
  model.edit("modules.json", [&](Json& json) { json[1]["path"] = outside.string(); });
  model.expect_refused({"modules.json", "[1].path"});
  fs::create_directory_symlink(outside, model / "linked");
  model.edit("modules.json", [](Json& json) { json[1]["path"] = "linked"; });
  model.expect_refused({"modules.json", "linked", "leads out"});
}

TEST(LoadModel, FollowsLinksToFiles) {
  // Download caches keep each file elsewhere and link to it.
  ModelFolder model("mean-gelu");
  fs::path outside = model.path().parent_path() / "weights";
  fs::rename(model / "model.safetensors", outside);
  fs::create_symlink(outside, model / "model.safetensors");
  EXPECT_NO_THROW(model.load());
  fs::path link = model.path().parent_path() / "link";
  fs::create_directory_symlink(model.path(), link);
  EXPECT_NO_THROW(load_model(link));
}

TEST(LoadModelRefuses, LengthsBeyondThePositions) {
  ModelFolder model("mean-gelu");
  model.set("sentence_bert_config.json", "max_seq_length", 65);
  model.expect_refused({"sentence_bert_config.json", "max_seq_length is 65", "64"});
}

TEST(LoadModelRefuses, VocabulariesThatDoNotFit) {
  ModelFolder model("mean-gelu");
  model.edit("tokenizer.json", [](Json& json) { json["model"]["vocab"]["##toolarge"] = 388; });
  model.expect_refused({"tokenizer.json", "388", "vocab_size"});
}

TEST(LoadModelRefuses, ANormalizerThatTheReferenceWouldReplace) {
  ModelFolder model("mean-gelu");
  model.set("tokenizer_config.json", "do_lower_case", false);
  model.expect_refused({"tokenizer.json", "normalizer.lowercase"});
}

TEST(LoadModelRefuses, PromptsLeftOutOfThePooling) {
  ModelFolder model("lower-prompt");
  model.set("1_Pooling/config.json", "include_prompt", false);
  model.expect_refused({"1_Pooling/config.json", "include_prompt"});
  model.set("config_sentence_transformers.json", "prompts", {{"query", ""}});
  EXPECT_FALSE(model.load()->modules[0].include_prompt);
}

}  // namespace
}  // namespace hone::model
