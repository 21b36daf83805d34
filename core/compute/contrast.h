// What in-batch losses are made of: the logarithm of a sum of exponentials of similarities, of each row of x
// with all rows of y, and its gradient.
//
// Rules
// - The [M,N] similarities are never held: blocks of them are made from the vectors, used and forgotten, once
//   for the sums and the gradient by x, once more for that by y. Memory grows with M + N.
// - Done by the host's processors whatever the engine: docs/performance.md says what share of a step it
// takes.
// - Similarities of a sum are summed in double, from vectors as they are given: the logarithm is right to
//   1e-6 whatever the scale, which as a float's it would not be. Those of the gradient by y are a float's:
//   beside its weights' own size it is right to 3e-7 scale |x| |y|.
// - The bits are the same at any thread count: a row's sum is made by one task, column by column.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compute/cpu/arena.h"
#include "compute/graph.h"

namespace hone::compute {

// For row i the columns index[offsets[i] .. offsets[i+1]), rising, do not count. Empty: all count.
struct LeftOut {
  std::vector<int64_t> offsets;
  std::vector<int32_t> index;
  bool empty() const { return index.empty(); }
};
// The same columns by rows of the other side.
LeftOut transposed(const LeftOut& left_out, int64_t columns);

// A matrix [rows, width] that products may read a little beyond, where nothing is set.
class Rows {
 public:
  Rows() = default;
  Rows(int64_t rows, int64_t width);  // zeros
  static Rows copy(std::span<const float> values, int64_t rows, int64_t width);
  float* row(int64_t i) { return data_.get() + i * width_; }
  const float* row(int64_t i) const { return data_.get() + i * width_; }
  int64_t rows() const { return rows_; }
  int64_t width() const { return width_; }

 private:
  struct Unset {};
  Rows(int64_t rows, int64_t width, Unset);
  int64_t rows_ = 0, width_ = 0;
  cpu::AlignedFloats data_;
};

// Vectors that are compared, each times a factor of its own: 1 / its length where cosines are asked.
class Vectors {
 public:
  // `given` must outlive it. `factors`: empty, all 1.
  Vectors(std::span<const float> given, int64_t rows, int64_t width, std::vector<double> factors = {});
  int64_t rows() const { return rows_.rows(); }
  int64_t width() const { return rows_.width(); }
  const float* given(int64_t i) const { return given_.data() + i * width(); }
  const double* factors() const { return factors_.data(); }
  const Rows& scaled() const { return rows_; }  // times its factor, as a float

 private:
  std::span<const float> given_;
  std::vector<double> factors_;
  Rows rows_;
};
// x_i . y_j, as it enters the sums below.
double similarity(const Vectors& x, int64_t i, const Vectors& y, int64_t j);

// Of each row of x with the rows of y that count.
struct Sums {
  std::vector<double> log;  // of the sum over j of e^(scale x_i . y_j); minus infinity where no column counts
  Rows mean;                // of y_j, weighted by these exponentials; 0 where none counts
};
Sums log_sum_exp(Engine& engine, const Vectors& x, const Vectors& y, double scale, const LeftOut& left_out);

// With slope[i] the derivative of a loss by sums.log[i], times scale: dy += its gradient by y. That by x_i is
// slope[i] mean[i].
void log_sum_exp_gradient(Engine& engine, const Vectors& x, const Vectors& y, double scale,
                          const LeftOut& left_out, const Sums& sums, std::span<const double> slope, Rows& dy);

// For each row of x the columns of y with x_i . y_j >= least, as LeftOut.
LeftOut similar(Engine& engine, const Rows& x, const Rows& y, float least);

}  // namespace hone::compute
