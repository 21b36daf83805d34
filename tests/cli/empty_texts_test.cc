// Rows with an empty text, and warnings at large: told on standard error and in the JSON, quiet or not.
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"
#include "tests/cli/small_data.h"
#include "tests/places.h"

namespace hone::cli {
namespace {

using Json = nlohmann::json;

const std::string kSpreadsheet =
    "anchor,positive\nThe horse wants hot tea,My mother wants hot tea\n,\nA man sings,The horse sings\n,\n";

std::string about(const fs::path& file) {
  return "2 of 4 rows have an empty text, the first: " + file.string() + ":3: column \"anchor\"";
}

bool has(const Json& warnings, const std::string& line) {
  return std::find(warnings.begin(), warnings.end(), line) != warnings.end();
}

TEST(EmptyTexts, are_told_before_training) {
  TempFolder folder;
  folder.write("rows.csv", kSpreadsheet);
  folder.write("eval.tsv", "anchor\tpositive\tnegative\nA man sings\t \tThe dog\nA man\tThe man\tThe dog\n");
  const Strings more{"--steps", "1", "--task", "triplet", "--eval", (folder / "eval.tsv").string()};
  const Result told = hone(train_on({folder / "rows.csv"}, folder / "out", more));
  ASSERT_EQ(told.code, 0) << told.err;
  const std::string of_eval = "evaluation: 1 of 2 rows has an empty text, " + (folder / "eval.tsv").string() +
                              ":2: column \"positive\"";
  const size_t place = told.err.find("warning: " + about(folder / "rows.csv") + "\n");
  EXPECT_NE(place, std::string::npos) << told.err;
  EXPECT_LT(place, told.err.find("before training")) << told.err;
  EXPECT_NE(told.err.find("warning: " + of_eval + "\n"), std::string::npos) << told.err;

  Strings quiet = more;
  quiet.insert(quiet.end(), {"--json", "--quiet"});
  const Result r = hone(train_on({folder / "rows.csv"}, folder / "quiet", quiet));
  ASSERT_EQ(r.code, 0) << r.err;
  const Json warnings = Json::parse(r.out).at("warnings");
  EXPECT_TRUE(has(warnings, about(folder / "rows.csv"))) << warnings;
  EXPECT_TRUE(has(warnings, of_eval)) << warnings;
}

TEST(EmptyTexts, are_told_by_eval) {
  TempFolder folder;
  folder.write("rows.tsv", "sentence1\tsentence2\tscore\nA man sings\tThe horse sings\t1\n\tA man\t0\n");
  const Strings arguments{"eval", "--model", kModel, "--data", (folder / "rows.tsv").string()};
  const std::string about =
      "1 of 2 rows has an empty text, " + (folder / "rows.tsv").string() + ":3: column \"sentence1\"";
  const Result told = hone(arguments);
  ASSERT_EQ(told.code, 0) << told.err;
  EXPECT_NE(told.err.find("warning: " + about + "\n"), std::string::npos) << told.err;
  Strings quiet = arguments;
  quiet.insert(quiet.end(), {"--json", "--quiet"});
  const Result r = hone(quiet);
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(Json::parse(r.out).at("warnings"), Json::array({about}));
  folder.write("rows.tsv", "sentence1\tsentence2\tscore\nA man sings\tThe horse sings\t1\nA\tA man\t0\n");
  EXPECT_EQ(Json::parse(hone(quiet).out).at("warnings"), Json::array());
}

// Equal scores of all pairs: nothing to correlate with.
TEST(Warnings, that_the_metric_is_no_number_is_in_the_json) {
  TempFolder folder;
  folder.write("rows.tsv", kBinaryRows);
  folder.write("same.tsv", "sentence1\tsentence2\tscore\nA man\tThe man\t1\nThe dog\tA dog\t1\n");
  const Result r =
      hone(train_on({folder / "rows.tsv"}, folder / "out",
                    {"--steps", "1", "--eval", (folder / "same.tsv").string(), "--json", "--quiet"}));
  ASSERT_EQ(r.code, 0) << r.err;
  const Json warnings = Json::parse(r.out).at("warnings");
  EXPECT_TRUE(has(warnings, "spearman_cosine of the base model is not a number on " +
                                (folder / "same.tsv").string() +
                                ": unless that changes, nothing tells a better step, and the last is kept"))
      << warnings;
}

}  // namespace
}  // namespace hone::cli
