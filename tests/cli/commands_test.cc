// What info, encode, eval and nearest print and write.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/program.h"
#include "tests/places.h"

namespace hone::cli {
namespace {

using Json = nlohmann::json;

TEST(Info, describes_the_model) {
  const auto j = Json::parse(hone({"info", "--model", kModel, "--json"}).out);
  EXPECT_EQ(j.at("dimension"), 32);
  EXPECT_EQ(j.at("layers"), 2);
  EXPECT_NE(hone({"info", "--model", kModel}).out.find("pooling: mean"), std::string::npos);
}

Result encode(const fs::path& input, const fs::path& out, const Strings& more = {}) {
  Strings all{"encode", "--model", kModel, "--input", input.string(), "--out", out.string()};
  all.insert(all.end(), more.begin(), more.end());
  return hone(all);
}

TEST(Encode, writes_what_was_asked) {
  TempFolder folder;
  folder.write("texts.txt", "one\ntwo words\n\nfour\n");
  const Result r = encode(folder / "texts.txt", folder / "v.jsonl");
  EXPECT_EQ(r.code, 0);
  EXPECT_TRUE(r.err.starts_with("wrote 4 vectors of 32 numbers to " + (folder / "v.jsonl").string() +
                                ", peak memory "))
      << r.err;
  EXPECT_EQ(lines_of(folder / "v.jsonl"), 4);
  const Result column = encode(kPairs, folder / "v.npy", {"--column", "sentence2", "--quiet"});
  EXPECT_EQ(column.code, 0);
  EXPECT_TRUE(column.err.empty()) << column.err;
  EXPECT_NE(folder.read("v.npy").find("(120, 32)"), std::string::npos);
}

TEST(Encode, takes_the_only_column_of_a_table) {
  TempFolder folder;
  folder.write("lines.txt", "one\ntwo words\n");
  folder.write("one.tsv", "sentence\none\ntwo words\n");
  folder.write("one.jsonl", "{\"body\": \"one\"}\n{\"body\": \"two words\"}\n");
  folder.write("two.csv", "a,b\n1,2\n");
  folder.write("text.csv", "a,text\n1,one\n2,two words\n");
  ASSERT_EQ(encode(folder / "lines.txt", folder / "lines.npy").code, 0);
  for (const char* name : {"one.tsv", "one.jsonl", "text.csv"}) {
    ASSERT_EQ(encode(folder / name, folder / "v.npy").code, 0) << name;
    EXPECT_EQ(folder.read("v.npy"), folder.read("lines.npy")) << name;
  }
  const std::string two = (folder / "two.csv").string(), one = (folder / "one.tsv").string();
  expect_line(encode(two, folder / "w.npy"), 1,
              two + ":1: no column \"text\", the columns are \"a\", \"b\" (--column NAME names another)");
  expect_line(encode(one, folder / "w.npy", {"--column", "title"}), 1,
              one + ":1: no column \"title\" for \"text\", the columns are \"sentence\"");
  expect_line(encode(one, folder / "w.npy", {"--column="}), 2,
              "column: \"\" found, the name of a column expected");
}

TEST(Encode, never_overwrites_what_it_reads) {
  TempFolder folder;
  folder.write("texts.jsonl", "{\"text\": \"one\"}\n");
  const std::string texts = (folder / "texts.jsonl").string();
  fs::create_symlink(folder / "texts.jsonl", folder / "link.jsonl");
  for (const char* out : {"texts.jsonl", "./texts.jsonl", "link.jsonl"})
    expect_error(encode(texts, folder / out), 2, "is the file of --input, which is read");
  EXPECT_EQ(folder.read("texts.jsonl"), "{\"text\": \"one\"}\n");
}

TEST(Eval, scores_and_compares) {
  const Result r = hone({"eval", "--model", kModel, "--data", kPairs, "--compare", kModel, "--json"});
  ASSERT_EQ(r.code, 0) << r.err;
  const auto j = Json::parse(r.out);
  EXPECT_EQ(j.at("pairs"), 120);
  EXPECT_EQ(j.at("scores").size(), 20U);
  EXPECT_EQ(j.at("compare").at("scores"), j.at("scores"));
  EXPECT_EQ(j.at("compare").at("spearman_cosine_difference"), 0);
  const Result text = hone({"eval", "--model", kModel, "--data", kPairs, "--compare", kModel});
  EXPECT_TRUE(text.out.starts_with(kModel + " on " + kPairs + " (120 pairs)\n")) << text.out;
  EXPECT_NE(text.out.find("\n" + kModel + " on the same pairs\n"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("95 % interval; better in "), std::string::npos) << text.out;
  EXPECT_TRUE(text.err.empty()) << text.err;
}

TEST(Nearest, finds_the_text_itself_and_a_repeated_one_once) {
  TempFolder folder;
  folder.write("c.txt", "alpha\nalpha\nbeta gamma\ndelta\nbeta gamma\n");
  const auto j = Json::parse(hone({"nearest", "--model", kModel, "--corpus", (folder / "c.txt").string(),
                                   "--query", "beta gamma", "--top", "9", "--json"})
                                 .out);
  ASSERT_EQ(j.size(), 3U);
  EXPECT_EQ(j[0].at("text"), "beta gamma");
  EXPECT_EQ(j[0].at("index"), 2) << "where it stands first";
  EXPECT_NEAR(j[0].at("score").get<double>(), 1, 1e-5);
}

// Scores made anew from the vectors that `encode` writes, by the definition of each similarity.
TEST(Nearest, scores_by_the_similarity_that_the_model_names) {
  TempFolder folder;
  const Strings texts{"beta gamma", "alpha", "delta and more"};
  folder.write("c.txt", texts[1] + "\n" + texts[2] + "\n");
  folder.write("all.txt", texts[0] + "\n" + texts[1] + "\n" + texts[2] + "\n");
  const std::string corpus = (folder / "c.txt").string();
  const fs::path base = std::string(testing::kFixtures) + "/models/weighted-mean";
  ASSERT_EQ(hone({"encode", "--model", base.string(), "--input", (folder / "all.txt").string(), "--out",
                  (folder / "v.jsonl").string()})
                .code,
            0);
  std::vector<std::vector<double>> vectors;
  std::istringstream lines(folder.read("v.jsonl"));
  for (std::string line; std::getline(lines, line);)
    vectors.push_back(Json::parse(line).at("embedding").get<std::vector<double>>());
  ASSERT_EQ(vectors.size(), 3U);
  using Vector = std::vector<double>;
  auto sum = [](const Vector& a, const Vector& b, auto term) {
    double total = 0;
    for (size_t i = 0; i < a.size(); ++i) total += term(a[i], b[i]);
    return total;
  };
  auto dot = [&](const Vector& a, const Vector& b) { return sum(a, b, std::multiplies<double>()); };
  ASSERT_GT(std::abs(dot(vectors[0], vectors[0]) - 1), 0.1) << "cosine and dot product would be one";
  const std::map<std::string, std::function<double(const Vector&, const Vector&)>> similarities{
      {"cosine", [&](auto& a, auto& b) { return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b)); }},
      {"dot", dot},
      {"euclidean",
       [&](auto& a, auto& b) {
         return -std::sqrt(sum(a, b, [](double x, double y) { return (x - y) * (x - y); }));
       }},
      {"manhattan",
       [&](auto& a, auto& b) { return -sum(a, b, [](double x, double y) { return std::abs(x - y); }); }}};
  for (const auto& [name, similarity] : similarities) {
    SCOPED_TRACE(name);
    const fs::path model = folder / name;
    fs::copy(base, model, fs::copy_options::recursive);
    const fs::path settings = model / "config_sentence_transformers.json";
    Json j = fs::exists(settings) ? Json::parse(folder.read(name + "/config_sentence_transformers.json"))
                                  : Json::object();
    j["similarity_fn_name"] = name;
    folder.write(name + "/config_sentence_transformers.json", j.dump());
    const Result r =
        hone({"nearest", "--model", model.string(), "--corpus", corpus, "--query", texts[0], "--json"});
    ASSERT_EQ(r.code, 0) << r.err;
    const Json found = Json::parse(r.out);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_GE(found[0].at("score").get<double>(), found[1].at("score").get<double>());
    for (const Json& hit : found) {
      const double expected = similarity(vectors[0], vectors[1 + hit.at("index").get<size_t>()]);
      EXPECT_NEAR(hit.at("score").get<double>(), expected, 1e-4 * std::max(1.0, std::abs(expected)));
    }
  }
}

}  // namespace
}  // namespace hone::cli
