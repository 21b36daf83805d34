// Batches at the edge: one row, equal vectors, vectors of length 0 or far from 1. Values and gradients stay
// finite, and are what the formulas say where these can be read off.
#include <cmath>

#include "tests/compute/test_engine.h"
#include "tests/loss/loss_cases.h"

namespace hone::loss {
namespace {

class Edges : public ::testing::TestWithParam<LossCase> {
 protected:
  void expect_finite(LossRun& run, const char* what) {
    std::vector<float> gradient;
    EXPECT_TRUE(std::isfinite(run.evaluate(*engine, gradient))) << what;
    for (float v : gradient) ASSERT_TRUE(std::isfinite(v)) << what << ": " << v;
    for (const Head& head : run.loss->heads()) {
      for (float v : head.gradient) ASSERT_TRUE(std::isfinite(v)) << what << ", " << head.name << ": " << v;
    }
  }
  std::shared_ptr<compute::Engine> engine = compute::test_engine(2);
};

TEST_P(Edges, are_finite) {
  LossCase one_row = GetParam();
  one_row.rows = 1;
  if (!one_row.labels.empty()) one_row.labels.erase(one_row.labels.begin() + 1, one_row.labels.end());
  LossRun single(one_row);
  expect_finite(single, "one row");

  LossRun run(GetParam());
  const std::vector<float> usual = run.vectors;
  const auto dim = static_cast<std::ptrdiff_t>(run.batch.dim);
  std::fill(run.vectors.begin(), run.vectors.begin() + dim, 0.0F);
  expect_finite(run, "one vector of length 0");
  for (size_t i = 0; i < run.vectors.size(); ++i) run.vectors[i] = usual[i % static_cast<size_t>(dim)];
  expect_finite(run, "equal vectors");
  std::fill(run.vectors.begin(), run.vectors.end(), 0.0F);
  expect_finite(run, "vectors of length 0");
  for (float factor : {1e3F, 1e-6F, 1e-20F}) {
    for (size_t i = 0; i < run.vectors.size(); ++i) run.vectors[i] = factor * usual[i];
    expect_finite(run, std::to_string(factor).c_str());
  }
}
INSTANTIATE_TEST_SUITE_P(Of, Edges, ::testing::ValuesIn(loss_cases()), loss_case_name);

struct Evaluated {
  double value;
  std::vector<float> gradient;
};

// All vectors of the batch equal, with the given labels.
Evaluated of_equal_vectors(const std::string& loss, const std::string& options, int64_t roles,
                           std::vector<float> labels) {
  LossCase c{loss, options, {}};
  c.roles = roles;
  c.rows = 4;
  c.labels = std::move(labels);
  if (find_loss(loss).labels == Labels::teacher_scores) c.label_width = roles - 1;
  LossRun run(c);
  for (size_t i = 0; i < run.vectors.size(); ++i)
    run.vectors[i] = run.vectors[i % static_cast<size_t>(run.batch.dim)];
  Evaluated e;
  e.value = run.evaluate(*compute::test_engine(1), e.gradient);
  return e;
}

TEST(EqualVectors, are_told_apart_by_no_softmax) {
  constexpr double kTolerance = 4e-7;  // the rounding of e^x and of sums of it, in float
  EXPECT_NEAR(of_equal_vectors("mnr", "", 2, {}).value, std::log(4.0), kTolerance);
  EXPECT_NEAR(of_equal_vectors("mnr", "", 4, {}).value, std::log(12.0), kTolerance);
  // 4 documents, 3 other queries, 4 queries, 3 other documents
  EXPECT_NEAR(of_equal_vectors("mnr", "directions=qd+qq+dq+dd", 2, {}).value, std::log(14.0), kTolerance);
  EXPECT_NEAR(of_equal_vectors("mnr", "symmetric=true", 3, {}).value, (std::log(8.0) + std::log(4.0)) / 2,
              kTolerance);
  EXPECT_NEAR(of_equal_vectors("kl", "", 3, std::vector<float>(8, 3)).value, 0, 1e-12);
}

TEST(EqualVectors, of_pairs_in_an_order_count_each_pair_once) {
  for (const char* loss : {"cosent", "angle"}) {
    // labels 0 < 1 < 2 = 2: five pairs
    EXPECT_NEAR(of_equal_vectors(loss, "", 2, {0, 1, 2, 2}).value, std::log(6.0), 1e-12) << loss;
    EXPECT_EQ(of_equal_vectors(loss, "", 2, {3, 3, 3, 3}).value, 0) << loss;
  }
}

TEST(EqualVectors, have_no_distance_and_no_direction_to_move_in) {
  const std::vector<float> zeros(48, 0);
  for (const char* distance : {"distance=euclidean", "distance=manhattan"}) {
    const Evaluated alike = of_equal_vectors("contrastive", distance, 2, {1, 1, 1, 1});
    EXPECT_EQ(alike.value, 0);
    EXPECT_EQ(alike.gradient, zeros);
    const Evaluated apart =
        of_equal_vectors("contrastive", distance + std::string(",margin=3"), 2, {0, 0, 0, 0});
    EXPECT_EQ(apart.value, 4.5);
    EXPECT_EQ(apart.gradient, zeros);
    EXPECT_EQ(of_equal_vectors("triplet", distance + std::string(",margin=2"), 3, {}).value, 2);
  }
}

TEST(OneRow, has_no_negatives) {
  for (const char* options : {"", "directions=qd+qq+dq+dd", "symmetric=true", "similarity=dot"}) {
    LossCase c{"mnr", options, {}};
    c.rows = 1;
    LossRun run(c);
    std::vector<float> gradient;
    const double value = run.evaluate(*compute::test_engine(1), gradient);
    // Of all directions queries with documents and positives with queries are left: twice the same number.
    const bool two = std::string(options).find("qq") != std::string::npos;
    EXPECT_EQ(value, two ? std::log1p(1.0) : 0) << options;
    for (float v : gradient) EXPECT_EQ(v, 0) << options << ": rounding is no direction to move in";
  }
}

// Of four rows the second and third have no other negatives than each other, which are left out.
TEST(Masked, rows_without_negatives_have_no_gradient_and_the_others_theirs) {
  for (const char* options : {"", "hardness=all_negatives,hardness_strength=5", "symmetric=true"}) {
    LossCase c{"mnr", options, {}};
    c.rows = 4;
    LossRun run(c);
    FalseNegatives f;
    for (compute::LeftOut* left_out : {&f.documents, &f.queries}) {
      left_out->offsets = {0, 0, 3, 6, 6};
      left_out->index = {0, 2, 3, 0, 1, 3};
    }
    run.batch.false_negatives = &f;
    std::vector<float> gradient;
    run.evaluate(*compute::test_engine(1), gradient);
    const auto dim = static_cast<size_t>(run.batch.dim);
    for (size_t row = 0; row < 4; ++row) {
      const bool still = std::all_of(gradient.begin() + static_cast<std::ptrdiff_t>(row * dim),
                                     gradient.begin() + static_cast<std::ptrdiff_t>((row + 1) * dim),
                                     [](float v) { return v == 0; });
      // As queries; as documents they are negatives of the others.
      if (std::string(options) != "symmetric=true") {
        EXPECT_EQ(still, row == 1 || row == 2) << options << " row " << row;
      }
      EXPECT_TRUE(row == 1 || row == 2 || !still) << options << " row " << row;
    }
  }
}

TEST(TeachersScores, far_apart_are_a_choice) {
  // The teacher gives all to the first document: its distribution underflows to (1, 0), without a NaN.
  const Evaluated e = of_equal_vectors("kl", "", 3, {1e4F, -1e4F, 1e4F, -1e4F, 1e4F, -1e4F, 1e4F, -1e4F});
  EXPECT_NEAR(e.value, std::log(2.0), 1e-12);
  for (float v : e.gradient) EXPECT_TRUE(std::isfinite(v));
}

}  // namespace
}  // namespace hone::loss
