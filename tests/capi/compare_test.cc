// Comparing two models and searching a corpus through the interface: both are what the parts of it give.
#include <cmath>

#include <nlohmann/json.hpp>

#include "tests/base/prompted_model.h"
#include "tests/capi/rows.h"
#include "tests/capi/steps.h"
#include "tests/places.h"

namespace hone::testing {

namespace {

using nlohmann::json;

const std::filesystem::path kTriplets =
    std::filesystem::path(testing::kFixtures) / "evaluators" / "triplet.jsonl";

class Compare : public ::testing::Test {
 protected:
  Dataset read(const std::filesystem::path& file, const Settings& settings) const {
    Dataset made;
    Failure failure;
    require(hone_dataset_read(runtime, file.c_str(), make_config(settings), made.place(), failure.place()),
            failure);
    return made;
  }
  static json scores(const hone_model* model, const hone_dataset* dataset, const Settings& settings) {
    Buffer buffer;
    Failure failure;
    require(hone_model_evaluate(model, dataset, make_config(settings), buffer.place(), failure.place()),
            failure);
    return json::parse(text_of(buffer));
  }
  static json compared(const hone_model* model, const hone_model* other, const hone_dataset* dataset,
                       const Settings& settings) {
    Buffer buffer;
    Failure failure;
    require(hone_model_compare(model, other, dataset, make_config(settings), buffer.place(), failure.place()),
            failure);
    return json::parse(text_of(buffer));
  }
  const PromptedModel prompted{
      {{"prompts", {{"query", "Find: "}, {"document", "the text "}}}, {"similarity_fn_name", "dot"}}};
  Runtime runtime = make_runtime();
  Model model = load_model(runtime), other = load_model(runtime, prompted.path());
};

TEST_F(Compare, gives_the_scores_of_both_and_their_difference) {
  for (const auto& [task, primary, file] : {std::tuple{"triplet", "cosine_accuracy", kTriplets},
                                            std::tuple{"sts", "spearman_cosine", kPairsFile}}) {
    const Settings settings{{"eval.task", task}};
    const Dataset dataset = read(file, settings);
    json both = compared(model, other, dataset, settings);
    const json compare = both.at("compare");
    both.erase("compare");
    EXPECT_EQ(both, scores(model, dataset, settings));
    // The other is scored by the similarity of the first.
    const json expected = scores(other, dataset, {{"eval.task", task}, {"eval.similarity", "cosine"}});
    for (const auto& [name, value] : compare.at("scores").items())
      EXPECT_EQ(value, expected.at(name)) << name;
    EXPECT_EQ(compare.at("scores").contains(primary), true);
    const double difference = compare.at(std::string(primary) + "_difference");
    EXPECT_NEAR(difference, both.at(primary).get<double>() - expected.at(primary).get<double>(), 1e-12);
    EXPECT_LE(compare.at("difference_95")[0], difference + 1e-12);
    EXPECT_GE(compare.at("difference_95")[1], difference - 1e-12);
    EXPECT_EQ(compare.contains("prompts"), std::string(task) == "triplet");
  }
}

TEST_F(Compare, of_a_model_with_itself_is_nothing) {
  const Settings settings{{"eval.task", "triplet"}};
  const json compare = compared(model, model, read(kTriplets, settings), settings).at("compare");
  EXPECT_EQ(compare.at("cosine_accuracy_difference"), 0.0);
  EXPECT_EQ(compare.at("difference_95"), (json{0.0, 0.0}));
  EXPECT_EQ(compare.at("share_better"), 0.0);
}

TEST_F(Compare, models_may_be_of_different_runtimes) {
  const Runtime second = make_runtime(1);
  const Model elsewhere = load_model(second, prompted.path());
  const Settings settings{{"eval.task", "triplet"}};
  const Dataset dataset = read(kTriplets, settings);
  EXPECT_EQ(compared(model, elsewhere, dataset, settings), compared(model, other, dataset, settings));
}

TEST_F(Compare, model_info_tells_the_prompts) {
  Buffer buffer;
  Failure failure;
  require(hone_model_info(other, buffer.place(), failure.place()), failure);
  const json info = json::parse(text_of(buffer));
  EXPECT_EQ(info.at("prompts").at("query"), "Find: ");
  EXPECT_EQ(info.at("default_prompt"), "");
}

class Nearest : public Compare {
 protected:
  struct Found {
    std::vector<int64_t> indices;
    std::vector<float> scores;
  };
  Found found(const hone_model* m, const std::vector<std::string>& corpus,
              const std::vector<std::string>& queries, size_t top, const Settings& settings = {}) {
    const auto texts = strings(corpus), asked = strings(queries);
    Found out{std::vector<int64_t>(queries.size() * top), std::vector<float>(queries.size() * top)};
    Failure failure;
    require(hone_model_nearest(m, texts.data(), texts.size(), asked.data(), asked.size(), top,
                               make_config(settings), out.indices.data(), out.scores.data(),
                               out.indices.size(), failure.place()),
            failure);
    return out;
  }
  const std::vector<std::string> kept{"The horse wants hot tea", "A man sings a little song", "hot tea",
                                      "A man sings a little song"};
};

TEST_F(Nearest, finds_the_texts_whose_vectors_are_nearest) {
  const std::vector<std::string> queries{"hot tea", "A man sings"};
  const Found f = found(model, kept, queries, 3);
  const auto a = encode(model, queries), b = encode(model, kept);
  for (size_t q = 0; q < queries.size(); ++q) {
    double before = 2;
    for (size_t i = 0; i < 3; ++i) {
      const auto at = static_cast<size_t>(f.indices[3 * q + i]);
      ASSERT_LT(at, 3U);  // the last is the second again
      double dot = 0, aa = 0, bb = 0;
      for (size_t d = 0; d < kDim; ++d) {
        const double x = a[q * kDim + d], y = b[at * kDim + d];
        dot += x * y, aa += x * x, bb += y * y;
      }
      EXPECT_NEAR(f.scores[3 * q + i], dot / std::sqrt(aa * bb), 4e-6);
      EXPECT_LE(f.scores[3 * q + i], before);
      before = f.scores[3 * q + i];
    }
  }
  EXPECT_EQ(f.indices[0], 2);
  EXPECT_EQ(f.indices[3], 1);
}

TEST_F(Nearest, puts_the_prompts_of_the_roles) {
  std::vector<std::string> written;
  for (const std::string& text : kept) written.push_back("the text " + text);
  const Found expected = found(other, written, {"Find: hot tea"}, 2, {{"search.prompts", "none"}});
  const Found f = found(other, kept, {"hot tea"}, 2);
  EXPECT_EQ(f.indices, expected.indices);
  EXPECT_EQ(f.scores, expected.scores);
  EXPECT_NE(f.scores, found(other, kept, {"hot tea"}, 2, {{"search.prompts", "none"}}).scores);
}

TEST_F(Nearest, fills_what_is_not_there) {
  const Found f = found(model, kept, {"hot tea"}, 5);
  EXPECT_EQ(f.indices[3], -1);
  EXPECT_EQ(f.indices[4], -1);
  EXPECT_TRUE(std::isnan(f.scores[3]));
  EXPECT_EQ(found(model, {}, {"hot tea"}, 1).indices, std::vector<int64_t>{-1});
}

TEST_F(Nearest, encode_takes_the_prompt_of_a_role) {
  const auto by = [&](const char* key, const char* value, const std::string& text) {
    const std::vector<std::string> one{text};
    const auto texts = strings(one);
    std::vector<float> out(kDim);
    Failure failure;
    require(hone_model_encode(other, texts.data(), 1, make_config({{key, value}}), out.data(), out.size(),
                              failure.place()),
            failure);
    return out;
  };
  EXPECT_EQ(by("encode.role", "query", "tea"), by("encode.prompt", "none", "Find: tea"));
  EXPECT_EQ(by("encode.prompt", "document", "tea"), by("encode.prompt", "none", "the text tea"));
  Failure failure;
  const hone_str text{"tea", 3};
  std::vector<float> out(kDim);
  EXPECT_EQ(hone_model_encode(other, &text, 1, make_config({{"encode.prompt", "topic"}}), out.data(),
                              out.size(), failure.place()),
            HONE_EINVAL);
  EXPECT_EQ(failure.subject(), std::string("encode.prompt"));
}

}  // namespace

}  // namespace hone::testing
