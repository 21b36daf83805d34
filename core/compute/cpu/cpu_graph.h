// Graph of the cpu engine: runs each operation at once and, in train mode, keeps a tape of backward steps.
//
// Rules
// - Token matrices are cut into panels of fixed height, a function of T alone; a task owns whole panels.
//   Weight gradients are cut into tiles, each summed over T by one task in a fixed order. So the bits are
//   the same at any thread count.
// - Buffers have their rows padded to kRowPad. Padding of a forward matrix is finite, padding of a gradient
//   is zero, so that products may run over it.
// - The first to write a tensor's gradient stores, the later ones add (`Value::has_gradient`).
// - Names of buffers: x input, z before the activation, y output; dx, dz, dy their gradients. Tp = T padded.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "compute/cpu/arena.h"
#include "compute/cpu/kernels.h"
#include "compute/cpu/parameters.h"
#include "compute/cpu/product.h"
#include "compute/cpu/runtime.h"
#include "compute/dropout.h"
#include "compute/graph.h"

namespace hone::compute::cpu {

inline constexpr int64_t kRowPad = 16;
inline int64_t pad_rows(int64_t rows) {
  return (rows + kRowPad - 1) / kRowPad * kRowPad;
}

// How the rows of a token matrix are cut.
struct Panels {
  // A tall panel reads the weights less often; many low ones keep more threads busy to the end. Tile units
  // are through with a panel before the next weights are there unless it is tall: most of theirs are, the
  // last few are not.
  static constexpr int64_t kTall = 256;
  int64_t padded = 0, tall = 0, height = 0, count = 0;
  explicit Panels(int64_t rows) : padded(pad_rows(rows)), height(padded >= 512 ? 64 : 32) {
    if (products_on_tiles()) {
      if (padded > 64) height = padded >= 2 * kTall ? kTall / 2 : 64;
      tall = std::max<int64_t>(0, padded / kTall - 2);
    }
    count = tall + (padded - tall * kTall + height - 1) / height;
  }
  int64_t begin(int64_t panel) const {
    return std::min(panel, tall) * kTall + std::max<int64_t>(0, panel - tall) * height;
  }
  int64_t rows(int64_t panel) const { return panel < tall ? kTall : std::min(height, padded - begin(panel)); }
};

class CpuGraph final : public Graph {
 public:
  CpuGraph(Runtime& runtime, CpuParameters& parameters) : runtime_(runtime), parameters_(parameters) {}

  void begin(Mode mode, uint64_t seed, uint64_t step) override;
  Mode mode() const override { return mode_; }
  Tensor input(std::span<const float> values, Shape shape) override;
  Shape shape(Tensor x) const override { return at(x).shape; }
  void read(Tensor x, std::span<float> out) override;

  Tensor embed(std::span<const Parameter> tables, std::span<const std::span<const int32_t>> ids) override;
  Tensor linear(Tensor x, const Linear& layer, Activation activation) override;
  Tensor attention(Tensor q, Tensor k, Tensor v, const Segments& segments,
                   const AttentionOptions& options) override;
  Tensor norm(Tensor x, const LayerNorm& norm) override;
  Tensor dropout(Tensor x, const Segments& segments, Dropout dropout) override;
  Tensor add_norm(Tensor x, Tensor residual, const Segments& segments, Dropout dropout,
                  const LayerNorm& norm) override;
  Tensor self_attention_block(Tensor x, const Segments& segments, const SelfAttentionBlock& block) override;
  Tensor feed_forward_block(Tensor x, const Segments& segments, const FeedForwardBlock& block) override;

  Tensor pool(Tensor x, const Segments& segments, PoolKind kind) override;
  Tensor concat(std::span<const Tensor> parts) override;
  Tensor l2_normalize(Tensor x) override;

  Tensor retain_only(Tensor keep) override;
  void backward(Tensor y, std::span<const float> dy) override;
  size_t peak_bytes() const override { return arena_.bytes(); }

 private:
  struct Value {
    Shape shape;
    float* data = nullptr;
    float* gradient = nullptr;
    bool needs_gradient = false;
    bool has_gradient = false;
    bool tokens = false;
  };
  struct Names {  // of the packed tokens of a Segments
    const Segments* segments = nullptr;
    std::vector<TokenName> tokens;
  };
  // dW[N,K] += dy[T,N]^T x[T,K], db[N] += column sums of dy. Panels pack their tokens while they lie in
  // cache; what nobody trains has no data.
  struct WeightGradient {
    Linear layer;
    Strips dy, x;
    float* sums = nullptr;  // [panels, N], of the columns of dy: for the bias
    int64_t panels = 0;
  };
  struct NormBackward {        // gradients of a LayerNorm: per-panel partial sums, added up in order
    float* partial = nullptr;  // [panels, 2n]
    int64_t panels = 0, n = 0;
    LayerNorm norm;
  };
  struct AttentionRun {
    const Segments* segments;
    AttentionOptions options;
    const float *q, *k, *v;
    int64_t ld;
    int64_t width;
  };

  Value& at(Tensor x) { return values_[static_cast<size_t>(x.id)]; }
  const Value& at(Tensor x) const { return values_[static_cast<size_t>(x.id)]; }
  bool training() const { return mode_ == Mode::train; }
  float* buffer(int64_t rows, int64_t cols);  // [pad_rows(rows), cols], padding rows zeroed
  Tensor make(Shape shape, float* data, bool needs_gradient);
  Tensor make(Shape shape, bool needs_gradient) {
    return make(shape, buffer(shape.rows, shape.cols), needs_gradient);
  }
  // Buffer a backward step writes dx to; `accumulate`: add instead of store.
  float* gradient(Tensor x, bool& accumulate);
  void add_gradient(Tensor x, const float* dx);  // small tensors
  void record(std::function<void()> step);
  bool wants_gradient(Tensor x, std::initializer_list<Parameter> parameters) const;

  const TokenName* names(const Segments& segments);
  MaskKey mask_key(Dropout dropout) const;
  // The weights of `layers`, [N_i, K] each, one below the other, packed: what dy [T, sum N_i] is multiplied
  // by for dx. In the arena.
  Strips stacked_weights(std::span<const Linear> layers);
  // Room for the gradient of `layer` in the arena; x may be another's of the same input.
  WeightGradient weight_gradient(int64_t tokens, const Linear& layer, const WeightGradient* same_x = nullptr);
  static void pack_panel(const float* from, int64_t ld, int64_t row, int64_t rows, const Strips& to);
  // `n` columns of dy from `column` on, of rows that begin at `row`, panel `panel`.
  static void pack_gradient(const float* dy, int64_t ld, int64_t panel, int64_t row, int64_t rows,
                            int64_t column, int64_t n, const WeightGradient& to);
  void weight_gradients(std::span<const WeightGradient> jobs);
  void independent_weight_gradients(std::span<const WeightGradient> jobs);
  NormBackward norm_backward(const Panels& panels, int64_t n, const LayerNorm& norm);
  void finish(const NormBackward& backward);
  void run_attention(const AttentionRun& run, float* out, float* lse);
  void run_attention_backward(const AttentionRun& run, const float* out, const float* lse, const float* dout,
                              float* dq, float* dk, float* dv);
  void check(bool ok, const char* what) const;
  void check_segments(Tensor x, const Segments& segments) const;

  Runtime& runtime_;
  CpuParameters& parameters_;
  Arena arena_;
  Mode mode_ = Mode::infer;
  DropoutKey key_;
  std::vector<Value> values_;
  std::vector<std::function<void()>> tape_;
  std::vector<std::unique_ptr<Names>> names_;
};

}  // namespace hone::compute::cpu
