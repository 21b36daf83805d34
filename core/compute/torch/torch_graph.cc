#include "compute/torch/torch_graph.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/segment_reduce.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "base/error.h"

namespace hone::compute::torch_engine {

namespace {

constexpr double kNormalizeFloor = 1e-12;  // torch.nn.functional.normalize

at::Tensor activated(const at::Tensor& z, Activation activation) {
  switch (activation) {
    case Activation::none:
      return z;
    case Activation::gelu:
      return at::gelu(z);
    case Activation::gelu_tanh:
      return at::gelu(z, "tanh");
    case Activation::relu:
      return at::relu(z);
    case Activation::tanh:
      return at::tanh(z);
  }
  return z;
}

}  // namespace

void TorchGraph::check(bool ok, const char* what) const {
  if (!ok) fail("graph: ", what);
}

void TorchGraph::begin(Mode mode, uint64_t seed, uint64_t step) {
  mode_ = mode;
  key_ = DropoutKey::of(seed, step);
  values_.clear();
  layouts_.clear();
  at::set_num_threads(settings_.threads);  // a setting of the process: another engine may have changed it
  random_.begin(key_);
}

const at::Tensor& TorchGraph::at(Tensor x) const {
  check(x.id >= 0 && static_cast<size_t>(x.id) < values_.size(), "a tensor of another step");
  return values_[static_cast<size_t>(x.id)];
}

Tensor TorchGraph::keep(at::Tensor x) {
  values_.push_back(std::move(x));
  return {static_cast<int32_t>(values_.size()) - 1};
}

Tensor TorchGraph::input(std::span<const float> values, Shape shape) {
  return keep(upload(values.data(), {shape.rows, shape.cols}, at::kFloat, settings_));
}

Shape TorchGraph::shape(Tensor x) const {
  return {at(x).size(0), at(x).size(1)};
}

void TorchGraph::read(Tensor x, std::span<float> out) {
  read_later(x)->get(out);
}

std::unique_ptr<Reading> TorchGraph::read_later(Tensor x) {
  return reading_of(at(x));
}

TorchGraph::Layout& TorchGraph::layout(const Segments& segments) {
  auto [found, fresh] = layouts_.try_emplace(&segments);
  Layout& l = found->second;
  if (fresh) {
    l.sequences = segments.count();
    for (int64_t s = 0; s < l.sequences; ++s) l.longest = std::max<int64_t>(l.longest, segments.length(s));
    l.offsets = ids(segments.offsets);
  }
  return l;
}

at::Tensor TorchGraph::ids(std::span<const int32_t> values) {
  return upload(values.data(), {static_cast<int64_t>(values.size())}, at::kInt, settings_);
}

Tensor TorchGraph::embed(std::span<const Parameter> tables, std::span<const std::span<const int32_t>> lists) {
  const c10::AutoGradMode mode(training());
  at::Tensor sum;
  for (size_t i = 0; i < tables.size(); ++i) {
    const int64_t rows = parameters_.shape(tables[i]).rows;
    for (int32_t id : lists[i]) {
      if (id < 0 || id >= rows)
        fail("graph: embed: id ", id, " in a table of ", rows, " rows, ", parameters_.name(tables[i]));
    }
    const at::Tensor rows_of = at::embedding(value(tables[i]), ids(lists[i]));
    sum = sum.defined() ? sum + rows_of : rows_of;
  }
  return keep(sum);
}

Tensor TorchGraph::linear(Tensor x, const Linear& layer, Activation activation) {
  const c10::AutoGradMode mode(training());
  check(at(x).size(1) == parameters_.shape(layer.weight).cols, "linear: the weight does not fit the input");
  at::Tensor in = at(x), weight = value(layer.weight), bias = value(layer.bias);
  if (layer.bias) bias = bias.view({-1});
  if (settings_.bf16) {
    in = in.to(at::kBFloat16);
    weight = weight.to(at::kBFloat16);
    if (layer.bias) bias = bias.to(at::kBFloat16);
  }
  return keep(activated(at::linear(in, weight, bias), activation));
}

at::Tensor TorchGraph::normalized(const at::Tensor& x, const LayerNorm& norm) const {
  return at::layer_norm(x.to(at::kFloat), {x.size(1)}, value(norm.gamma).view({-1}),
                        value(norm.beta).view({-1}), static_cast<double>(norm.eps));
}

Tensor TorchGraph::norm(Tensor x, const LayerNorm& norm) {
  const c10::AutoGradMode mode(training());
  return keep(normalized(at(x), norm));
}

at::Tensor TorchGraph::dropped(const at::Tensor& x, const Segments& segments, Dropout dropout) {
  check(x.size(0) == segments.tokens(), "segments do not cover the rows of the tensor");
  if (!training() || dropout.p <= 0) return x;
  if (settings_.named_dropout) return x * feature_mask(segments, dropout, x.size(1));
  return random_.dropped(x, segments, static_cast<double>(dropout.p));
}

Tensor TorchGraph::dropout(Tensor x, const Segments& segments, Dropout dropout) {
  const c10::AutoGradMode mode(training());
  return keep(dropped(at(x), segments, dropout));
}

Tensor TorchGraph::add_norm(Tensor x, Tensor residual, const Segments& segments, Dropout dropout,
                            const LayerNorm& norm) {
  const c10::AutoGradMode mode(training());
  return keep(normalized(at(residual) + dropped(at(x), segments, dropout).to(at::kFloat), norm));
}

Tensor TorchGraph::pool(Tensor x, const Segments& segments, PoolKind kind) {
  const c10::AutoGradMode mode(training());
  const at::Tensor in = at(x).to(at::kFloat);
  check(in.size(0) == segments.tokens(), "segments do not cover the rows of the tensor");
  if (segments.count() == 0) return keep(in);
  std::vector<int32_t> picked;
  std::vector<float> weights;
  for (int64_t s = 0; s < segments.count(); ++s) {
    const auto n = static_cast<float>(segments.length(s));
    if (kind == PoolKind::cls) picked.push_back(segments.offsets[static_cast<size_t>(s)]);
    if (kind == PoolKind::last_token) picked.push_back(segments.offsets[static_cast<size_t>(s) + 1] - 1);
    for (int32_t t = 0; t < segments.length(s); ++t) {
      if (kind == PoolKind::mean) weights.push_back(1 / n);
      if (kind == PoolKind::mean_sqrt_len) weights.push_back(1 / std::sqrt(n));
      if (kind == PoolKind::weighted_mean) weights.push_back(static_cast<float>(t + 1) / (n * (n + 1) / 2));
    }
  }
  if (!picked.empty()) return keep(at::index_select(in, 0, ids(picked)));
  const std::optional<at::Tensor> offsets = layout(segments).offsets.to(at::kLong);
  if (kind == PoolKind::max)
    return keep(at::segment_reduce(in, "max", std::nullopt, std::nullopt, offsets, 0, /*unsafe=*/true));
  const at::Tensor weight = upload(weights.data(), {in.size(0), 1}, at::kFloat, settings_);
  return keep(
      at::segment_reduce(in * weight, "sum", std::nullopt, std::nullopt, offsets, 0, /*unsafe=*/true));
}

Tensor TorchGraph::concat(std::span<const Tensor> parts) {
  const c10::AutoGradMode mode(training());
  std::vector<at::Tensor> all;
  for (Tensor part : parts) all.push_back(at(part));
  return keep(at::cat(all, 1));
}

Tensor TorchGraph::l2_normalize(Tensor x) {
  const c10::AutoGradMode mode(training());
  const at::Tensor in = at(x).to(at::kFloat);
  return keep(in / in.norm(2, {1}, /*keepdim=*/true).clamp_min(kNormalizeFloor));
}

Tensor TorchGraph::retain_only(Tensor x) {
  if (training()) return x;
  at::Tensor kept = at(x);
  values_.clear();
  return keep(std::move(kept));
}

void TorchGraph::backward(Tensor y, std::span<const float> dy) {
  check(training(), "backward outside train mode");
  check(static_cast<int64_t>(dy.size()) == at(y).numel(), "backward: gradient has another shape than y");
  check(at(y).requires_grad(), "backward: nothing trainable leads to y");
  at(y).backward(upload(dy.data(), at(y).sizes(), at::kFloat, settings_).to(at(y).scalar_type()));
}

size_t TorchGraph::peak_bytes() const {
  if (!settings_.device.is_cuda()) return 0;  // libtorch does not count what the host's allocator gives
  const auto stats =
      c10::getDeviceAllocator(settings_.device.type())->getDeviceStats(settings_.device.index());
  return static_cast<size_t>(stats.allocated_bytes[0].peak);
}

}  // namespace hone::compute::torch_engine
