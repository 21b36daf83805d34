// Parameters of the cpu engine: values, gradients, AdamW's moments, and the layouts matrix products want.
//
// Rules
// - A frozen parameter aliases the caller's memory; a trainable one is a copy.
// - A row-sparse parameter (an embedding table) has gradient rows for the ids a step touched. AdamW is lazy
//   there and exact: prepare_rows() brings the asked rows up to date by replaying every missed step with a
//   zero gradient, so the numbers are those of updating all rows in every step. flush() does it for all
//   rows; read() calls it.
// - Sums run in a fixed order at any thread count.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "compute/cpu/arena.h"
#include "compute/cpu/kernels.h"
#include "compute/cpu/product.h"
#include "compute/cpu/runtime.h"
#include "compute/graph.h"

namespace hone::compute::cpu {

class CpuParameters final : public Parameters {
 public:
  explicit CpuParameters(Runtime& runtime) : runtime_(runtime) {}

  Parameter add(std::string name, Shape shape, std::span<const float> values,
                std::shared_ptr<const void> owner, ParameterOptions options) override;
  size_t count() const override { return entries_.size(); }
  const std::string& name(Parameter p) const override { return at(p).name; }
  Shape shape(Parameter p) const override { return at(p).shape; }
  void read(Parameter p, State state, std::span<float> out) override;
  void write(Parameter p, State state, std::span<const float> values) override;
  void read_gradient(Parameter p, std::span<float> out) override;
  void add_gradient(Parameter p, std::span<const float> values) override;
  void clear_gradients() override;
  double gradient_norm() override;
  void step(const AdamW& adamw) override;

  // For the graph.
  const float* value(Parameter p) const { return at(p).value; }
  bool trainable(Parameter p) const { return p && at(p).options.trainable; }
  // Where a dense gradient goes; `accumulate` tells whether it already holds one. Marks it as present.
  float* gradient(Parameter p, bool& accumulate);
  // Gradient rows of a table: for each of `ids` (sorted, unique) its row, zeroed when new. Works for dense
  // ones too.
  std::vector<float*> gradient_rows(Parameter p, std::span<const int32_t> ids);
  // Makes the rows a step is about to read current.
  void prepare_rows(Parameter p, std::span<const int32_t> ids);

  // The weights of `layers`, [N_i, K] each, as one matrix [K, sum N_i] packed for products, and their biases
  // side by side (null when none has one). Made once per version of the values.
  struct Transposed {
    Strips weight;
    const float* bias = nullptr;
  };
  Transposed transposed(std::span<const Linear> layers);

 private:
  struct Entry {
    std::string name;
    Shape shape;
    ParameterOptions options;
    const float* value = nullptr;
    AlignedFloats owned;
    std::shared_ptr<const void> owner;
    AlignedFloats gradient, first, second;  // moments exist from the first update on
    bool has_gradient = false;
    // row-sparse
    std::vector<int32_t> slot_of_row;  // -1: none this step
    std::vector<int32_t> slot_rows;
    AlignedFloats row_gradients;  // [capacity, cols]
    size_t row_capacity = 0;
    std::vector<uint32_t> applied;  // [rows] entries of `history` already applied
    std::vector<char> live;         // [rows] has non-zero moments
    std::vector<AdamWConstants> history;
    int64_t size() const { return shape.rows * shape.cols; }
  };
  struct Layout {
    uint64_t version = 0;
    AlignedFloats weight, bias;
    bool has_bias = false;
    int64_t n = 0, k = 0;
    Strips strips() const { return {weight.get(), k, n, strip_columns()}; }
  };

  Entry& at(Parameter p) { return entries_[static_cast<size_t>(p.id)]; }
  const Entry& at(Parameter p) const { return entries_[static_cast<size_t>(p.id)]; }
  void ensure_moments(Entry& e);
  void catch_up(Entry& e, int64_t row);
  void flush(Entry& e);
  void step_rows(Entry& e, const AdamWConstants& constants);
  void fill(Layout& layout, std::span<const Linear> layers);

  Runtime& runtime_;
  std::vector<Entry> entries_;
  uint64_t version_ = 1;
  std::mutex layouts_mutex_;
  std::map<std::vector<int32_t>, Layout> layouts_;
};

}  // namespace hone::compute::cpu
