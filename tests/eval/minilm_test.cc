// all-MiniLM-L6-v2 on the STS benchmark: the score that the reference's evaluator gives it.
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "encode/encoder.h"
#include "eval/sts.h"
#include "tests/compute/test_engine.h"
#include "tests/reference_data.h"

namespace hone::eval {
namespace {

namespace fs = std::filesystem;

TEST(MiniLm, scores_on_the_sts_benchmark_as_in_the_reference) {
  const fs::path model = hone::testing::minilm(), file = hone::testing::data_file("stsb/test.en.tsv.gz");
  constexpr char kUntested[] = "its score on the STS benchmark is NOT checked";
  if (model.empty()) GTEST_SKIP() << hone::testing::kNoMiniLm << kUntested;
  if (file.empty()) GTEST_SKIP() << hone::testing::kNoData << kUntested;
  data::ReadOptions options;
  options.roles = {{"sentence1", data::ColumnKind::text, true, {}},
                   {"sentence2", data::ColumnKind::text, true, {}},
                   {"score", data::ColumnKind::number, true, {}}};
  const data::Table table = data::read_table(file, options);
  ASSERT_EQ(table.rows, 1379U);
  encode::Encoder encoder(model::load_model(model), compute::test_engine(2));
  const auto first = encoder.encode(table.text("sentence1")),
             second = encoder.encode(table.text("sentence2"));
  const StsScores scores = sts_scores(first, second, encoder.dim(), table.number("score"), false);
  // The reference's evaluator says 0.8203; it is known, and published, to four decimals.
  EXPECT_NEAR(scores.at("spearman_cosine"), 0.8203, 5e-5);
}

}  // namespace
}  // namespace hone::eval
