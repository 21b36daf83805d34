// Speed of training and encoding against the machine's matrix-product rate, measured in turn in one run.
//
//   hone_bench train  --model DIR --data FILE [--batch 32] [--steps 20] [--rounds 5] [--threads 2]
//   hone_bench encode --model DIR --data FILE [--batch-tokens 2048] [--rounds 5] [--threads 2]
//
// `--isa avx2` holds oneDNN and our kernels to AVX2.
// train takes pairs from columns sentence1/sentence2/score, or anchor/positive (labels 1). Prints one JSON
// object. A round in which other guests stole more than 5 % of the processors is thrown away.
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "compute/cpu/cpu_engine.h"
#include "encode/encoder.h"
#include "matrix_rate.h"
#include "measure.h"
#include "program.h"
#include "train/pair_data.h"
#include "train/sampler.h"

namespace hone::bench {
namespace {

// Runs `work` (returns items and tokens) between two probes of the matrix rate, several times.
template <class Work>
nlohmann::ordered_json rounds(const model::BertConfig& config, int64_t tokens, int threads, Pass pass,
                              int count, Work work) {
  std::vector<double> speed, gflops, rates, shares;
  int discarded = 0;
  for (int i = 0; i < count; ++i) {
    const Ticks before = processor_ticks();
    const double first = matrix_rate(config, tokens, threads, pass, 0.7);
    const auto start = Clock::now();
    const auto [items, done] = work();
    const double seconds = since(start);
    const double rate = (first + matrix_rate(config, tokens, threads, pass, 0.7)) / 2;
    const Ticks after = processor_ticks();
    if (disturbed(before, after)) {
      ++discarded;
      continue;
    }
    speed.push_back(static_cast<double>(items) / seconds);
    gflops.push_back(matrix_flops(config, done, pass) / seconds / 1e9);
    rates.push_back(rate);
    shares.push_back(gflops.back() / rate);
  }
  return {
      {"per_second", median(speed)}, {"useful_gflops", median(gflops)}, {"matrix_rate_gflops", median(rates)},
      {"share", median(shares)},     {"rounds", speed.size()},          {"discarded_rounds", discarded}};
}

data::Table read_pairs(const std::string& path) {
  data::ReadOptions options;
  for (const char* role : {"sentence1", "sentence2", "anchor", "positive"})
    options.roles.push_back({role, data::ColumnKind::text, false, {}});
  options.roles.push_back({"score", data::ColumnKind::number, false, {}});
  data::Table table = data::read_table(path, options);
  if (table.texts.contains("anchor") && !table.texts.contains("sentence1")) {
    table.texts["sentence1"] = table.text("anchor");
    table.texts["sentence2"] = table.text("positive");
  }
  if (!table.numbers.contains("score")) table.numbers["score"] = std::vector<double>(table.rows, 1);
  return table;
}

nlohmann::ordered_json bench_train(const cxxopts::ParseResult& p,
                                   const std::shared_ptr<compute::Engine>& engine) {
  const auto model = model::load_model(p["model"].as<std::string>());
  data::Table table = read_pairs(p["data"].as<std::string>());
  const double scale = train::read_label_scale(table);
  const train::PairData data(std::move(table), *model, *engine, scale);
  const int64_t batch_size = p["batch"].as<int64_t>(), steps = p["steps"].as<int64_t>();
  const auto order = train::epoch_order(42, 0, static_cast<uint32_t>(data.rows()), true);
  auto parameters = engine->parameters();
  const nn::SentenceEncoder encoder(*model, *parameters, {true, -1});
  auto graph = engine->graph(*parameters);
  uint64_t step = 0;
  double forward = 0, backward = 0, update = 0;
  auto run = [&](int64_t count) {
    int64_t tokens = 0;
    for (int64_t i = 0; i < count; ++i, ++step) {
      nn::TokenBatch batch;
      std::vector<float> labels;
      std::vector<int32_t> left, right;
      for (int64_t b = 0; b < batch_size; ++b) {
        const uint32_t row =
            order[(step * static_cast<uint64_t>(batch_size) + static_cast<uint64_t>(b)) % order.size()];
        left.push_back(static_cast<int32_t>(2 * b));
        right.push_back(static_cast<int32_t>(2 * b + 1));
        data.append(batch, row);
        labels.push_back(data.labels()[row]);
      }
      auto mark = Clock::now();
      auto lap = [&](double& into) {
        into += since(mark);
        mark = Clock::now();
      };
      graph->begin(compute::Mode::train, 42, step);
      const auto y = encoder.forward(*graph, batch);
      const auto similarity =
          graph->pair_similarity(graph->rows(y, left), graph->rows(y, right), compute::Similarity::cosine);
      const auto loss = graph->mean_squared_error(similarity, labels);
      lap(forward);
      graph->compute::Graph::backward(loss);
      lap(backward);
      compute::AdamW adamw;
      adamw.learning_rate = 2e-5F;
      adamw.step = step + 1;
      adamw.gradient_scale = static_cast<float>(std::min(1.0, 1 / (parameters->gradient_norm() + 1e-6)));
      parameters->step(adamw);
      parameters->clear_gradients();
      lap(update);
      tokens += batch.tokens();
    }
    return std::pair{count * batch_size, tokens};
  };
  const auto [pairs, tokens] = run(3);
  forward = backward = update = 0;
  const uint64_t first = step;
  auto result = rounds(model->config, tokens / 3, engine->threads(), Pass::training, p["rounds"].as<int>(),
                       [&] { return run(steps); });
  const double done = static_cast<double>(step - first);
  result["tokens_per_step"] = static_cast<double>(tokens) / 3;
  result["milliseconds"] = {{"forward", 1e3 * forward / done},
                            {"backward", 1e3 * backward / done},
                            {"clip_and_adamw", 1e3 * update / done}};
  return result;
}

nlohmann::ordered_json bench_encode(const cxxopts::ParseResult& p,
                                    const std::shared_ptr<compute::Engine>& engine) {
  const auto model = model::load_model(p["model"].as<std::string>());
  const data::Table table = read_pairs(p["data"].as<std::string>());
  std::vector<std::string> texts = table.text("sentence1");
  texts.insert(texts.end(), table.text("sentence2").begin(), table.text("sentence2").end());
  encode::Encoder encoder(model, engine);
  encode::EncodeOptions options;
  options.batch_tokens = p["batch-tokens"].as<int64_t>();
  int64_t tokens = 0;
  for (const auto& ids : encode::tokenize(*model, *engine, texts)) tokens += static_cast<int64_t>(ids.size());
  encoder.encode(std::span(texts).first(std::min<size_t>(texts.size(), 256)), options);
  auto result = rounds(model->config, std::min(tokens, options.batch_tokens), engine->threads(),
                       Pass::forward, p["rounds"].as<int>(), [&] {
                         encoder.encode(texts, options);
                         return std::pair{static_cast<int64_t>(texts.size()), tokens};
                       });
  result["texts"] = texts.size();
  result["tokens"] = tokens;
  return result;
}

void run(const cxxopts::ParseResult& p) {
  const bool avx2 = p["isa"].as<std::string>() == "avx2";
  const auto engine =
      compute::cpu::create({p["threads"].as<int>(),
                            avx2 ? compute::cpu::InstructionSet::avx2 : compute::cpu::InstructionSet::best});
  auto result = p["what"].as<std::string>() == "train" ? bench_train(p, engine) : bench_encode(p, engine);
  result["engine"] = engine->describe();
  result["peak_megabytes"] = peak_megabytes();
  std::cout << result.dump() << '\n';
}

}  // namespace
}  // namespace hone::bench

int main(int argc, char** argv) {
  auto options = hone::bench::program_options("hone_bench", "Speed against the machine's matrix-product rate",
                                              /*threads=*/"0");
  options.add_options()("what", "train or encode", cxxopts::value<std::string>())(
      "steps", "", cxxopts::value<int64_t>()->default_value("20"))(
      "isa", "", cxxopts::value<std::string>()->default_value("best"))(
      "batch-tokens", "", cxxopts::value<int64_t>()->default_value("2048"));
  options.parse_positional({"what"});
  return hone::bench::run_program(std::move(options), argc, argv, hone::bench::run);
}
