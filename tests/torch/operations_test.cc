// Every operation of Graph, the libtorch engine against the cpu engine: values within 1e-5 of their norm,
// gradients within 1e-4 of each tensor's.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "tests/compute/max_pool_ties.h"
#include "tests/compute/operation_cases.h"
#include "tests/compute/test_engine.h"
#include "tests/torch/torch_engines.h"

namespace hone::compute {
namespace {

constexpr uint64_t kSeed = 0x123456789ULL, kStep = 3;

struct Result {
  std::string refusal;
  std::vector<float> values;
  std::vector<std::vector<float>> gradients;
};

Result run(Engine& engine, const OperationCase& c, Mode mode) {
  Result r;
  auto parameters = engine.parameters();
  std::vector<Parameter> handles;
  for (size_t i = 0; i < c.network.matrices.size(); ++i) {
    const auto& m = c.network.matrices[i];
    const auto values = random_values(m.shape.rows * m.shape.cols, static_cast<uint32_t>(i), m.base);
    handles.push_back(parameters->add(m.name, m.shape, values, nullptr, {true, true, m.table}));
  }
  auto graph = engine.graph(*parameters);
  graph->begin(mode, kSeed, kStep);
  Tensor y;
  try {
    y = c.network.build(*graph, handles);
  } catch (const Error& e) {
    r.refusal = e.what();
    return r;
  }
  const Shape shape = graph->shape(y);
  r.values.resize(static_cast<size_t>(shape.rows * shape.cols));
  graph->read_later(y)->get(r.values);
  if (mode == Mode::infer) return r;
  graph->backward(y, random_values(shape.rows * shape.cols, 99, 0.1F));
  for (Parameter p : handles) {
    const Shape s = parameters->shape(p);
    r.gradients.emplace_back(static_cast<size_t>(s.rows * s.cols));
    parameters->read_gradient(p, r.gradients.back());
  }
  return r;
}

class TorchOperations : public ::testing::TestWithParam<std::tuple<std::string, size_t>> {
 protected:
  const std::string& device() const { return std::get<0>(GetParam()); }
  const OperationCase& of() const { return operation_cases()[std::get<1>(GetParam())]; }
};

TEST_P(TorchOperations, equal_the_cpu_engines) {
  const OperationCase& c = of();
  const auto judge = torch_engine(device());
  const auto cpu = test_engine(2);
  for (Mode mode : {Mode::train, Mode::infer}) {
    const Result expected = run(*judge, c, mode), found = run(*cpu, c, mode);
    if (!c.refused.empty()) {
      EXPECT_NE(expected.refusal.find(c.refused), std::string::npos) << expected.refusal;
      EXPECT_NE(found.refusal.find(c.refused), std::string::npos) << found.refusal;
      continue;
    }
    ASSERT_EQ(expected.refusal, "");
    ASSERT_EQ(found.refusal, "");
    ASSERT_EQ(expected.values.size(), found.values.size());
    EXPECT_LT(relative_difference(expected.values, found.values, 1e-6), tolerance_of(device(), 1e-5));
    // Gradients that are zero in theory (a key's bias; a query before a softmax of one) are rounding alone:
    // below a hundredth of the largest, that is what a difference is measured by.
    double largest = 1e-6;
    for (const auto& g : expected.gradients) {
      double norm = 0;
      for (float v : g) norm += static_cast<double>(v) * static_cast<double>(v);
      largest = std::max(largest, std::sqrt(norm));
    }
    for (size_t i = 0; i < expected.gradients.size(); ++i) {
      EXPECT_LT(relative_difference(expected.gradients[i], found.gradients[i], 1e-2 * largest),
                tolerance_of(device(), 1e-4))
          << c.network.matrices[i].name;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(On, TorchOperations,
                         ::testing::Combine(::testing::ValuesIn(torch_devices()),
                                            ::testing::Range<size_t>(0, operation_cases().size())),
                         [](const auto& c) {
                           std::string name = std::get<0>(c.param) + "_" +
                                              case_name(operation_cases()[std::get<1>(c.param)]);
                           for (char& x : name) x = x == '-' || x == ':' ? '_' : x;
                           return name;
                         });

TEST(TorchDropout, of_its_own_keeps_the_asked_share_and_scales_the_rest) {
  for (const std::string& device : torch_devices()) {
    SCOPED_TRACE(device);
    const auto engine = torch_engine(device, 2, /*named_dropout=*/false);
    auto parameters = engine->parameters();
    auto graph = engine->graph(*parameters);
    const Segments s = segments_of({30, 34});
    graph->begin(Mode::train, 9, 1);
    const Tensor y =
        graph->dropout(graph->input(std::vector<float>(64 * 1000, 1.0F), {64, 1000}), s, {0.3F, 4});
    std::vector<float> out(64 * 1000);
    graph->read(y, out);
    double sum = 0, dropped = 0;
    for (float v : out) {
      sum += static_cast<double>(v);
      dropped += v == 0 ? 1 : 0;
    }
    EXPECT_NEAR(dropped / 64000, 0.3, 0.01);
    EXPECT_NEAR(sum / 64000, 1.0, 0.015);
  }
}

// A run that goes on from a checkpoint draws what it would have drawn.
TEST(TorchDropout, of_its_own_follows_seed_and_step) {
  for (const std::string& device : torch_devices()) {
    SCOPED_TRACE(device);
    const auto engine = torch_engine(device, 2, /*named_dropout=*/false);
    auto parameters = engine->parameters();
    auto graph = engine->graph(*parameters);
    const Segments s = segments_of({4, 4});
    auto draw = [&](uint64_t seed, uint64_t step) {
      graph->begin(Mode::train, seed, step);
      std::vector<float> out(8 * 100);
      graph->read(graph->dropout(graph->input(std::vector<float>(800, 1.0F), {8, 100}), s, {0.5F, 4}), out);
      return out;
    };
    const auto first = draw(1, 7);
    EXPECT_NE(first, draw(1, 8));
    EXPECT_NE(first, draw(2, 7));
    EXPECT_EQ(first, draw(1, 7));
  }
}

// The cpu engine gives all of it to the first: graph.h says which engine does what.
TEST(TorchMaxPool, gives_tokens_that_share_the_largest_value_equal_parts) {
  for (const std::string& device : torch_devices()) {
    const std::vector<float> expected{0.5F, 0, 0.5F, 1.5F, 1.5F}, of_negative{0.5F, 0, 0.5F, -3, -3};
    EXPECT_EQ(max_pool_gradient(*torch_engine(device)), expected) << device;
    EXPECT_EQ(max_pool_gradient(*torch_engine(device), {1, -3}), of_negative) << device;
  }
}

TEST(TorchParameters, update_as_the_cpu_engines_do) {
  for (const std::string& device : torch_devices()) {
    SCOPED_TRACE(device);
    const std::shared_ptr<Engine> engines[] = {test_engine(2), torch_engine(device)};
    std::vector<std::vector<float>> found;
    for (const auto& engine : engines) {
      auto parameters = engine->parameters();
      // Trained, trained without decay, frozen, never with a gradient, at rates of their own.
      std::vector<Parameter> p;
      for (auto [name, options] : {std::pair{"w", ParameterOptions{true, true, false}},
                                   {"b", {true, false, false}},
                                   {"frozen", {false, true, false}},
                                   {"unused", {true, true, false}},
                                   {"slow", {true, true, false, 0.25F}},
                                   {"fast", {true, false, false, 3}}}) {
        static const auto values = random_values(6 * 6, 3);
        p.push_back(parameters->add(name, {6, 6}, values, nullptr, options));
      }
      auto graph = engine->graph(*parameters);
      double norm = 0;
      for (uint64_t step = 1; step <= 5; ++step) {
        graph->begin(Mode::train, 1, step);
        Tensor x = graph->input(random_values(4 * 6, static_cast<uint32_t>(step)), {4, 6});
        for (int i : {2, 0, 4, 1, 5}) x = graph->linear(x, {p[static_cast<size_t>(i)], {}});
        graph->backward(x, random_values(4 * 6, 50));
        AdamW adamw;
        adamw.learning_rate = 1e-2F;
        adamw.weight_decay = 0.1F;
        adamw.step = step;
        if (step % 2 == 0) {
          adamw.gradient_scale = 0.125F;
          parameters->step(adamw);
        } else {
          norm += static_cast<double>(parameters->clipped_step(adamw, 0.5)->number());
        }
        parameters->clear_gradients();
      }
      std::vector<float> all{static_cast<float>(norm)};
      for (Parameter each : p) {
        for (State state : {State::value, State::first_moment, State::second_moment}) {
          std::vector<float> one(36);
          parameters->read(each, state, one);
          all.insert(all.end(), one.begin(), one.end());
        }
      }
      found.push_back(std::move(all));
    }
    EXPECT_LT(relative_difference(found[0], found[1], 1e-6), tolerance_of(device, 1e-5));
  }
}

}  // namespace
}  // namespace hone::compute
