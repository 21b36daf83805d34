// The bits are the same at any thread count and however AdamW treats untouched rows.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <thread>

#include "base/error.h"
#include "compute/dropout.h"
#include "tests/compute/test_engine.h"

namespace hone::compute {
namespace {

std::vector<float> noise(int64_t n, uint32_t stream, float base = 0) {
  std::vector<float> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = base +
                static_cast<float>(philox4x32({static_cast<uint32_t>(i), stream, 0, 0}, {1, 2})[0]) / 8e9F -
                0.25F;
  }
  return values;
}

struct Size {
  int64_t width = 24, hidden = 40;
  int sequences = 12, longest = 23;
};
struct Model {
  std::shared_ptr<Engine> engine;
  std::unique_ptr<Parameters> parameters;
  std::unique_ptr<Graph> graph;
  std::vector<Parameter> p;
  Size size;
};

constexpr int64_t kRows = 50;

// Enough tokens, rows and columns that every product is cut into several pieces in each direction.
constexpr Size kLarge{100, 900, 110, 23};

Model make(int threads, bool sparse, const Size& size = {}) {
  const int64_t width = size.width, hidden = size.hidden;
  Model m;
  m.size = size;
  m.engine = test_engine(threads);
  m.parameters = m.engine->parameters();
  auto add = [&](const char* name, Shape s, bool table, float base = 0) {
    m.p.push_back(m.parameters->add(name, s, noise(s.rows * s.cols, static_cast<uint32_t>(m.p.size()), base),
                                    nullptr, {true, s.rows > 1, table}));
  };
  add("table", {kRows, width}, sparse);
  for (const char* name : {"q", "k", "v", "o"}) {
    add(name, {width, width}, false);
    add(name, {1, width}, false);
  }
  add("gamma", {1, width}, false, 1);
  add("beta", {1, width}, false);
  add("up", {hidden, width}, false);
  add("up.b", {1, hidden}, false);
  add("down", {width, hidden}, false);
  add("down.b", {1, width}, false);
  m.graph = m.engine->graph(*m.parameters);
  return m;
}

// Sequences of many lengths; every step touches other rows.
void train(Model& m, int first, int last, float decay, bool clip = true) {
  for (int step = first; step <= last; ++step) {
    Segments s;
    std::vector<int32_t> ids;
    for (int i = 0; i < m.size.sequences; ++i) {
      const int length = 1 + (step * 7 + i * 5) % m.size.longest;
      for (int t = 0; t < length; ++t) ids.push_back((step * 3 + i + t * t) % (10 + step * 5 % 40));
      s.offsets.push_back(static_cast<int32_t>(ids.size()));
      s.row.push_back(static_cast<uint32_t>(i));
      s.role.push_back(0);
    }
    Graph& g = *m.graph;
    g.begin(Mode::train, 5, static_cast<uint64_t>(step));
    const std::span<const int32_t> lists[] = {ids};
    const auto& p = m.p;
    const LayerNorm norm{p[9], p[10], 1e-12F};
    Tensor x = g.embed(std::span(p.data(), 1), lists);
    x = g.self_attention_block(
        x, s,
        {{p[1], p[2]}, {p[3], p[4]}, {p[5], p[6]}, {p[7], p[8]}, {4, 0.4F, {0.1F, 1}}, {0.1F, 2}, norm});
    x = g.feed_forward_block(x, s, {{p[11], p[12]}, {p[13], p[14]}, Activation::gelu, {0.1F, 3}, norm});
    Tensor y = g.pool(x, s, PoolKind::mean);
    g.backward(y, noise(m.size.sequences * m.size.width, 77));
    const double length = m.parameters->gradient_norm();
    AdamW a;
    a.learning_rate = 1e-3F;
    a.weight_decay = decay;
    a.step = static_cast<uint64_t>(step);
    if (clip) a.gradient_scale = static_cast<float>(std::min(1.0, 1 / (length + 1e-6)));
    m.parameters->step(a);
    m.parameters->clear_gradients();
  }
}

std::vector<float> all(Model& m) {
  std::vector<float> values;
  for (Parameter p : m.p) {
    for (State state : {State::value, State::first_moment, State::second_moment}) {
      const Shape s = m.parameters->shape(p);
      std::vector<float> one(static_cast<size_t>(s.rows * s.cols));
      m.parameters->read(p, state, one);
      values.insert(values.end(), one.begin(), one.end());
    }
  }
  return values;
}

void expect_same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(0, std::memcmp(a.data(), b.data(), a.size() * sizeof(float)));
}

TEST(Repeatable, same_bits_at_one_two_and_five_threads) {
  Model one = make(1, true);
  train(one, 1, 8, 0.01F);
  const auto expected = all(one);
  for (int threads : {2, 5}) {
    Model m = make(threads, true);
    train(m, 1, 8, 0.01F);
    expect_same_bits(expected, all(m));
  }
}

TEST(Repeatable, same_bits_where_products_are_cut) {
  Model one = make(1, true, kLarge);
  train(one, 1, 2, 0.01F);
  const auto expected = all(one);
  for (int threads : {2, 5}) {
    Model m = make(threads, true, kLarge);
    train(m, 1, 2, 0.01F);
    expect_same_bits(expected, all(m));
  }
}

TEST(Repeatable, training_changes_the_weights_and_the_seed_matters) {
  Model a = make(2, true), b = make(2, true);
  const auto before = all(a);
  train(a, 1, 2, 0);
  train(b, 2, 3, 0);
  EXPECT_NE(before, all(a));
  EXPECT_NE(all(a), all(b));
}

TEST(Repeatable, lazy_rows_equal_updating_all_rows) {
  for (float decay : {0.0F, 0.1F}) {
    Model lazy = make(2, true), eager = make(2, false);
    // Without clipping: the norm sums rows in another order than whole tables.
    train(lazy, 1, 9, decay, false);
    train(eager, 1, 9, decay, false);
    expect_same_bits(all(lazy), all(eager));
  }
}

TEST(Repeatable, reading_in_between_changes_nothing) {
  Model a = make(2, true), b = make(2, true);
  train(a, 1, 8, 0.01F);
  for (int step = 1; step <= 8; ++step) {
    train(b, step, step, 0.01F);
    all(b);
  }
  expect_same_bits(all(a), all(b));
}

TEST(Repeatable, written_state_continues_as_if_never_stopped) {
  Model a = make(2, true), b = make(1, true);
  train(a, 1, 4, 0.01F);
  for (size_t i = 0; i < a.p.size(); ++i) {
    for (State state : {State::value, State::first_moment, State::second_moment}) {
      const Shape s = a.parameters->shape(a.p[i]);
      std::vector<float> one(static_cast<size_t>(s.rows * s.cols));
      a.parameters->read(a.p[i], state, one);
      b.parameters->write(b.p[i], state, one);
    }
  }
  train(a, 5, 8, 0.01F);
  train(b, 5, 8, 0.01F);
  expect_same_bits(all(a), all(b));
}

// Counts from the standard's definition of independence: each mask of p = 0.3 on 64k elements keeps 70 % give
// or take.
TEST(Dropout, keeps_the_asked_share_and_scales_the_rest) {
  auto engine = test_engine(2);
  auto parameters = engine->parameters();
  auto graph = engine->graph(*parameters);
  const std::vector<float> ones(64 * 1000, 1.0F);
  Segments s;
  for (int i = 0; i < 64; ++i) {
    s.offsets.push_back(i + 1);
    s.row.push_back(static_cast<uint32_t>(i));
    s.role.push_back(1);
  }
  graph->begin(Mode::train, 9, 1);
  const Tensor y = graph->dropout(graph->input(ones, {64, 1000}), s, {0.3F, 4});
  std::vector<float> out(ones.size());
  graph->read(y, out);
  double sum = 0;
  int64_t dropped = 0;
  for (float v : out) {
    sum += static_cast<double>(v);
    dropped += v == 0 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(dropped) / 64000, 0.3, 0.01);
  EXPECT_NEAR(sum / 64000, 1.0, 0.015);
}

TEST(Dropout, masks_follow_the_name_of_a_token_and_not_its_place) {
  auto engine = test_engine(1);
  auto parameters = engine->parameters();
  auto graph = engine->graph(*parameters);
  auto run = [&](std::vector<uint32_t> rows) {
    Segments s;
    for (uint32_t row : rows) {
      s.offsets.push_back(s.offsets.back() + 2);
      s.row.push_back(row);
      s.role.push_back(0);
    }
    const std::vector<float> ones(rows.size() * 2 * 40, 1.0F);
    graph->begin(Mode::train, 1, 1);
    const Tensor y =
        graph->dropout(graph->input(ones, {static_cast<int64_t>(rows.size()) * 2, 40}), s, {0.5F, 1});
    std::vector<float> out(ones.size());
    graph->read(y, out);
    return out;
  };
  const auto a = run({3, 8}), b = run({8, 3});
  EXPECT_TRUE(std::equal(a.begin(), a.begin() + 80, b.begin() + 80));
  EXPECT_TRUE(std::equal(a.begin() + 80, a.end(), b.begin()));
  EXPECT_NE(a, b);
}

TEST(Engine, refuses_absurd_threads_and_wrong_shapes) {
  EXPECT_THROW(cpu::create({-1, {}}), Error);
  EXPECT_THROW(cpu::create({5000, {}}), Error);
  EXPECT_GE(cpu::default_threads(), 1);
  auto engine = test_engine(1);
  auto parameters = engine->parameters();
  EXPECT_THROW(parameters->add("w", {2, 2}, std::vector<float>(3), nullptr, {}), Error);
  const Parameter w = parameters->add("w", {2, 2}, std::vector<float>(4), nullptr, {});
  auto graph = engine->graph(*parameters);
  graph->begin(Mode::infer);
  const Tensor x = graph->input(std::vector<float>(3), {1, 3});
  EXPECT_THROW(graph->linear(x, {w, {}}), Error);
  const std::vector<int32_t> ids{0, 2};
  const std::span<const int32_t> lists[] = {ids};
  EXPECT_THROW(graph->embed(std::span(&w, 1), lists), Error);
  EXPECT_THROW(graph->backward(x, std::vector<float>(3)), Error);
}

TEST(Engine, uses_exactly_the_threads_it_was_given) {
  auto engine = test_engine(3);
  EXPECT_EQ(engine->threads(), 3);
  EXPECT_NE(engine->describe().find("3 threads"), std::string::npos);
}

// Several threads encode with one set of frozen parameters, which the first of them makes ready.
TEST(Engine, graphs_share_frozen_parameters_across_threads) {
  auto engine = test_engine(2);
  const auto values = noise(16 * 16, 1), in = noise(40 * 16, 2);
  Parameter w;
  auto frozen = [&] {
    auto parameters = engine->parameters();
    w = parameters->add("w", {16, 16}, values, nullptr, {false, true, false});
    return parameters;
  };
  auto run = [&](Parameters& parameters) {
    auto graph = engine->graph(parameters);
    std::vector<float> out(40 * 16);
    for (int i = 0; i < 20; ++i) {
      graph->begin(Mode::infer);
      graph->read(graph->linear(graph->input(in, {40, 16}), {w, {}}, Activation::gelu), out);
    }
    return out;
  };
  const auto expected = run(*frozen());
  std::vector<std::vector<float>> results(4);
  std::vector<std::thread> threads;
  const auto fresh = frozen();
  for (auto& result : results) threads.emplace_back([&] { result = run(*fresh); });
  for (auto& t : threads) t.join();
  for (const auto& result : results) expect_same_bits(expected, result);
}

}  // namespace
}  // namespace hone::compute
