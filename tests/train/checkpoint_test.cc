// Resuming: a run of other settings, data or model is refused by name; a broken checkpoint with one line.
#include "train/checkpoint.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "tests/base/temp_folder.h"
#include "tests/train/small_run.h"

namespace hone::train {
namespace {

using nlohmann::json;
using testing::contents;
using testing::differences;
using testing::message_of;
using testing::pairs;
using testing::small_options;
using testing::stopping_after;
using testing::TempFolder;
using testing::train_small;

void expect_words(const std::string& message, std::initializer_list<std::string_view> words) {
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  for (std::string_view word : words)
    EXPECT_NE(message.find(word), std::string::npos) << "no \"" << word << "\" in: " << message;
}

// A run of small_options() from a copy of its model, stopped after step 7; the best step is 5.
class Stopped : public ::testing::Test {
 protected:
  Stopped() {
    fs::copy(testing::kModels / "mean-gelu", model(), fs::copy_options::recursive);
    run(OnExisting::refuse, 7);
    before_ = contents(out());
  }
  fs::path out() const { return folder_ / "out"; }
  fs::path model() const { return folder_ / "model"; }
  void run(OnExisting existing, int64_t stop = -1, data::Table train = pairs(), data::Table eval = pairs()) {
    const auto engine = compute::test_engine(1);
    Trainer trainer(model::load_model(model()), engine, std::move(train),
                    evaluation_of("sts", std::move(eval), engine), small_options());
    trainer.run(out(), existing, stopping_after(stop));
  }
  std::string refusal() {
    return message_of([&] { run(OnExisting::resume); });
  }

  // After `change`, resuming is refused with these words and leaves everything as it is.
  void expect_refused(const std::function<void()>& change, std::initializer_list<std::string_view> words) {
    change();
    const auto changed = contents(out());
    expect_words(refusal(), words);
    EXPECT_EQ(differences(contents(out()), changed), "");
    fs::remove_all(out());
    for (const auto& [name, bytes] : before_) folder_.write("out/" + name, bytes);
  }
  void expect_record_refused(const std::function<void(json&)>& change,
                             std::initializer_list<std::string_view> words) {
    expect_refused(
        [&] {
          json record = json::parse(folder_.read("out/checkpoint/state.json"));
          change(record);
          folder_.write("out/checkpoint/state.json", record.dump());
        },
        words);
  }
  // The tensors of a file of the checkpoint, changed.
  void edit_tensors(const std::string& name,
                    const std::function<void(std::vector<model::RawTensor>&)>& change) {
    const fs::path file = out() / "checkpoint" / name;
    const auto old = model::SafetensorsFile::open(file);
    std::vector<model::RawTensor> tensors;
    for (const auto& entry : old->entries())
      tensors.push_back({entry.name, entry.dtype_name, entry.shape, old->raw(entry)});
    change(tensors);
    model::write_safetensors(file, tensors, {});
  }
  // A JSON file of the base model, changed and put back after the test of it.
  void expect_model_refused(const std::string& name, const std::function<void(json&)>& change) {
    SCOPED_TRACE(name);
    const std::string old = folder_.read("model/" + name);
    json content = json::parse(old);
    change(content);
    folder_.write("model/" + name, content.dump());
    expect_words(refusal(), {"cannot resume", "model was weights with hash", " and is now "});
    folder_.write("model/" + name, old);
  }

  TempFolder folder_;
  std::map<std::string, std::string> before_;
};

TEST_F(Stopped, goes_on) {
  EXPECT_EQ(refusal(), "no error");
}

TEST_F(Stopped, with_other_settings_is_refused_by_their_names) {
  TrainOptions other = small_options();
  other.learning_rate = 2e-3;
  other.batch_size = 8;
  const std::string message = message_of([&] { train_small(out(), other, OnExisting::resume); });
  expect_words(message, {"lr was 0.001 and is now 0.002", "batch-size was 16 and is now 8"});
  for (const char* word : {"seed", "data", "model"}) EXPECT_EQ(message.find(word), std::string::npos);
}

TEST_F(Stopped, with_other_data_is_refused) {
  data::Table fewer =
      data::parse_table(testing::bytes_of(testing::kModels / "pairs.jsonl"), "pairs.jsonl", [] {
        data::ReadOptions options = testing::pair_roles();
        options.max_rows = 119;
        return options;
      }());
  data::Table changed =
      data::parse_table(testing::bytes_of(testing::kModels / "pairs.jsonl").replace(20, 1, "B"),
                        "pairs.jsonl", testing::pair_roles());
  for (const data::Table& table : {fewer, changed}) {
    std::string message = message_of([&] { run(OnExisting::resume, -1, table); });
    expect_words(message, {"cannot resume", ": data was 120 rows with hash "});
    message = message_of([&] { run(OnExisting::resume, -1, pairs(), table); });
    expect_words(message, {"cannot resume", ": eval data was sts of 120 pairs with hash "});
  }
  expect_words(message_of([&] { train_small(out(), small_options(), OnExisting::resume, 2, {}, false); }),
               {"eval data was sts of 120 pairs", "and is now none"});
  EXPECT_EQ(differences(contents(out()), before_), "");
}

TEST_F(Stopped, with_another_model_is_refused) {
  for (const char* key : {"hidden_dropout_prob", "attention_probs_dropout_prob", "layer_norm_eps"})
    expect_model_refused("config.json", [&](json& j) { j[key] = 0.01; });
  expect_model_refused("config.json", [](json& j) { j["hidden_act"] = "relu"; });
  expect_model_refused("1_Pooling/config.json", [](json& j) {
    j["pooling_mode_mean_tokens"] = false;
    j["pooling_mode_cls_token"] = true;
  });
  expect_model_refused("modules.json", [](json& j) { j.erase(2); });  // Normalize
  expect_model_refused("config_sentence_transformers.json", [](json& j) {
    j["prompts"] = {{"query", "query: "}};
    j["default_prompt_name"] = "query";
  });
  expect_model_refused("sentence_bert_config.json", [](json& j) { j["max_seq_length"] = 31; });
  expect_model_refused("tokenizer.json", [](json& j) { j["added_tokens"][4]["lstrip"] = true; });
  fs::remove(model() / "model.safetensors");
  auto tensors = model::load_model(testing::kModels / "mean-gelu")->tensors;
  std::vector<float> values(tensors[3].data, tensors[3].data + tensors[3].size);
  values[1] += 1;
  tensors[3] = model::HostTensor::owned(tensors[3].name, tensors[3].shape, values);
  std::vector<model::RawTensor> raw;
  for (const auto& t : tensors)
    raw.push_back({t.name, "F32", t.shape, std::as_bytes(std::span(t.data, t.size))});
  model::write_safetensors(model() / "model.safetensors", raw, {});
  expect_words(refusal(), {"cannot resume", "model was weights with hash"});
}

TEST_F(Stopped, with_a_broken_record_is_refused) {
  const auto text = [&](const std::string& content) {
    return [this, content] { folder_.write("out/checkpoint/state.json", content); };
  };
  const std::string whole = folder_.read("out/checkpoint/state.json");
  for (const std::string& content :
       {whole.substr(0, whole.size() / 2), std::string(), std::string("{"), std::string(8, '\0')})
    expect_refused(text(content), {"state.json: not valid JSON"});
  expect_refused(text("[]"), {"state.json: [] found, expected a JSON object"});
  expect_refused(text("{}"), {"state.json: version is missing"});
  expect_record_refused([](json& j) { j["version"] = 2; }, {"state.json: version 2 found, 1 expected"});
  expect_record_refused([](json& j) { j["settings"] = 3; }, {"state.json: settings is 3", "JSON object"});
  expect_record_refused([](json& j) { j["settings"]["lr"] = 1; }, {"state.json: settings.lr is 1", "a text"});
  expect_record_refused([](json& j) { j["settings"].erase("lr"); }, {"lr was none and is now 0.001"});
}

TEST_F(Stopped, with_a_step_that_cannot_be_is_refused) {
  const json wrong[] = {
      -1, -16, std::numeric_limits<int64_t>::min(), "4", 3.5, 1e30, 18446744073709551615U, json::array()};
  for (const json& step : wrong)
    expect_record_refused([&](json& j) { j["step"] = step; },
                          {"state.json: step is ", "expected an integer"});
  for (int64_t step : {int64_t{0}, int64_t{13}, std::numeric_limits<int64_t>::max()})
    expect_record_refused([&](json& j) { j["step"] = step; }, {"state.json: step is ", "expected 1 to 12"});
  expect_record_refused([](json& j) { j.erase("step"); }, {"state.json: step is missing"});
}

TEST_F(Stopped, with_evaluations_that_cannot_be_is_refused) {
  expect_record_refused([](json& j) { j.erase("before"); }, {"state.json: before is missing"});
  expect_record_refused([](json& j) { j["before"]["step"] = 3; },
                        {"state.json: before.step is 3, expected 0"});
  for (int64_t step : {0, 8})
    expect_record_refused([&](json& j) { j["best"]["step"] = step; },
                          {"state.json: best.step is ", "expected 1 to 7"});
  for (const char* report : {"before", "best"})
    expect_record_refused([&](json& j) { j[report]["metrics"].erase("spearman_cosine"); },
                          {"state.json: metric spearman_cosine is missing, expected a number"});
  expect_record_refused([](json& j) { j["best"]["metrics"]["pearson_dot"] = "high"; },
                        {"state.json: best.metrics.pearson_dot is \"high\", expected a number"});
  expect_record_refused([](json& j) { j["best"].erase("metrics"); }, {"state.json: best.metrics is missing"});
  expect_record_refused([](json& j) { j["best"]["low"] = true; }, {"state.json: best.low is true"});
  expect_record_refused([](json& j) { j["evaluation_due"] = 1; }, {"state.json: evaluation_due is 1"});
  // A metric that is no number is written as null.
  json record = json::parse(folder_.read("out/checkpoint/state.json"));
  record["best"]["metrics"]["pearson_dot"] = nullptr;
  folder_.write("out/checkpoint/state.json", record.dump());
  EXPECT_EQ(refusal(), "no error");
}

// As another build wrote it, which knows fewer metrics or more, and limits among the settings.
TEST_F(Stopped, with_other_metrics_goes_on_to_the_same_files) {
  run(OnExisting::resume);
  const auto whole = contents(out());
  for (const bool all_others : {false, true}) {
    fs::remove_all(out());
    for (const auto& [name, bytes] : before_) folder_.write("out/" + name, bytes);
    json record = json::parse(folder_.read("out/checkpoint/state.json"));
    for (const char* report : {"before", "best"}) {
      json& metrics = record[report]["metrics"];
      metrics["of_a_later_build"] = 0.5;
      for (const char* name : {"pearson_max", "spearman_max"}) metrics.erase(name);
      if (all_others) metrics = {{"spearman_cosine", metrics["spearman_cosine"]}};
    }
    record["settings"]["patience"] = "3";
    record["settings"]["min-gain"] = "0.5";
    folder_.write("out/checkpoint/state.json", record.dump());
    EXPECT_EQ(refusal(), "no error");
    EXPECT_EQ(differences(contents(out()), whole), "");
  }
}

// What tells the best step has to be there, whatever it is.
TEST_F(Stopped, without_the_metric_that_tells_the_best_step_is_refused) {
  TrainOptions options = small_options();
  options.metric = "pearson_dot";
  train_small(folder_ / "dot", options, OnExisting::refuse, 2, stopping_after(7));
  const fs::path state = folder_ / "dot" / "checkpoint" / "state.json";
  json record = json::parse(testing::bytes_of(state));
  record["best"]["metrics"].erase("pearson_dot");
  std::ofstream(state) << record.dump();
  expect_words(message_of([&] { train_small(folder_ / "dot", options, OnExisting::resume); }),
               {"state.json: metric pearson_dot is missing, expected a number"});
}

TEST_F(Stopped, is_not_made_longer) {
  TrainOptions longer = small_options();
  longer.steps = 24;
  EXPECT_EQ(
      message_of([&] { train_small(out(), longer, OnExisting::resume); }),
      cat("cannot resume ", out() / "checkpoint",
          ": steps was 12 and is now 24; how the learning rate falls depends on the number of steps, so a "
          "run cannot be made longer or shorter"));
  longer = small_options();
  longer.epochs = 9;
  expect_words(message_of([&] { train_small(out(), longer, OnExisting::resume); }),
               {"epochs was 3 and is now 9; how the learning rate falls"});
  EXPECT_EQ(differences(contents(out()), before_), "");
}

TEST_F(Stopped, with_broken_moments_is_refused) {
  const std::string name = "out/checkpoint/training.safetensors", whole = folder_.read(name);
  expect_refused([&] { fs::remove(folder_ / name); }, {"cannot read", "training.safetensors"});
  for (size_t size : {size_t{0}, size_t{5}, whole.size() / 2, whole.size() - 1})
    expect_refused([&] { folder_.write(name, whole.substr(0, size)); }, {"training.safetensors"});
  for (const char* prefix : {"first.", "second.", "best."}) {
    const std::string tensor = cat(prefix, "embeddings.word_embeddings.weight");
    auto edit = [&](auto change) {
      return [&, change] {
        edit_tensors("training.safetensors", [&](std::vector<model::RawTensor>& tensors) {
          for (auto t = tensors.begin(); t != tensors.end(); ++t) {
            if (t->name != tensor) continue;
            change(tensors, t);
            return;
          }
          FAIL() << "no " << tensor;
        });
      };
    };
    expect_refused(edit([](auto& all, auto t) { all.erase(t); }),
                   {"training.safetensors: tensor \"", tensor, "is missing"});
    expect_refused(
        edit([](auto&, auto t) { std::swap(t->shape[0], t->shape[1]); }),
        {"training.safetensors: tensor \"", tensor, "has the shape [32, 388], expected [388, 32]"});
    expect_refused(edit([](auto&, auto t) { t->dtype_name = "I32"; }),
                   {"training.safetensors", tensor, "I32"});
  }
}

TEST_F(Stopped, with_broken_weights_is_refused) {
  const std::string name = "out/checkpoint/model.safetensors", whole = folder_.read(name);
  expect_refused([&] { fs::remove(folder_ / name); }, {"model.safetensors is missing"});
  expect_refused([&] { folder_.write(name, whole.substr(0, whole.size() / 2)); }, {"model.safetensors"});
  expect_refused(
      [&] {
        fs::copy(testing::kModels / "narrow", out() / "checkpoint",
                 fs::copy_options::recursive | fs::copy_options::overwrite_existing);
      },
      {"checkpoint: not the weights of the model to be trained"});
}

TEST(FinishedRun, of_other_settings_or_with_a_broken_record_is_refused) {
  TempFolder folder;
  train_small(folder / "out", small_options());
  TrainOptions other = small_options();
  other.seed = 1;
  expect_words(message_of([&] { train_small(folder / "out", other, OnExisting::resume); }),
               {"cannot resume", "seed was 42 and is now 1"});
  const std::string whole = folder.read("out/training.json");
  folder.write("out/training.json", whole.substr(0, 30));
  expect_words(message_of([&] { train_small(folder / "out", small_options(), OnExisting::resume); }),
               {"training.json: not valid JSON"});
}

}  // namespace
}  // namespace hone::train
