// Every operation's values and gradients, cpu engine against central differences on the naive double engine.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "graph_operations.h"
#include "tests/compute/max_pool_ties.h"
#include "tests/compute/naive_engine.h"
#include "tests/compute/operation_cases.h"
#include "tests/compute/test_engine.h"

namespace hone::compute {
namespace {

constexpr uint64_t kSeed = 0x123456789ULL, kStep = 3;

// The naive engine with a case's parameters: a function of them, seen through the weights dy of its outputs.
class Judge {
 public:
  explicit Judge(const Network& network) : network_(network), graph_(parameters_) {
    for (size_t i = 0; i < network.matrices.size(); ++i) {
      const auto& m = network.matrices[i];
      const auto values = random_values(m.shape.rows * m.shape.cols, static_cast<uint32_t>(i), m.base);
      handles_.push_back(parameters_.add(m.name, m.shape, values, nullptr, {}));
    }
  }
  const std::vector<double>& outputs() {
    graph_.begin(Mode::train, kSeed, kStep);
    return graph_.values(network_.build(graph_, handles_));
  }
  double weighted(const std::vector<float>& dy) {
    double sum = 0;
    const auto& out = outputs();
    for (size_t i = 0; i < out.size(); ++i) sum += out[i] * static_cast<double>(dy[i]);
    return sum;
  }
  // Derivative of weighted(dy) along `direction` in matrix i. Both differences have rounding of about 1e-10.
  double slope(size_t i, const std::vector<double>& direction, const std::vector<float>& dy) {
    constexpr double kNudge = 1e-5;
    auto& values = parameters_.matrices[i].values;
    const std::vector<double> kept = values;
    double sides[2];
    for (int side = 0; side < 2; ++side) {
      for (size_t e = 0; e < values.size(); ++e)
        values[e] = kept[e] + (side == 0 ? -kNudge : kNudge) * direction[e];
      sides[side] = weighted(dy);
    }
    values = kept;
    return (sides[1] - sides[0]) / (2 * kNudge);
  }

 private:
  const Network& network_;
  NaiveParameters parameters_;
  NaiveGraph graph_;
  std::vector<Parameter> handles_;
};

// Derivatives are taken element by element (`singly`) or, of long sequences, where that would take minutes,
// along random directions.
constexpr int kDirections = 2;

void expect_gradient(Judge& judge, size_t i, const std::vector<float>& found, const std::vector<float>& dy,
                     double tolerance, double floor, bool singly) {
  if (singly) {
    std::vector<double> slope(found.size()), direction(found.size());
    for (size_t e = 0; e < found.size(); ++e) {
      direction[e] = 1;
      slope[e] = judge.slope(i, direction, dy);
      direction[e] = 0;
    }
    EXPECT_LT(relative_difference(slope, found, floor), tolerance);
    return;
  }
  double norm = 0;
  for (float v : found) norm += static_cast<double>(v) * static_cast<double>(v);
  norm = std::max(std::sqrt(norm), floor);
  for (int d = 0; d < kDirections; ++d) {
    const auto random = random_values(static_cast<int64_t>(found.size()), static_cast<uint32_t>(500 + d));
    const std::vector<double> direction(random.begin(), random.end());
    double along = 0;
    for (size_t e = 0; e < found.size(); ++e) along += direction[e] * static_cast<double>(found[e]);
    // A random direction of unit variance meets an error vector with about its norm.
    EXPECT_LT(std::abs(judge.slope(i, direction, dy) - along) / norm, 3 * tolerance);
  }
}

class Gradients : public ::testing::TestWithParam<size_t> {};

TEST_P(Gradients, equal_central_differences) {
  const OperationCase& c = operation_cases()[GetParam()];
  auto engine = test_engine(2);
  auto parameters = engine->parameters();
  Judge judge(c.network);
  std::vector<Parameter> handles;
  for (size_t i = 0; i < c.network.matrices.size(); ++i) {
    const auto& m = c.network.matrices[i];
    const auto values = random_values(m.shape.rows * m.shape.cols, static_cast<uint32_t>(i), m.base);
    handles.push_back(parameters->add(m.name, m.shape, values, nullptr, {true, true, m.table}));
  }
  auto graph = engine->graph(*parameters);
  graph->begin(Mode::train, kSeed, kStep);
  if (!c.refused.empty()) {
    try {
      c.network.build(*graph, handles);
      FAIL() << "nothing was refused";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(c.refused), std::string::npos) << e.what();
    }
    return;
  }
  const Tensor y = c.network.build(*graph, handles);
  const Shape shape = graph->shape(y);
  std::vector<float> found(static_cast<size_t>(shape.rows * shape.cols));
  graph->read(y, found);
  const std::vector<double> expected = judge.outputs();
  ASSERT_EQ(expected.size(), found.size());
  EXPECT_LT(relative_difference(expected, found, 1e-6), c.network.tolerance) << "values";

  const auto dy = random_values(shape.rows * shape.cols, 99, 0.1F);
  double floor = 0;
  for (float v : dy) floor += static_cast<double>(v) * static_cast<double>(v);
  floor = std::max(0.1 * std::sqrt(floor), 1e-6);
  graph->backward(y, dy);
  std::vector<std::vector<float>> gradients;
  for (size_t i = 0; i < handles.size(); ++i) {
    SCOPED_TRACE(c.network.matrices[i].name);
    const Shape s = c.network.matrices[i].shape;
    gradients.emplace_back(static_cast<size_t>(s.rows * s.cols));
    parameters->read_gradient(handles[i], gradients[i]);
    expect_gradient(judge, i, gradients[i], dy, 5 * c.network.tolerance, floor, c.kind != CaseKind::longest);
  }
  // A second gradient adds to the first.
  graph->begin(Mode::train, kSeed, kStep);
  graph->backward(c.network.build(*graph, handles), dy);
  for (size_t i = 0; i < handles.size(); ++i) {
    std::vector<float> sum(gradients[i].size());
    parameters->read_gradient(handles[i], sum);
    for (float& v : gradients[i]) v *= 2;
    EXPECT_LT(relative_difference(gradients[i], sum, floor), c.network.tolerance)
        << c.network.matrices[i].name;
  }
}
INSTANTIATE_TEST_SUITE_P(Of, Gradients, ::testing::Range<size_t>(0, operation_cases().size()),
                         [](const auto& c) { return case_name(operation_cases()[c.param]); });

// A new operation of Graph without its cases fails here.
TEST(Operations, each_has_cases_of_every_kind) {
  std::map<std::string, std::set<CaseKind>> kinds;
  for (const OperationCase& c : operation_cases()) kinds[c.operation].insert(c.kind);
  for (const char* operation : kGraphOperations) {
    EXPECT_EQ(kinds[operation].size(), 4U)
        << operation << " needs cases: typical, empty, length_one, longest";
  }
  EXPECT_EQ(kinds.size(), std::size(kGraphOperations));
}

TEST(MaxPool, gives_the_gradient_to_the_first_of_tokens_that_share_the_largest_value) {
  EXPECT_EQ(max_pool_gradient(*test_engine(2)), (std::vector<float>{1, 0, 0, 3, 0}));
}

}  // namespace
}  // namespace hone::compute
