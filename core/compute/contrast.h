// What in-batch losses are made of: the logarithm of a sum of exponentials of similarities, of each row of x
// with all rows of y, and its gradient.
//
// Rules
// - The [M,N] similarities are never held: blocks of them are made from the vectors, used and forgotten, in
//   the gradient once more for each side. Memory grows with M + N.
// - Done by the host's processors whatever the engine: beside an encoder's work it is about 1 % (design of
//   losses: docs/architecture.md).
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

// A matrix [rows, width] that products may read a little beyond.
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
  int64_t rows_ = 0, width_ = 0;
  cpu::AlignedFloats data_;
};

// lse[i] = log(sum over j of e^(scale x_i . y_j)); minus infinity where no column counts.
void log_sum_exp(Engine& engine, const Rows& x, const Rows& y, float scale, const LeftOut& left_out,
                 std::span<float> lse);

// With weight[i] the derivative of a loss by lse[i]: dx += and dy += its gradient.
void log_sum_exp_gradient(Engine& engine, const Rows& x, const Rows& y, float scale, const LeftOut& left_out,
                          std::span<const float> lse, std::span<const float> weight, Rows& dx, Rows& dy);

// For each row of x the columns of y with x_i . y_j >= least, as LeftOut.
LeftOut similar(Engine& engine, const Rows& x, const Rows& y, float least);

}  // namespace hone::compute
