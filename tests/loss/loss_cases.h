// Every loss with its options on a small batch: what tests of losses run over.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "loss/loss_table.h"
#include "tests/loss/naive_losses.h"

namespace hone::loss {

struct LossCase {
  std::string loss, options;
  naive::Value value;
  int64_t roles = 2, rows = 5, dim = 6;
  int64_t label_width = 0;    // of teacher's signals; else what the loss wants
  bool left_out = false;      // with false negatives
  std::vector<float> labels;  // empty: drawn

  std::string name() const;
};

const std::vector<LossCase>& loss_cases();

inline void PrintTo(const LossCase& c, std::ostream* out) {
  *out << c.name();
}
inline std::string loss_case_name(const ::testing::TestParamInfo<LossCase>& test) {
  return test.param.name();
}

// Numbers from -1 to 1.
std::vector<float> drawn(int64_t n, uint32_t stream);

// The batch of a case and its loss.
class LossRun {
 public:
  explicit LossRun(const LossCase& c);
  LossRun(const LossRun&) = delete;
  // The value; `gradient` is added to.
  double evaluate(compute::Engine& engine, std::vector<float>& gradient);
  naive::Numbers numbers() const;

  std::vector<float> vectors, labels;
  FalseNegatives false_negatives;
  Batch batch;  // its spans are set by evaluate()
  std::unique_ptr<Loss> loss;
};

}  // namespace hone::loss
