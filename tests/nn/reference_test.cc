// Whole encoders against the reference: gradients of every tensor, and 30 training steps
// (tests/fixtures/README.md).
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/error.h"
#include "data/dataset.h"
#include "encode/encoder.h"
#include "loss/scores.h"
#include "model/sentence_model.h"
#include "nn/sentence_encoder.h"
#include "tests/compute/test_engine.h"
#include "tests/places.h"

namespace hone::nn {
namespace {

using compute::Tensor;
namespace fs = std::filesystem;

const fs::path kModels = fs::path(testing::kFixtures) / "models";

double first_number(const model::SafetensorsFile& file, const std::string& name, size_t index = 0) {
  const auto* entry = file.find(name);
  if (entry == nullptr) throw Error("fixture lacks " + name);
  return static_cast<double>(file.floats(*entry).data[index]);
}

struct Pairs {
  TokenBatch batch;
  std::vector<float> labels;
};

struct Fixture {
  std::shared_ptr<const model::SentenceModel> model;
  std::shared_ptr<compute::Engine> engine = compute::test_engine(2);
  std::unique_ptr<compute::Parameters> parameters = engine->parameters();
  std::unique_ptr<SentenceEncoder> encoder;
  std::unique_ptr<compute::Graph> graph;
  data::Table table;
  encode::TokenIds first, second;

  explicit Fixture(const std::string& name) : model(model::load_model(kModels / name)) {
    encoder = std::make_unique<SentenceEncoder>(*model, *parameters, EncoderOptions{true, 0});
    graph = engine->graph(*parameters);
    data::ReadOptions options;
    options.roles = {{"sentence1", data::ColumnKind::text, true, {}},
                     {"sentence2", data::ColumnKind::text, true, {}},
                     {"score", data::ColumnKind::number, true, {}}};
    table = data::read_table(kModels / "pairs.jsonl", options);
    first = encode::tokenize(*model, *engine, table.text("sentence1"));
    second = encode::tokenize(*model, *engine, table.text("sentence2"));
  }

  Pairs pairs(size_t begin, size_t count) const {
    Pairs p;
    std::vector<int32_t> scratch;
    for (size_t row = begin; row < begin + count; ++row) {
      p.batch.add(first.read(row, scratch), static_cast<uint32_t>(row), 0);
      p.batch.add(second.read(row, scratch), static_cast<uint32_t>(row), 1);
      p.labels.push_back(static_cast<float>(table.number("score")[row]));
    }
    return p;
  }
  double forward_backward(const Pairs& p) {
    graph->begin(compute::Mode::train, 1, 0);
    const Tensor y = encoder->forward(*graph, p.batch);
    const compute::Shape shape = graph->shape(y);
    std::vector<float> vectors(static_cast<size_t>(shape.rows * shape.cols)), gradient(vectors.size());
    graph->read(y, vectors);
    // The mean of (cosine - label)^2 over the pairs, and its gradient.
    double loss = 0;
    for (size_t i = 0; i < p.labels.size(); ++i) {
      const auto at = 2 * i * static_cast<size_t>(shape.cols), other = at + static_cast<size_t>(shape.cols);
      const double error = loss::score(loss::Score::cosine, &vectors[at], &vectors[other], shape.cols) -
                           static_cast<double>(p.labels[i]);
      const double share = 1 / static_cast<double>(p.labels.size());
      loss += share * error * error;
      loss::add_score_gradient(loss::Score::cosine, &vectors[at], &vectors[other], shape.cols,
                               2 * share * error, &gradient[at], &gradient[other]);
    }
    graph->backward(y, gradient);
    return loss;
  }
};

double norm_of(const float* x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return std::sqrt(sum);
}

class WholeEncoder : public ::testing::TestWithParam<const char*> {};

TEST_P(WholeEncoder, gradients_equal_the_references_in_double) {
  Fixture s(GetParam());
  const auto fixture = model::SafetensorsFile::open(kModels / GetParam() / "gradients.safetensors");
  const Pairs p = s.pairs(0, 8);
  EXPECT_NEAR(s.forward_backward(p), first_number(*fixture, "loss"), 1e-6);
  double largest = 0;
  for (const auto& tensor : s.model->tensors) {
    const auto expected = fixture->floats(*fixture->find(tensor.name));
    largest = std::max(largest, norm_of(expected.data, expected.size));
  }
  for (size_t i = 0; i < s.model->tensors.size(); ++i) {
    const std::string& name = s.model->tensors[i].name;
    SCOPED_TRACE(name);
    const auto* entry = fixture->find(name);
    ASSERT_NE(entry, nullptr);
    const auto expected = fixture->floats(*entry);
    std::vector<float> found(expected.size);
    s.parameters->read_gradient(s.encoder->parameters()[i], found);
    std::vector<float> difference(found);
    for (size_t e = 0; e < found.size(); ++e) difference[e] -= expected.data[e];
    const double error = norm_of(difference.data(), difference.size());
    if (name.ends_with("key.bias")) {  // zero in theory
      EXPECT_LT(error, 1e-6 * largest);
      continue;
    }
    const double allowed = std::max(1e-5, 3 * first_number(*fixture, "error." + name));
    EXPECT_LE(error / norm_of(expected.data, expected.size), allowed);
  }
}
INSTANTIATE_TEST_SUITE_P(Reference, WholeEncoder, ::testing::Values("mean-gelu", "cls-relu", "narrow"));

TEST(Reference, thirty_training_steps) {
  Fixture s("mean-gelu");
  const auto fixture = model::SafetensorsFile::open(kModels / "mean-gelu" / "training.safetensors");
  for (size_t step = 0; step < 30; ++step) {
    const double loss = s.forward_backward(s.pairs(step * 8 % 120, 8));
    const double expected = first_number(*fixture, "loss", step);
    EXPECT_NEAR(loss / expected, 1, 1e-5) << "step " << step;
    const double norm = s.parameters->gradient_norm();
    EXPECT_NEAR(norm / first_number(*fixture, "grad_norm", step), 1, 1e-4) << "step " << step;
    compute::AdamW adamw;
    adamw.learning_rate = static_cast<float>(first_number(*fixture, "lr", step));
    adamw.weight_decay = 0.01F;
    adamw.step = step + 1;
    adamw.gradient_scale = static_cast<float>(std::min(1.0, 1 / (norm + 1e-6)));
    s.parameters->step(adamw);
    s.parameters->clear_gradients();
  }
  for (const auto& tensor : s.encoder->read(*s.parameters)) {
    const auto* entry = fixture->find("weights." + tensor.name);
    ASSERT_NE(entry, nullptr) << tensor.name;
    const auto expected = fixture->floats(*entry);
    std::vector<float> difference(tensor.data, tensor.data + tensor.size);
    for (size_t e = 0; e < difference.size(); ++e) difference[e] -= expected.data[e];
    // Adam divides by the root of a tiny second moment where a gradient is zero in theory: a key's bias
    // drifts.
    if (tensor.name.ends_with("key.bias")) continue;
    const double allowed = std::max(1e-4, 3 * first_number(*fixture, "error." + tensor.name));
    EXPECT_LE(norm_of(difference.data(), difference.size()) / norm_of(expected.data, expected.size), allowed)
        << tensor.name;
  }
}

}  // namespace
}  // namespace hone::nn
