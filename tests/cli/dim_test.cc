// --dim, the first numbers of each vector: what the commands make of it is what they make of a folder whose
// truncate_dim says so.
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/program.h"
#include "tests/cli/small_data.h"
#include "tests/places.h"

namespace hone::cli {
namespace {

using Json = nlohmann::json;

const std::string kNarrow = std::string(testing::kFixtures) + "/models/dense-tanh";  // 24 numbers

class Dim : public ::testing::Test {
 protected:
  Dim() {
    folder.write("texts.txt", "The horse wants hot tea\nA man sings a little song\nTwo people\n");
    folder.write("binary.tsv", kBinaryRows);
    folder.write("triplet.tsv", kTripletRows);
    write_beir(folder, "beir");
  }
  std::string at(const std::string& name) const { return (folder / name).string(); }
  // A copy of kModel with this truncate_dim.
  std::string cut_model(int dim) const {
    const std::string name = "cut-" + std::to_string(dim),
                      settings = name + "/config_sentence_transformers.json";
    fs::copy(kModel, folder / name, fs::copy_options::recursive);
    Json j = fs::exists(folder / settings) ? Json::parse(folder.read(settings)) : Json::object();
    j["truncate_dim"] = dim;
    folder.write(settings, j.dump());
    return at(name);
  }
  Result encode(const std::string& model, const std::string& out, const Strings& more = {}) const {
    Strings all{"encode", "--model", model, "--input", at("texts.txt"), "--out", at(out)};
    all.insert(all.end(), more.begin(), more.end());
    return hone(all);
  }
  TempFolder folder;
};

TEST_F(Dim, encode_writes_as_many_numbers) {
  const std::string model = cut_model(8);
  for (const Strings& more : {Strings{}, {"--normalize"}}) {
    ASSERT_EQ(encode(model, "expected.npy", more).code, 0);
    Strings asked = more;
    asked.insert(asked.end(), {"--dim", "8"});
    const Result r = encode(kModel, "found.npy", asked);
    EXPECT_EQ(r.code, 0);
    EXPECT_TRUE(r.err.starts_with("wrote 3 vectors of 8 numbers to " + at("found.npy"))) << r.err;
    EXPECT_EQ(folder.read("found.npy"), folder.read("expected.npy"));
  }
  ASSERT_EQ(encode(model, "whole.npy", {"--dim", "32"}).code, 0) << "more than truncate_dim";
  ASSERT_EQ(encode(kModel, "expected.npy").code, 0);
  EXPECT_EQ(folder.read("whole.npy"), folder.read("expected.npy"));
}

TEST_F(Dim, nearest_compares_as_many_numbers) {
  const auto nearest = [&](const std::string& model, const Strings& more) {
    Strings all{"nearest", "--model", model, "--corpus", at("texts.txt"), "--query", "My mother wants tea",
                "--json"};
    all.insert(all.end(), more.begin(), more.end());
    const Result r = hone(all);
    EXPECT_EQ(r.code, 0) << r.err;
    return r.out;
  };
  const std::string found = nearest(kModel, {"--dim", "3"});
  EXPECT_EQ(found, nearest(cut_model(3), {}));
  EXPECT_NE(found, nearest(kModel, {}));
}

TEST_F(Dim, eval_scores_both_models_by_as_many_numbers) {
  const std::string model = cut_model(8);
  for (const auto& [task, data] : {std::pair{"sts", kPairs},
                                   {"binary", at("binary.tsv")},
                                   {"triplet", at("triplet.tsv")},
                                   {"retrieval", at("beir")}}) {
    SCOPED_TRACE(task);
    const auto scored = [&, task = task, &data = data](const std::string& folder_of_model,
                                                       const std::string& other, const Strings& more) {
      Strings all{"eval",   "--model", folder_of_model, "--compare", other,
                  "--task", task,      "--data",        data,        "--json"};
      all.insert(all.end(), more.begin(), more.end());
      const Result r = hone(all);
      EXPECT_EQ(r.code, 0) << r.err;
      return Json::parse(r.out);
    };
    const Json expected = scored(model, model, {}), found = scored(kModel, kNarrow, {"--dim", "8"}),
               other = scored(kNarrow, kModel, {"--dim=8"});
    EXPECT_FALSE(expected.contains("dim"));
    EXPECT_EQ(found.at("dim"), 8);
    EXPECT_EQ(found.at("scores"), expected.at("scores"));
    EXPECT_EQ(other.at("compare").at("scores"), expected.at("scores"));
  }
  const Result text = hone({"eval", "--model", kModel, "--data", kPairs, "--dim", "8"});
  EXPECT_TRUE(
      text.out.starts_with(kModel + " on " + kPairs + " (120 pairs, the first 8 numbers of each vector)\n"))
      << text.out;
}

TEST_F(Dim, train_chooses_and_judges_by_as_many_numbers) {
  const Strings more{"--eval",       kPairs, "--lr",      "1e-3", "--steps", "6",
                     "--eval-steps", "3",    "--dropout", "0",    "--dim",   "8"};
  Strings json = more;
  json.emplace_back("--json");
  const Result r = hone(train(folder / "out", json));
  ASSERT_EQ(r.code, 0) << r.err;
  const Json j = Json::parse(r.out);
  const auto score = [](const std::string& model) -> Json {
    const Result scored = hone({"eval", "--model", model, "--data", kPairs, "--json", "--dim", "8"});
    EXPECT_EQ(scored.code, 0) << scored.err;
    return Json::parse(scored.out).at("scores").at("spearman_cosine");
  };
  EXPECT_EQ(j.at("verdict").at("before"), score(kModel));
  EXPECT_EQ(j.at("verdict").at("after"), score(at("out")));
  EXPECT_NE(j.at("verdict").at("before"), j.at("verdict").at("after"));
  EXPECT_NE(folder.read("out/README.md").find("| scored numbers of a vector | 8 |"), std::string::npos);
  EXPECT_EQ(Json::parse(hone({"info", "--model", at("out"), "--json"}).out).count("truncate_dim"), 0U)
      << "the model keeps its width";
}

TEST_F(Dim, of_a_resumed_run_is_the_same) {
  const Strings begun{"--eval", kPairs, "--steps", "2", "--dim", "8"};
  ASSERT_EQ(hone(train(folder / "out", begun)).code, 0);
  Strings resumed{"--eval", kPairs, "--steps", "2", "--resume"};
  expect_error(hone(train(folder / "out", resumed)), 1, ": dim was 8 and is now none");
  resumed.insert(resumed.end(), {"--dim", "8"});
  EXPECT_EQ(hone(train(folder / "out", resumed)).code, 0);
}

TEST_F(Dim, wider_than_a_model_is_refused_and_leaves_nothing) {
  const auto before = folder.names();
  const auto line = [](const std::string& dim, const std::string& width, const std::string& model) {
    return "dim: " + dim + " found, 1 to " + width + " expected, the width of the vectors of " + model;
  };
  expect_line(encode(kModel, "v.npy", {"--dim", "33"}), 2, line("33", "32", kModel));
  expect_line(
      hone({"nearest", "--model", kModel, "--corpus", at("texts.txt"), "--query", "tea", "--dim", "33"}), 2,
      line("33", "32", kModel));
  expect_line(hone({"eval", "--model", kModel, "--compare", kNarrow, "--data", kPairs, "--dim", "25"}), 2,
              line("25", "24", kNarrow));
  expect_line(hone(train(folder / "out", {"--eval", kPairs, "--dim", "1000000000"})), 2,
              line("1000000000", "32", kModel));
  for (const std::string bad : {"0", "-8", "8.5", "", "many", "1000000001", "99999999999999999999"}) {
    SCOPED_TRACE(bad);
    const Result r = encode(kModel, "v.npy", {"--dim=" + bad});
    const bool whole = bad.find_first_not_of("-0123456789") == bad.npos && !bad.empty();
    expect_line(r, 2,
                "dim: \"" + bad + "\" found, " +
                    (whole ? "1 to the width of the model's vectors" : "a whole number") + " expected");
  }
  expect_line(hone(train(folder / "out", {"--dim", "8"})), 2,
              "option --dim is for --eval or --hold-out, which are missing");
  EXPECT_EQ(folder.names(), before);
}

}  // namespace
}  // namespace hone::cli
