#include "compute/torch/torch_parameters.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"

namespace hone::compute::torch_engine {

Parameter TorchParameters::add(std::string name, Shape shape, std::span<const float> values,
                               std::shared_ptr<const void> /*owner*/, ParameterOptions options) {
  Entry e;
  e.name = std::move(name);
  e.shape = shape;
  e.options = options;
  e.value = upload(values.data(), {shape.rows, shape.cols}, at::kFloat, settings_);
  e.value.set_requires_grad(options.trainable);
  entries_.push_back(std::move(e));
  return {static_cast<int32_t>(entries_.size()) - 1};
}

void TorchParameters::read(Parameter p, State state, std::span<float> out) {
  const Entry& e = at(p);
  const at::Tensor& from = state == State::value          ? e.value
                           : state == State::first_moment ? e.first
                                                          : e.second;
  if (!from.defined()) {
    std::fill(out.begin(), out.end(), 0.0F);
    return;
  }
  reading_of(from)->get(out);
}

void TorchParameters::write(Parameter p, State state, std::span<const float> values) {
  Entry& e = at(p);
  if (!e.options.trainable) fail("parameter ", e.name, " is frozen and cannot be written");
  if (static_cast<int64_t>(values.size()) != e.value.numel())
    fail("parameter ", e.name, ": ", values.size(), " values given, ", e.value.numel(), " expected");
  if (state != State::value) ensure_moments(e);
  at::Tensor& to = state == State::value ? e.value : state == State::first_moment ? e.first : e.second;
  const c10::AutoGradMode off(false);
  to.copy_(upload(values.data(), to.sizes(), at::kFloat, settings_));
}

void TorchParameters::read_gradient(Parameter p, std::span<float> out) {
  const at::Tensor& gradient = at(p).value.grad();
  if (!gradient.defined()) {
    std::fill(out.begin(), out.end(), 0.0F);
    return;
  }
  reading_of(gradient)->get(out);
}

void TorchParameters::add_gradient(Parameter p, std::span<const float> values) {
  Entry& e = at(p);
  if (!e.options.trainable || e.options.row_sparse)
    fail("parameter ", e.name, " takes no gradient from outside");
  if (static_cast<int64_t>(values.size()) != e.value.numel())
    fail("parameter ", e.name, ": a gradient of ", values.size(), " values given, ", e.value.numel(),
         " expected");
  const c10::AutoGradMode off(false);
  const at::Tensor more = upload(values.data(), e.value.sizes(), at::kFloat, settings_);
  at::Tensor& gradient = e.value.mutable_grad();
  gradient = gradient.defined() ? gradient + more : more;
}

void TorchParameters::clear_gradients() {
  for (Entry& e : entries_) {
    if (e.options.trainable) e.value.mutable_grad().reset();
  }
}

std::vector<at::Tensor> TorchParameters::gradients() const {
  std::vector<at::Tensor> found;
  for (const Entry& e : entries_) {
    if (e.value.grad().defined()) found.push_back(e.value.grad());
  }
  return found;
}

at::Tensor TorchParameters::norm_of(const std::vector<at::Tensor>& gradients) const {
  if (gradients.empty()) return at::zeros({}, at::TensorOptions().device(settings_.device));
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)), 2);
}

double TorchParameters::gradient_norm() {
  return static_cast<double>(reading_of(norm_of(gradients()))->number());
}

void TorchParameters::ensure_moments(Entry& e) {
  if (e.first.defined()) return;
  e.first = at::zeros_like(e.value);
  e.second = at::zeros_like(e.value);
}

void TorchParameters::step(const AdamW& adamw) {
  const c10::AutoGradMode off(false);
  const std::vector<at::Tensor> scaled = gradients();
  if (adamw.gradient_scale != 1 && !scaled.empty()) at::_foreach_mul_(scaled, adamw.gradient_scale);
  // A launch for each decay and rate: usually two.
  std::set<std::pair<bool, float>> kinds;
  for (const Entry& e : entries_) {
    if (e.value.grad().defined()) kinds.emplace(e.options.decay, e.options.rate);
  }
  for (const auto& [decay, rate] : kinds) {
    std::vector<at::Tensor> values, gradients, first, second;
    for (Entry& e : entries_) {
      if (!e.value.grad().defined() || e.options.decay != decay || e.options.rate != rate) continue;
      ensure_moments(e);
      values.push_back(e.value);
      gradients.push_back(e.value.grad());
      first.push_back(e.first);
      second.push_back(e.second);
    }
    const std::vector<at::Tensor> steps(
        values.size(), at::full({}, static_cast<double>(adamw.step),
                                at::TensorOptions().dtype(at::kFloat).device(settings_.device)));
    at::_fused_adamw_(values, gradients, first, second, {}, steps,
                      static_cast<double>(adamw.learning_rate * rate), static_cast<double>(adamw.beta1),
                      static_cast<double>(adamw.beta2), decay ? static_cast<double>(adamw.weight_decay) : 0.0,
                      static_cast<double>(adamw.eps),
                      /*amsgrad=*/false, /*maximize=*/false);
  }
}

std::unique_ptr<Reading> TorchParameters::clipped_step(const AdamW& adamw, double max_norm) {
  const c10::AutoGradMode off(false);
  const std::vector<at::Tensor> all = gradients();
  const at::Tensor norm = norm_of(all);
  if (max_norm > 0 && !all.empty())
    at::_foreach_mul_(all, (norm + 1e-6).reciprocal().mul(max_norm).clamp_max(1));
  step(adamw);
  return reading_of(norm);
}

}  // namespace hone::compute::torch_engine
