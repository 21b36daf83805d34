// Every operation's values and gradients, cpu engine against central differences on the naive double engine.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "compute/cpu/cpu_engine.h"
#include "tests/compute/naive_engine.h"
#include "tests/compute/test_engine.h"

namespace hone::compute {
namespace {

// A small network: parameters with their shapes, and a function that builds y from them.
struct Network {
  struct Matrix {
    std::string name;
    Shape shape;
    bool table = false;
    float base = 0;  // added to each random value
  };
  std::vector<Matrix> matrices;
  std::function<Tensor(Graph&, const std::vector<Parameter>&)> build;
  double tolerance = 2e-6;  // norm of the difference / norm
};

std::vector<float> random_values(int64_t n, uint32_t stream, float base) {
  std::vector<float> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) {
    const auto words = philox4x32({static_cast<uint32_t>(i), stream, 0, 0}, {7, 7});
    double sum = 0;  // of four uniforms: near enough to a normal variable
    for (uint32_t w : words) sum += static_cast<double>(w) / 4294967296.0 - 0.5;
    values[i] = base + static_cast<float>(sum);
  }
  return values;
}

// Norm of the difference over the norm of what is expected; a norm below `floor` counts as floor, for
// gradients that are zero in theory (a key's bias, anything before the softmax of a single token).
double relative(const std::vector<double>& expected, const std::vector<float>& found, double floor) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(expected[i] - static_cast<double>(found[i]), 2);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference) / std::max(std::sqrt(norm), floor);
}

void check(const Network& network) {
  constexpr uint64_t kSeed = 0x123456789ULL, kStep = 3;
  auto engine = test_engine(2);
  auto parameters = engine->parameters();
  NaiveParameters naive;
  std::vector<Parameter> handles;
  for (size_t i = 0; i < network.matrices.size(); ++i) {
    const auto& m = network.matrices[i];
    const auto values = random_values(m.shape.rows * m.shape.cols, static_cast<uint32_t>(i), m.base);
    handles.push_back(parameters->add(m.name, m.shape, values, nullptr, {true, true, m.table}));
    naive.add(m.name, m.shape, values, nullptr, {});
  }
  auto graph = engine->graph(*parameters);
  graph->begin(Mode::train, kSeed, kStep);
  const Tensor y = network.build(*graph, handles);
  const Shape shape = graph->shape(y);
  std::vector<float> found(static_cast<size_t>(shape.rows * shape.cols));
  graph->read(y, found);

  NaiveGraph judge(naive);
  judge.begin(Mode::train, kSeed, kStep);
  const Tensor expected = network.build(judge, handles);
  ASSERT_EQ(judge.shape(expected), shape);
  EXPECT_LT(relative(judge.values(expected), found, 1e-6), network.tolerance) << "values";

  // Twice: the second gradient adds to the first.
  const auto dy = random_values(shape.rows * shape.cols, 99, 0.1F);
  double floor = 0;
  for (float v : dy) floor += static_cast<double>(v) * static_cast<double>(v);
  floor = 0.1 * std::sqrt(floor);
  graph->backward(y, dy);
  for (int repeat = 1; repeat <= 2; ++repeat) {
    for (size_t i = 0; i < handles.size(); ++i) {
      auto& values = naive.matrices[i].values;
      std::vector<double> slope(values.size());
      for (size_t e = 0; e < values.size(); ++e) {
        constexpr double kNudge = 1e-5;
        const double kept = values[e];
        double sides[2];
        for (int side = 0; side < 2; ++side) {
          values[e] = kept + (side == 0 ? -kNudge : kNudge);
          judge.begin(Mode::train, kSeed, kStep);
          const auto& out = judge.values(network.build(judge, handles));
          sides[side] = 0;
          for (size_t o = 0; o < out.size(); ++o) sides[side] += out[o] * static_cast<double>(dy[o]);
        }
        values[e] = kept;
        slope[e] = repeat * (sides[1] - sides[0]) / (2 * kNudge);
      }
      std::vector<float> gradient(values.size());
      parameters->read_gradient(handles[i], gradient);
      EXPECT_LT(relative(slope, gradient, floor), 5 * network.tolerance)
          << "gradient of " << network.matrices[i].name << ", pass " << repeat;
    }
    if (repeat == 1) {
      graph->begin(Mode::train, kSeed, kStep);
      graph->backward(network.build(*graph, handles), dy);
    }
  }
}

Segments segments_of(std::vector<int32_t> lengths) {
  Segments s;
  for (size_t i = 0; i < lengths.size(); ++i) {
    s.offsets.push_back(s.offsets.back() + lengths[i]);
    s.row.push_back(static_cast<uint32_t>(100 + i / 2));
    s.role.push_back(static_cast<uint32_t>(i % 2));
  }
  return s;
}

// The rows of table `p` as a tensor that has a gradient.
Tensor all_rows(Graph& g, Parameter p, int64_t n) {
  std::vector<int32_t> ids(static_cast<size_t>(n));
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i);
  const std::span<const int32_t> lists[] = {ids};
  return g.embed(std::span(&p, 1), lists);
}

TEST(Gradients, embed_sums_tables_and_repeated_ids) {
  for (bool table : {false, true}) {
    check({{{"a", {5, 6}, table}, {"b", {3, 6}, table}}, [](Graph& g, const std::vector<Parameter>& p) {
             const std::vector<int32_t> first{4, 0, 4, 2, 4, 4}, second{0, 1, 0, 1, 1, 1};
             const std::span<const int32_t> ids[] = {first, second};
             return g.embed(p, ids);
           }});
  }
}

class Activations : public testing::TestWithParam<Activation> {};
TEST_P(Activations, linear) {
  for (Shape w : {Shape{7, 5}, Shape{16, 32}, Shape{1, 3}, Shape{67, 18}}) {
    check({{{"x", {9, w.cols}, true}, {"w", w}, {"b", {1, w.rows}, false, 0.05F}},
           [w](Graph& g, const std::vector<Parameter>& p) {
             return g.linear(all_rows(g, p[0], 9), {p[1], p[2]}, GetParam());
           }});
  }
}
INSTANTIATE_TEST_SUITE_P(Gradients, Activations,
                         testing::Values(Activation::none, Activation::gelu, Activation::gelu_tanh,
                                         Activation::relu, Activation::tanh));

TEST(Gradients, linear_without_bias_on_many_rows) {
  check({{{"x", {70, 4}, true}, {"w", {3, 4}}}, [](Graph& g, const std::vector<Parameter>& p) {
           return g.linear(all_rows(g, p[0], 70), {p[1], {}});
         }});
}

TEST(Gradients, norm) {
  for (int64_t width : {1, 6, 16, 33}) {
    if (width == 1)
      continue;  // a row of one number is constant: its gradient is zero and has no relative error
    check({{{"x", {5, width}, true}, {"gamma", {1, width}, false, 1}, {"beta", {1, width}}},
           [](Graph& g, const std::vector<Parameter>& p) {
             return g.norm(all_rows(g, p[0], 5), {p[1], p[2], 1e-5F});
           }});
  }
}

TEST(Gradients, dropout_of_features) {
  const Segments s = segments_of({3, 1, 5});
  check({{{"x", {9, 150}, true}}, [&](Graph& g, const std::vector<Parameter>& p) {
           return g.dropout(all_rows(g, p[0], 9), s, {0.3F, 17});
         }});
}

TEST(Gradients, add_norm_with_dropout_and_shared_residual) {
  const Segments s = segments_of({4, 1, 2});
  check({{{"x", {7, 20}, true}, {"gamma", {1, 20}, false, 1}, {"beta", {1, 20}}, {"w", {20, 20}}},
         [&](Graph& g, const std::vector<Parameter>& p) {
           const Tensor x = all_rows(g, p[0], 7);
           return g.add_norm(g.linear(x, {p[3], {}}), x, s, {0.2F, 5}, {p[1], p[2], 1e-12F});
         }});
}

TEST(Gradients, attention_of_awkward_lengths_and_widths) {
  for (auto [lengths, heads, width, p] : {std::tuple{std::vector<int32_t>{1}, 1, 4, 0.0F},
                                          {std::vector<int32_t>{3, 1, 9}, 2, 6, 0.0F},
                                          {std::vector<int32_t>{17, 2}, 1, 16, 0.25F},
                                          {std::vector<int32_t>{70}, 1, 5, 0.1F},
                                          {std::vector<int32_t>{5, 8}, 3, 48, 0.5F}}) {
    const Segments s = segments_of(lengths);
    const int64_t n = s.tokens();
    check({{{"q", {n, width}, true}, {"k", {n, width}, true}, {"v", {n, width}, true}},
           [&, heads = heads, p = p](Graph& g, const std::vector<Parameter>& t) {
             return g.attention(all_rows(g, t[0], n), all_rows(g, t[1], n), all_rows(g, t[2], n), s,
                                {heads, 0.7F, {p, 9}});
           }});
  }
}

TEST(Gradients, attention_of_one_tensor_thrice) {
  const Segments s = segments_of({4, 3});
  check({{{"x", {7, 8}, true}}, [&](Graph& g, const std::vector<Parameter>& p) {
           const Tensor x = all_rows(g, p[0], 7);
           return g.attention(x, x, x, s, {2, 0.5F, {}});
         }});
}

TEST(Gradients, self_attention_block) {
  for (float p : {0.0F, 0.2F}) {
    const Segments s = segments_of({5, 1, 9, 20});
    const int64_t h = 12;
    std::vector<Network::Matrix> m{{"x", {35, h}, true}};
    for (const char* name : {"q", "k", "v", "o"}) {
      m.push_back({std::string(name) + ".w", {h, h}});
      m.push_back({std::string(name) + ".b", {1, h}});
    }
    m.push_back({"gamma", {1, h}, false, 1});
    m.push_back({"beta", {1, h}});
    check({m,
           [&](Graph& g, const std::vector<Parameter>& t) {
             return g.self_attention_block(all_rows(g, t[0], 35), s,
                                           {{t[1], t[2]},
                                            {t[3], t[4]},
                                            {t[5], t[6]},
                                            {t[7], t[8]},
                                            {3, 0.5F, {p, 1}},
                                            {p, 2},
                                            {t[9], t[10], 1e-12F}});
           },
           5e-6});
  }
}

TEST(Gradients, feed_forward_block) {
  for (float p : {0.0F, 0.4F}) {
    const Segments s = segments_of({5, 30, 2});
    check({{{"x", {37, 10}, true},
            {"up.w", {22, 10}},
            {"up.b", {1, 22}},
            {"down.w", {10, 22}},
            {"down.b", {1, 10}},
            {"gamma", {1, 10}, false, 1},
            {"beta", {1, 10}}},
           [&](Graph& g, const std::vector<Parameter>& t) {
             return g.feed_forward_block(
                 all_rows(g, t[0], 37), s,
                 {{t[1], t[2]}, {t[3], t[4]}, Activation::gelu, {p, 3}, {t[5], t[6], 1e-12F}});
           },
           5e-6});
  }
}

TEST(Gradients, two_blocks_one_after_the_other) {
  const Segments s = segments_of({6, 3});
  check({{{"x", {9, 8}, true},
          {"w", {8, 8}},
          {"b", {1, 8}},
          {"up.w", {16, 8}},
          {"up.b", {1, 16}},
          {"down.w", {8, 16}},
          {"down.b", {1, 8}},
          {"gamma", {1, 8}, false, 1},
          {"beta", {1, 8}}},
         [&](Graph& g, const std::vector<Parameter>& t) {
           // The four projections share one weight: their gradients add up.
           const Linear w{t[1], t[2]};
           const LayerNorm norm{t[7], t[8], 1e-12F};
           Tensor x = g.self_attention_block(all_rows(g, t[0], 9), s,
                                             {w, w, w, w, {2, 0.5F, {0.1F, 1}}, {0.1F, 2}, norm});
           return g.feed_forward_block(x, s, {{t[3], t[4]}, {t[5], t[6]}, Activation::relu, {0.1F, 3}, norm});
         },
         1e-5});
}

class Pooling : public testing::TestWithParam<PoolKind> {};
TEST_P(Pooling, of_ragged_sequences) {
  const Segments s = segments_of({1, 4, 2});
  check({{{"x", {7, 5}, true}}, [&](Graph& g, const std::vector<Parameter>& p) {
           return g.pool(all_rows(g, p[0], 7), s, GetParam());
         }});
}
INSTANTIATE_TEST_SUITE_P(Gradients, Pooling,
                         testing::Values(PoolKind::cls, PoolKind::mean, PoolKind::max,
                                         PoolKind::mean_sqrt_len, PoolKind::weighted_mean,
                                         PoolKind::last_token));

TEST(Gradients, concat_of_poolings) {
  const Segments s = segments_of({3, 4});
  check({{{"x", {7, 5}, true}}, [&](Graph& g, const std::vector<Parameter>& p) {
           const Tensor x = all_rows(g, p[0], 7);
           const Tensor parts[] = {g.pool(x, s, PoolKind::cls), g.pool(x, s, PoolKind::max),
                                   g.pool(x, s, PoolKind::mean)};
           return g.concat(parts);
         }});
}

TEST(Gradients, rows_taken_twice_and_never) {
  check({{{"x", {4, 3}, true}}, [](Graph& g, const std::vector<Parameter>& p) {
           const int32_t index[] = {2, 0, 2};
           return g.rows(all_rows(g, p[0], 4), index);
         }});
}

TEST(Gradients, l2_normalize) {
  check({{{"x", {4, 7}, true}},
         [](Graph& g, const std::vector<Parameter>& p) { return g.l2_normalize(all_rows(g, p[0], 4)); }});
}

TEST(Gradients, pair_similarity) {
  for (Similarity kind : {Similarity::cosine, Similarity::dot}) {
    check({{{"a", {5, 6}, true}, {"b", {5, 6}, true}}, [kind](Graph& g, const std::vector<Parameter>& p) {
             return g.pair_similarity(all_rows(g, p[0], 5), all_rows(g, p[1], 5), kind);
           }});
  }
}

TEST(Gradients, mean_squared_error) {
  check({{{"x", {6, 1}, true}}, [](Graph& g, const std::vector<Parameter>& p) {
           const float target[] = {0, 0.2F, 1, -3, 0.5F, 0.25F};
           return g.mean_squared_error(all_rows(g, p[0], 6), target);
         }});
}

}  // namespace
}  // namespace hone::compute
