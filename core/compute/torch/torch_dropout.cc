// The masks of dropout.h as tensors, made on the host: for judging the cpu engine, not for speed.
#include <ATen/Parallel.h>

#include "compute/torch/torch_graph.h"

namespace hone::compute::torch_engine {

at::Tensor TorchGraph::feature_mask(const Segments& segments, Dropout dropout, int64_t width) {
  const uint32_t threshold = dropout_threshold(dropout.p);
  const float kept = dropout_scale(dropout.p);
  std::vector<float> mask(static_cast<size_t>(segments.tokens() * width));
  at::parallel_for(0, segments.count(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) {
      const auto i = static_cast<size_t>(s);
      const uint32_t name = segments.role[i] << 24 | dropout.site;
      for (int32_t t = 0; t < segments.length(s); ++t) {
        float* out = mask.data() + (segments.offsets[i] + t) * width;
        for (int64_t f = 0; f < width; ++f) {
          const bool keeps = keeps_feature(key_, threshold, segments.row[i], name, static_cast<uint32_t>(t),
                                           static_cast<uint32_t>(f));
          out[f] = keeps ? kept : 0.0F;
        }
      }
    }
  });
  return upload(mask.data(), {segments.tokens(), width}, at::kFloat, settings_);
}

at::Tensor TorchGraph::probability_mask(const Segments& segments, Dropout dropout, int64_t heads,
                                        int64_t longest) {
  const uint32_t threshold = dropout_threshold(dropout.p);
  const float kept = dropout_scale(dropout.p);
  std::vector<float> mask(static_cast<size_t>(segments.count() * heads * longest * longest), 0.0F);
  at::parallel_for(0, segments.count() * heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; ++at) {
      const int64_t s = at / heads;
      const auto i = static_cast<size_t>(s);
      const uint32_t name = segments.role[i] << 24 | dropout.site;
      for (int32_t query = 0; query < segments.length(s); ++query) {
        float* out = mask.data() + (at * longest + query) * longest;
        for (int32_t key = 0; key < segments.length(s); ++key) {
          const bool keeps =
              keeps_probability(key_, threshold, segments.row[i], name, static_cast<uint32_t>(at % heads),
                                static_cast<uint32_t>(query), static_cast<uint32_t>(key));
          out[key] = keeps ? kept : 0.0F;
        }
      }
    }
  });
  return upload(mask.data(), {segments.count(), heads, longest, longest}, at::kFloat, settings_);
}

}  // namespace hone::compute::torch_engine
