// Which of the first numbers of vectors a batch trains, where they are drawn for each.
#include <cmath>
#include <map>

#include "tests/compute/test_engine.h"
#include "tests/loss/loss_cases.h"

namespace hone::loss {
namespace {

constexpr int64_t kDims[] = {6, 5, 3, 2};
constexpr double kWeights[] = {1, 0.5, 2, 3};

LossCase drawing(const std::string& per_batch) {
  return {"cosine", "matryoshka=6+5+3+2,matryoshka_weights=1+0.5+2+3,matryoshka_per_batch=" + per_batch, {}};
}

// For each batch which of kDims were trained, as bits: found by the value and compared by the gradient.
std::vector<int> trained(const LossCase& c, int batches, uint64_t seed = 5, uint64_t first = 0) {
  const auto engine = compute::test_engine(1);
  LossRun run(c);
  const LossInfo& info = find_loss(c.loss);
  run.loss = make_loss(info, LossOptions(info, c.options), {c.dim, 0, 0, seed});
  naive::Numbers n = run.numbers();
  std::vector<int> sets;
  for (int b = 0; b < batches; ++b) {
    run.batch.number = first + static_cast<uint64_t>(b);
    std::vector<float> gradient;
    const double value = run.evaluate(*engine, gradient);
    int found = 0;
    for (int set = 1; set < 16; ++set) {
      std::vector<int64_t> dims;
      naive::Vector weights;
      for (size_t k = 0; k < 4; ++k) {
        if ((set >> k & 1) == 0) continue;
        dims.push_back(kDims[k]);
        weights.push_back(kWeights[k]);
      }
      const naive::Value expected = naive::matryoshka(naive::cosine(), dims, weights, false);
      if (std::abs(expected(n) - value) > 1e-6) continue;
      EXPECT_EQ(found, 0) << "two sets have this value";
      found = set;
      if (b > 5) continue;
      const naive::Vector slopes = naive::differences(expected, n, n.vectors);
      for (size_t i = 0; i < slopes.size(); ++i) EXPECT_NEAR(gradient[i], slopes[i], 1e-5);
    }
    EXPECT_NE(found, 0) << "no set has the value " << value;
    sets.push_back(found);
  }
  return sets;
}

TEST(MatryoshkaPerBatch, draws_so_many_of_them_each_set_about_as_often) {
  constexpr int kBatches = 1500;
  for (const auto& [per_batch, sets] : std::map<int, size_t>{{1, 4}, {2, 6}, {3, 4}, {4, 1}}) {
    std::map<int, int> seen;
    for (int set : trained(drawing(std::to_string(per_batch)), kBatches)) ++seen[set];
    EXPECT_EQ(seen.size(), sets) << per_batch;
    // Within five standard deviations of a binomial count.
    const double share = 1.0 / static_cast<double>(sets);
    for (const auto& [set, count] : seen) {
      EXPECT_EQ(__builtin_popcount(static_cast<unsigned>(set)), per_batch);
      EXPECT_NEAR(count, kBatches * share, 5 * std::sqrt(kBatches * share * (1 - share)) + 1e-9) << set;
    }
  }
}

TEST(MatryoshkaPerBatch, draws_by_seed_and_number_of_the_batch_alone) {
  const std::vector<int> first = trained(drawing("2"), 40);
  EXPECT_EQ(trained(drawing("2"), 40), first);
  EXPECT_NE(trained(drawing("2"), 40, 6), first);
  EXPECT_NE(trained(drawing("2"), 40, 5 + (uint64_t{1} << 32)), first);
  EXPECT_NE(trained(drawing("2"), 40, 5, uint64_t{1} << 32), first);
  // A batch in the middle of a run is the same when it is the first one.
  LossRun run(drawing("2")), late(drawing("2"));
  const auto engine = compute::test_engine(1);
  std::vector<float> gradient;
  std::vector<double> values;
  for (run.batch.number = 0; run.batch.number < 20; ++run.batch.number)
    values.push_back(run.evaluate(*engine, gradient));
  for (late.batch.number = 20; late.batch.number-- > 0;)
    EXPECT_EQ(late.evaluate(*engine, gradient), values[late.batch.number]);
}

TEST(MatryoshkaPerBatch, of_none_is_all_of_them) {
  for (int set : trained(drawing("0"), 5)) EXPECT_EQ(set, 15);
}

}  // namespace
}  // namespace hone::loss
