// The two transformer blocks, fused over row panels: what lies between two matrix products of a panel stays
// in cache.
//
// Forward of a panel: product, activation, product, dropout + residual + norm, the first three for some
// columns of the hidden matrix [T,4H] after the others, which are multiplied on while they lie in cache. In
// inference it exists only as those columns of one panel per thread. Backward of a panel goes the same way
// back; afterwards the weight gradients of the block are made in one parallel region.
#include <algorithm>

#include "compute/cpu/cpu_graph.h"

namespace hone::compute::cpu {

namespace {
// Columns of the hidden matrix that are made and used at once: whole strips of every width there is, and
// whole parts of a product's depth.
constexpr int64_t kHidden = kProductDepth;
}  // namespace

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

  Tensor y = make({tokens, h}, train);
  float* out = at(y).data;
  const float* in = at(x).data;
  float* z = train ? buffer(tokens, f) : nullptr;    // before the activation
  float* sum = train ? buffer(tokens, h) : nullptr;  // before the norm
  float* stats = train ? arena_.floats(static_cast<size_t>(2 * panels.padded)) : nullptr;
  const float *gamma = parameters_.value(block.norm.gamma), *beta = parameters_.value(block.norm.beta);
  runtime_.parallel(panels.count, [&](int64_t p, int slot) {
    const int64_t row = panels.begin(p), rows = panels.rows(p);
    float* mask = runtime_.scratch(slot, static_cast<size_t>(h + rows * kHidden));
    float* hidden = mask + h;
    float* yp = out + row * h;
    for (int64_t c = 0; c < f; c += kHidden) {
      const int64_t n = std::min(kHidden, f - c), ldz = train ? f : n;
      float* zp = train ? z + row * f + c : hidden;
      multiply({in + row * h, h}, up.weight, c / up.weight.width, rows, n,
               {zp, ldz, false, up.bias != nullptr ? up.bias + c : nullptr});
      activation_forward(zp, ldz, rows, n, block.activation, hidden);
      multiply({hidden, n}, down.weight, 0, rows, h, {yp, h, c > 0, c > 0 ? nullptr : down.bias}, {c, n});
    }
    dropout_add_norm(yp, in + row * h, rows, tokens - row, h, key, who + (who != nullptr ? row : 0), gamma,
                     beta, block.norm.eps, train ? sum + row * h : yp, yp, train ? stats + 2 * row : nullptr,
                     mask);
  });
  if (!train) return y;

  record([this, x, y, block, key, who, tokens, h, f, z, sum, stats] {
    if (!at(y).has_gradient) return;
    const Panels parts(tokens);
    bool accumulate = false;
    float* dx = at(x).needs_gradient ? gradient(x, accumulate) : nullptr;
    const Arena::Mark mark_ = arena_.mark();
    NormBackward partial = norm_backward(parts, h, block.norm);
    const Strips down_weight = stacked_weights(std::span(&block.down, 1));
    const Strips up_weight = dx != nullptr ? stacked_weights(std::span(&block.up, 1)) : Strips{};
    const WeightGradient jobs[2] = {weight_gradient(tokens, block.up), weight_gradient(tokens, block.down)};
    const float* dy = at(y).gradient;
    runtime_.parallel(parts.count, [&](int64_t p, int slot) {
      const int64_t row = parts.begin(p), rows = parts.rows(p);
      float* mask = runtime_.scratch(slot, static_cast<size_t>(h + 2 * rows * h + 2 * rows * kHidden));
      float* ds = mask + h;
      float* dout = ds + rows * h;
      float* dz = dout + rows * h;
      float* hidden = dz + rows * kHidden;
      const bool direct = dx != nullptr && !accumulate;  // the residual's share is the first to be written
      float* dsum = direct ? dx + row * h : ds;
      float* sums = partial.partial + p * 2 * h;
      dropout_add_norm_backward(dy + row * h, sum + row * h, stats + 2 * row, rows, tokens - row, h, key,
                                who + (who != nullptr ? row : 0), parameters_.value(block.norm.gamma), dsum,
                                dout, sums, sums + h, mask);
      pack_gradient(dout, h, p, row, rows, 0, h, jobs[1]);
      pack_panel(at(x).data + row * h, h, row, rows, jobs[0].x);
      if (dx != nullptr && !direct) add_to(dx + row * h, ds, rows * h);
      for (int64_t c = 0; c < f; c += kHidden) {
        const int64_t n = std::min(kHidden, f - c);
        multiply({dout, h}, down_weight, c / down_weight.width, rows, n, {dz, n});
        activation_backward(dz, z + row * f + c, f, rows, n, block.activation, dz, hidden);
        pack_panel(hidden, n, row, rows, jobs[1].x.some(c, n));
        pack_gradient(dz, n, p, row, rows, c, n, jobs[0]);
        if (dx != nullptr) multiply({dz, n}, up_weight, 0, rows, h, {dx + row * h, h, true}, {c, n});
      }
    });
    finish(partial);
    weight_gradients(jobs);
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

  Tensor y = make({tokens, h}, train);
  float* out = at(y).data;
  const float* in = at(x).data;
  float* qkv = buffer(tokens, 3 * h);
  float* context = buffer(tokens, h);
  float* lse = train ? arena_.floats(static_cast<size_t>(tokens * block.attention.heads)) : nullptr;
  float* sum = train ? buffer(tokens, h) : nullptr;
  float* stats = train ? arena_.floats(static_cast<size_t>(2 * panels.padded)) : nullptr;
  const float *gamma = parameters_.value(block.norm.gamma), *beta = parameters_.value(block.norm.beta);
  runtime_.parallel(panels.count, [&](int64_t p, int) {
    const int64_t row = panels.begin(p), rows = panels.rows(p);
    multiply({in + row * h, h}, in_proj.weight, 0, rows, 3 * h,
             {qkv + row * 3 * h, 3 * h, false, in_proj.bias});
  });
  const AttentionRun run{&segments, block.attention, qkv, qkv + h, qkv + 2 * h, 3 * h, h};
  run_attention(run, context, lse);
  runtime_.parallel(panels.count, [&](int64_t p, int slot) {
    const int64_t row = panels.begin(p), rows = panels.rows(p);
    float* mask = runtime_.scratch(slot, static_cast<size_t>(h));
    float* yp = out + row * h;
    multiply({context + row * h, h}, out_proj.weight, 0, rows, h, {yp, h, false, out_proj.bias});
    dropout_add_norm(yp, in + row * h, rows, tokens - row, h, key, who + (who != nullptr ? row : 0), gamma,
                     beta, block.norm.eps, train ? sum + row * h : yp, yp, train ? stats + 2 * row : nullptr,
                     mask);
  });
  if (!train) return y;

  record([this, x, y, block, key, who, tokens, h, run, context, lse, sum, stats] {
    if (!at(y).has_gradient) return;
    const Panels parts(tokens);
    bool accumulate = false;
    float* dx = at(x).needs_gradient ? gradient(x, accumulate) : nullptr;
    const Arena::Mark mark_ = arena_.mark();
    float* dcontext = buffer(tokens, h);
    float* dqkv = buffer(tokens, 3 * h);
    NormBackward partial = norm_backward(parts, h, block.norm);
    const Strips output_weight = stacked_weights(std::span(&block.output, 1));
    const WeightGradient output = weight_gradient(tokens, block.output);
    const float* dy = at(y).gradient;
    runtime_.parallel(parts.count, [&](int64_t p, int slot) {
      const int64_t row = parts.begin(p), rows = parts.rows(p);
      float* mask = runtime_.scratch(slot, static_cast<size_t>(h + 2 * rows * h));
      float* ds = mask + h;
      float* dout = ds + rows * h;
      const bool direct = dx != nullptr && !accumulate;
      float* sums = partial.partial + p * 2 * h;
      dropout_add_norm_backward(dy + row * h, sum + row * h, stats + 2 * row, rows, tokens - row, h, key,
                                who + (who != nullptr ? row : 0), parameters_.value(block.norm.gamma),
                                direct ? dx + row * h : ds, dout, sums, sums + h, mask);
      if (dx != nullptr && !direct) add_to(dx + row * h, ds, rows * h);
      pack_gradient(dout, h, p, row, rows, 0, h, output);
      pack_panel(context + row * h, h, row, rows, output.x);
      multiply({dout, h}, output_weight, 0, rows, h, {dcontext + row * h, h});
    });
    finish(partial);
    run_attention_backward(run, context, lse, dcontext, dqkv, dqkv + h, dqkv + 2 * h);
    const Linear inputs[3] = {block.query, block.key, block.value};
    const Strips input_weights = dx != nullptr ? stacked_weights(inputs) : Strips{};
    WeightGradient jobs[4] = {output};
    const WeightGradient* same_x = nullptr;
    for (size_t i = 0; i < 3; ++i) {
      jobs[i + 1] = weight_gradient(tokens, inputs[i], same_x);
      if (jobs[i + 1].x.data != nullptr) same_x = &jobs[i + 1];
    }
    runtime_.parallel(parts.count, [&](int64_t p, int) {
      const int64_t row = parts.begin(p), rows = parts.rows(p);
      for (int i = 0; i < 3; ++i)
        pack_gradient(dqkv + row * 3 * h + i * h, 3 * h, p, row, rows, 0, h, jobs[i + 1]);
      if (same_x != nullptr) pack_panel(at(x).data + row * h, h, row, rows, same_x->x);
      if (dx != nullptr) {
        multiply({dqkv + row * 3 * h, 3 * h}, input_weights, 0, rows, h, {dx + row * h, h, true});
      }
    });
    weight_gradients(jobs);
    arena_.rewind(mark_);
  });
  return y;
}

}  // namespace hone::compute::cpu
