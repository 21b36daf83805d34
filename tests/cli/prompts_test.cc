// Prompts by role on the command line: what is put before which texts is said, and can be set or switched
// off.
#include <nlohmann/json.hpp>

#include "tests/base/prompted_model.h"
#include "tests/cli/program.h"
#include "tests/cli/small_data.h"

namespace hone::cli {
namespace {

using nlohmann::json;

class CliPrompts : public ::testing::Test {
 protected:
  CliPrompts() {
    folder.write("triplet.tsv", kTripletRows);
    folder.write("corpus.txt", "The horse wants hot tea\nA man sings a little song\nhot tea\n");
    folder.write("texts.txt", "hot tea\n");
    folder.write("written.txt", "Find: hot tea\n");
  }
  Strings with(Strings arguments, const Strings& more) const {
    arguments.insert(arguments.end(), {"--model", model.path().string()});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::string at(const std::string& name) const { return (folder / name).string(); }
  const testing::PromptedModel model{
      {{"prompts", {{"query", "Find: "}, {"document", "the text "}, {"topic", "A man "}}},
       {"default_prompt_name", "topic"}}};
  TempFolder folder;
};

TEST_F(CliPrompts, of_an_evaluation_are_said) {
  const Strings eval = with({"eval", "--task", "triplet", "--data", at("triplet.tsv")}, {});
  const Result text = hone(eval);
  EXPECT_NE(text.out.find("prompts: \"Find: \" before anchor; \"the text \" before positive and negative\n"),
            std::string::npos)
      << text.out << text.err;
  Strings as_json = eval, none = eval;
  as_json.emplace_back("--json");
  EXPECT_EQ(json::parse(hone(as_json).out).at("prompts"),
            (json{{"anchor", "Find: "}, {"positive and negative", "the text "}}));
  none.insert(none.end(), {"--json", "--prompts", "none"});
  EXPECT_FALSE(json::parse(hone(none).out).contains("prompts"));
  none.back() = "query";
  expect_error(hone(none), 2, "prompts: \"query\" found, roles, default or none expected");
}

TEST_F(CliPrompts, of_a_search_are_said_and_can_be_switched_off) {
  Strings common{"nearest", "--corpus", at("corpus.txt"), "--query", "hot tea", "--json"};
  const Result roles = hone(with(common, {})), none = hone(with(common, {"--prompts", "none"}));
  EXPECT_NE(roles.err.find("prompts: \"Find: \" before query; \"the text \" before corpus"),
            std::string::npos)
      << roles.err;
  EXPECT_NE(roles.out, none.out);
  EXPECT_EQ(hone(with(common, {"--prompts", "none", "--quiet"})).err, "");
  const json found = json::parse(none.out);
  EXPECT_EQ(found[0].at("index"), 2);
  EXPECT_EQ(found[0].at("text"), "hot tea");
}

TEST_F(CliPrompts, of_encoding_are_chosen_by_role_or_name) {
  const auto vectors = [&](const std::string& input, const Strings& more) {
    Strings all{"--input", at(input), "--out", at("v.jsonl"), "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    const Result r = hone(with({"encode"}, all));
    EXPECT_EQ(r.code, 0) << r.err;
    return folder.read("v.jsonl");
  };
  const std::string expected = vectors("written.txt", {"--prompt", "none"});
  EXPECT_EQ(vectors("texts.txt", {"--role", "query"}), expected);
  EXPECT_EQ(vectors("texts.txt", {"--prompt", "query"}), expected);
  EXPECT_EQ(vectors("texts.txt", {}), vectors("texts.txt", {"--prompt", "topic"}));
  EXPECT_NE(vectors("texts.txt", {}), expected);
  expect_error(
      hone(with({"encode"}, {"--input", at("texts.txt"), "--out", at("w.jsonl"), "--prompt", "topics"})), 2,
      "prompt: \"topics\" found, one of the prompts of");
}

TEST_F(CliPrompts, of_training_are_none_unless_asked_for_and_apart_from_the_evaluations) {
  const auto trained = [&](const Strings& more) {
    Strings all{"--data", at("triplet.tsv"), "--eval", at("triplet.tsv"), "--task",  "triplet",    "--loss",
                "mnr",    "--steps",         "1",      "--out",           at("out"), "--overwrite"};
    all.insert(all.end(), more.begin(), more.end());
    return hone(with({"train"}, all));
  };
  const Result none = trained({});
  EXPECT_EQ(none.code, 0) << none.err;
  EXPECT_NE(none.err.find("prompts: none before anchor, positive, negative"), std::string::npos) << none.err;
  EXPECT_NE(none.err.find("prompts of the evaluation: \"Find: \" before anchor"), std::string::npos)
      << none.err;
  const Result roles = trained({"--prompts", "roles", "--eval-prompts", "none"});
  EXPECT_NE(roles.err.find("prompts: \"Find: \" before anchor; \"the text \" before positive, negative"),
            std::string::npos)
      << roles.err;
  EXPECT_NE(roles.err.find("prompts of the evaluation: none before"), std::string::npos) << roles.err;
  const Result lacking =
      hone(train_on({at("triplet.tsv")}, folder / "none", {"--prompts", "roles", "--loss", "mnr"}));
  expect_error(lacking, 2, "prompts: roles found, but the model of");
}

}  // namespace
}  // namespace hone::cli
