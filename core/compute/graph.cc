// What is composed of an engine's simple operations, for engines that have nothing better.
#include "compute/graph.h"

#include <algorithm>

#include "base/error.h"

namespace hone::compute {

Tensor Graph::self_attention_block(Tensor x, const Segments& segments, const SelfAttentionBlock& block) {
  Tensor q = linear(x, block.query), k = linear(x, block.key), v = linear(x, block.value);
  Tensor context = attention(q, k, v, segments, block.attention);
  return add_norm(linear(context, block.output), x, segments, block.dropout, block.norm);
}

Tensor Graph::feed_forward_block(Tensor x, const Segments& segments, const FeedForwardBlock& block) {
  Tensor hidden = linear(x, block.up, block.activation);
  return add_norm(linear(hidden, block.down), x, segments, block.dropout, block.norm);
}

namespace {

class ReadAtOnce final : public Reading {
 public:
  explicit ReadAtOnce(std::vector<float> values) : values_(std::move(values)) {}
  bool ready() override { return true; }
  void get(std::span<float> out) override {
    if (out.size() != values_.size()) fail("reading: ", values_.size(), " numbers, ", out.size(), " asked");
    std::copy(values_.begin(), values_.end(), out.begin());
  }

 private:
  std::vector<float> values_;
};

}  // namespace

float Reading::number() {
  float value = 0;
  get(std::span(&value, 1));
  return value;
}

std::unique_ptr<Reading> Graph::read_later(Tensor x) {
  const Shape s = shape(x);
  std::vector<float> values(static_cast<size_t>(s.rows * s.cols));
  read(x, values);
  return std::make_unique<ReadAtOnce>(std::move(values));
}

std::unique_ptr<Reading> Parameters::clipped_step(const AdamW& adamw, double max_norm) {
  const double norm = gradient_norm();
  AdamW clipped = adamw;
  if (max_norm > 0) clipped.gradient_scale *= static_cast<float>(std::min(1.0, max_norm / (norm + 1e-6)));
  step(clipped);
  return std::make_unique<ReadAtOnce>(std::vector<float>{static_cast<float>(norm)});
}

}  // namespace hone::compute
