#include "nn/sentence_encoder.h"

#include <cmath>
#include <map>

#include "base/error.h"

namespace hone::nn {

using compute::Graph;
using compute::Linear;
using compute::Parameter;
using compute::Tensor;

namespace {

compute::Activation activation_of(model::Activation activation) {
  switch (activation) {
    case model::Activation::identity:
      return compute::Activation::none;
    case model::Activation::gelu:
      return compute::Activation::gelu;
    case model::Activation::gelu_tanh:
      return compute::Activation::gelu_tanh;
    case model::Activation::relu:
      return compute::Activation::relu;
    case model::Activation::tanh:
      return compute::Activation::tanh;
  }
  return compute::Activation::none;
}

compute::PoolKind pool_of(model::PoolingMode mode) {
  switch (mode) {
    case model::PoolingMode::cls:
      return compute::PoolKind::cls;
    case model::PoolingMode::max:
      return compute::PoolKind::max;
    case model::PoolingMode::mean:
      return compute::PoolKind::mean;
    case model::PoolingMode::mean_sqrt_len:
      return compute::PoolKind::mean_sqrt_len;
    case model::PoolingMode::weighted_mean:
      return compute::PoolKind::weighted_mean;
    case model::PoolingMode::last_token:
      return compute::PoolKind::last_token;
  }
  return compute::PoolKind::mean;
}

// Dropout sites: 0 is the embeddings'; a layer has three.
enum Site : uint32_t { kProbabilities = 0, kAttentionOutput = 1, kFeedForward = 2, kPerLayer = 3 };
uint32_t site_of(int32_t layer, Site site) {
  return 1 + static_cast<uint32_t>(layer) * kPerLayer + site;
}

// AdamW of the reference decays everything but biases and LayerNorm.
bool decays(std::string_view name) {
  return !name.ends_with("bias") && name.find("LayerNorm") == std::string_view::npos;
}

}  // namespace

SentenceEncoder::SentenceEncoder(const model::SentenceModel& model, compute::Parameters& parameters,
                                 const EncoderOptions& options)
    : max_positions_(model.config.max_positions) {
  std::map<std::string, Parameter, std::less<>> by_name;
  for (const model::HostTensor& tensor : model.tensors) {
    const compute::Shape shape = tensor.shape.size() == 2
                                     ? compute::Shape{tensor.shape[0], tensor.shape[1]}
                                     : compute::Shape{1, static_cast<int64_t>(tensor.size)};
    const bool table = tensor.name.starts_with("embeddings.") && tensor.name.ends_with("_embeddings.weight");
    compute::ParameterOptions trained{options.trainable, decays(tensor.name), table};
    if (options.adjust) options.adjust(tensor.name, trained);
    parameters_.push_back(
        parameters.add(tensor.name, shape, std::span(tensor.data, tensor.size), tensor.owner, trained));
    trainable_.push_back(trained.trainable);
    dims_.push_back(tensor.shape);
    by_name[tensor.name] = parameters_.back();
  }
  auto named = [&](const std::string& name) {
    auto found = by_name.find(name);
    if (found == by_name.end()) fail("model ", model.folder, ": tensor ", name, " is missing");
    return found->second;
  };
  auto linear = [&](const std::string& prefix) {
    return Linear{named(prefix + ".weight"), named(prefix + ".bias")};
  };
  const model::BertConfig& c = model.config;
  auto norm = [&](const std::string& prefix) {
    return compute::LayerNorm{named(prefix + ".weight"), named(prefix + ".bias"), c.layer_norm_eps};
  };
  const float hidden_dropout = options.dropout >= 0 ? options.dropout : c.hidden_dropout;
  const float attention_dropout = options.dropout >= 0 ? options.dropout : c.attention_dropout;

  word_ = named("embeddings.word_embeddings.weight");
  position_ = named("embeddings.position_embeddings.weight");
  type_ = named("embeddings.token_type_embeddings.weight");
  embedding_norm_ = norm("embeddings.LayerNorm");
  embedding_dropout_ = {hidden_dropout, 0};
  const int32_t head_size = c.hidden_size / c.heads;  // without a remainder: checked when it was read
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_size));
  for (int32_t i = 0; i < c.layers; ++i) {
    const std::string layer = cat("encoder.layer.", i);
    attention_.push_back({linear(layer + ".attention.self.query"),
                          linear(layer + ".attention.self.key"),
                          linear(layer + ".attention.self.value"),
                          linear(layer + ".attention.output.dense"),
                          {c.heads, scale, {attention_dropout, site_of(i, kProbabilities)}},
                          {hidden_dropout, site_of(i, kAttentionOutput)},
                          norm(layer + ".attention.output.LayerNorm")});
    feed_forward_.push_back({linear(layer + ".intermediate.dense"),
                             linear(layer + ".output.dense"),
                             activation_of(c.activation),
                             {hidden_dropout, site_of(i, kFeedForward)},
                             norm(layer + ".output.LayerNorm")});
  }
  for (size_t i = 0; i < model.modules.size(); ++i) {
    const model::Module& spec = model.modules[i];
    Module module{spec, {}};
    if (spec.kind == model::Module::Kind::dense) {
      module.dense.weight = named(cat(i, ".linear.weight"));
      if (spec.bias) module.dense.bias = named(cat(i, ".linear.bias"));
    }
    modules_.push_back(std::move(module));
  }
}

Tensor SentenceEncoder::encode(Graph& graph, const TokenBatch& batch) const {
  std::vector<int32_t> positions, types(batch.ids.size(), 0);
  positions.reserve(batch.ids.size());
  for (int64_t s = 0; s < batch.sequences(); ++s) {
    const int32_t length = batch.segments.length(s);
    if (length > max_positions_)
      fail("sequence ", s, ": ", length, " tokens, the model has ", max_positions_, " positions");
    for (int32_t t = 0; t < length; ++t) positions.push_back(t);
  }
  const Parameter tables[] = {word_, position_, type_};
  const std::span<const int32_t> ids[] = {batch.ids, positions, types};
  Tensor x = graph.norm(graph.embed(tables, ids), embedding_norm_);
  x = graph.dropout(x, batch.segments, embedding_dropout_);
  for (size_t i = 0; i < attention_.size(); ++i) {
    x = graph.retain_only(graph.self_attention_block(x, batch.segments, attention_[i]));
    x = graph.retain_only(graph.feed_forward_block(x, batch.segments, feed_forward_[i]));
  }
  return x;
}

Tensor SentenceEncoder::forward(Graph& graph, const TokenBatch& batch) const {
  Tensor x = encode(graph, batch);
  for (const Module& module : modules_) {
    switch (module.spec.kind) {
      case model::Module::Kind::pooling: {
        std::vector<Tensor> parts;
        for (model::PoolingMode mode : module.spec.pooling)
          parts.push_back(graph.pool(x, batch.segments, pool_of(mode)));
        x = parts.size() == 1 ? parts[0] : graph.concat(parts);
        break;
      }
      case model::Module::Kind::dense:
        x = graph.linear(x, module.dense, activation_of(module.spec.activation));
        break;
      case model::Module::Kind::normalize:
        x = graph.l2_normalize(x);
        break;
    }
  }
  return x;
}

std::vector<model::HostTensor> SentenceEncoder::read(compute::Parameters& parameters) const {
  std::vector<model::HostTensor> tensors;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter p = parameters_[i];
    const compute::Shape shape = parameters.shape(p);
    std::vector<float> values(static_cast<size_t>(shape.rows * shape.cols));
    parameters.read(p, compute::State::value, values);
    tensors.push_back(model::HostTensor::owned(parameters.name(p), dims_[i], std::move(values)));
  }
  return tensors;
}

}  // namespace hone::nn
