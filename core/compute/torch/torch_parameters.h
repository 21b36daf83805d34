// Parameters on libtorch: leaf tensors, their gradients by autograd, one fused AdamW over all of them.
//
// Rules
// - Embedding tables are dense here: every row is updated in every step, which is what the cpu engine's lazy
//   rows amount to.
// - Moments exist from the first update on, like there. clipped_step() does not wait for the norm.
#pragma once

#include <string>
#include <vector>

#include "compute/torch/torch_engine.h"

namespace hone::compute::torch_engine {

class TorchParameters final : public Parameters {
 public:
  explicit TorchParameters(Settings settings) : settings_(settings) {}

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
  std::unique_ptr<Reading> clipped_step(const AdamW& adamw, double max_norm) override;

  const at::Tensor& value(Parameter p) const { return at(p).value; }  // [rows, cols], a leaf

 private:
  struct Entry {
    std::string name;
    Shape shape;
    ParameterOptions options;
    at::Tensor value, first, second;
  };
  Entry& at(Parameter p) { return entries_[static_cast<size_t>(p.id)]; }
  const Entry& at(Parameter p) const { return entries_[static_cast<size_t>(p.id)]; }
  void ensure_moments(Entry& e);
  std::vector<at::Tensor> gradients() const;
  at::Tensor norm_of(const std::vector<at::Tensor>& gradients) const;

  Settings settings_;
  std::vector<Entry> entries_;
};

}  // namespace hone::compute::torch_engine
