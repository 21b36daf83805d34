// hone losses, and that training takes what it lists: every loss on data that suits it, every option of it
// with a value that is right and one that is not, every column that it wants.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/program.h"

namespace hone::cli {
namespace {

using Json = nlohmann::json;

const Json& listed() {
  static const Json all = Json::parse(hone({"losses", "--json"}).out);
  return all;
}

TEST(Losses, are_listed_with_all_that_a_choice_needs) {
  const Result text = hone({"losses"});
  EXPECT_EQ(text.code, 0);
  EXPECT_TRUE(text.err.empty()) << text.err;
  ASSERT_FALSE(listed().empty());
  std::string all = "\n" + text.out;
  for (const Json& loss : listed()) {
    const std::string name = loss.at("name");
    const size_t begin = all.find("\n" + name + "\n");
    ASSERT_NE(begin, std::string::npos) << name;
    const std::string section = all.substr(begin, all.find("\n\n", begin) - begin) + "\n";
    for (const auto& [key, label] : std::map<std::string, std::string>{
             {"use", "for"}, {"columns", "columns"}, {"formula", "formula"}, {"source", "source"}}) {
      const std::string value = loss.at(key);
      EXPECT_FALSE(value.empty()) << name << " " << key;
      EXPECT_NE(section.find("\n  " + label + std::string(9 - label.size(), ' ') + value + "\n"),
                std::string::npos)
          << key << " in:" << section;
    }
    for (const Json& option : loss.at("options")) {
      const std::string line =
          "\n  " + option.at("name").get<std::string>() + "=" + option.at("default").get<std::string>();
      EXPECT_NE(section.find(line), std::string::npos) << line << " in:" << section;
      EXPECT_NE(
          section.find(option.at("help").get<std::string>() + "; " + option.at("range").get<std::string>()),
          std::string::npos)
          << section;
    }
    EXPECT_EQ(loss.at("in_batch_negatives"), name == "mnr");
  }
}

TEST(Losses, are_what_the_message_about_a_wrong_name_lists) {
  TempFolder folder;
  std::string names;
  for (const Json& loss : listed()) names += (names.empty() ? "" : ", ") + loss.at("name").get<std::string>();
  expect_line(hone(train(folder / "o", {"--loss", "mnrl"})), 2,
              "loss: \"mnrl\" found, one of " + names + " expected; did you mean mnr?");
  expect_line(hone(train(folder / "o", {"--loss="})), 2,
              "loss: \"\" found, the name of a loss (hone losses lists them) expected");
  EXPECT_TRUE(folder.names().empty());
}

// --- every loss ---

using Row = std::vector<std::string>;

struct Suited {
  std::string loss;
  std::vector<Row> rows;  // the names of the columns first
};

std::vector<Row> scored(const Strings& labels) {
  return {{"sentence1", "sentence2", "score"},
          {"The horse wants hot tea", "My mother wants hot tea", labels[0]},
          {"A man sings a little song", "The horse reads a long letter", labels[1]},
          {"My mother is swimming in the sea", "The dog is swimming in the sea", labels[2]},
          {"A black cat is playing a game", "Two people drives to the city", labels[3]}};
}

// `last`: a column more, of the same value in each row.
std::vector<Row> triplets(const Row& last = {}) {
  std::vector<Row> rows{{"anchor", "positive", "negative"},
                        {"The horse wants hot tea", "My mother wants hot tea", "A man sings a little song"},
                        {"A young child drives to the city", "The woman drives to the city today",
                         "The old dog reads a letter"},
                        {"Two people is swimming in the sea", "My mother is swimming in the sea",
                         "A black cat is playing a game"}};
  for (size_t i = 0; !last.empty() && i < rows.size(); ++i) rows[i].push_back(last[i == 0 ? 0 : 1]);
  return rows;
}

std::vector<Row> vectors() {
  const auto of = [](const char* number) {
    std::string text;
    for (int i = 0; i < 32; ++i) text += std::string(i == 0 ? "" : " ") + number;
    return text;
  };
  return {{"text", "vector"},
          {"The horse wants hot tea", of("0.1")},
          {"A man sings a little song", of("-0.25")},
          {"My mother is swimming in the sea", of("1e-3")}};
}

const std::vector<Suited>& suited() {
  static const std::vector<Suited> all{{"cosine", scored({"0.9", "0.1", "0.8", "0"})},
                                       {"cosent", scored({"7", "-1", "7", "3"})},
                                       {"angle", scored({"7", "-1", "7", "3"})},
                                       {"mnr", triplets()},
                                       {"contrastive", scored({"1", "0", "1", "0"})},
                                       {"online-contrastive", scored({"1", "0", "1", "0"})},
                                       {"triplet", triplets()},
                                       {"softmax", scored({"0", "2", "1", "2"})},
                                       {"mse", vectors()},
                                       {"margin-mse", triplets({"scores", "7.5"})},
                                       {"kl", triplets({"scores", "9.5 2"})}};
  return all;
}

std::string tsv(const std::vector<Row>& rows, const std::string& without = "") {
  const auto left_out = std::find(rows[0].begin(), rows[0].end(), without) - rows[0].begin();
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      if (static_cast<std::ptrdiff_t>(i) != left_out) line += (line.empty() ? "" : "\t") + row[i];
    }
    text += line + "\n";
  }
  return text;
}

// By the option's name: one that is not the default, and one that cannot be.
const std::map<std::string, std::pair<std::string, std::string>> kValues{
    {"scale", {"5", "0"}},
    {"similarity", {"", "manhattan"}},
    {"directions", {"qd+dq", "qd+qd"}},
    {"symmetric", {"true", "yes"}},
    {"partition", {"per_direction", "each"}},
    {"hardness", {"all_negatives", "some"}},
    {"hardness_strength", {"2", "-1"}},
    {"mask", {"none", "all"}},
    {"distance", {"manhattan", "dot"}},
    {"margin", {"1", "-1"}},
    {"classes", {"7", "2"}},
    {"projection", {"true", "1"}},
    {"temperature", {"2", "0"}},
    {"student_temperature", {"0.5", "0"}},
    {"teacher_temperature", {"3", "-1"}},
    {"matryoshka", {"16+8", "16+x"}},
    {"matryoshka_weights", {"1+0.5", "1"}},
    {"matryoshka_per_batch", {"1", "3"}}};

// An option with what it does not go without.
std::string with_partner(const std::string& name, const std::string& value) {
  const std::string given = name + "=" + value;
  if (name == "matryoshka_weights" || name == "matryoshka_per_batch") return "matryoshka=16+8," + given;
  if (name == "hardness") return given + ",hardness_strength=2";
  return name == "hardness_strength" ? "hardness=hard_negatives," + given : given;
}

class EveryLoss : public ::testing::TestWithParam<Suited> {
 protected:
  EveryLoss() { folder.write("data.tsv", tsv(GetParam().rows)); }
  Result with(const Strings& more, const std::string& file = "data.tsv") const {
    Strings all{"--loss", GetParam().loss, "--steps", "1", "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    return hone(train_on({folder / file}, folder / "out", all));
  }
  TempFolder folder;
};

const Json& entry(const std::string& loss) {
  return *std::find_if(listed().begin(), listed().end(), [&](const Json& l) { return l.at("name") == loss; });
}

TEST_P(EveryLoss, trains_and_stands_in_the_card_with_its_options) {
  for (const Json& option : entry(GetParam().loss).at("options")) {
    const std::string name = option.at("name"), default_value = option.at("default");
    std::string value = kValues.at(name).first;
    if (name == "similarity") value = default_value == "dot" ? "cosine" : "dot";
    const std::string chosen = with_partner(name, value);
    const Result r = with({"--loss-options", chosen, "--overwrite"});
    ASSERT_EQ(r.code, 0) << chosen << ": " << r.err;
    EXPECT_TRUE(r.err.empty()) << r.err;
    const std::string card = folder.read("out/README.md"), said = GetParam().loss + " (" + chosen + "): ";
    EXPECT_NE(card.find(said), std::string::npos) << said << " in:\n" << card;
  }
}

TEST_P(EveryLoss, refuses_a_wrong_value_of_each_option) {
  for (const Json& option : entry(GetParam().loss).at("options")) {
    const std::string name = option.at("name");
    const std::string chosen = with_partner(name, kValues.at(name).second);
    expect_error(with({"--loss-options", chosen}), 2, "loss-options: " + name + ": ");
    EXPECT_EQ(folder.names(), Strings{"data.tsv"}) << chosen;
  }
}

TEST_P(EveryLoss, says_which_column_is_missing) {
  for (const std::string& column : GetParam().rows[0]) {
    if (GetParam().loss == "mnr" && column == "negative") continue;  // may be there or not
    folder.write("less.tsv", tsv(GetParam().rows, column));
    const Result r = with({}, "less.tsv");
    expect_error(r, 1, (folder / "less.tsv").string() + ":1: no column \"" + column + "\"");
    EXPECT_NE(r.err.find("(--columns " + column + "=NAME names another)"), std::string::npos) << r.err;
    EXPECT_EQ(folder.names(), (Strings{"data.tsv", "less.tsv"}));
  }
}

TEST_P(EveryLoss, refuses_matryoshka_beyond_the_width_and_options_of_others) {
  expect_error(with({"--loss-options", "poetry=1"}), 2,
               "loss-options: \"poetry\" is no option of the loss " + GetParam().loss + ", which has ");
  if (GetParam().loss == "softmax") return;  // has a layer of one width
  expect_line(with({"--loss-options", "matryoshka=16+33"}), 2,
              "loss-options: matryoshka: 33 found, whole numbers from 1 to 32 expected");
  expect_line(with({"--loss-options", "matryoshka_weights=1"}), 2,
              "loss-options: matryoshka_weights found without matryoshka");
  EXPECT_EQ(folder.names(), Strings{"data.tsv"});
}

INSTANTIATE_TEST_SUITE_P(Losses, EveryLoss, ::testing::ValuesIn(suited()), [](const auto& test) {
  std::string name = test.param.loss;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Losses, have_all_their_cases_here) {
  Strings names, here;
  for (const Json& loss : listed()) names.push_back(loss.at("name"));
  for (const Suited& data : suited()) here.push_back(data.loss);
  EXPECT_EQ(names, here);
}

// --- options that do not go together, labels that are none ---

TEST(LossOptions, that_do_not_go_together_are_refused) {
  TempFolder folder;
  folder.write("mnr.tsv", tsv(triplets()));
  folder.write("mse.tsv", tsv(vectors()));
  const auto said = [&](const std::string& loss, const std::string& options, const std::string& line) {
    expect_line(hone(train_on({folder / (loss + ".tsv")}, folder / "o",
                              {"--loss", loss, "--steps", "1", "--loss-options", options})),
                2, "loss-options: " + line);
  };
  said("mnr", "symmetric=true,partition=joint",
       "symmetric is a choice of directions and partition: give one or the other");
  said("mnr", "partition=per_direction,directions=qd+dd",
       "partition: per_direction found with qq or dd, which hold no positive; joint expected");
  said("mnr", "directions=dq", "directions: qd must be among them: it holds the positives");
  said("mnr", "scale=1,scale=2", "scale is there twice");
  said("mnr", "scale=1,,mask=none", "\"\" found, name=value expected");
  said("mnr", "matryoshka=8,matryoshka_weights=1+2",
       "matryoshka_weights: 2 numbers found, 1 expected, one for each of matryoshka");
  said("mse", "projection=true,matryoshka=8",
       "matryoshka: the loss has a layer of one width (projection); one or the other");
  EXPECT_EQ(folder.names(), (Strings{"mnr.tsv", "mse.tsv"}));
}

TEST(Labels, that_cannot_be_are_named_by_their_row) {
  TempFolder folder;
  const auto said = [&](const std::string& loss, const std::vector<Row>& rows, const std::string& line) {
    folder.write("d.tsv", tsv(rows));
    expect_line(hone(train_on({folder / "d.tsv"}, folder / "o", {"--loss", loss, "--steps", "1"})), 1,
                (folder / "d.tsv").string() + line);
    EXPECT_EQ(folder.names(), Strings{"d.tsv"});
  };
  said("contrastive", scored({"1", "0", "0.5", "0"}), ":4: column \"score\": found 0.5, expected 0 or 1");
  said("softmax", scored({"1", "0", "0", "-1"}),
       ":5: column \"score\": found -1, expected the number of a class: 0 to 99999");
  said("softmax", scored({"0", "0", "0", "0"}), ": all rows are of class 0, at least two classes expected");
  said("cosine", scored({"1", "0", "7", "0"}),
       ": column \"score\": found values from 0 to 7, expected -1 to 1 or 0 to 5 (--label-scale X divides by "
       "another X)");
  said("kl", triplets({"scores", "1 2 3"}),
       ":2: column \"scores\": found 3 scores, expected 2, one for each document");
  said("margin-mse", triplets({"scores", "1 2 3"}),
       ":2: column \"scores\": found 3 scores, expected 2, one for each document, or 1, one for each "
       "negative");
  said("kl", triplets({"scores", "1 nan"}),
       ":2: column \"scores\": found \"nan\" as number 2, expected a vector of finite numbers");
}

TEST(Labels, of_a_teacher_have_the_width_of_the_model_or_a_layer_between) {
  TempFolder folder;
  folder.write("d.tsv",
               "text\tvector\nThe horse wants hot tea\t0.1 0.2\nA man sings a little song\t0.3 0.4\n");
  const auto with = [&](const Strings& more) {
    Strings all{"--steps", "1", "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    return hone(train_on({folder / "d.tsv"}, folder / "o", all));
  };
  expect_line(
      with({}), 2,
      "loss mse: the teacher's vectors have 2 numbers, the model's 32; --loss-options projection=true trains "
      "a layer between them");
  EXPECT_EQ(with({"--loss-options", "projection=true"}).code, 0);
}

TEST(Head, of_a_loss_has_a_rate_of_its_own_or_is_frozen) {
  TempFolder folder;
  folder.write("d.tsv", tsv(scored({"0", "2", "1", "2"})));
  const auto with = [&](const Strings& more) {
    Strings all{"--loss", "softmax", "--steps", "1", "--quiet", "--overwrite"};
    all.insert(all.end(), more.begin(), more.end());
    return hone(train_on({folder / "d.tsv"}, folder / "o", all));
  };
  EXPECT_EQ(with({"--rates", "^head\\.=1e-2"}).code, 0);
  EXPECT_EQ(with({"--freeze", "head"}).code, 0);
  expect_error(with({"--rates", "head=1e-2;heads=1"}), 2,
               "rates: \"heads\" fits no tensor of the model, which has ");
}

}  // namespace
}  // namespace hone::cli
