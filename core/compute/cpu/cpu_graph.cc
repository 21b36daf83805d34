// The workspace itself, and what all operations share.
#include "compute/cpu/cpu_graph.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace hone::compute::cpu {

namespace {
constexpr int64_t kTileRows = 64;      // rows of a weight-gradient tile, four times as many for tile units
constexpr int64_t kTileColumns = 512;  // at most
}  // namespace

void CpuGraph::begin(Mode mode, uint64_t seed, uint64_t step) {
  mode_ = mode;
  key_ = DropoutKey::of(seed, step);
  values_.clear();
  tape_.clear();
  names_.clear();
  arena_.reset();
}

void CpuGraph::check(bool ok, const char* what) const {
  if (!ok) fail("graph: ", what);
}

void CpuGraph::check_segments(Tensor x, const Segments& segments) const {
  check(at(x).shape.rows == segments.tokens(), "segments do not cover the rows of the tensor");
}

float* CpuGraph::buffer(int64_t rows, int64_t cols) {
  const int64_t padded = pad_rows(rows);
  float* data = arena_.floats(static_cast<size_t>(padded * cols));
  std::fill(data + rows * cols, data + padded * cols, 0.0F);
  return data;
}

Tensor CpuGraph::make(Shape shape, float* data, bool needs_gradient) {
  Value v;
  v.shape = shape;
  v.data = data;
  v.needs_gradient = needs_gradient && training();
  values_.push_back(v);
  return {static_cast<int32_t>(values_.size()) - 1};
}

Tensor CpuGraph::input(std::span<const float> values, Shape shape) {
  check(static_cast<int64_t>(values.size()) == shape.rows * shape.cols,
        "input: number of values and shape differ");
  Tensor x = make(shape, false);
  std::copy(values.begin(), values.end(), at(x).data);
  return x;
}

void CpuGraph::read(Tensor x, std::span<float> out) {
  const Value& v = at(x);
  check(static_cast<int64_t>(out.size()) == v.shape.rows * v.shape.cols,
        "read: wrong size of the destination");
  std::copy_n(v.data, out.size(), out.begin());
}

float* CpuGraph::gradient(Tensor x, bool& accumulate) {
  Value& v = at(x);
  accumulate = v.has_gradient;
  if (v.gradient == nullptr) v.gradient = buffer(v.shape.rows, v.shape.cols);
  v.has_gradient = true;
  return v.gradient;
}

void CpuGraph::add_gradient(Tensor x, const float* dx) {
  if (!at(x).needs_gradient) return;
  bool accumulate = false;
  float* to = gradient(x, accumulate);
  const int64_t n = at(x).shape.rows * at(x).shape.cols;
  if (accumulate) {
    add_to(to, dx, n);
  } else {
    std::copy_n(dx, n, to);
  }
}

void CpuGraph::record(std::function<void()> step) {
  if (training()) tape_.push_back(std::move(step));
}

bool CpuGraph::wants_gradient(Tensor x, std::initializer_list<Parameter> parameters) const {
  if (!training()) return false;
  if (x && at(x).needs_gradient) return true;
  return std::any_of(parameters.begin(), parameters.end(),
                     [&](Parameter p) { return parameters_.trainable(p); });
}

Tensor CpuGraph::retain_only(Tensor keep) {
  if (training()) return keep;
  const Value kept = at(keep);
  arena_.reset();
  const size_t n = static_cast<size_t>(pad_rows(kept.shape.rows) * kept.shape.cols);
  float* data = arena_.floats(n);
  std::memmove(data, kept.data, n * sizeof(float));
  values_.clear();
  return make(kept.shape, data, false);
}

void CpuGraph::backward(Tensor y, std::span<const float> dy) {
  check(training(), "backward outside train mode");
  Value& v = at(y);
  check(static_cast<int64_t>(dy.size()) == v.shape.rows * v.shape.cols,
        "backward: gradient has another shape than y");
  check(v.needs_gradient, "backward: nothing trainable leads to y");
  bool accumulate = false;
  std::copy(dy.begin(), dy.end(), gradient(y, accumulate));
  for (auto step = tape_.rbegin(); step != tape_.rend(); ++step) (*step)();
  tape_.clear();
}

const TokenName* CpuGraph::names(const Segments& segments) {
  for (const auto& known : names_) {
    if (known->segments == &segments) return known->tokens.data();
  }
  auto fresh = std::make_unique<Names>();
  fresh->segments = &segments;
  fresh->tokens.reserve(static_cast<size_t>(segments.tokens()));
  for (int64_t s = 0; s < segments.count(); ++s) {
    const auto i = static_cast<size_t>(s);
    for (int32_t t = 0; t < segments.length(s); ++t) {
      fresh->tokens.push_back({segments.row[i], segments.role[i], static_cast<uint32_t>(t)});
    }
  }
  names_.push_back(std::move(fresh));
  return names_.back()->tokens.data();
}

MaskKey CpuGraph::mask_key(Dropout dropout) const {
  MaskKey key;
  key.k0 = key_.k0;
  key.k1 = key_.k1;
  key.site = dropout.site;
  if (training() && dropout.p > 0) {
    key.threshold = dropout_threshold(dropout.p);
    key.scale = dropout_scale(dropout.p);
  }
  return key;
}

Strips CpuGraph::stacked_weights(std::span<const Linear> layers) {
  struct Piece {
    const float* from;
    int64_t rows, first_row;
  };
  constexpr int64_t kRows = 64;
  std::vector<Piece> pieces;
  Strips to{nullptr, 0, parameters_.shape(layers[0].weight).cols, strip_columns()};
  for (const Linear& layer : layers) {
    const int64_t rows = parameters_.shape(layer.weight).rows;
    const float* values = parameters_.value(layer.weight);
    for (int64_t r = 0; r < rows; r += kRows)
      pieces.push_back({values + r * to.columns, std::min(kRows, rows - r), to.rows + r});
    to.rows += rows;
  }
  to.data = arena_.floats(static_cast<size_t>(to.size()));
  runtime_.parallel(static_cast<int64_t>(pieces.size()), [&](int64_t i, int) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    pack_rows(piece.from, to.columns, piece.rows, piece.first_row, to);
  });
  return to;
}

CpuGraph::WeightGradient CpuGraph::weight_gradient(int64_t tokens, const Linear& layer,
                                                   const WeightGradient* same_x) {
  const Shape s = parameters_.shape(layer.weight);
  const bool weight = parameters_.trainable(layer.weight), bias = parameters_.trainable(layer.bias);
  WeightGradient job{layer,
                     {nullptr, tokens, s.rows, group_rows(), kShort},
                     {nullptr, tokens, s.cols, strip_columns(), kShort},
                     nullptr,
                     Panels(tokens).count};
  if (weight) job.dy.data = arena_.floats(static_cast<size_t>(job.dy.size()));
  if (bias) job.sums = arena_.floats(static_cast<size_t>(job.panels * s.rows));
  if (same_x != nullptr && same_x->x.data != nullptr) {
    job.x = same_x->x;
  } else if (weight) {
    job.x.data = arena_.floats(static_cast<size_t>(job.x.size()));
  }
  return job;
}

void CpuGraph::pack_panel(const float* from, int64_t ld, int64_t row, int64_t rows, const Strips& to) {
  if (to.data != nullptr) pack_rows(from, ld, std::min(rows, to.rows - row), row, to);
}

void CpuGraph::pack_gradient(const float* dy, int64_t ld, int64_t panel, int64_t row, int64_t rows,
                             int64_t column, int64_t n, const WeightGradient& to) {
  pack_panel(dy, ld, row, rows, to.dy.some(column, n));
  if (to.sums == nullptr) return;
  float* sums = to.sums + panel * to.dy.columns + column;
  std::fill_n(sums, n, 0.0F);
  column_sums(dy, std::min(rows, to.dy.rows - row), n, ld, sums);
}

void CpuGraph::weight_gradients(std::span<const WeightGradient> jobs) {
  // Jobs of one parameter (a shared weight) add to each other and so come one after the other.
  for (size_t begin = 0, end = 0; begin < jobs.size(); begin = end) {
    auto clashes = [&](const WeightGradient& job) {
      return std::any_of(jobs.begin() + static_cast<std::ptrdiff_t>(begin),
                         jobs.begin() + static_cast<std::ptrdiff_t>(end), [&](const WeightGradient& other) {
                           return other.layer.weight.id == job.layer.weight.id ||
                                  (job.layer.bias && other.layer.bias.id == job.layer.bias.id);
                         });
    };
    for (end = begin + 1; end < jobs.size() && !clashes(jobs[end]);) ++end;
    independent_weight_gradients(jobs.subspan(begin, end - begin));
  }
}

void CpuGraph::independent_weight_gradients(std::span<const WeightGradient> jobs) {
  struct Tile {
    const WeightGradient* job;
    float *dw, *db;
    bool accumulate, accumulate_bias;
    int64_t row, rows, strip, column, columns;
  };
  std::vector<Tile> tiles;
  const int64_t height = products_on_tiles() ? 4 * kTileRows : kTileRows;
  for (const WeightGradient& job : jobs) {
    if (job.dy.data == nullptr && job.sums == nullptr) continue;
    const int64_t n = job.dy.columns, k = job.x.columns, width = job.x.width;
    Tile tile{&job, nullptr, nullptr, false, false, 0, 0, 0, 0, 0};
    if (parameters_.trainable(job.layer.weight)) {
      tile.dw = parameters_.gradient(job.layer.weight, tile.accumulate);
    }
    float* db = parameters_.trainable(job.layer.bias)
                    ? parameters_.gradient(job.layer.bias, tile.accumulate_bias)
                    : nullptr;
    const int64_t parts = (k + kTileColumns - 1) / kTileColumns;
    const int64_t step = (job.x.count() + parts - 1) / parts;
    for (int64_t r = 0; r < n; r += height) {
      for (tile.strip = 0; tile.strip < job.x.count(); tile.strip += step) {
        tile.row = r;
        tile.rows = std::min(height, n - r);
        tile.column = tile.strip * width;
        tile.columns = std::min(step * width, k - tile.column);
        tile.db = tile.strip == 0 ? db : nullptr;
        tiles.push_back(tile);
      }
    }
  }
  runtime_.parallel(static_cast<int64_t>(tiles.size()), [&](int64_t i, int) {
    const Tile& t = tiles[static_cast<size_t>(i)];
    const Strips &dy = t.job->dy, &x = t.job->x;
    if (t.dw != nullptr) {
      multiply({dy.strip(t.row / dy.width), dy.rows, true}, x, t.strip, t.rows, t.columns,
               {t.dw + t.row * x.columns + t.column, x.columns, t.accumulate});
    }
    if (t.db != nullptr) {
      if (!t.accumulate_bias) std::fill_n(t.db + t.row, t.rows, 0.0F);
      column_sums(t.job->sums + t.row, t.job->panels, t.rows, dy.columns, t.db + t.row);
    }
  });
}

CpuGraph::NormBackward CpuGraph::norm_backward(const Panels& panels, int64_t n, const LayerNorm& norm) {
  NormBackward b;
  b.panels = panels.count;
  b.n = n;
  b.norm = norm;
  b.partial = arena_.floats(static_cast<size_t>(panels.count * 2 * n));
  std::fill_n(b.partial, panels.count * 2 * n, 0.0F);
  return b;
}

void CpuGraph::finish(const NormBackward& b) {
  const Parameter targets[2] = {b.norm.gamma, b.norm.beta};
  for (int which = 0; which < 2; ++which) {
    if (!parameters_.trainable(targets[which])) continue;
    bool accumulate = false;
    float* to = parameters_.gradient(targets[which], accumulate);
    if (!accumulate) std::fill_n(to, b.n, 0.0F);
    column_sums(b.partial + which * b.n, b.panels, b.n, 2 * b.n, to);
  }
}

}  // namespace hone::compute::cpu
