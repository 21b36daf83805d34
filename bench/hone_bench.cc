// Speed of training and encoding against the machine's matrix-product rate, measured in turn in one run.
//
//   hone_bench train  --model DIR --data FILE [--loss NAME] [--batch 32] [--micro-tokens 0] [--steps 20]
//                     [--rounds 5] [--threads 2]
//   hone_bench encode --model DIR --data FILE [--batch-tokens 2048] [--rounds 5] [--threads 2]
//
// `--isa avx2` or avx512 holds our kernels to it.
// train takes the loss that suits the columns where none is named; --micro-tokens cuts its batches. Prints
// one JSON object. A round in which other guests stole more than 5 % of the processors is thrown away.
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "compute/cpu/cpu_engine.h"
#include "encode/encoder.h"
#include "eval/evaluation.h"
#include "matrix_rate.h"
#include "measure.h"
#include "program.h"
#include "train/batch_pass.h"
#include "train/data_roles.h"
#include "train/false_negatives.h"
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

// One step: forward, loss, backward, clipping and update, with the time of each added up.
struct Stepper {
  const train::TrainData& data;
  compute::Engine& engine;
  compute::Parameters& parameters;
  train::BatchPass pass;
  std::unique_ptr<loss::Loss> loss;
  std::unique_ptr<train::FalseNegatives> false_negatives;
  double forward = 0, of_loss = 0, masks = 0, backward = 0, update = 0;
  uint64_t step = 0;

  int64_t run(std::span<const uint32_t> rows) {
    auto mark = Clock::now();
    auto lap = [&](double& into) {
      into += since(mark);
      mark = Clock::now();
    };
    loss::Batch batch;
    batch.vectors = pass.forward(data, rows, 42, step);
    lap(forward);
    batch.rows = static_cast<int64_t>(rows.size());
    batch.roles = data.roles();
    batch.dim = pass.dim();
    batch.label_width = data.label_width();
    std::vector<float> labels;
    for (uint32_t row : rows)
      labels.insert(labels.end(), data.labels(row), data.labels(row) + data.label_width());
    batch.labels = labels;
    loss::FalseNegatives masked;
    if (false_negatives) masked = false_negatives->of(rows, loss->compares_all());
    batch.false_negatives = &masked;
    lap(masks);
    std::vector<float> gradient(batch.vectors.size(), 0.0F);
    loss->evaluate(batch, engine, gradient);
    lap(of_loss);
    pass.backward(gradient);
    lap(backward);
    compute::AdamW adamw;
    adamw.learning_rate = 2e-5F;
    adamw.step = ++step;
    parameters.clipped_step(adamw, 1);
    parameters.clear_gradients();
    lap(update);
    return pass.tokens();
  }
};

nlohmann::ordered_json bench_train(const cxxopts::ParseResult& p,
                                   const std::shared_ptr<compute::Engine>& engine) {
  const auto model = model::load_model(p["model"].as<std::string>());
  const std::string file = p["data"].as<std::string>();
  const auto names = data::column_names(file);
  const std::string asked = p["loss"].as<std::string>();
  const loss::LossInfo& info = asked.empty() ? train::loss_for(names, {}, file) : loss::find_loss(asked);
  const train::TrainData data(data::read_table(file, train::roles_of(info, names, {})), info, 0, *model,
                              *engine);
  const int64_t batch_size = p["batch"].as<int64_t>(), steps = p["steps"].as<int64_t>();
  const auto order = train::epoch_order(42, 0, static_cast<uint32_t>(data.rows()), true);
  auto parameters = engine->parameters();
  const nn::SentenceEncoder encoder(*model, *parameters, {true, -1, {}});
  auto graph = engine->graph(*parameters);
  loss::Setup setup;
  setup.dim = model->dim();
  setup.teacher_width = data.label_width();
  Stepper stepper{data,
                  *engine,
                  *parameters,
                  train::BatchPass(encoder, *graph, p["micro-tokens"].as<int64_t>()),
                  loss::make_loss(info, loss::LossOptions(info, p["loss-options"].as<std::string>()), setup),
                  nullptr};
  if (info.in_batch) stepper.false_negatives = std::make_unique<train::FalseNegatives>(data, *engine, true);
  auto run = [&](int64_t count) {
    int64_t tokens = 0;
    for (int64_t i = 0; i < count; ++i) {
      std::vector<uint32_t> rows;
      for (int64_t b = 0; b < batch_size; ++b)
        rows.push_back(order[(stepper.step * static_cast<uint64_t>(batch_size) + static_cast<uint64_t>(b)) %
                             order.size()]);
      tokens += stepper.run(rows);
    }
    return std::pair{count * batch_size, tokens};
  };
  const int64_t warm_up = batch_size > 256 ? 1 : 3;
  const auto [pairs, tokens] = run(warm_up);
  stepper.forward = stepper.of_loss = stepper.masks = stepper.backward = stepper.update = 0;
  const uint64_t first = stepper.step;
  auto result = rounds(model->config, std::min<int64_t>(tokens / warm_up, 4096), engine->threads(),
                       Pass::training, p["rounds"].as<int>(), [&] { return run(steps); });
  const double done = static_cast<double>(stepper.step - first);
  result["loss"] = info.name;
  result["tokens_per_step"] = static_cast<double>(tokens) / static_cast<double>(warm_up);
  result["micro_batches"] = stepper.pass.micro_batches();
  result["activation_megabytes"] = static_cast<double>(graph->peak_bytes()) / 1e6;
  result["milliseconds"] = {{"forward", 1e3 * stepper.forward / done},
                            {"masks", 1e3 * stepper.masks / done},
                            {"loss", 1e3 * stepper.of_loss / done},
                            {"backward", 1e3 * stepper.backward / done},
                            {"clip_and_adamw", 1e3 * stepper.update / done}};
  return result;
}

nlohmann::ordered_json bench_encode(const cxxopts::ParseResult& p,
                                    const std::shared_ptr<compute::Engine>& engine) {
  const auto model = model::load_model(p["model"].as<std::string>());
  data::ReadOptions columns;
  columns.roles = eval::task_roles("sts");
  const data::Table table = data::read_table(p["data"].as<std::string>(), columns);
  std::vector<std::string> texts = table.text("sentence1");
  texts.insert(texts.end(), table.text("sentence2").begin(), table.text("sentence2").end());
  encode::Encoder encoder(model, engine);
  encode::EncodeOptions options;
  options.batch_tokens = p["batch-tokens"].as<int64_t>();
  const int64_t tokens = encode::tokenize(*model, *engine, texts).tokens();
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
  using compute::cpu::InstructionSet;
  const auto engine = compute::cpu::create(
      {p["threads"].as<int>(), compute::cpu::instruction_set(p["isa"].as<std::string>())});
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
      "loss", "", cxxopts::value<std::string>()->default_value(""))(
      "loss-options", "", cxxopts::value<std::string>()->default_value(""))(
      "micro-tokens", "", cxxopts::value<int64_t>()->default_value("0"))(
      "isa", "", cxxopts::value<std::string>()->default_value("best"))(
      "batch-tokens", "", cxxopts::value<int64_t>()->default_value("2048"));
  options.parse_positional({"what"});
  return hone::bench::run_program(std::move(options), argc, argv, hone::bench::run);
}
