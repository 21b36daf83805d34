// The cpu engine against libtorch's operations on the same packed batches, operation by operation.
//
//   engines_bench --model DIR --data FILE [--batch 32] [--length 0] [--rounds 5] [--threads 2]
//                 [--device torch-cpu]
//
// Batches have the real token counts of FILE (columns sentence1, sentence2), or with --length N sequences of
// N tokens each, as many as make 2048 tokens. An operation is timed forward and backward on matrices of the
// model's sizes, with dropout; what its input costs (a leaf with a gradient) is measured too and taken off.
// libtorch draws its own dropout masks, as its users' programs do. The engines take turns; a round with
// stolen time is thrown away. Prints a table, and with --json one object.
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "compute/cpu/cpu_engine.h"
#include "compute/plugin/library.h"
#include "compute/plugin/plugin_engine.h"
#include "encode/encoder.h"
#include "eval/evaluation.h"
#include "measure.h"
#include "program.h"
#include "train/sampler.h"
#include "train/train_data.h"

namespace hone::bench {
namespace {

using namespace compute;  // NOLINT: a benchmark of one namespace

// One engine with the parameters that the operations need, named as the model names them.
struct Side {
  std::shared_ptr<Engine> engine;
  std::unique_ptr<Parameters> parameters;
  std::unique_ptr<nn::SentenceEncoder> encoder;
  std::unique_ptr<Graph> graph;
  Parameter input, residual, sentences;  // leaves: [T,H], [T,H], [S,H]
  uint64_t step = 0;

  Parameter named(const std::string& name) const {
    for (size_t i = 0; i < parameters->count(); ++i) {
      if (parameters->name({static_cast<int32_t>(i)}) == name) return {static_cast<int32_t>(i)};
    }
    throw std::runtime_error("no tensor " + name);
  }
  Linear linear(const std::string& name) const { return {named(name + ".weight"), named(name + ".bias")}; }
  LayerNorm norm(const std::string& name) const { return {named(name + ".weight"), named(name + ".bias")}; }
};

struct Setting {
  std::shared_ptr<const model::SentenceModel> model;
  nn::TokenBatch batch;
  std::vector<int32_t> all, positions, types;  // ids of rows of leaves
};

struct Operation {
  std::string name;
  double times;  // in a step of the model
  std::function<void(Side&)> run;
  bool has_input = true;  // a leaf [T,H], to be taken off
};

// Made once for each size: it is no part of what is timed.
const std::vector<float>& noise(int64_t n) {
  static std::map<int64_t, std::vector<float>> made;
  std::vector<float>& values = made[n];
  if (values.empty()) {
    values.resize(static_cast<size_t>(n));
    for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i) * 12.9898F);
  }
  return values;
}

Side make_side(std::shared_ptr<Engine> engine, const Setting& s) {
  Side side;
  side.engine = std::move(engine);
  side.parameters = side.engine->parameters();
  side.encoder =
      std::make_unique<nn::SentenceEncoder>(*s.model, *side.parameters, nn::EncoderOptions{true, -1});
  const int64_t hidden = s.model->config.hidden_size;
  auto leaf = [&](const char* name, int64_t rows) {
    return side.parameters->add(name, {rows, hidden}, noise(rows * hidden), nullptr, {true, true, false});
  };
  side.input = leaf("input", s.batch.tokens());
  side.residual = leaf("residual", s.batch.tokens());
  side.sentences = leaf("sentences", s.batch.sequences());
  side.graph = side.engine->graph(*side.parameters);
  return side;
}

Tensor leaf_of(Side& side, Parameter p, const std::vector<int32_t>& rows) {
  const std::span<const int32_t> lists[] = {rows};
  return side.graph->embed(std::span(&p, 1), lists);
}

std::vector<Operation> operations(const Setting& s) {
  const auto& c = s.model->config;
  const std::string layer = "encoder.layer.0.";
  const Segments& segments = s.batch.segments;
  const float p = c.hidden_dropout;
  const AttentionOptions attention{
      c.heads, 1 / std::sqrt(static_cast<float>(c.hidden_size / c.heads)), {c.attention_dropout, 1}};
  auto tokens = [&](Side& side) { return leaf_of(side, side.input, s.all); };
  auto back = [](Side& side, Tensor y) {
    const Shape shape = side.graph->shape(y);
    side.graph->backward(y, noise(shape.rows * shape.cols));
  };
  auto begin = [](Side& side) { side.graph->begin(Mode::train, 42, side.step++); };
  auto of = [=](auto build) {
    return [=](Side& side) {
      begin(side);
      back(side, build(side));
      side.parameters->clear_gradients();
    };
  };
  const auto layers = static_cast<double>(c.layers);
  return {
      {"embed, three tables", 1, of([&, s = &s](Side& side) {
         const Parameter tables[] = {side.named("embeddings.word_embeddings.weight"),
                                     side.named("embeddings.position_embeddings.weight"),
                                     side.named("embeddings.token_type_embeddings.weight")};
         const std::span<const int32_t> ids[] = {s->batch.ids, s->positions, s->types};
         return side.graph->embed(tables, ids);
       }),
       false},
      {"norm", 1,
       of([=](Side& side) { return side.graph->norm(tokens(side), side.norm("embeddings.LayerNorm")); })},
      {"dropout", 1, of([=, &segments](Side& side) {
         return side.graph->dropout(tokens(side), segments, {p, 0});
       })},
      {"self_attention_block", layers, of([=, &segments](Side& side) {
         const std::string self = layer + "attention.self.";
         return side.graph->self_attention_block(tokens(side), segments,
                                                 {side.linear(self + "query"),
                                                  side.linear(self + "key"),
                                                  side.linear(self + "value"),
                                                  side.linear(layer + "attention.output.dense"),
                                                  attention,
                                                  {p, 2},
                                                  side.norm(layer + "attention.output.LayerNorm")});
       })},
      {"  of it: attention", 0, of([=, &segments](Side& side) {
         const Tensor x = tokens(side);
         return side.graph->attention(x, x, x, segments, attention);
       })},
      {"  of it: linear [H,H]", 0, of([=](Side& side) {
         return side.graph->linear(tokens(side), side.linear(layer + "attention.output.dense"));
       })},
      {"  of it: add_norm", 0, of([=, &segments, &s](Side& side) {
         return side.graph->add_norm(tokens(side), leaf_of(side, side.residual, s.all), segments, {p, 2},
                                     side.norm(layer + "attention.output.LayerNorm"));
       })},
      {"feed_forward_block", layers, of([=, &segments](Side& side) {
         return side.graph->feed_forward_block(tokens(side), segments,
                                               {side.linear(layer + "intermediate.dense"),
                                                side.linear(layer + "output.dense"),
                                                Activation::gelu,
                                                {p, 3},
                                                side.norm(layer + "output.LayerNorm")});
       })},
      {"pool, l2_normalize", 1, of([=, &segments](Side& side) {
         return side.graph->l2_normalize(side.graph->pool(tokens(side), segments, PoolKind::mean));
       })},
  };
}

// One step of the model, without the update: what the operations above add up to.
void whole_step(Side& side, const Setting& s) {
  side.graph->begin(Mode::train, 42, side.step++);
  const Tensor y = side.encoder->forward(*side.graph, s.batch);
  // The loss, on the host, is the same for both: a gradient stands for it.
  const Shape shape = side.graph->shape(y);
  std::vector<float> vectors(static_cast<size_t>(shape.rows * shape.cols));
  side.graph->read(y, vectors);
  for (float& v : vectors) v *= 0.01F;
  side.graph->backward(y, vectors);
}

Setting make_setting(const cxxopts::ParseResult& p, Engine& engine) {
  Setting s;
  s.model = model::load_model(p["model"].as<std::string>());
  const auto length = p["length"].as<int32_t>();
  if (length > 0) {
    for (uint32_t i = 0; i < static_cast<uint32_t>(std::max(2, 2048 / length)); ++i) {
      std::vector<int32_t> ids(static_cast<size_t>(length));
      for (size_t t = 0; t < ids.size(); ++t)
        ids[t] = static_cast<int32_t>(1000 + (i * 977 + t * 31) % 20000);
      s.batch.add(ids, i / 2, i % 2);
    }
  } else {
    data::ReadOptions columns;
    columns.roles = eval::task_roles("sts");
    const train::TrainData data(data::read_table(p["data"].as<std::string>(), columns),
                                loss::find_loss("cosine"), 5, *s.model, engine);
    std::vector<int32_t> scratch;
    const auto order = train::epoch_order(42, 0, static_cast<uint32_t>(data.rows()), true);
    for (int64_t i = 0; i < p["batch"].as<int64_t>(); ++i) {
      const uint32_t row = order[static_cast<size_t>(i)];
      for (int64_t role = 0; role < 2; ++role)
        s.batch.add(data.ids().read(data.text(role, row), scratch), row, static_cast<uint32_t>(role));
    }
  }
  for (int64_t i = 0; i < s.batch.sequences(); ++i) {
    for (int32_t t = 0; t < s.batch.segments.length(i); ++t) s.positions.push_back(t);
  }
  s.types.assign(s.positions.size(), 0);
  for (int64_t t = 0; t < s.batch.tokens(); ++t) s.all.push_back(static_cast<int32_t>(t));
  return s;
}

// Milliseconds of one call, the mean over `seconds` of calls.
double milliseconds(const std::function<void()>& work, double seconds) {
  int64_t calls = 0;
  const auto start = Clock::now();
  do {
    work();
    ++calls;
  } while (since(start) < seconds);
  return 1e3 * since(start) / static_cast<double>(calls);
}

struct Row {
  std::string name;
  double times;
  std::vector<double> of[2];  // cpu, the other
};

void run(const cxxopts::ParseResult& p) {
  const int threads = p["threads"].as<int>();
  const auto cpu = cpu::create({threads, cpu::InstructionSet::best});
  const auto torch =
      plugin::create(plugin::torch_plugin(), {p["device"].as<std::string>(), threads, false, false});
  const Setting setting = make_setting(p, *cpu);
  Side sides[] = {make_side(cpu, setting), make_side(torch, setting)};

  std::vector<Operation> all = operations(setting);
  const auto input_only = [&](Side& side) {
    side.graph->begin(Mode::train, 42, side.step++);
    const Tensor x = leaf_of(side, side.input, setting.all);
    const Shape shape = side.graph->shape(x);
    side.graph->backward(x, noise(shape.rows * shape.cols));
    side.parameters->clear_gradients();
  };
  std::vector<Row> rows;
  for (const Operation& o : all) rows.push_back({o.name, o.times, {}});
  rows.push_back({"clip and AdamW", 1, {}});
  rows.push_back({"a whole step", 0, {}});
  int discarded = 0;
  for (int round = 0; round < p["rounds"].as<int>(); ++round) {
    const Ticks before = processor_ticks();
    std::vector<std::array<double, 2>> found(rows.size());
    for (size_t which = 0; which < 2; ++which) {
      // The update is measured with the gradients of a whole step, as it comes in training.
      Side& side = sides[which];
      const double plain = milliseconds([&] { input_only(side); }, 0.2);
      for (size_t i = 0; i < all.size(); ++i) {
        const double time = milliseconds([&] { all[i].run(side); }, 0.4);
        found[i][which] = std::max(0.0, time - (all[i].has_input ? plain : 0));
      }
      const double step = milliseconds(
          [&] {
            whole_step(side, setting);
            side.parameters->clear_gradients();
          },
          0.8);
      const double with_update = milliseconds(
          [&] {
            whole_step(side, setting);
            AdamW adamw;
            adamw.learning_rate = 1e-6F;
            adamw.step = ++side.step;
            side.parameters->clipped_step(adamw, 1)->number();
            side.parameters->clear_gradients();
          },
          0.8);
      found[all.size()][which] = std::max(0.0, with_update - step);
      found[all.size() + 1][which] = with_update;
    }
    if (disturbed(before, processor_ticks())) {
      ++discarded;
      continue;
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t which = 0; which < 2; ++which) rows[i].of[which].push_back(found[i][which]);
    }
  }

  const double step = median(rows.back().of[0]);
  nlohmann::ordered_json table = nlohmann::ordered_json::array();
  std::cout << "tokens " << setting.batch.tokens() << ", sequences " << setting.batch.sequences() << ", "
            << cpu->describe() << "; rounds kept " << rows[0].of[0].size() << ", thrown away " << discarded
            << "\n";
  std::cout << "operation, times in a step: cpu ms, " << torch->name()
            << " ms, ratio, share of a step of cpu\n";
  for (const Row& row : rows) {
    const double a = median(row.of[0]), b = median(row.of[1]);
    table.push_back({{"operation", row.name}, {"times", row.times}, {"cpu_ms", a}, {"other_ms", b}});
    if (a > 0 && b > 0) table.back()["ratio"] = b / a;
    char ratio[20] = "-", line[200];
    if (a > 0 && b > 0) std::snprintf(ratio, sizeof ratio, "%.2f", b / a);  // 0: lost in what the input costs
    std::snprintf(line, sizeof line, "%-44s x%-2.0f %9.3f %9.3f %6s %6.1f %%\n", row.name.c_str(), row.times,
                  a, b, ratio, 100 * row.times * a / step);
    std::cout << line;
  }
  if (p.count("json") != 0) std::cout << table.dump() << '\n';
}

}  // namespace
}  // namespace hone::bench

int main(int argc, char** argv) {
  auto options = hone::bench::program_options(
      "engines_bench", "The cpu engine against libtorch, operation by operation", /*threads=*/"2");
  options.add_options()("length", "", cxxopts::value<int32_t>()->default_value("0"))(
      "device", "", cxxopts::value<std::string>()->default_value("torch-cpu"))("json", "");
  return hone::bench::run_program(std::move(options), argc, argv, hone::bench::run);
}
