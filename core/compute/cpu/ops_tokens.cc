// Simple operations on token matrices: embed, linear, norm, dropout, add_norm, attention.
#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "compute/cpu/cpu_graph.h"

namespace hone::compute::cpu {

Tensor CpuGraph::embed(std::span<const Parameter> tables, std::span<const std::span<const int32_t>> ids) {
  check(!tables.empty() && tables.size() == ids.size(), "embed: one list of ids per table");
  const int64_t tokens = static_cast<int64_t>(ids[0].size());
  const int64_t width = parameters_.shape(tables[0]).cols;
  bool trainable = false;
  std::vector<const float*> values;
  for (size_t i = 0; i < tables.size(); ++i) {
    const Shape s = parameters_.shape(tables[i]);
    check(s.cols == width && static_cast<int64_t>(ids[i].size()) == tokens,
          "embed: tables or lists of ids differ in size");
    for (int32_t id : ids[i]) {
      if (id < 0 || id >= s.rows) {
        fail("tensor ", parameters_.name(tables[i]), ": id ", id, " is outside its ", s.rows, " rows");
      }
    }
    if (parameters_.trainable(tables[i])) {
      trainable = true;
      parameters_.prepare_rows(tables[i], ids[i]);
    }
    values.push_back(parameters_.value(tables[i]));
  }
  Tensor y = make({tokens, width}, trainable);
  float* out = at(y).data;
  constexpr int64_t kRows = 32;
  runtime_.parallel((tokens + kRows - 1) / kRows, [&](int64_t block, int) {
    for (int64_t t = block * kRows; t < std::min(tokens, (block + 1) * kRows); ++t) {
      float* row = out + t * width;
      std::copy_n(values[0] + int64_t{ids[0][static_cast<size_t>(t)]} * width, width, row);
      for (size_t i = 1; i < values.size(); ++i)
        add_to(row, values[i] + int64_t{ids[i][static_cast<size_t>(t)]} * width, width);
    }
  });
  if (!at(y).needs_gradient) return y;

  std::vector<Parameter> owners(tables.begin(), tables.end());
  std::vector<std::vector<int32_t>> names;
  for (const auto& list : ids) names.emplace_back(list.begin(), list.end());
  record([this, y, owners = std::move(owners), names = std::move(names), width, tokens] {
    if (!at(y).has_gradient) return;
    const float* dy = at(y).gradient;
    for (size_t i = 0; i < owners.size(); ++i) {
      if (!parameters_.trainable(owners[i])) continue;
      // Tokens by id, then by position: each row's sum has a fixed order.
      std::vector<int32_t> order(static_cast<size_t>(tokens));
      std::iota(order.begin(), order.end(), 0);
      const auto& id = names[i];
      std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return id[a] < id[b]; });
      std::vector<int32_t> unique;
      std::vector<int64_t> starts;
      for (size_t t = 0; t < order.size(); ++t) {
        if (t == 0 || id[order[t]] != id[order[t - 1]]) {
          unique.push_back(id[order[t]]);
          starts.push_back(static_cast<int64_t>(t));
        }
      }
      starts.push_back(tokens);
      const std::vector<float*> rows = parameters_.gradient_rows(owners[i], unique);
      runtime_.parallel(static_cast<int64_t>(rows.size()), [&](int64_t r, int) {
        for (int64_t t = starts[static_cast<size_t>(r)]; t < starts[static_cast<size_t>(r) + 1]; ++t) {
          add_to(rows[static_cast<size_t>(r)], dy + int64_t{order[static_cast<size_t>(t)]} * width, width);
        }
      });
    }
  });
  return y;
}

Tensor CpuGraph::linear(Tensor x, const Linear& layer, Activation activation) {
  const Shape w = parameters_.shape(layer.weight);
  const int64_t tokens = at(x).shape.rows;
  check(at(x).shape.cols == w.cols, "linear: width of the input and of the weight differ");
  const auto wt = parameters_.transposed(std::span(&layer, 1));
  const bool train = wants_gradient(x, {layer.weight, layer.bias});
  const Panels panels(tokens);
  Tensor y = make({tokens, w.rows}, train);
  float* out = at(y).data;
  float* z = train && activation != Activation::none ? buffer(tokens, w.rows) : out;
  const float* in = at(x).data;
  runtime_.parallel(panels.count, [&](int64_t p, int) {
    const int64_t row = panels.begin(p), rows = panels.rows(p);
    multiply({in + row * w.cols, w.cols}, wt.weight, 0, rows, w.rows,
             {z + row * w.rows, w.rows, false, wt.bias});
    if (activation == Activation::none) return;
    activation_forward(z + row * w.rows, w.rows, rows, w.rows, activation, out + row * w.rows);
  });
  if (!train) return y;

  record([this, x, y, layer, activation, w, tokens, z] {
    if (!at(y).has_gradient) return;
    const Panels parts(tokens);
    bool accumulate = false;
    float* dx = at(x).needs_gradient ? gradient(x, accumulate) : nullptr;
    const Arena::Mark mark = arena_.mark();
    const float* dy = at(y).gradient;
    float* dz = activation == Activation::none ? at(y).gradient : buffer(tokens, w.rows);
    const Strips weight = dx != nullptr ? stacked_weights(std::span(&layer, 1)) : Strips{};
    const WeightGradient job = weight_gradient(tokens, layer);
    runtime_.parallel(parts.count, [&](int64_t p, int) {
      const int64_t row = parts.begin(p), rows = parts.rows(p);
      if (activation != Activation::none) {
        activation_backward(dy + row * w.rows, z + row * w.rows, w.rows, rows, w.rows, activation,
                            dz + row * w.rows, nullptr);
      }
      pack_gradient(dz + row * w.rows, w.rows, p, row, rows, 0, w.rows, job);
      pack_panel(at(x).data + row * w.cols, w.cols, row, rows, job.x);
      if (dx == nullptr) return;
      multiply({dz + row * w.rows, w.rows}, weight, 0, rows, w.cols, {dx + row * w.cols, w.cols, accumulate});
    });
    weight_gradients(std::span(&job, 1));
    arena_.rewind(mark);
  });
  return y;
}

Tensor CpuGraph::dropout(Tensor x, const Segments& segments, Dropout dropout) {
  check_segments(x, segments);
  const MaskKey key = mask_key(dropout);
  if (key.threshold == 0) return x;
  const Shape s = at(x).shape;
  const TokenName* who = names(segments);
  Tensor y = make(s, at(x).needs_gradient);
  const Panels panels(s.rows);
  const float* in = at(x).data;
  float* out = at(y).data;
  runtime_.parallel(panels.count, [&](int64_t p, int slot) {
    const int64_t row = panels.begin(p), rows = std::min(panels.rows(p), s.rows - row);
    if (rows <= 0) return;
    dropout_rows(in + row * s.cols, rows, s.cols, key, who + row, out + row * s.cols,
                 runtime_.scratch(slot, static_cast<size_t>(s.cols)));
  });
  if (!at(y).needs_gradient) return y;
  record([this, x, y, key, who, s] {
    if (!at(y).has_gradient) return;
    bool accumulate = false;
    float* dx = gradient(x, accumulate);
    const float* dy = at(y).gradient;
    const Panels parts(s.rows);
    runtime_.parallel(parts.count, [&](int64_t p, int slot) {
      const int64_t row = parts.begin(p), rows = std::min(parts.rows(p), s.rows - row);
      if (rows <= 0) return;
      float* mask = runtime_.scratch(slot, static_cast<size_t>(s.cols * (rows + 1)));
      float* masked = accumulate ? mask + s.cols : dx + row * s.cols;
      dropout_rows(dy + row * s.cols, rows, s.cols, key, who + row, masked, mask);
      if (accumulate) add_to(dx + row * s.cols, masked, rows * s.cols);
    });
  });
  return y;
}

Tensor CpuGraph::norm(Tensor x, const LayerNorm& norm) {
  return add_norm(x, {}, {}, {}, norm);
}

Tensor CpuGraph::add_norm(Tensor x, Tensor residual, const Segments& segments, Dropout dropout,
                          const LayerNorm& norm) {
  const Shape s = at(x).shape;
  check(!residual || at(residual).shape == s, "add_norm: residual has another shape");
  check(parameters_.shape(norm.gamma).cols == s.cols, "norm: width of the input and of gamma differ");
  const MaskKey key = mask_key(dropout);
  if (key.threshold != 0) check_segments(x, segments);
  const TokenName* who = key.threshold != 0 ? names(segments) : nullptr;
  bool train = wants_gradient(x, {norm.gamma, norm.beta});
  if (residual && at(residual).needs_gradient) train = true;
  Tensor y = make(s, train);
  const Panels panels(s.rows);
  float* sum = buffer(s.rows, s.cols);
  float* stats = arena_.floats(static_cast<size_t>(2 * panels.padded));
  const float* in = at(x).data;
  const float* add = residual ? at(residual).data : nullptr;
  float* out = at(y).data;
  runtime_.parallel(panels.count, [&](int64_t p, int slot) {
    const int64_t row = panels.begin(p), rows = panels.rows(p), at_row = row * s.cols;
    dropout_add_norm(in + at_row, add != nullptr ? add + at_row : nullptr, rows, s.rows - row, s.cols, key,
                     who + (who != nullptr ? row : 0), parameters_.value(norm.gamma),
                     parameters_.value(norm.beta), norm.eps, sum + at_row, out + at_row, stats + 2 * row,
                     runtime_.scratch(slot, static_cast<size_t>(s.cols)));
  });
  if (!train) return y;
  record([this, x, residual, y, key, who, norm, s, sum, stats] {
    if (!at(y).has_gradient) return;
    const Panels parts(s.rows);
    bool add_x = false, add_residual = false;
    float* dx = at(x).needs_gradient ? gradient(x, add_x) : nullptr;
    float* dr = residual && at(residual).needs_gradient ? gradient(residual, add_residual) : nullptr;
    const Arena::Mark mark = arena_.mark();
    NormBackward partial = norm_backward(parts, s.cols, norm);
    const float* dy = at(y).gradient;
    runtime_.parallel(parts.count, [&](int64_t p, int slot) {
      const int64_t row = parts.begin(p), rows = parts.rows(p), at_row = row * s.cols, n = rows * s.cols;
      float* mask = runtime_.scratch(slot, static_cast<size_t>(s.cols + 2 * n));
      float* ds = mask + s.cols;
      float* dropped = ds + n;
      float* sums = partial.partial + p * 2 * s.cols;
      dropout_add_norm_backward(dy + at_row, sum + at_row, stats + 2 * row, rows, s.rows - row, s.cols, key,
                                who + (who != nullptr ? row : 0), parameters_.value(norm.gamma), ds, dropped,
                                sums, sums + s.cols, mask);
      if (dx != nullptr && !add_x) std::copy_n(dropped, n, dx + at_row);
      if (dx != nullptr && add_x) add_to(dx + at_row, dropped, n);
      if (dr != nullptr && !add_residual) std::copy_n(ds, n, dr + at_row);
      if (dr != nullptr && add_residual) add_to(dr + at_row, ds, n);
    });
    finish(partial);
    arena_.rewind(mark);
  });
  return y;
}

void CpuGraph::run_attention(const AttentionRun& run, float* out, float* lse) {
  const int64_t heads = run.options.heads, d = run.width / heads, tokens = run.segments->tokens();
  const MaskKey key = mask_key(run.options.dropout);
  runtime_.parallel(run.segments->count() * heads, [&](int64_t i, int slot) {
    const int64_t s = i / heads, h = i % heads;
    const int64_t first = run.segments->offsets[static_cast<size_t>(s)];
    const HeadShape shape{run.segments->length(s), d, run.ld, run.width, run.options.scale};
    HeadMask mask{key, 0, 0, static_cast<uint32_t>(h)};
    if (key.threshold != 0) {
      mask.row = run.segments->row[static_cast<size_t>(s)];
      mask.role = run.segments->role[static_cast<size_t>(s)];
    }
    float* scratch = runtime_.scratch(slot, static_cast<size_t>(attention_scratch(shape)));
    const int64_t from = first * run.ld + h * d;
    attention_head(shape, mask, run.q + from, run.k + from, run.v + from, out + first * run.width + h * d,
                   lse != nullptr ? lse + h * tokens + first : nullptr, scratch);
  });
}

void CpuGraph::run_attention_backward(const AttentionRun& run, const float* out, const float* lse,
                                      const float* dout, float* dq, float* dk, float* dv) {
  const int64_t heads = run.options.heads, d = run.width / heads, tokens = run.segments->tokens();
  const MaskKey key = mask_key(run.options.dropout);
  runtime_.parallel(run.segments->count() * heads, [&](int64_t i, int slot) {
    const int64_t s = i / heads, h = i % heads;
    const int64_t first = run.segments->offsets[static_cast<size_t>(s)];
    const HeadShape shape{run.segments->length(s), d, run.ld, run.width, run.options.scale};
    HeadMask mask{key, 0, 0, static_cast<uint32_t>(h)};
    if (key.threshold != 0) {
      mask.row = run.segments->row[static_cast<size_t>(s)];
      mask.role = run.segments->role[static_cast<size_t>(s)];
    }
    float* scratch = runtime_.scratch(slot, static_cast<size_t>(attention_scratch(shape)));
    const int64_t from = first * run.ld + h * d, to = first * run.width + h * d;
    attention_head_backward(shape, mask, run.q + from, run.k + from, run.v + from, out + to,
                            lse + h * tokens + first, dout + to, dq + from, dk + from, dv + from, scratch);
  });
}

Tensor CpuGraph::attention(Tensor q, Tensor k, Tensor v, const Segments& segments,
                           const AttentionOptions& options) {
  const Shape s = at(q).shape;
  check(at(k).shape == s && at(v).shape == s, "attention: q, k and v differ in shape");
  check(options.heads > 0 && s.cols % options.heads == 0, "attention: heads do not divide the width");
  check_segments(q, segments);
  const bool train = training() && (at(q).needs_gradient || at(k).needs_gradient || at(v).needs_gradient);
  Tensor y = make(s, train);
  const AttentionRun run{&segments, options, at(q).data, at(k).data, at(v).data, s.cols, s.cols};
  float* lse = train ? arena_.floats(static_cast<size_t>(s.rows * options.heads)) : nullptr;
  run_attention(run, at(y).data, lse);
  if (!train) return y;
  record([this, q, k, v, y, run, lse, s] {
    if (!at(y).has_gradient) return;
    const Tensor parts[3] = {q, k, v};
    for (Tensor x : parts) {  // buffers that outlive the temporary ones below
      bool accumulate = false;
      const bool had = at(x).has_gradient;
      if (at(x).needs_gradient) gradient(x, accumulate);
      at(x).has_gradient = had;
    }
    const Arena::Mark mark = arena_.mark();
    float* d[3];
    for (float*& buffer_of : d) buffer_of = buffer(s.rows, s.cols);
    run_attention_backward(run, at(y).data, lse, at(y).gradient, d[0], d[1], d[2]);
    for (int i = 0; i < 3; ++i) add_gradient(parts[i], d[i]);
    arena_.rewind(mark);
  });
  return y;
}

}  // namespace hone::compute::cpu
