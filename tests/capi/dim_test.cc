// encode.dim, the first numbers of each vector, wherever texts become vectors.
#include <limits>

#include <nlohmann/json.hpp>

#include "tests/capi/arrow_streams.h"
#include "tests/capi/steps.h"

namespace hone::testing {

namespace {

using nlohmann::json;

constexpr size_t kCut = 5;
const Settings kAsked = {{"encode.dim", static_cast<int64_t>(kCut)}};

class Dim : public Jobs {
 protected:
  std::vector<float> encode_cut(const Settings& settings) const {
    std::vector<float> vectors(kTexts.size() * kCut);
    Failure failure;
    const std::vector<hone_str> views = strings(kTexts);
    require(hone_model_encode(model, views.data(), views.size(), make_config(settings), vectors.data(),
                              vectors.size(), failure.place()),
            failure);
    return vectors;
  }
  json scores(const hone_model* scored, const Settings& settings) const {
    Buffer buffer;
    Failure failure;
    require(hone_model_evaluate(scored, dataset, make_config(settings), buffer.place(), failure.place()),
            failure);
    return json::parse(text_of(buffer));
  }
};

TEST_F(Dim, IsThatOfTheVectors) {
  const std::vector<float> whole = encode(model, kTexts), cut = encode_cut(kAsked);
  for (size_t i = 0; i < cut.size(); ++i) EXPECT_EQ(cut[i], whole[i / kCut * kDim + i % kCut]);
  EXPECT_EQ(hone_model_dim(model), kDim) << "the model's own";
  Settings unit = kAsked;
  unit.push_back({"encode.normalize", true});
  const std::vector<float> scaled = encode_cut(unit);
  for (size_t at = 0; at < scaled.size(); at += kCut) {
    float square = 0;
    for (size_t i = at; i < at + kCut; ++i) square += scaled[i] * scaled[i];
    EXPECT_NEAR(square, 1, 1e-6);
  }
}

TEST_F(Dim, SaysHowMuchRoomIsNeeded) {
  const std::vector<hone_str> views = strings(kTexts);
  std::vector<float> out(kTexts.size() * kCut, 12345);
  const std::vector<float> untouched = out;
  const Failure failure = refused(HONE_EINVAL, [&](hone_error** error) {
    return hone_model_encode(model, views.data(), views.size(), make_config(kAsked), out.data(),
                             out.size() - 1, error);
  });
  EXPECT_EQ(failure.subject(), "out_floats");
  EXPECT_NE(failure.message().find("at least 30 (6 x 5)"), std::string::npos) << failure.message();
  EXPECT_EQ(out, untouched);
}

TEST_F(Dim, IsThatOfAStream) {
  const std::vector<std::optional<std::string>> texts(kTexts.begin(), kTexts.end());
  Stream in({{{text_column("text", texts)}}});
  OutStream out;
  Failure failure;
  require(hone_model_encode_arrow(model, in.raw(), make_config(kAsked), &out.raw, failure.place()), failure);
  ArrowSchema schema{};
  ASSERT_EQ(out.raw.get_schema(&out.raw, &schema), 0);
  EXPECT_STREQ(schema.children[0]->format, "+w:5");
  schema.release(&schema);
  ArrowArray batch{};
  ASSERT_EQ(out.raw.get_next(&out.raw, &batch), 0);
  EXPECT_EQ(list_values(batch, kCut), encode_cut(kAsked));
  batch.release(&batch);
}

TEST_F(Dim, IsThatOfScores) {
  const json cut = scores(model, kAsked), whole = scores(model, {});
  EXPECT_EQ(cut.at("dim"), kCut);
  EXPECT_FALSE(whole.contains("dim"));
  EXPECT_NE(cut.at("spearman_cosine"), whole.at("spearman_cosine"));
  EXPECT_EQ(scores(model, {{"encode.dim", kDim}}).at("spearman_cosine"), whole.at("spearman_cosine"));
}

TEST_F(Dim, IsThatOfAVerdict) {
  const Trainer trainer = make_trainer(model, dataset, dataset, small_settings(kAsked));
  const Job job = start(trainer);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  const json verdict = json::parse(report_of(job)).at("verdict");
  const Model tuned = result_of(job);
  EXPECT_EQ(verdict.at("before"), scores(model, kAsked).at("spearman_cosine"));
  EXPECT_EQ(verdict.at("after"), scores(tuned, kAsked).at("spearman_cosine"));
  EXPECT_EQ(hone_model_dim(tuned), kDim);
}

// What is not evaluated is trained as ever: the option is of vectors, not of training.
TEST_F(Dim, IsNoneOfTraining) {
  const Trainer with = make_trainer(model, dataset, nullptr, small_settings(kAsked)),
                without = make_trainer(model, dataset, nullptr, small_settings());
  const Job first = start(with), second = start(without);
  ASSERT_EQ(end_of(first), HONE_JOB_FINISHED);
  ASSERT_EQ(end_of(second), HONE_JOB_FINISHED);
  EXPECT_EQ(encode(result_of(first), kTexts), encode(result_of(second), kTexts));
}

TEST_F(Dim, WiderThanTheModelIsRefused) {
  const Config wide = make_config({{"encode.dim", kDim + 1}});
  const std::string line =
      "encode.dim: 33 found, 1 to 32 expected, the width of the vectors of " + kModelFolder.string();
  const auto expect = [&](const Failure& failure) {
    EXPECT_EQ(failure.subject(), "encode.dim");
    EXPECT_EQ(failure.message(), line);
  };
  const hone_str text = {"tea", 3};
  float out[kDim + 1] = {};
  for (const size_t count : {size_t{0}, size_t{1}}) {
    expect(refused(HONE_EINVAL,
                   [&](auto e) { return hone_model_encode(model, &text, count, wide, out, kDim + 1, e); }));
  }
  Stream in({{{text_column("text", {{"tea"}})}}});
  OutStream stream;
  expect(refused(HONE_EINVAL,
                 [&](auto e) { return hone_model_encode_arrow(model, in.raw(), wide, &stream.raw, e); }));
  EXPECT_TRUE(in.gone()) << in.standing();
  EXPECT_EQ(stream.raw.release, nullptr);
  Buffer buffer;
  expect(refused(HONE_EINVAL,
                 [&](auto e) { return hone_model_evaluate(model, dataset, wide, buffer.place(), e); }));
  Trainer trainer;
  expect(refused(HONE_EINVAL, [&](auto e) {
    return hone_trainer_create(model, dataset, dataset, wide, trainer.place(), e);
  }));
}

TEST_F(Dim, ThatCanBeOfNoModelIsRefusedWhereItIsSet) {
  const Config config = make_config({});
  for (const int64_t bad :
       {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    const Failure failure =
        refused(HONE_EINVAL, [&](auto e) { return hone_config_set_int(config, "encode.dim", bad, e); });
    EXPECT_EQ(failure.subject(), "encode.dim");
    EXPECT_NE(failure.message().find("1 to the width of the model's vectors"), std::string::npos)
        << failure.message();
  }
}

}  // namespace

}  // namespace hone::testing
