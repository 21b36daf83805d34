// Prompts by role in evaluations: the scores of a model with prompts are those of the same model without, on
// texts that have the prompts written before them.
#include <gtest/gtest.h>

#include "eval/comparison.h"
#include "eval/retrieval.h"
#include "eval/scores_json.h"
#include "tests/compute/test_engine.h"
#include "tests/model/helpers.h"

namespace hone::eval {
namespace {

using encode::PromptUse;
using nlohmann::json;
using testing::ModelFolder;
using Metrics = std::vector<std::pair<std::string, double>>;

const std::string kQuery = "Find: ", kDocument = "My mother reads ", kDefault = "A black cat ";

class EvaluationPrompts : public ::testing::Test {
 protected:
  std::shared_ptr<const model::SentenceModel> with(const json& prompts,
                                                   const std::string& default_name = "") {
    folders.push_back(std::make_unique<ModelFolder>("mean-gelu"));
    folders.back()->set("config_sentence_transformers.json", "prompts", prompts);
    if (!default_name.empty())
      folders.back()->set("config_sentence_transformers.json", "default_prompt_name", default_name);
    return folders.back()->load();
  }
  Result run(const Evaluation& evaluation, const std::shared_ptr<const model::SentenceModel>& model) {
    encode::Encoder encoder(model, engine);
    return evaluation.run(encoder);
  }
  // Rows of eight short texts; what stands before each column is written into the data.
  Result rows(const std::string& task, const std::vector<std::string>& before,
              const std::shared_ptr<const model::SentenceModel>& model, PromptUse use = PromptUse::roles) {
    const std::string words[] = {"horse", "tea", "woman",  "dog",  "city",
                                 "song",  "sea", "letter", "tree", "child"};
    const std::string head =
        task == "triplet" ? "anchor\tpositive\tnegative\n" : "sentence1\tsentence2\tscore\n";
    std::string content = head;
    for (size_t row = 0; row < 24; ++row) {
      for (size_t column = 0; column < before.size(); ++column) {
        const std::string text =
            "the " + words[(row + 3 * column) % 10] + " and " + words[(row * row + column) % 10];
        content += (column == 0 ? "" : "\t") + before[column] + text;
      }
      content += task == "triplet"  ? "\n"
                 : task == "binary" ? "\t" + std::to_string(row % 2) + "\n"
                                    : "\t" + std::to_string(row % 5) + "\n";
    }
    data::ReadOptions read;
    read.roles = task_roles(task);
    Options options;
    options.prompts = use;
    const auto made =
        make_evaluation(task, data::parse_table(content, "x.tsv", read), *model, engine, options);
    said = encode::prompts_line(made->prompts());
    described = made->described();
    return run(*made, model);
  }
  Result retrieval(const std::string& before_queries, const std::string& before_passages,
                   const std::shared_ptr<const model::SentenceModel>& model,
                   PromptUse use = PromptUse::roles) {
    RetrievalData data = read_retrieval(find_retrieval_files(kBeir, "test"));
    for (std::string& text : data.queries) text = before_queries + text;
    for (std::string& text : data.passages) text = before_passages + text;
    Options options;
    options.prompts = use;
    const auto made = make_retrieval(data, *model, engine, options);
    said = encode::prompts_line(made->prompts());
    described = made->described();
    return run(*made, model);
  }
  std::vector<std::unique_ptr<ModelFolder>> folders;
  std::shared_ptr<compute::Engine> engine = compute::test_engine(2);
  const std::shared_ptr<const model::SentenceModel> plain = with(json::object());
  const json both{{"query", kQuery}, {"document", kDocument}};
  const std::filesystem::path kBeir = std::filesystem::path(testing::kFixtures) / "evaluators" / "beir";
  std::string said;
  nlohmann::ordered_json described;
};

TEST_F(EvaluationPrompts, of_retrieval_stand_before_queries_and_passages) {
  const auto model = with(both);
  const Metrics expected = retrieval(kQuery, kDocument, plain).metrics,
                none = retrieval("", "", plain).metrics;
  ASSERT_NE(expected, none);
  EXPECT_EQ(retrieval("", "", model).metrics, expected);
  EXPECT_EQ(said, "\"Find: \" before queries; \"My mother reads \" before passages");
  EXPECT_EQ(json(described.at("prompts")), (json{{"queries", kQuery}, {"passages", kDocument}}));
  EXPECT_EQ(retrieval("", "", model, PromptUse::none).metrics, none);
  EXPECT_FALSE(described.contains("prompts"));
}

TEST_F(EvaluationPrompts, of_one_role_leave_the_other_alone) {
  EXPECT_EQ(retrieval("", "", with({{"query", kQuery}})).metrics, retrieval(kQuery, "", plain).metrics);
  EXPECT_EQ(retrieval("", "", with({{"document", ""}, {"passage", kDocument}})).metrics,
            retrieval("", kDocument, plain).metrics);
}

TEST_F(EvaluationPrompts, a_default_prompt_is_neither_for_queries_nor_for_passages) {
  const auto model = with({{"topic", kDefault}}, "topic");
  EXPECT_EQ(retrieval("", "", model).metrics, retrieval("", "", plain).metrics);
  EXPECT_EQ(retrieval("", "", model, PromptUse::default_prompt).metrics,
            retrieval(kDefault, kDefault, plain).metrics);
}

TEST_F(EvaluationPrompts, of_triplets_stand_before_anchors_and_the_others) {
  const auto model = with(both);
  const Result expected = rows("triplet", {kQuery, kDocument, kDocument}, plain),
               none = rows("triplet", {"", "", ""}, plain);
  ASSERT_NE(expected.units, none.units);
  const Result found = rows("triplet", {"", "", ""}, model);
  EXPECT_EQ(said, "\"Find: \" before anchor; \"My mother reads \" before positive and negative");
  EXPECT_EQ(found.metrics, expected.metrics);
  EXPECT_EQ(found.units, expected.units);
  EXPECT_EQ(rows("triplet", {"", "", ""}, model, PromptUse::none).metrics, none.metrics);
}

// A text of the same words is another text under another prompt.
TEST_F(EvaluationPrompts, the_same_text_as_query_and_document_is_encoded_twice) {
  data::ReadOptions read;
  read.roles = task_roles("triplet");
  const data::Table table = data::parse_table("anchor\tpositive\tnegative\nsea\tsea\ttree\n", "x.tsv", read);
  const auto model = with(both);
  const auto tokens = [&](std::vector<std::string> texts) {
    return encode::tokenize(*plain, *engine, texts).tokens();
  };
  EXPECT_EQ(make_evaluation("triplet", table, *plain, engine)->tokens(), tokens({"sea", "tree"}));
  EXPECT_EQ(make_evaluation("triplet", table, *model, engine)->tokens(),
            tokens({kQuery + "sea", kDocument + "sea", kDocument + "tree"}));
}

TEST_F(EvaluationPrompts, texts_without_a_role_get_the_default_prompt) {
  const auto model = with({{"query", kQuery}, {"document", kDocument}, {"topic", kDefault}}, "topic");
  for (const char* task : {"sts", "binary"}) {
    const Metrics expected = rows(task, {kDefault, kDefault}, plain).metrics,
                  none = rows(task, {"", ""}, plain).metrics;
    ASSERT_NE(expected, none);
    EXPECT_EQ(rows(task, {"", ""}, model).metrics, expected);
    EXPECT_EQ(rows(task, {"", ""}, model, PromptUse::none).metrics, none);
    EXPECT_EQ(rows(task, {"", ""}, with(both)).metrics, none);
  }
}

TEST_F(EvaluationPrompts, are_an_option) {
  config::Options options;
  EXPECT_EQ(evaluation_options(options).prompts, PromptUse::roles);
  for (const auto& [name, use] :
       {std::pair{"none", PromptUse::none}, {"default", PromptUse::default_prompt}}) {
    options.set("eval.prompts", std::string_view(name));
    EXPECT_EQ(evaluation_options(options).prompts, use);
  }
  EXPECT_THROW(options.set("eval.prompts", std::string_view("query")), config::OptionError);
}

TEST_F(EvaluationPrompts, a_comparison_tells_those_of_the_other_model) {
  const auto model = with(both);
  const RetrievalData data = read_retrieval(find_retrieval_files(kBeir, "test"));
  const auto first = make_retrieval(data, *plain, engine), other = make_retrieval(data, *model, engine);
  const Result a = run(*first, plain), b = run(*other, model);
  const auto j = comparison_json(*first, a, *other, b, compare(*first, a, b));
  EXPECT_EQ(j.at("prompts").at("queries"), kQuery);
  EXPECT_DOUBLE_EQ(j.at("cosine_ndcg@10_difference").get<double>(), a.value() - b.value());
  EXPECT_EQ(j.at("scores").at("cosine_ndcg@10"), b.value());
}

}  // namespace
}  // namespace hone::eval
