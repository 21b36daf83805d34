// The two transformer blocks, fused over row panels: what lies between two matrix products of a panel stays
// in cache.
//
// Forward of a panel: product, bias and activation, product, bias + dropout + residual + norm. In inference
// the hidden matrix [T,4H] exists only as one panel per thread. Backward of a panel goes the same way back;
// afterwards the weight gradients of the block are made in one parallel region.
#include <algorithm>

#include "compute/cpu/cpu_graph.h"

namespace hone::compute::cpu {

Tensor CpuGraph::feed_forward_block(Tensor x, const Segments& segments, const FeedForwardBlock& block) {
  check_segments(x, segments);
  const int64_t tokens = at(x).shape.rows, h = at(x).shape.cols, f = parameters_.shape(block.up.weight).rows;
  check(parameters_.shape(block.up.weight).cols == h && parameters_.shape(block.down.weight) == Shape{h, f},
        "feed_forward_block: shapes of the weights do not fit the input");
  const MaskKey key = mask_key(block.dropout);
  const TokenName* who = key.threshold != 0 ? names(segments) : nullptr;
  const bool train = wants_gradient(x, {block.up.weight, block.down.weight, block.norm.gamma});
  const auto up = parameters_.transposed(std::span(&block.up, 1)),
             down = parameters_.transposed(std::span(&block.down, 1));
  const Panels panels(tokens);
  const PanelProduct first = forward_product(panels, up);
  const PanelProduct second = forward_product(panels, down);

  Tensor y = make({tokens, h}, train);
  float* out = at(y).data;
  const float* in = at(x).data;
  float* z = train ? buffer(tokens, f) : nullptr;    // before the activation
  float* sum = train ? buffer(tokens, h) : nullptr;  // before the norm
  float* stats = train ? arena_.floats(static_cast<size_t>(2 * panels.padded)) : nullptr;
  const float *gamma = parameters_.value(block.norm.gamma), *beta = parameters_.value(block.norm.beta);
  runtime_.parallel(panels.count, [&](int64_t p, int slot) {
    const int64_t row = panels.begin(p), rows = panels.rows(p);
    float* mask = runtime_.scratch(slot, static_cast<size_t>(h + rows * f));
    float* hidden = mask + h;
    float* zp = train ? z + row * f : hidden;
    float* yp = out + row * h;
    first.run(slot, rows, in + row * h, up.weight, zp);
    bias_activation(zp, rows, f, up.bias, block.activation, hidden);
    second.run(slot, rows, hidden, down.weight, yp);
    dropout_add_norm(yp, down.bias, in + row * h, rows, tokens - row, h, key,
                     who + (who != nullptr ? row : 0), gamma, beta, block.norm.eps,
                     train ? sum + row * h : yp, yp, train ? stats + 2 * row : nullptr, mask);
  });
  if (!train) return y;

  record([this, x, y, block, key, who, tokens, h, f, z, sum, stats] {
    if (!at(y).has_gradient) return;
    const Panels parts(tokens);
    bool accumulate = false;
    float* dx = at(x).needs_gradient ? gradient(x, accumulate) : nullptr;
    const Arena::Mark mark_ = arena_.mark();
    float* dout = buffer(tokens, h);
    float* dz = buffer(tokens, f);
    NormBackward partial = norm_backward(parts, h, block.norm);
    const PanelProduct through_down = panel_product(parts, {0, f, h, h, f, f, false, false, false});
    PanelProduct through_up;
    if (dx != nullptr) through_up = panel_product(parts, {0, h, f, f, h, h, false, false, true});
    const float* dy = at(y).gradient;
    runtime_.parallel(parts.count, [&](int64_t p, int slot) {
      const int64_t row = parts.begin(p), rows = parts.rows(p);
      float* mask = runtime_.scratch(slot, static_cast<size_t>(h + rows * h + rows * f));
      float* ds = mask + h;
      float* dhidden = ds + rows * h;
      const bool direct = dx != nullptr && !accumulate;  // the residual's share is the first to be written
      float* dsum = direct ? dx + row * h : ds;
      float* sums = partial.partial + p * 2 * h;
      dropout_add_norm_backward(dy + row * h, sum + row * h, stats + 2 * row, rows, tokens - row, h, key,
                                who + (who != nullptr ? row : 0), parameters_.value(block.norm.gamma), dsum,
                                dout + row * h, sums, sums + h, mask);
      through_down.run(slot, rows, dout + row * h, parameters_.value(block.down.weight), dhidden);
      activation_backward(dhidden, z + row * f, rows, f, block.activation, dz + row * f, z + row * f);
      if (dx == nullptr) return;
      if (!direct) add_to(dx + row * h, ds, rows * h);
      through_up.run(slot, rows, dz + row * f, parameters_.value(block.up.weight), dx + row * h);
    });
    finish(partial);
    // z now holds act(z), the input of `down`.
    const WeightGradient jobs[2] = {{dz, f, at(x).data, h, block.up}, {dout, h, z, f, block.down}};
    weight_gradients(tokens, jobs);
    arena_.rewind(mark_);
  });
  return y;
}

Tensor CpuGraph::self_attention_block(Tensor x, const Segments& segments, const SelfAttentionBlock& block) {
  check_segments(x, segments);
  const int64_t tokens = at(x).shape.rows, h = at(x).shape.cols;
  const Linear projections[3] = {block.query, block.key, block.value};
  for (const Linear& l : {block.query, block.key, block.value, block.output}) {
    check(parameters_.shape(l.weight) == Shape{h, h},
          "self_attention_block: shapes of the weights do not fit the input");
  }
  check(block.attention.heads > 0 && h % block.attention.heads == 0,
        "self_attention_block: heads do not divide the width");
  const MaskKey key = mask_key(block.dropout);
  const TokenName* who = key.threshold != 0 ? names(segments) : nullptr;
  const bool train = wants_gradient(
      x, {block.query.weight, block.key.weight, block.value.weight, block.output.weight, block.norm.gamma});
  const auto in_proj = parameters_.transposed(projections),
             out_proj = parameters_.transposed(std::span(&block.output, 1));
  const Panels panels(tokens);
  const PanelProduct first = forward_product(panels, in_proj);
  const PanelProduct second = forward_product(panels, out_proj);

  Tensor y = make({tokens, h}, train);
  float* out = at(y).data;
  const float* in = at(x).data;
  float* qkv = buffer(tokens, 3 * h);
  float* context = buffer(tokens, h);
  float* lse = train ? arena_.floats(static_cast<size_t>(tokens * block.attention.heads)) : nullptr;
  float* sum = train ? buffer(tokens, h) : nullptr;
  float* stats = train ? arena_.floats(static_cast<size_t>(2 * panels.padded)) : nullptr;
  const float *gamma = parameters_.value(block.norm.gamma), *beta = parameters_.value(block.norm.beta);
  runtime_.parallel(panels.count, [&](int64_t p, int slot) {
    const int64_t row = panels.begin(p), rows = panels.rows(p);
    first.run(slot, rows, in + row * h, in_proj.weight, qkv + row * 3 * h);
    if (in_proj.bias != nullptr) {
      bias_activation(qkv + row * 3 * h, rows, 3 * h, in_proj.bias, Activation::none, qkv + row * 3 * h);
    }
  });
  const AttentionRun run{&segments, block.attention, qkv, qkv + h, qkv + 2 * h, 3 * h, h};
  run_attention(run, context, lse);
  runtime_.parallel(panels.count, [&](int64_t p, int slot) {
    const int64_t row = panels.begin(p), rows = panels.rows(p);
    float* mask = runtime_.scratch(slot, static_cast<size_t>(h));
    float* yp = out + row * h;
    second.run(slot, rows, context + row * h, out_proj.weight, yp);
    dropout_add_norm(yp, out_proj.bias, in + row * h, rows, tokens - row, h, key,
                     who + (who != nullptr ? row : 0), gamma, beta, block.norm.eps,
                     train ? sum + row * h : yp, yp, train ? stats + 2 * row : nullptr, mask);
  });
  if (!train) return y;

  record([this, x, y, block, key, who, tokens, h, run, qkv, context, lse, sum, stats] {
    if (!at(y).has_gradient) return;
    const Panels parts(tokens);
    bool accumulate = false;
    float* dx = at(x).needs_gradient ? gradient(x, accumulate) : nullptr;
    const Arena::Mark mark_ = arena_.mark();
    float* dout = buffer(tokens, h);
    float* dcontext = buffer(tokens, h);
    float* dqkv = buffer(tokens, 3 * h);
    NormBackward partial = norm_backward(parts, h, block.norm);
    const PanelProduct through_output = panel_product(parts, {0, h, h, h, h, h, false, false, false});
    PanelProduct through_input;
    if (dx != nullptr) through_input = panel_product(parts, {0, h, h, 3 * h, h, h, false, false, true});
    const float* dy = at(y).gradient;
    runtime_.parallel(parts.count, [&](int64_t p, int slot) {
      const int64_t row = parts.begin(p), rows = parts.rows(p);
      float* mask = runtime_.scratch(slot, static_cast<size_t>(h + rows * h));
      float* ds = mask + h;
      const bool direct = dx != nullptr && !accumulate;
      float* sums = partial.partial + p * 2 * h;
      dropout_add_norm_backward(dy + row * h, sum + row * h, stats + 2 * row, rows, tokens - row, h, key,
                                who + (who != nullptr ? row : 0), parameters_.value(block.norm.gamma),
                                direct ? dx + row * h : ds, dout + row * h, sums, sums + h, mask);
      if (dx != nullptr && !direct) add_to(dx + row * h, ds, rows * h);
      through_output.run(slot, rows, dout + row * h, parameters_.value(block.output.weight),
                         dcontext + row * h);
    });
    finish(partial);
    run_attention_backward(run, context, lse, dcontext, dqkv, dqkv + h, dqkv + 2 * h);
    if (dx != nullptr) {
      const float* weights[3] = {parameters_.value(block.query.weight), parameters_.value(block.key.weight),
                                 parameters_.value(block.value.weight)};
      runtime_.parallel(parts.count, [&](int64_t p, int slot) {
        const int64_t row = parts.begin(p), rows = parts.rows(p);
        for (int i = 0; i < 3; ++i) {
          through_input.run(slot, rows, dqkv + row * 3 * h + i * h, weights[i], dx + row * h);
        }
      });
    }
    const WeightGradient jobs[4] = {{dqkv, 3 * h, at(x).data, h, block.query},
                                    {dqkv + h, 3 * h, at(x).data, h, block.key},
                                    {dqkv + 2 * h, 3 * h, at(x).data, h, block.value},
                                    {dout, h, context, h, block.output}};
    weight_gradients(tokens, jobs);
    arena_.rewind(mark_);
  });
  return y;
}

}  // namespace hone::compute::cpu
