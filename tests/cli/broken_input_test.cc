// Models and data that are missing or broken: exit code 1, one line that names the place, nothing left.
#include "tests/cli/program.h"

namespace hone::cli {
namespace {

struct Broken {
  const char* name;
  void (*spoil)(const TempFolder& folder, const fs::path& model);
  const char* message;  // behind the model's folder
};

void cut(const TempFolder& folder, const char* name, size_t bytes) {
  folder.write(std::string("model/") + name, folder.read(std::string("model/") + name).substr(0, bytes));
}

const Broken kBroken[] = {
    {"weights_cut_in_the_header",
     [](const TempFolder& folder, const fs::path&) { cut(folder, "model.safetensors", 1000); },
     "/model.safetensors: truncated"},
    {"weights_cut_in_the_data",
     [](const TempFolder& folder, const fs::path&) { cut(folder, "model.safetensors", 100000); },
     "/model.safetensors: tensor \""},
    {"weights_empty", [](const TempFolder& folder, const fs::path&) { cut(folder, "model.safetensors", 0); },
     "/model.safetensors: not a safetensors file"},
    {"weights_missing",
     [](const TempFolder&, const fs::path& model) { fs::remove(model / "model.safetensors"); },
     "/model.safetensors is missing"},
    {"weights_only_as_pickle",
     [](const TempFolder&, const fs::path& model) {
       fs::rename(model / "model.safetensors", model / "pytorch_model.bin");
     },
     "/model.safetensors is missing and pytorch_model.bin is not read"},
    {"config_cut", [](const TempFolder& folder, const fs::path&) { cut(folder, "config.json", 100); },
     "/config.json: not valid JSON"},
    {"config_of_another_kind",
     [](const TempFolder& folder, const fs::path&) { folder.write("model/config.json", "[1]"); },
     "/config.json: "},
    {"config_missing", [](const TempFolder&, const fs::path& model) { fs::remove(model / "config.json"); },
     "/config.json: No such file or directory"},
    {"tokenizer_cut", [](const TempFolder& folder, const fs::path&) { cut(folder, "tokenizer.json", 500); },
     "/tokenizer.json: "},
    {"tokenizer_of_another_kind",
     [](const TempFolder& folder, const fs::path&) { folder.write("model/tokenizer.json", "{}"); },
     "/tokenizer.json: "},
    {"tokenizer_missing",
     [](const TempFolder&, const fs::path& model) { fs::remove(model / "tokenizer.json"); },
     "/tokenizer.json is missing"},
    {"modules_cut", [](const TempFolder& folder, const fs::path&) { cut(folder, "modules.json", 50); },
     "/modules.json: not valid JSON"},
    {"pooling_missing", [](const TempFolder&, const fs::path& model) { fs::remove_all(model / "1_Pooling"); },
     "/1_Pooling/config.json: No such file or directory"},
    {"empty_folder",
     [](const TempFolder&, const fs::path& model) {
       fs::remove_all(model);
       fs::create_directory(model);
     },
     " holds neither modules.json nor config.json"},
    {"no_folder", [](const TempFolder&, const fs::path& model) { fs::remove_all(model); }, ""},
};

class BrokenModel : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenModel, is_one_line_from_every_command) {
  TempFolder folder;
  const fs::path model = folder / "model";
  fs::copy(kModel, model, fs::copy_options::recursive);
  GetParam().spoil(folder, model);
  folder.write("c.txt", "one\n");
  const auto before = folder.names();
  const std::string corpus = (folder / "c.txt").string(), out = (folder / "out").string();
  for (const Strings& command : {Strings{"info"},
                                 {"encode", "--input", corpus, "--out", out + ".npy"},
                                 {"eval", "--data", kPairs},
                                 {"nearest", "--corpus", corpus, "--query", "x"},
                                 {"train", "--data", kPairs, "--out", out, "--log", out + ".jsonl"}}) {
    Strings all = command;
    all.insert(all.end(), {"--model", model.string()});
    expect_error(hone(all), 1, model.string() + GetParam().message);
    EXPECT_EQ(folder.names(), before) << command[0];
  }
  Strings compare{"eval", "--data", kPairs, "--model", kModel, "--compare", model.string()};
  expect_error(hone(compare), 1, model.string() + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Models, BrokenModel, ::testing::ValuesIn(kBroken),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(BrokenData, is_one_line_with_its_place_and_leaves_nothing) {
  TempFolder folder;
  folder.write("empty.tsv", "");
  folder.write("header.tsv", "sentence1\tsentence2\tscore\n");
  folder.write("text.tsv", "sentence1\tsentence2\tscore\na\tb\thigh\n");
  folder.write("nan.tsv", "sentence1\tsentence2\tscore\na\tb\t1\na\tb\tnan\n");
  folder.write("latin.tsv", "sentence1\tsentence2\tscore\na\tb\t1\ncaf\xe9\tb\t1\n");
  folder.write("json.jsonl",
               "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"score\": 1}\n{\"sentence1\": \"a\n");
  folder.write("what.bin", "x");
  const auto before = folder.names();
  const std::string out = (folder / "out").string();
  auto line = [&](const std::string& name, const std::string& message) {
    const std::string path = (folder / name).string();
    for (const Strings& command :
         {Strings{"train", "--out", out, "--log", out + ".jsonl"}, Strings{"eval"}}) {
      Strings all = command;
      all.insert(all.end(), {"--model", kModel, "--data", path});
      expect_line(hone(all), 1,
                  message.starts_with(":") ? path + message : message + path + ": No such file or directory");
      EXPECT_EQ(folder.names(), before);
    }
  };
  line("empty.tsv", ": is empty");
  line("header.tsv", ": has no rows");
  line("text.tsv", ":2: column \"score\": found \"high\", expected a finite number");
  line("nan.tsv", ":3: column \"score\": found \"nan\", expected a finite number");
  line("latin.tsv", ":3: column \"sentence1\": found bytes that are not UTF-8 (at byte 4), expected a text");
  line("what.bin",
       ": found the ending \".bin\", expected .jsonl, .ndjson, .csv, .tsv or .txt, each also with .gz");
  line("missing.tsv", "cannot read ");
  expect_line(
      hone(train(folder / "out", {"--columns", "score=grade"})), 1,
      kPairs +
          ":1: no column \"grade\" for \"score\", the columns are \"sentence1\", \"sentence2\", \"score\"");
  expect_error(hone(train(folder / "out", {"--eval", (folder / "nan.tsv").string()})), 1,
               "nan.tsv:3: column");
  expect_error(hone(train(folder / "out", {"--data", (folder / "json.jsonl").string()})), 1,
               "json.jsonl:2: ");
  EXPECT_EQ(folder.names(), before);
}

}  // namespace
}  // namespace hone::cli
