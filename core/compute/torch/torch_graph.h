// Graph on libtorch. Each operation is a few of libtorch's; see torch_engine.h for the rules.
//
// A batch stays packed: [T, H] everywhere. Inside attention a GPU runs its variable-length kernels;
// elsewhere, and where masks are named or a head size does not suit them, the sequences are padded for that
// one product.
#pragma once

#include <map>
#include <vector>

#include "compute/dropout.h"
#include "compute/torch/torch_parameters.h"
#include "compute/torch/torch_random.h"

namespace hone::compute::torch_engine {

class TorchGraph final : public Graph {
 public:
  TorchGraph(Settings settings, TorchParameters& parameters)
      : settings_(settings), parameters_(parameters), random_(settings.device) {}

  void begin(Mode mode, uint64_t seed, uint64_t step) override;
  Mode mode() const override { return mode_; }
  Tensor input(std::span<const float> values, Shape shape) override;
  Shape shape(Tensor x) const override;
  void read(Tensor x, std::span<float> out) override;
  std::unique_ptr<Reading> read_later(Tensor x) override;

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

  Tensor retain_only(Tensor keep) override;
  void backward(Tensor y, std::span<const float> dy) override;
  size_t peak_bytes() const override;

 private:
  // What a step needs of its Segments on the device, made once per step.
  struct Layout {
    int64_t sequences = 0, longest = 0;
    at::Tensor offsets;  // [S+1] int32
    at::Tensor slot;     // [T] where token t lies among S * longest padded ones; made when padding is needed
    at::Tensor padding;  // [S,1,1,longest] true: a token
  };

  const at::Tensor& at(Tensor x) const;
  at::Tensor value(Parameter p) const { return p ? parameters_.value(p) : at::Tensor(); }
  Tensor keep(at::Tensor x);
  bool training() const { return mode_ == Mode::train; }
  void check(bool ok, const char* what) const;
  Layout& layout(const Segments& segments);
  void add_padding(Layout& layout, const Segments& segments);
  at::Tensor ids(std::span<const int32_t> values);
  at::Tensor dropped(const at::Tensor& x, const Segments& segments, Dropout dropout);
  at::Tensor normalized(const at::Tensor& x, const LayerNorm& norm) const;
  // [T,H]: 0 or 1 / (1 - p) for each feature of each token, by dropout.h.
  at::Tensor feature_mask(const Segments& segments, Dropout dropout, int64_t width);
  // [S, heads, longest, longest], the same for attention probabilities.
  at::Tensor probability_mask(const Segments& segments, Dropout dropout, int64_t heads, int64_t longest);
  at::Tensor ragged_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                              const Layout& layout, const Segments& segments, const AttentionOptions& options,
                              double p);
  at::Tensor padded_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, Layout& layout,
                              const Segments& segments, const AttentionOptions& options, double p);

  Settings settings_;
  TorchParameters& parameters_;
  Mode mode_ = Mode::infer;
  DropoutKey key_;
  DeviceRandom random_;
  std::vector<at::Tensor> values_;
  std::map<const Segments*, Layout> layouts_;
};

}  // namespace hone::compute::torch_engine
