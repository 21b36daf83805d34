// Which loss is taken where none is named: the one that suits the columns, and it is said. And the role `id`.
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"
#include "tests/cli/small_data.h"

namespace hone::cli {
namespace {

using Json = nlohmann::json;

// A file with these columns; each row has words of its own, scores are 0 or 1.
std::string rows_of(const Strings& columns) {
  const Strings subjects{"The horse", "My mother", "A man"}, things{"tea", "city", "song", "tree"};
  std::string text;
  for (size_t i = 0; i < columns.size(); ++i) text += (i == 0 ? "" : "\t") + columns[i];
  for (size_t row = 0; row < subjects.size(); ++row) {
    text += "\n";
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string& name = columns[i];
      std::string value = subjects[row] + " " + things[i % things.size()];
      if (name == "score" || name == "label" || name == "grade") value = row == 0 ? "1" : "0";
      if (name == "scores") value = "5 1";
      if (name == "vector" || name == "embedding") {
        value.clear();
        for (int n = 0; n < 32; ++n) value += n == 0 ? "1" : " 0";
      }
      text += (i == 0 ? "" : "\t") + value;
    }
  }
  return text + "\n";
}

struct Choice {
  const char* name;
  Strings columns;
  const char* loss;
  const char* option = "";  // --columns
};

class Chosen : public ::testing::TestWithParam<Choice> {};

TEST_P(Chosen, by_the_columns_is_said) {
  TempFolder folder;
  const auto& [name, columns, loss, option] = GetParam();
  folder.write("d.tsv", rows_of(columns));
  Strings more{"--steps", "1"};
  if (*option != '\0') more.insert(more.end(), {"--columns", option});
  const Result r = hone(train_on({folder / "d.tsv"}, folder / "o", more));
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_NE(r.err.find("\nloss: " + std::string(loss) + " (chosen by the columns; --loss names another), "),
            std::string::npos)
      << r.err;
}

INSTANTIATE_TEST_SUITE_P(
    Columns, Chosen,
    ::testing::Values(
        Choice{"scored_pairs", {"sentence1", "sentence2", "score"}, "cosine"},
        Choice{"scored_pairs_in_any_order", {"label", "sentence2", "sentence1"}, "cosine"},
        Choice{"pairs", {"sentence1", "sentence2"}, "mnr"}, Choice{"anchors", {"anchor", "positive"}, "mnr"},
        Choice{"questions", {"question", "answer"}, "mnr"}, Choice{"queries", {"passage", "query"}, "mnr"},
        Choice{"triplets", {"anchor", "positive", "negative"}, "mnr"},
        Choice{"several_negatives", {"anchor", "positive", "negative_1", "negative_2"}, "mnr"},
        Choice{"scored_documents", {"anchor", "positive", "negative", "scores"}, "margin-mse"},
        Choice{"texts_with_vectors", {"text", "vector"}, "mse"},
        Choice{"texts_with_embeddings", {"embedding", "text"}, "mse"},
        Choice{"names_of_their_own",
               {"left", "right", "grade"},
               "cosine",
               "sentence1=left,sentence2=right,score=grade"},
        Choice{"a_column_that_is_given_another_role", {"query", "passage", "x"}, "mnr", "negative=x"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Loss, that_is_named_is_said_and_taken_whatever_the_columns_suit) {
  TempFolder folder;
  folder.write("d.tsv", kBinaryRows);
  const auto said = [&](const std::string& loss) {
    const Result r =
        hone(train_on({folder / "d.tsv"}, folder / "o", {"--steps", "1", "--loss", loss, "--overwrite"}));
    EXPECT_EQ(r.code, 0) << r.err;
    const size_t at = r.err.find("\nloss: ");
    return r.err.substr(at + 1, r.err.find('\n', at + 1) - at - 1);
  };
  EXPECT_EQ(said("cosine"), "loss: cosine, mean of (cos(u, v) - label)^2");
  EXPECT_EQ(said("mnr"),
            "loss: mnr, mean of log(sum over documents of exp(scale s(q, d))) - scale s(q, positive)")
      << "sentences stand for anchor and positive";
}

TEST(Loss, of_columns_that_suit_none_is_an_error_that_names_what_there_could_be) {
  TempFolder folder;
  folder.write("d.tsv", rows_of({"title", "body"}));
  expect_line(
      hone(train_on({folder / "d.tsv"}, folder / "o")), 1,
      (folder / "d.tsv").string() +
          ": the columns are \"title\", \"body\"; to train on, expected sentence1, sentence2 and score; "
          "anchor and positive; or text and vector (--columns ROLE=NAME names others, hone losses lists "
          "all)");
  EXPECT_EQ(folder.names(), Strings{"d.tsv"});
}

TEST(Columns, that_are_named_wrongly_are_one_line) {
  TempFolder folder;
  folder.write("d.tsv", kTripletRows);
  const auto wrong = [&](const std::string& columns, int code, const std::string& part) {
    expect_error(hone(train_on({folder / "d.tsv"}, folder / "o", {"--columns", columns})), code, part);
    EXPECT_EQ(folder.names(), Strings{"d.tsv"});
  };
  wrong("poetry=anchor", 2,
        "--columns: no role \"poetry\" here, the roles are sentence1, sentence2, anchor, positive, negative");
  wrong("anchor", 2, "--columns: found \"anchor\", expected role=name");
  wrong("anchor=", 2, "--columns: found \"anchor=\", expected role=name");
  wrong("anchor=anchor,anchor=positive", 2, "--columns: role \"anchor\" is there twice");
  wrong("anchor=question", 1, "d.tsv:1: no column \"question\" for \"anchor\", the columns are \"anchor\"");
  wrong("id=document", 1, "d.tsv:1: no column \"document\" for \"id\"");
}

// --- id ---

// Two rows of one batch: the loss of the first step.
double first_loss(const TempFolder& folder, const Strings& more, const char* data = "d.tsv") {
  Strings all{"--steps", "1",       "--loss",      "mnr",   "--dropout",
              "0",       "--quiet", "--overwrite", "--log", (folder / "log").string()};
  all.insert(all.end(), more.begin(), more.end());
  const Result r = hone(train_on({folder / data}, folder / "o", all));
  EXPECT_EQ(r.code, 0) << r.err;
  return Json::parse(folder.read("log")).at("loss");
}

TEST(Id, keeps_rows_about_the_same_thing_from_being_negatives) {
  TempFolder folder;
  folder.write("d.tsv",
               "id\tanchor\tpositive\n"
               "7\tThe horse wants hot tea\tMy mother wants hot tea\n"
               "7\tA man sings a little song\tThe dog sings a song\n");
  // Each row is left with its own positive: log(exp(s)) - s, in float.
  EXPECT_NEAR(first_loss(folder, {"--columns", "id=id"}), 0, 1e-5);
  EXPECT_GT(first_loss(folder, {}), 1e-3) << "a column of that name alone means nothing";
  EXPECT_GT(first_loss(folder, {"--columns", "id=id", "--loss-options", "mask=none"}), 1e-3);
}

// A row without one has none in common with any other.
TEST(Id, may_be_missing_in_a_row_but_not_in_all) {
  TempFolder folder;
  const std::string with = "{\"doc\": \"7\", ", without = "{", null = "{\"doc\": null, ",
                    first = "\"anchor\": \"a man\", \"positive\": \"sings a song\"}\n",
                    second = "\"anchor\": \"a horse\", \"positive\": \"wants tea\"}\n";
  const auto loss = [&](const std::string& rows, const Strings& more) {
    folder.write("d.jsonl", rows);
    return first_loss(folder, more, "d.jsonl");
  };
  const Strings by_id{"--columns", "id=doc"};
  const double plain = loss(without + first + without + second, {});
  EXPECT_GT(plain, 1e-3);
  EXPECT_EQ(loss(with + first + without + second, by_id), plain);
  EXPECT_EQ(loss(null + first + with + second, by_id), plain);
  EXPECT_NEAR(loss(with + first + with + second, by_id), 0, 1e-5);
  fs::remove_all(folder / "o");
  folder.write("d.jsonl", without + first + without + second);
  expect_error(hone(train_on({folder / "d.jsonl"}, folder / "o", by_id)), 1,
               "no column \"doc\" for \"id\" in any row");
  EXPECT_FALSE(fs::exists(folder / "o"));
}

TEST(Id, is_the_same_as_a_number_of_jsonl_and_as_a_text_of_another_file) {
  TempFolder folder;
  folder.write("d.jsonl",
               R"({"id": 7, "anchor": "The horse wants hot tea", "positive": "My mother wants hot tea"})"
               "\n");
  folder.write("e.tsv", "id\tanchor\tpositive\n7\tA man sings a little song\tThe dog sings a song\n");
  const auto loss = [&](const Strings& more) {
    Strings all{"--steps", "1",           "--dropout", "0",
                "--quiet", "--overwrite", "--log",     (folder / "log").string()};
    all.insert(all.end(), more.begin(), more.end());
    const Result r = hone(train_on({folder / "d.jsonl", folder / "e.tsv"}, folder / "o", all));
    EXPECT_EQ(r.code, 0) << r.err;
    return Json::parse(folder.read("log")).at("loss").get<double>();
  };
  EXPECT_NEAR(loss({"--columns", "id=id"}), 0, 1e-5);
  EXPECT_GT(loss({}), 1e-3);
}

}  // namespace
}  // namespace hone::cli
