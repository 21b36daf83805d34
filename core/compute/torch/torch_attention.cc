// Attention of a ragged batch: variable-length kernels where the device has them, a padded product elsewhere.
#include <ATen/TensorOperators.h>
#include <ATen/ops/_efficient_attention_forward.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "compute/torch/torch_graph.h"

namespace hone::compute::torch_engine {

namespace {
// Of the variable-length kernels. Sequences are blocks in y or z of a launch.
constexpr int64_t kLargestHead = 256, kMostSequences = 65535;
}  // namespace

void TorchGraph::add_padding(Layout& l, const Segments& segments) {
  if (l.slot.defined()) return;
  std::vector<int32_t> slot;
  std::vector<char> token(static_cast<size_t>(l.sequences * l.longest), 0);
  slot.reserve(static_cast<size_t>(segments.tokens()));
  for (int64_t s = 0; s < l.sequences; ++s) {
    for (int32_t t = 0; t < segments.length(s); ++t) {
      slot.push_back(static_cast<int32_t>(s * l.longest + t));
      token[static_cast<size_t>(slot.back())] = 1;
    }
  }
  l.slot = ids(slot).to(at::kLong);
  l.padding = upload(token.data(), {l.sequences, 1, 1, l.longest}, at::kBool, settings_);
}

at::Tensor TorchGraph::ragged_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                        const Layout& l, const Segments& segments,
                                        const AttentionOptions& options, double p) {
  const double scale = static_cast<double>(options.scale);
  std::optional<BorrowedGenerator> generator;  // these kernels draw from no other
  if (p > 0) generator.emplace(settings_.device, random_.seed_of_launch(segments));
  auto attended = [&](const at::Tensor& query, const at::Tensor& key, const at::Tensor& of_key,
                      const at::Tensor& offsets) {
    auto split = [&](const at::Tensor& x) {
      return x.view({x.size(0), options.heads, x.size(1) / options.heads});
    };
    if (settings_.bf16) {
      return std::get<0>(at::_flash_attention_forward(split(query), split(key), split(of_key), offsets,
                                                      offsets, l.longest, l.longest, p, /*is_causal=*/false,
                                                      /*return_debug_mask=*/false, scale))
          .reshape(query.sizes());
    }
    return std::get<0>(at::_efficient_attention_forward(
                           split(query).unsqueeze(0), split(key).unsqueeze(0), split(of_key).unsqueeze(0),
                           std::nullopt, offsets, offsets, l.longest, l.longest, p, /*custom_mask_type=*/0,
                           /*compute_log_sumexp=*/training(), scale))
        .reshape(query.sizes());
  };
  if (l.sequences <= kMostSequences) return attended(q, k, v, l.offsets);
  std::vector<at::Tensor> runs;
  for (int64_t s = 0; s < l.sequences; s += kMostSequences) {
    const int64_t count = std::min(kMostSequences, l.sequences - s);
    const int64_t first = segments.offsets[static_cast<size_t>(s)];
    const int64_t tokens = segments.offsets[static_cast<size_t>(s + count)] - first;
    runs.push_back(attended(q.narrow(0, first, tokens), k.narrow(0, first, tokens),
                            v.narrow(0, first, tokens), l.offsets.narrow(0, s, count + 1) - first));
  }
  return at::cat(runs, 0);
}

at::Tensor TorchGraph::padded_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                        Layout& l, const Segments& segments, const AttentionOptions& options,
                                        double p) {
  add_padding(l, segments);
  const int64_t head = q.size(1) / options.heads;
  auto pad = [&](const at::Tensor& x) {  // [T, heads*d] -> [S, heads, longest, d]
    return at::zeros({l.sequences * l.longest, x.size(1)}, x.options())
        .index_copy(0, l.slot, x)
        .view({l.sequences, l.longest, options.heads, head})
        .transpose(1, 2);
  };
  const double scale = static_cast<double>(options.scale);
  at::Tensor out;
  if (p > 0) {
    const at::Tensor scores =
        (at::matmul(pad(q), pad(k).transpose(2, 3)) * scale)
            .masked_fill(l.padding.logical_not(), -std::numeric_limits<double>::infinity());
    const at::Tensor probabilities = at::softmax(scores, 3, at::kFloat);
    const at::Tensor kept =
        settings_.named_dropout
            ? probabilities * probability_mask(segments, options.dropout, options.heads, l.longest)
            : random_.dropped(probabilities, segments, p);
    out = at::matmul(kept.to(v.scalar_type()), pad(v));
  } else {
    out =
        at::scaled_dot_product_attention(pad(q), pad(k), pad(v), l.padding, 0.0, /*is_causal=*/false, scale);
  }
  return out.transpose(1, 2).reshape({l.sequences * l.longest, q.size(1)}).index_select(0, l.slot);
}

Tensor TorchGraph::attention(Tensor q, Tensor k, Tensor v, const Segments& segments,
                             const AttentionOptions& options) {
  const c10::AutoGradMode mode(training());
  check(at(q).size(0) == segments.tokens(), "segments do not cover the rows of the tensor");
  check(options.heads > 0 && at(q).size(1) % options.heads == 0,
        "attention: the width is no multiple of the heads");
  if (segments.count() == 0) return keep(at(q));
  const at::ScalarType type = settings_.bf16 ? at::kBFloat16 : at::kFloat;
  const at::Tensor query = at(q).to(type), key = at(k).to(type), value_of_key = at(v).to(type);
  Layout& l = layout(segments);
  const double p = training() ? static_cast<double>(options.dropout.p) : 0.0;
  const int64_t head = at(q).size(1) / options.heads;
  const bool ragged = settings_.device.is_cuda() && !(p > 0 && settings_.named_dropout) &&
                      head % (settings_.bf16 ? 8 : 4) == 0 && head <= kLargestHead;
  return keep(ragged ? ragged_attention(query, key, value_of_key, l, segments, options, p)
                     : padded_attention(query, key, value_of_key, l, segments, options, p));
}

}  // namespace hone::compute::torch_engine
