// The judge of gradients: every operation of Graph as plain loops in double, forward only.
//
// Rules: written from the definitions in graph.h and dropout.h, sharing no code with an engine but the names
// of dropout bits. Derivatives are taken by central differences, which double makes exact to about 1e-9.
#pragma once

#include <map>

#include "compute/dropout.h"
#include "compute/graph.h"

namespace hone::compute {

class NaiveParameters final : public Parameters {
 public:
  struct Matrix {
    std::string name;
    Shape shape;
    std::vector<double> values;
  };
  Parameter add(std::string name, Shape shape, std::span<const float> values,
                std::shared_ptr<const void> owner, ParameterOptions options) override;
  size_t count() const override { return matrices.size(); }
  const std::string& name(Parameter p) const override { return matrices[p.id].name; }
  Shape shape(Parameter p) const override { return matrices[p.id].shape; }
  void read(Parameter, State, std::span<float>) override;
  void write(Parameter, State, std::span<const float>) override;
  void read_gradient(Parameter, std::span<float>) override;
  void add_gradient(Parameter, std::span<const float>) override {}
  void clear_gradients() override {}
  double gradient_norm() override;
  void step(const AdamW&) override;

  std::vector<Matrix> matrices;
};

class NaiveGraph final : public Graph {
 public:
  explicit NaiveGraph(NaiveParameters& parameters) : parameters_(parameters) {}
  void begin(Mode mode, uint64_t seed, uint64_t step) override;
  Mode mode() const override { return mode_; }
  Tensor input(std::span<const float> values, Shape shape) override;
  Shape shape(Tensor x) const override { return matrices_[x.id].shape; }
  void read(Tensor x, std::span<float> out) override;
  const std::vector<double>& values(Tensor x) const { return matrices_[x.id].values; }

  Tensor embed(std::span<const Parameter> tables, std::span<const std::span<const int32_t>> ids) override;
  Tensor linear(Tensor x, const Linear& layer, Activation activation) override;
  Tensor attention(Tensor q, Tensor k, Tensor v, const Segments& segments,
                   const AttentionOptions& options) override;
  Tensor norm(Tensor x, const LayerNorm& norm) override;
  Tensor dropout(Tensor x, const Segments& segments, Dropout dropout) override;
  Tensor add_norm(Tensor x, Tensor residual, const Segments& segments, Dropout dropout,
                  const LayerNorm& norm) override;
  Tensor pool(Tensor x, const Segments& segments, PoolKind kind) override;
  Tensor concat(std::span<const Tensor> parts) override;
  Tensor l2_normalize(Tensor x) override;
  Tensor retain_only(Tensor keep) override { return keep; }
  void backward(Tensor y, std::span<const float> dy) override;
  size_t peak_bytes() const override { return 0; }

 private:
  using Matrix = NaiveParameters::Matrix;
  Tensor make(Shape shape, std::vector<double> values);
  const Matrix& at(Tensor x) const { return matrices_[x.id]; }
  const Matrix& at(Parameter p) const { return parameters_.matrices[p.id]; }

  NaiveParameters& parameters_;
  Mode mode_ = Mode::infer;
  DropoutKey key_;
  std::vector<Matrix> matrices_;
};

}  // namespace hone::compute
