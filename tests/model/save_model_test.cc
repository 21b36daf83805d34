#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "model/model_card.h"
#include "tests/model/helpers.h"

namespace hone::model {
namespace {

using hone::testing::expect_error;
using hone::testing::fixture_model;
using hone::testing::ModelFolder;
using hone::testing::TempFolder;
namespace fs = std::filesystem;
using Json = nlohmann::json;

void expect_same(const HostTensor& a, const HostTensor& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.shape, b.shape);
  ASSERT_EQ(a.size, b.size);
  EXPECT_EQ(std::memcmp(a.data, b.data, a.size * sizeof(float)), 0) << a.name;
}

void expect_same(const SentenceModel& a, const SentenceModel& b) {
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (size_t i = 0; i < a.tensors.size(); ++i) expect_same(a.tensors[i], b.tensors[i]);
  ASSERT_EQ(a.unused.size(), b.unused.size());
  for (size_t i = 0; i < a.unused.size(); ++i) expect_same(a.unused[i], b.unused[i]);
  ASSERT_EQ(a.modules.size(), b.modules.size());
  for (size_t i = 0; i < a.modules.size(); ++i) {
    EXPECT_EQ(a.modules[i].kind, b.modules[i].kind);
    EXPECT_EQ(a.modules[i].pooling, b.modules[i].pooling);
    EXPECT_EQ(a.modules[i].include_prompt, b.modules[i].include_prompt);
    EXPECT_EQ(a.modules[i].out_features, b.modules[i].out_features);
    EXPECT_EQ(a.modules[i].bias, b.modules[i].bias);
    EXPECT_EQ(a.modules[i].activation, b.modules[i].activation);
  }
  EXPECT_EQ(a.config.activation, b.config.activation);
  EXPECT_EQ(a.config.layer_norm_eps, b.config.layer_norm_eps);
  EXPECT_EQ(a.max_seq_length, b.max_seq_length);
  EXPECT_EQ(a.do_lower_case, b.do_lower_case);
  EXPECT_EQ(a.prompts, b.prompts);
  EXPECT_EQ(a.default_prompt_name, b.default_prompt_name);
  EXPECT_EQ(a.similarity, b.similarity);
  EXPECT_EQ(a.truncate_dim, b.truncate_dim);
  EXPECT_EQ(a.extra_files, b.extra_files);
  EXPECT_EQ(a.tokenizer->json(), b.tokenizer->json());
  EXPECT_EQ(a.tokenizer->encode("The quick Brown fox"), b.tokenizer->encode("The quick Brown fox"));
}

class RoundTrip : public ::testing::TestWithParam<const char*> {};

TEST_P(RoundTrip, LoadsWhatItSaved) {
  TempFolder folder;
  auto model = load_model(fixture_model(GetParam()));
  save_model(*model, folder / "saved", {});
  auto again = load_model(folder / "saved");
  expect_same(*model, *again);
  // Saved once more, every file but the settings that gained a line is the same.
  save_model(*again, folder / "twice", {});
  for (const auto& entry : fs::recursive_directory_iterator(folder / "saved")) {
    if (!entry.is_regular_file()) continue;
    fs::path relative = fs::relative(entry.path(), folder.path());
    std::string other = (fs::path("twice") / fs::relative(entry.path(), folder / "saved")).string();
    EXPECT_EQ(folder.read(relative.string()), folder.read(other)) << relative;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, RoundTrip,
                         ::testing::Values("mean-gelu", "cls-relu", "mean-sqrt-len", "last-token",
                                           "concatenated", "dense-tanh", "float16", "bfloat16",
                                           "lower-prompt", "new-schema", "new-schema-list", "bare"),
                         hone::testing::fixture_name);

class Saved : public ::testing::Test {
 protected:
  void save(const char* fixture, const ModelCard& card = {}) {
    save_model(*load_model(fixture_model(fixture)), folder_ / "m", card);
  }
  Json json(const std::string& name) const { return Json::parse(folder_.read("m/" + name)); }
  std::string text(const std::string& name) const { return folder_.read("m/" + name); }
  TempFolder folder_;
};

TEST_F(Saved, HasTheseFilesAndNoOthers) {
  save("dense-tanh");
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"m"});
  EXPECT_EQ(folder_.names("m"), (std::vector<std::string>{
                                    "1_Pooling", "2_Dense", "3_Normalize", "README.md", "config.json",
                                    "config_sentence_transformers.json", "model.safetensors", "modules.json",
                                    "sentence_bert_config.json", "tokenizer.json", "tokenizer_config.json"}));
  EXPECT_EQ(folder_.names("m/2_Dense"), (std::vector<std::string>{"config.json", "model.safetensors"}));
}

TEST_F(Saved, IsTheOldSchema) {
  save("new-schema");
  Json modules = json("modules.json");
  ASSERT_EQ(modules.size(), 3U);
  EXPECT_EQ(
      modules[0],
      (Json{{"idx", 0}, {"name", "0"}, {"path", ""}, {"type", "sentence_transformers.models.Transformer"}}));
  EXPECT_EQ(modules[2]["type"], "sentence_transformers.models.Normalize");
  EXPECT_EQ(json("1_Pooling/config.json")["pooling_mode_mean_tokens"], true);
  EXPECT_EQ(json("sentence_bert_config.json"), (Json{{"max_seq_length", 48}, {"do_lower_case", false}}));
}

TEST_F(Saved, IsFloat32WithTheReferencesMetadata) {
  save("bfloat16");
  auto file = SafetensorsFile::open(folder_ / "m" / "model.safetensors");
  for (const auto& entry : file->entries()) EXPECT_EQ(entry.dtype_name, "F32") << entry.name;
  EXPECT_EQ(file->metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
  EXPECT_EQ(json("config.json")["dtype"], "float32");
  EXPECT_EQ(json("config.json")["architectures"], Json{"BertModel"});
}

TEST_F(Saved, KeepsConfigAndTokenizerAsRead) {
  save("mean-gelu");
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json"}) {
    TempFolder unused;
    std::ifstream file(fixture_model("mean-gelu") / name, std::ios::binary);
    EXPECT_EQ(text(name), std::string(std::istreambuf_iterator<char>(file), {})) << name;
  }
}

TEST_F(Saved, KeepsFilesThatBelongToTheTokenizer) {
  ModelFolder model("mean-gelu");
  model.write("vocab.txt", "[PAD]\n");
  model.write("special_tokens_map.json", "{}");
  model.write("added_tokens.json", "{\n}");
  model.write("other.bin", "x");
  save_model(*model.load(), folder_ / "m", {});
  EXPECT_EQ(text("vocab.txt"), "[PAD]\n");
  EXPECT_EQ(text("special_tokens_map.json"), "{}");
  EXPECT_EQ(text("added_tokens.json"), "{\n}");
  EXPECT_FALSE(fs::exists(folder_ / "m" / "other.bin"));
}

TEST_F(Saved, TakesOtherWeights) {
  auto model = load_model(fixture_model("dense-tanh"));
  std::vector<HostTensor> tensors;
  for (const HostTensor& t : model->tensors)
    tensors.push_back(HostTensor::owned(t.name, t.shape, std::vector<float>(t.size, 0.5F)));
  auto changed = model->with_tensors(tensors);
  save_model(*changed, folder_ / "m", {});
  expect_same(*changed, *load_model(folder_ / "m"));
}

TEST_F(Saved, TakesAnotherLength) {
  save_model(*load_model(fixture_model("new-schema"))->with_max_seq_length(9), folder_ / "m", {});
  EXPECT_EQ(load_model(folder_ / "m")->max_seq_length, 9);
}

TEST_F(Saved, ReplacesTheFolderItWasReadFrom) {
  ModelFolder model("mean-gelu");
  auto read = model.load();
  save_model(*read, model.path(), {});
  expect_same(*read, *model.load());  // `read` still shows the old file, which is gone by name
  EXPECT_TRUE(fs::exists(model / "README.md"));
}

TEST_F(Saved, LeavesNothingBehindWhenItFails) {
  auto model = load_model(fixture_model("mean-gelu"));
  folder_.write("file", "kept");
  expect_error([&] { save_model(*model, folder_ / "file", {}); }, {"file"});
  EXPECT_EQ(folder_.read("file"), "kept");
  auto broken = std::make_shared<SentenceModel>(*model);
  broken->modules.push_back({.kind = Module::Kind::dense, .activation = Activation::gelu_tanh});
  expect_error([&] { save_model(*broken, folder_ / "m", {}); }, {"GELU"});
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"file"});
}

// Whoever runs the tests: as root, every folder could be written.
class AsNobody {
 public:
  AsNobody() {
    if (geteuid() == 0) changed_ = seteuid(65534) == 0;
  }
  ~AsNobody() {
    if (changed_ && seteuid(0) != 0) std::abort();
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  bool changed_ = false;
};

TEST_F(Saved, RefusesAFolderThatCannotBeWritten) {
  auto model = load_model(fixture_model("mean-gelu"));
  fs::create_directory(folder_ / "locked");
  chmod(folder_.path().c_str(), 0755);
  chmod((folder_ / "locked").c_str(), 0555);
  {
    AsNobody nobody;
    expect_error([&] { save_model(*model, folder_ / "locked" / "m", {}); },
                 {"locked/m", "Permission denied"});
    expect_error([&] { write_model_files(*model, folder_ / "locked", {}); }, {"locked", "Permission denied"});
  }
  EXPECT_TRUE(folder_.names("locked").empty());
  folder_.write("file", "");
  expect_error([&] { save_model(*model, folder_ / "file" / "m", {}); }, {"file/m"});
}

// A limit on the size of a file stops writing half way, as a full disk does.
TEST_F(Saved, KeepsTheOldFolderWhenTheDiskIsFull) {
  save("mean-gelu");
  std::string before = text("model.safetensors");
  auto model = load_model(fixture_model("cls-relu"));
  auto old_handler = signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  rlimit small{before.size() / 2, old_limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_error([&] { save_model(*model, folder_ / "m", {}); }, {"model.safetensors"});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  signal(SIGXFSZ, old_handler);
  EXPECT_EQ(text("model.safetensors"), before);
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"m"});
}

TEST_F(Saved, WritesIntoAFolderThatIsThere) {
  fs::create_directory(folder_ / "into");
  auto model = load_model(fixture_model("concatenated"));
  write_model_files(*model, folder_ / "into", {});
  expect_same(*model, *load_model(folder_ / "into"));
  expect_error([&] { write_model_files(*model, folder_ / "none", {}); }, {"none"});
}

// --- the card ---

ModelCard full_card() {
  ModelCard card;
  card.base_model = "models/base";
  card.data = "pairs.jsonl, 120 rows";
  card.loss = "cosine similarity";
  card.settings = {{"Epochs", "3"}, {"Rate", "5e-05"}};
  card.scores = {{
                     "test.csv",
                     "spearman_cosine",
                     0.82031,
                     0.8567,
                 },
                 {"dev.csv", "pearson_dot", 0.5, 0.25}};
  return card;
}

TEST(ModelCard, StartsWithAHeader) {
  std::string text = model_card_text(*load_model(fixture_model("mean-gelu")), full_card());
  EXPECT_EQ(text.substr(0, 4), "---\n");
  size_t end = text.find("\n---\n", 4);
  ASSERT_NE(end, std::string::npos);
  std::string head = text.substr(0, end);
  for (const char* line : {"\nbase_model: \"base\"", "\nlibrary_name: sentence-transformers",
                           "\npipeline_tag: sentence-similarity", "\n- sentence-transformers", "\ntags:\n- "})
    EXPECT_NE(head.find(line), std::string::npos) << line;
}

TEST(ModelCard, ShowsTablesOfTrainingAndScores) {
  std::string text = model_card_text(*load_model(fixture_model("mean-gelu")), full_card());
  for (const char* row :
       {"| Base model | base |\n", "| Data | pairs.jsonl, 120 rows |\n", "| Loss | cosine similarity |\n",
        "| Epochs | 3 |\n", "| test.csv | spearman_cosine | 0.8203 | 0.8567 | +0.0364 |\n",
        "| dev.csv | pearson_dot | 0.5000 | 0.2500 | -0.2500 |\n", "| Pooling | mean, unit length |\n",
        "| Longest text | 32 tokens |\n"})
    EXPECT_NE(text.find(row), std::string::npos) << row;
}

TEST(ModelCard, LeavesOutWhatIsNotKnown) {
  std::string text = model_card_text(*load_model(fixture_model("mean-gelu")), {});
  for (const char* part : {"base_model", "## Training", "## Scores", "Data |", "Prompt"})
    EXPECT_EQ(text.find(part), std::string::npos) << part;
}

// Where a model lies on this machine is no business of whoever reads the card.
TEST(ModelCard, NamesTheBaseModelWithoutItsPlace) {
  auto model = load_model(fixture_model("mean-gelu"));
  auto text_for = [&](const char* path) {
    ModelCard card;
    card.base_model = path;
    return model_card_text(*model, card);
  };
  for (const char* path : {"base", "/srv/models/base", "./base/", "../there/base//"})
    EXPECT_EQ(text_for(path), text_for("base")) << path;
  EXPECT_NE(text_for("base").find("\nbase_model: \"base\"\n"), std::string::npos);
  for (const char* path : {".", "..", "../", "/"}) EXPECT_EQ(text_for(path), text_for("")) << path;
}

TEST(ModelCard, EscapesWhatComesFromOutside) {
  ModelCard card;
  card.base_model = "a\"b\n---\nx: |y\xff";
  card.settings = {{"k|k", "v\n| v |"}};
  card.scores = {{"d", "m", std::nan(""), 1.0}};
  std::string text = model_card_text(*load_model(fixture_model("mean-gelu")), card);
  EXPECT_NE(text.find("base_model: \"a\\\"b\\n---\\nx: |y"), std::string::npos);
  EXPECT_NE(text.find("| k\\|k | v \\| v \\| |"), std::string::npos);
  EXPECT_NE(text.find("| d | m | none | 1.0000 | none |"), std::string::npos);
}

TEST(ModelCard, TellsDimensionsAndPrompt) {
  std::string list = model_card_text(*load_model(fixture_model("new-schema-list")), {});
  EXPECT_NE(list.find("a vector of 16 numbers"), std::string::npos);
  EXPECT_NE(list.find("| Pooling | mean, cls, dense layer to 20 |"), std::string::npos);
  std::string prompt = model_card_text(*load_model(fixture_model("lower-prompt")), {});
  EXPECT_NE(prompt.find("| Prompt before each text | Find:  |"), std::string::npos);
}

}  // namespace
}  // namespace hone::model
