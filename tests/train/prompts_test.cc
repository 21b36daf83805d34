// Prompts before the texts trained on: none unless asked for; by role the training is that of data with the
// prompts written before their texts. A change of them is another run.
#include <gtest/gtest.h>

#include "tests/base/temp_folder.h"
#include "tests/model/helpers.h"
#include "tests/train/small_data.h"

namespace hone::train {
namespace {

using encode::PromptUse;
using nlohmann::json;
using testing::message_of;
using testing::ModelFolder;
using testing::TempFolder;

const std::string kQuery = "Find: ", kDocument = "My mother reads ", kDefault = "A black cat ";
using Triple = std::vector<std::string>;
const std::vector<Triple> kTriples{{"horse", "tea", "sea"},
                                   {"sea", "horse", "tea"},
                                   {"old dog", "sea", "letter"},
                                   {"song", "old dog", "horse"},
                                   {"tree", "city", "song"}};

std::string triples(const std::string& anchor, const std::string& others) {
  std::string content = "anchor\tpositive\tnegative\n";
  for (const Triple& row : kTriples)
    content += anchor + row[0] + "\t" + others + row[1] + "\t" + others + row[2] + "\n";
  return content;
}

std::vector<int32_t> ids_of(const TrainData& data, int64_t role, uint32_t row) {
  std::vector<int32_t> scratch;
  const auto ids = data.ids().read(data.encoded(role, row), scratch);
  return {ids.begin(), ids.end()};
}

class TrainPrompts : public ::testing::Test {
 protected:
  TrainPrompts() {
    folder.set("config_sentence_transformers.json", "prompts",
               {{"query", kQuery}, {"passage", kDocument}, {"topic", kDefault}});
    folder.set("config_sentence_transformers.json", "default_prompt_name", "topic");
  }
  TrainOptions options(PromptUse use) const {
    TrainOptions o;
    o.loss = "mnr";
    o.loss_options = loss_options;
    o.steps = 3;
    o.batch_size = 4;
    o.dropout = 0;
    o.prompts = use;
    o.checkpoint_steps = 0;
    return o;
  }
  Trainer trainer(const std::string& content, PromptUse use, bool with_prompts = true,
                  const MakeEvaluation& evaluation = nullptr) {
    return {with_prompts ? folder.load() : ModelFolder("mean-gelu").load(), engine,
            testing::table_of(content, "mnr"), evaluation, options(use)};
  }
  // The losses of three steps.
  std::vector<double> losses(const std::string& content, PromptUse use, bool with_prompts = true) {
    Trainer made = trainer(content, use, with_prompts);
    std::vector<double> all;
    for (int i = 0; i < 3; ++i) all.push_back(made.step().loss);
    return all;
  }
  static std::string of(const model::Identity& identity, const std::string& name) {
    for (const auto& [key, value] : identity) {
      if (key == name) return value;
    }
    return "not there";
  }
  ModelFolder folder{"mean-gelu"};
  std::string loss_options;
  std::shared_ptr<compute::Engine> engine = compute::test_engine(2);
};

TEST_F(TrainPrompts, are_none_unless_asked_for) {
  EXPECT_EQ(TrainOptions().prompts, PromptUse::none);
  EXPECT_EQ(train_options({}).prompts, PromptUse::none);
  const auto plain = losses(triples("", ""), PromptUse::none, false);
  EXPECT_EQ(losses(triples("", ""), PromptUse::none), plain);
  EXPECT_NE(losses(triples("", ""), PromptUse::default_prompt), plain);
}

TEST_F(TrainPrompts, by_role_are_those_written_into_the_data) {
  // Texts are known as the same by their words, whatever stands before them: written prompts hide that.
  loss_options = "mask=none";
  EXPECT_EQ(losses(triples("", ""), PromptUse::roles),
            losses(triples(kQuery, kDocument), PromptUse::none, false));
}

TEST_F(TrainPrompts, the_default_stands_before_every_text) {
  EXPECT_EQ(losses(triples("", ""), PromptUse::default_prompt),
            losses(triples(kDefault, kDefault), PromptUse::none, false));
}

TEST_F(TrainPrompts, a_text_in_two_roles_is_one_text_with_two_encodings) {
  const auto model = folder.load();
  const auto data = [&](PromptUse use) {
    return TrainData(testing::table_of(triples("", ""), "mnr"), loss::find_loss("mnr"), 0, *model, *engine,
                     use);
  };
  const TrainData roles = data(PromptUse::roles), none = data(PromptUse::none);
  EXPECT_EQ(none.encodings(), none.texts());
  EXPECT_EQ(roles.texts(), none.texts());
  // 5 anchors; 7 different positives and negatives.
  EXPECT_EQ(roles.encodings(), 5U + 7U);
  EXPECT_EQ(roles.text(0, 1), roles.text(1, 2));  // sea
  EXPECT_NE(roles.encoded(0, 1), roles.encoded(1, 2));
  EXPECT_EQ(roles.encoded(1, 2), roles.encoded(2, 0));
  for (int64_t role = 0; role < 3; ++role) {
    for (uint32_t row = 0; row < 5; ++row) {
      const std::string text = (role == 0 ? kQuery : kDocument) + kTriples[row][static_cast<size_t>(role)];
      EXPECT_EQ(ids_of(roles, role, row), model->tokenizer->encode(text)) << text;
    }
  }
}

TEST_F(TrainPrompts, of_sentences_side_by_side_and_of_texts_alone_are_the_default_prompt) {
  const auto model = folder.load();
  for (const auto& [content, loss] : {std::pair{"sentence1\tsentence2\tscore\nsea\ttea\t1\n", "cosine"},
                                      {"text\tvector\nsea\t1 2\n", "mse"}}) {
    const TrainData data(testing::table_of(content, loss), loss::find_loss(loss), 0, *model, *engine,
                         PromptUse::roles);
    EXPECT_EQ(ids_of(data, 0, 0), model->tokenizer->encode(kDefault + "sea")) << loss;
  }
}

TEST_F(TrainPrompts, are_said_before_training) {
  const auto line = [&](PromptUse use) {
    std::string all;
    for (const std::string& one : trainer(triples("", ""), use).introduction()) {
      if (one.starts_with("prompts: ")) all += one;
    }
    return all;
  };
  EXPECT_EQ(line(PromptUse::none).find("prompts: none before anchor, positive, negative"), 0U);
  EXPECT_EQ(line(PromptUse::roles)
                .find("prompts: \"Find: \" before anchor; \"My mother reads \" before positive, negative"),
            0U);
  EXPECT_EQ(
      line(PromptUse::default_prompt).find("prompts: \"A black cat \" before anchor, positive, negative"),
      0U);
  for (const std::string& one : trainer(triples("", ""), PromptUse::none, false).introduction())
    EXPECT_EQ(one.find("prompts"), one.npos) << one;
  const TrainResult result = trainer(triples("", ""), PromptUse::roles).run({});
  EXPECT_EQ(json(result.beforehand().at("prompts")),
            (json{{"anchor", kQuery}, {"positive", kDocument}, {"negative", kDocument}}));
}

TEST_F(TrainPrompts, that_the_model_lacks_are_refused) {
  for (const PromptUse use : {PromptUse::roles, PromptUse::default_prompt}) {
    EXPECT_NE(message_of([&] {
                trainer(triples("", ""), use, false);
              }).find("has no such prompt for anchor, positive"),
              std::string::npos);
  }
}

TEST_F(TrainPrompts, are_part_of_what_a_run_is_known_by) {
  EXPECT_EQ(of(trainer(triples("", ""), PromptUse::none).identity(), "prompts"), "none");
  EXPECT_EQ(of(trainer(triples("", ""), PromptUse::default_prompt).identity(), "prompts"), "default");
  EXPECT_EQ(of(trainer(triples("", ""), PromptUse::roles).identity(), "prompts"), "roles");
  const auto with_evaluation = [&](PromptUse use) {
    eval::Options options;
    options.prompts = use;
    data::ReadOptions read;
    read.roles = eval::task_roles("triplet");
    return trainer(
        triples("", ""), PromptUse::none, true,
        evaluation_of("triplet", data::parse_table(triples("", ""), "x.tsv", read), engine, options));
  };
  EXPECT_EQ(of(with_evaluation(PromptUse::roles).identity(), "eval-prompts"), "roles");
  EXPECT_EQ(of(with_evaluation(PromptUse::none).identity(), "eval-prompts"), "none");
}

class StoppedPrompts : public TrainPrompts {
 protected:
  fs::path out() const { return folder_ / "out"; }
  TrainResult stopped(PromptUse use, bool with_prompts = true) {
    return trainer(triples("", ""), use, with_prompts)
        .run(out(), OnExisting::refuse, testing::stopping_after(1));
  }
  // A record as it was written before there was a choice.
  void forget() {
    json record = json::parse(folder_.read("out/checkpoint/state.json"));
    for (const char* name : {"prompts", "eval-prompts"}) EXPECT_EQ(record["settings"].erase(name), 1U);
    folder_.write("out/checkpoint/state.json", record.dump());
  }
  std::string resumed(PromptUse use, bool with_prompts = true) {
    return message_of(
        [&] { trainer(triples("", ""), use, with_prompts).run(out(), OnExisting::resume, {}); });
  }
  TempFolder folder_;
};

TEST_F(StoppedPrompts, a_run_goes_on_with_the_same_only) {
  ASSERT_TRUE(stopped(PromptUse::roles).interrupted);
  EXPECT_NE(resumed(PromptUse::none).find("prompts was roles and is now none"), std::string::npos);
  EXPECT_NE(resumed(PromptUse::default_prompt).find("prompts was roles and is now default"),
            std::string::npos);
  EXPECT_TRUE(trainer(triples("", ""), PromptUse::roles).run(out(), OnExisting::resume, {}).model);
}

// The default prompt stood before every text then.
TEST_F(StoppedPrompts, an_earlier_run_is_one_with_the_default_prompt) {
  ASSERT_TRUE(stopped(PromptUse::default_prompt).interrupted);
  forget();
  EXPECT_NE(resumed(PromptUse::none).find("prompts was default and is now none"), std::string::npos);
  EXPECT_TRUE(trainer(triples("", ""), PromptUse::default_prompt).run(out(), OnExisting::resume, {}).model);
}

TEST_F(StoppedPrompts, an_earlier_run_of_a_model_without_a_default_prompt_goes_on) {
  ASSERT_TRUE(stopped(PromptUse::none, false).interrupted);
  forget();
  EXPECT_TRUE(trainer(triples("", ""), PromptUse::none, false).run(out(), OnExisting::resume, {}).model);
}

TEST_F(StoppedPrompts, an_earlier_run_with_the_loss_options_it_had_by_default_goes_on) {
  ASSERT_TRUE(stopped(PromptUse::none, false).interrupted);
  json record = json::parse(folder_.read("out/checkpoint/state.json"));
  ASSERT_EQ(record["settings"]["loss-options"], "default");
  record["settings"]["loss-options"] = "as usual";
  folder_.write("out/checkpoint/state.json", record.dump());
  EXPECT_TRUE(trainer(triples("", ""), PromptUse::none, false).run(out(), OnExisting::resume, {}).model);
}

}  // namespace
}  // namespace hone::train
