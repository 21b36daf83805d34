// Every operation of Graph as small networks, for whoever judges an engine: central differences, another
// engine.
//
// Rules: the list of operations is taken from graph.h when the tests are configured (graph_operations.h);
// each has cases of every kind, or the message with which engines refuse it. A network's parameters are
// random but fixed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compute/graph.h"

namespace hone::compute {

// empty: a batch of no sequences; longest: one of 512 tokens, what BERT has positions for.
enum class CaseKind { typical, empty, length_one, longest };

// Parameters with their shapes, and a function that builds y from them. Segments it refers to live in it.
struct Network {
  struct Matrix {
    std::string name;
    Shape shape;
    bool table = false;
    float base = 0;  // added to each random value
  };
  std::vector<Matrix> matrices;
  std::function<Tensor(Graph&, const std::vector<Parameter>&)> build;
  double tolerance = 2e-6;  // of values: norm of the difference / norm; of gradients five times that
};

struct OperationCase {
  std::string operation;
  CaseKind kind = CaseKind::typical;
  std::string name;
  Network network;
  std::string refused;  // not empty: build() throws an Error that holds it
};

const std::vector<OperationCase>& operation_cases();
std::string case_name(const OperationCase& c);  // fit for a test's name

std::vector<float> random_values(int64_t n, uint32_t stream, float base = 0);
Segments segments_of(const std::vector<int32_t>& lengths);

// Norm of the difference over the norm of what is expected; a norm below `floor` counts as floor, for
// gradients that are zero in theory (a key's bias, anything before the softmax of a single token).
template <class A, class B>
double relative_difference(const A& expected, const B& found, double floor) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto e = static_cast<double>(expected[i]), f = static_cast<double>(found[i]);
    difference += (e - f) * (e - f);
    norm += e * e;
  }
  if (difference == 0) return 0;
  const double root = norm > floor * floor ? norm : floor * floor;
  return __builtin_sqrt(difference / root);
}

}  // namespace hone::compute
