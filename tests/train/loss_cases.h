// The cases of tests/fixtures/losses: every loss on small models, by the reference's own classes.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "encode/encoder.h"
#include "loss/loss_table.h"
#include "model/safetensors.h"
#include "model/sentence_model.h"
#include "tests/places.h"
#include "train/batch_pass.h"
#include "train/data_roles.h"
#include "train/train_data.h"

namespace hone::testing {

struct LossCase {
  std::string name, loss, options, model, data;
  int64_t batch = 0, accumulate = 1;
};

inline const std::filesystem::path kLosses = std::filesystem::path(testing::kFixtures) / "losses";

inline std::vector<LossCase> loss_cases() {
  std::vector<LossCase> cases;
  std::ifstream file(kLosses / "cases.json");
  for (const auto& j : nlohmann::json::parse(file)) {
    LossCase c{j["name"], j["loss"], j["options"], j["model"], j["data"], j["batch"], j["accumulate"]};
    if (c.name == "mse-projection") c.options = "projection=true";
    cases.push_back(std::move(c));
  }
  return cases;
}

inline data::Table loss_rows(const LossCase& c) {
  const auto path = kLosses / c.data;
  return data::read_table(path, train::roles_of(loss::find_loss(c.loss), data::column_names(path), {}));
}

inline double fixture_number(const model::SafetensorsFile& file, const std::string& name, size_t i = 0) {
  const auto* entry = file.find(name);
  if (entry == nullptr) throw std::runtime_error("fixture without " + name);
  return static_cast<double>(file.floats(*entry).data[i]);
}

// A model, a loss with the reference's head, and what makes steps of them, on any engine.
class LossBench {
 public:
  LossBench(const LossCase& c, std::shared_ptr<compute::Engine> engine, int64_t micro_tokens = 0,
            float dropout = 0)
      : fixture(model::SafetensorsFile::open(kLosses / (c.name + ".safetensors"))),
        case_(c),
        engine_(std::move(engine)),
        model_(model::load_model(std::filesystem::path(testing::kFixtures) / "models" / c.model)),
        info_(loss::find_loss(c.loss)),
        data(loss_rows(c), info_, 1, *model_, *engine_),
        parameters(engine_->parameters()),
        encoder(*model_, *parameters, {true, dropout, {}}),
        graph_(engine_->graph(*parameters)),
        pass(encoder, *graph_, micro_tokens) {
    loss::Setup setup;
    setup.dim = model_->dim();
    if (info_.labels == loss::Labels::classes) setup.classes = 3;
    if (info_.labels == loss::Labels::teacher_vector) setup.teacher_width = data.label_width();
    loss = loss::make_loss(info_, loss::LossOptions(info_, c.options), setup);
    for (loss::Head& head : loss->heads()) {
      const auto start = fixture->floats(*fixture->find("start." + head.name));
      head.values.assign(start.data, start.data + start.size);
      heads.push_back(
          parameters->add(head.name, head.shape, head.values, nullptr, {true, head.decays, false}));
    }
  }

  std::vector<uint32_t> rows(int64_t batch) const {
    std::vector<uint32_t> out;
    for (int64_t i = 0; i < case_.batch; ++i)
      out.push_back(static_cast<uint32_t>((batch * case_.batch + i) % data.rows()));
    return out;
  }
  // Adds the gradient of one batch, as the trainer does; the loss.
  double add_batch(int64_t number) {
    const auto picked = rows(number);
    loss::Batch batch;
    batch.vectors = pass.forward(data, picked, 42, static_cast<uint64_t>(number));
    batch.rows = case_.batch;
    batch.roles = data.roles();
    batch.dim = pass.dim();
    batch.label_width = data.label_width();
    std::vector<float> labels;
    for (uint32_t row : picked)
      labels.insert(labels.end(), data.labels(row), data.labels(row) + data.label_width());
    batch.labels = labels;
    for (size_t i = 0; i < heads.size(); ++i)
      parameters->read(heads[i], compute::State::value, loss->heads()[i].values);
    std::vector<float> gradient(batch.vectors.size(), 0);
    const double value = loss->evaluate(batch, *engine_, gradient);
    const auto share = 1 / static_cast<float>(case_.accumulate);
    for (float& g : gradient) g *= share;
    pass.backward(gradient);
    for (size_t i = 0; i < heads.size(); ++i) parameters->add_gradient(heads[i], loss->heads()[i].gradient);
    return value / static_cast<double>(case_.accumulate);
  }
  double add_step(int64_t step) {
    double value = 0;
    for (int64_t b = 0; b < case_.accumulate; ++b) value += add_batch(step * case_.accumulate + b);
    return value;
  }
  const model::SentenceModel& model() const { return *model_; }

  std::shared_ptr<const model::SafetensorsFile> fixture;

 private:
  LossCase case_;
  std::shared_ptr<compute::Engine> engine_;
  std::shared_ptr<const model::SentenceModel> model_;
  const loss::LossInfo& info_;

 public:
  train::TrainData data;
  std::unique_ptr<compute::Parameters> parameters;
  nn::SentenceEncoder encoder;

 private:
  std::unique_ptr<compute::Graph> graph_;

 public:
  train::BatchPass pass;
  std::unique_ptr<loss::Loss> loss;
  std::vector<compute::Parameter> heads;
};

inline double norm_of(const std::vector<float>& x) {
  double sum = 0;
  for (float v : x) sum += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(sum);
}

// Norm of the difference of a gradient and the fixture's / norm of the latter.
inline void expect_gradients(LossBench& bench) {
  auto compare = [&](compute::Parameter p) {
    const std::string& name = bench.parameters->name(p);
    const auto* entry = bench.fixture->find(name);
    if (entry == nullptr) return 0;
    const auto expected = bench.fixture->floats(*entry);
    std::vector<float> found(expected.size), wanted(expected.data, expected.data + expected.size);
    bench.parameters->read_gradient(p, found);
    for (size_t i = 0; i < found.size(); ++i) found[i] -= wanted[i];
    const double allowed = std::max(2e-5, 4 * fixture_number(*bench.fixture, "error." + name));
    EXPECT_LE(norm_of(found) / norm_of(wanted), allowed) << name;
    return 1;
  };
  int compared = 0;
  for (compute::Parameter p : bench.encoder.parameters()) compared += compare(p);
  for (compute::Parameter p : bench.heads) compared += compare(p);
  EXPECT_EQ(compared, 5 + static_cast<int>(bench.heads.size()));
}

inline void expect_first_step(const LossCase& c, const std::shared_ptr<compute::Engine>& engine,
                              int64_t micro_tokens = 0) {
  LossBench bench(c, engine, micro_tokens);
  const double expected = fixture_number(*bench.fixture, "loss");
  EXPECT_NEAR(bench.add_step(0), expected, std::max(3e-6, 1e-5 * std::abs(expected)));
  expect_gradients(bench);
}

inline void expect_twenty_steps(const LossCase& c, const std::shared_ptr<compute::Engine>& engine) {
  LossBench bench(c, engine);
  for (size_t step = 0; step < 20; ++step) {
    const double value = bench.add_step(static_cast<int64_t>(step));
    const double expected = fixture_number(*bench.fixture, "train.exact.loss", step);
    const double theirs = std::abs(fixture_number(*bench.fixture, "train.loss", step) - expected);
    EXPECT_NEAR(value, expected, std::max({4 * theirs, 1e-5, 3e-5 * std::abs(expected)})) << "step " << step;
    const double norm = bench.parameters->gradient_norm();
    EXPECT_NEAR(norm / fixture_number(*bench.fixture, "train.grad_norm", step), 1, 1e-3) << "step " << step;
    compute::AdamW adamw;
    adamw.learning_rate = static_cast<float>(fixture_number(*bench.fixture, "train.lr", step));
    adamw.weight_decay = 0.01F;
    adamw.step = step + 1;
    adamw.gradient_scale = static_cast<float>(std::min(1.0, 1 / (norm + 1e-6)));
    bench.parameters->step(adamw);
    bench.parameters->clear_gradients();
  }
  for (compute::Parameter head : bench.heads) {
    const std::string& name = bench.parameters->name(head);
    const auto expected = bench.fixture->floats(*bench.fixture->find("train." + name));
    std::vector<float> found(expected.size), wanted(expected.data, expected.data + expected.size);
    bench.parameters->read(head, compute::State::value, found);
    for (size_t i = 0; i < found.size(); ++i) found[i] -= wanted[i];
    EXPECT_LE(norm_of(found) / norm_of(wanted),
              std::max(1e-4, 4 * fixture_number(*bench.fixture, "train.error." + name)))
        << name;
  }
  // Vectors of the first column of the first rows after the last step.
  auto frozen = bench.encoder.read(*bench.parameters);
  const auto tuned = bench.model().with_tensors(frozen);
  encode::Encoder encoder(tuned, engine);
  encode::TokenIds ids;
  std::vector<int32_t> scratch;
  for (uint32_t row = 0; row < 8; ++row) ids.add(bench.data.ids().read(bench.data.text(0, row), scratch));
  std::vector<float> found = encoder.encode_ids(ids);
  const auto expected = bench.fixture->floats(*bench.fixture->find("train.vectors"));
  ASSERT_EQ(found.size(), expected.size);
  for (size_t i = 0; i < found.size(); ++i) found[i] -= expected.data[i];
  EXPECT_LE(norm_of(found) / norm_of({expected.data, expected.data + expected.size}),
            std::max(1e-4, 4 * fixture_number(*bench.fixture, "train.error.vectors")));
}

inline std::string loss_case_name(const ::testing::TestParamInfo<LossCase>& info) {
  std::string name = info.param.name;
  for (char& ch : name) ch = ch == '-' ? '_' : ch;
  return name;
}
inline void PrintTo(const LossCase& c, std::ostream* out) {
  *out << c.name;
}

}  // namespace hone::testing
