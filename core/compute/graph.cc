// Blocks composed of simple operations, for engines that have nothing better.
#include "compute/graph.h"

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

void Graph::backward(Tensor loss) {
  const float one = 1;
  backward(loss, std::span(&one, 1));
}

}  // namespace hone::compute
