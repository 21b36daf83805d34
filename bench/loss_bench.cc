// The host's part of a step alone: a loss on vectors of numbers drawn at random, its gradient with it.
//
//   loss_bench [--loss mnr] [--loss-options LIST] [--texts 2] [--batch 32] [--dim 384] [--rounds 5]
//   [--threads 1]
//
// Prints one JSON object: milliseconds of a call (the median) and what the loss was. Instructions of a call:
// what callgrind counts of --rounds 3, less what it counts of --rounds 1, by two.
#include <nlohmann/json.hpp>

#include "base/philox.h"
#include "compute/cpu/cpu_engine.h"
#include "loss/loss_table.h"
#include "measure.h"
#include "program.h"

namespace hone::bench {
namespace {

// A positive, and every negative of its own, is the query and as much noise again.
std::vector<float> drawn_vectors(int64_t texts, int64_t rows, int64_t dim) {
  std::vector<float> values;
  for (int64_t i = 0; i < texts * rows * dim; ++i) {
    const uint32_t word = philox4x32({static_cast<uint32_t>(i), 0, 0, 0}, {1, 2})[0];
    const double noise = static_cast<double>(word) / 2147483648.0 - 1;
    const double query =
        i < rows * dim ? 0 : static_cast<double>(values[static_cast<size_t>(i % (rows * dim))]);
    values.push_back(static_cast<float>(query + noise));
  }
  return values;
}

void run(const cxxopts::ParseResult& p) {
  const loss::LossInfo& info = loss::find_loss(p["loss"].as<std::string>());
  loss::Batch batch;
  batch.rows = p["batch"].as<int64_t>();
  batch.roles = p["texts"].as<int64_t>();
  batch.dim = p["dim"].as<int64_t>();
  const std::vector<float> vectors = drawn_vectors(batch.roles, batch.rows, batch.dim);
  batch.vectors = vectors;
  const auto engine = compute::cpu::create(
      {p["threads"].as<int>(), compute::cpu::instruction_set(p["isa"].as<std::string>())});
  loss::Setup setup;
  setup.dim = batch.dim;
  const auto loss =
      loss::make_loss(info, loss::LossOptions(info, p["loss-options"].as<std::string>()), setup);
  std::vector<double> milliseconds;
  double value = 0;
  for (int round = 0; round < p["rounds"].as<int>(); ++round) {
    std::vector<float> gradient(vectors.size());
    const auto start = Clock::now();
    value = loss->evaluate(batch, *engine, gradient);
    milliseconds.push_back(1e3 * since(start));
  }
  const nlohmann::ordered_json result{
      {"loss", value}, {"milliseconds", median(milliseconds)}, {"engine", engine->describe()}};
  std::cout << result.dump() << '\n';
}

}  // namespace
}  // namespace hone::bench

int main(int argc, char** argv) {
  auto options = hone::bench::program_options("loss_bench", "What a loss costs the host", /*threads=*/"1");
  options.add_options()("loss", "", cxxopts::value<std::string>()->default_value("mnr"))(
      "loss-options", "", cxxopts::value<std::string>()->default_value(""))(
      "texts", "", cxxopts::value<int64_t>()->default_value("2"))(
      "dim", "", cxxopts::value<int64_t>()->default_value("384"))(
      "isa", "", cxxopts::value<std::string>()->default_value("best"));
  return hone::bench::run_program(std::move(options), argc, argv, hone::bench::run);
}
