// The gradient of max pooling where tokens share the largest value, which engines give away differently.
#pragma once

#include <vector>

#include "compute/graph.h"
#include "tests/compute/operation_cases.h"

namespace hone::compute {

// Of three tokens of one feature with values 2, 1, 2 and, in a second sequence, 5, 5: y's gradient is `dy`.
inline std::vector<float> max_pool_gradient(Engine& engine, const std::vector<float>& dy = {1, 3}) {
  auto parameters = engine.parameters();
  const Parameter p = parameters->add("x", {5, 1}, std::vector<float>{2, 1, 2, 5, 5}, nullptr, {});
  auto graph = engine.graph(*parameters);
  graph->begin(Mode::train, 1, 1);
  const std::vector<int32_t> every{0, 1, 2, 3, 4};
  const std::span<const int32_t> ids[] = {every};
  const Segments segments = segments_of({3, 2});
  const Tensor y = graph->pool(graph->embed(std::span(&p, 1), ids), segments, PoolKind::max);
  graph->backward(y, dy);
  std::vector<float> gradient(5);
  parameters->read_gradient(p, gradient);
  return gradient;
}

}  // namespace hone::compute
