// Training through the interface: the bits of a job are those of the trainer of the core, and of every other
// way to make the same steps.
#include <cmath>

#include <nlohmann/json.hpp>

#include "tests/capi/steps.h"

namespace hone::testing {

namespace {

class Training : public Jobs {
 protected:
  Trainer trainer(const Settings& settings, bool with_evaluation) {
    return make_trainer(model, dataset, with_evaluation ? static_cast<hone_dataset*>(dataset) : nullptr,
                        settings);
  }
};

TEST_F(Training, AJobHasTheBitsOfTheCoresTrainer) {
  for (const bool with_evaluation : {false, true}) {
    const TempFolder folder;
    const auto result =
        train_small(folder / "core", small_options(), train::OnExisting::refuse, 1, {}, with_evaluation);
    const Trainer made = trainer(small_settings(), with_evaluation);
    const Job job = start(made);
    ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
    EXPECT_EQ(weights_of(result_of(job)), bytes_of(folder / "core/model.safetensors"));
    EXPECT_NE(weights_of(result_of(job)), weights_of(model));

    const auto report = nlohmann::json::parse(report_of(job));
    EXPECT_EQ(report["steps"], 12);
    EXPECT_EQ(report["kept_step"], result.kept_step);
    EXPECT_EQ(report["already_finished"], false);
    EXPECT_GE(report["seconds"], 0);
    EXPECT_EQ(report["before"].is_null(), !with_evaluation);
    EXPECT_EQ(report["after"].is_null(), !with_evaluation);
    if (with_evaluation) {
      for (const auto& [name, value] : result.after->metrics)
        EXPECT_EQ(report["after"].at(name), value) << name;
      for (const auto& [name, value] : result.before->metrics)
        EXPECT_EQ(report["before"].at(name), value) << name;
    }
  }
}

TEST_F(Training, StepsAreThoseOfAJob) {
  const Trainer hosted = trainer(small_settings(), false), background = trainer(small_settings(), false);
  EXPECT_EQ(weights_of(model_of(hosted)), weights_of(model)) << "before the first step";
  Recorder recorder;
  const hone_job_callbacks callbacks = recorder.callbacks();
  const Job job = start(background, &callbacks);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  ASSERT_TRUE(recorder.released.pass());

  std::vector<hone_progress> steps;
  for (uint64_t i = 0; i < 12; ++i) {
    const hone_progress p = step(hosted);
    EXPECT_EQ(p.steps_done, i + 1);
    EXPECT_EQ(p.steps_total, 12u);
    EXPECT_EQ(p.reserved, 0);
    EXPECT_TRUE(std::isnan(p.metric) && std::isnan(p.best_metric));
    steps.push_back(p);
  }
  EXPECT_EQ(weights_of(model_of(hosted)), weights_of(result_of(job)));
  size_t compared = 0;
  for (const hone_progress& seen : recorder.progress_seen) {
    if (seen.steps_done == 0) continue;
    const hone_progress& own = steps.at(seen.steps_done - 1);
    EXPECT_EQ(seen.loss, own.loss);
    EXPECT_EQ(seen.learning_rate, own.learning_rate);
    EXPECT_EQ(seen.examples_done, own.examples_done);
    ++compared;
  }
  EXPECT_GT(compared, 0u);
  const Failure after = refused(HONE_EINVAL, [&](auto e) { return hone_trainer_step(hosted, nullptr, e); });
  EXPECT_EQ(after.subject(), "trainer");
  EXPECT_NE(after.message().find("12"), std::string::npos) << after.message();
}

TEST_F(Training, AJobTrainsAnewWhateverStepsWereMade) {
  const Trainer fresh = trainer(small_settings(), false), used = trainer(small_settings(), false);
  for (int i = 0; i < 3; ++i) step(used);
  const Job a = start(fresh), b = start(used);
  ASSERT_EQ(end_of(a), HONE_JOB_FINISHED);
  ASSERT_EQ(end_of(b), HONE_JOB_FINISHED);
  EXPECT_EQ(weights_of(result_of(a)), weights_of(result_of(b)));
}

TEST_F(Training, AModelThatWasTakenOutDoesNotChange) {
  const Trainer hosted = trainer(small_settings(), false);
  for (int i = 0; i < 2; ++i) step(hosted);
  const Model taken = model_of(hosted);
  const std::string before = weights_of(taken);
  step(hosted);
  EXPECT_EQ(weights_of(taken), before);
  EXPECT_NE(weights_of(model_of(hosted)), before);
}

// The gradient by hand. u, v: vectors of a pair; c: their cosine; y: the label; B: rows.
//   loss = 1/B sum (c - y)^2;  d loss / d u = 2/B (c - y) (v / (|u| |v|) - c u / |u|^2), and the same for v.
struct HostMse {
  double loss = 0;
  std::vector<float> gradient;
  explicit HostMse(const hone_batch& b) : gradient(b.roles * b.rows * b.dim) {
    for (size_t row = 0; row < b.rows; ++row) {
      const float *u = b.embeddings + row * b.dim, *v = b.embeddings + (b.rows + row) * b.dim;
      double uu = 0, vv = 0, uv = 0;
      for (size_t i = 0; i < b.dim; ++i) {
        uu += static_cast<double>(u[i]) * u[i];
        vv += static_cast<double>(v[i]) * v[i];
        uv += static_cast<double>(u[i]) * v[i];
      }
      const double length = std::sqrt(uu * vv), cosine = uv / length, off = cosine - b.labels[row];
      const double scale = 2 * off / static_cast<double>(b.rows);
      loss += off * off / static_cast<double>(b.rows);
      for (size_t i = 0; i < b.dim; ++i) {
        gradient[row * b.dim + i] = static_cast<float>(scale * (v[i] / length - cosine * u[i] / uu));
        gradient[(b.rows + row) * b.dim + i] =
            static_cast<float>(scale * (u[i] / length - cosine * v[i] / vv));
      }
    }
  }
};

TEST_F(Training, AHostsOwnCosineLossMakesTheSameSteps) {
  const Trainer own = trainer(small_settings(), false), hosted = trainer(small_settings(), false);
  for (uint64_t i = 0; i < 12; ++i) {
    SCOPED_TRACE("step " + std::to_string(i));
    const hone_batch batch = forward(hosted);
    EXPECT_EQ(batch.struct_size, sizeof batch);
    EXPECT_EQ(batch.step, i);
    EXPECT_EQ(batch.roles, 2u);
    EXPECT_EQ(batch.dim, static_cast<size_t>(kDim));
    const HostMse host(batch);
    const hone_progress p = backward(hosted, host.gradient, host.loss);
    const hone_progress expected = step(own);
    EXPECT_EQ(p.loss, host.loss);
    EXPECT_EQ(p.steps_done, expected.steps_done);
    EXPECT_EQ(p.examples_done, expected.examples_done);
    EXPECT_EQ(p.learning_rate, expected.learning_rate);
    // Adam divides a gradient by its own size: where one is as small as its rounding error, the update is
    // noise of up to the rate, 1e-3, for either side. Such weights hardly count in the loss.
    EXPECT_NEAR(p.loss, expected.loss, 1e-5);
  }
  const auto a = encode(model_of(own), kTexts), b = encode(model_of(hosted), kTexts),
             base = encode(model, kTexts);
  double apart = 0, moved = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    apart = std::max(apart, static_cast<double>(std::abs(a[i] - b[i])));
    moved = std::max(moved, static_cast<double>(std::abs(a[i] - base[i])));
  }
  EXPECT_LT(apart, 1e-4);
  EXPECT_GT(moved, 1e-2);
}

TEST_F(Training, ABatchIsThatOfItsRows) {
  const Trainer hosted = trainer(
      {{"train.steps", 8}, {"train.batch_size", 16}, {"train.dropout", 0.0}, {"train.label_scale", 2.0}},
      false);
  const data::Table table = pairs();
  std::vector<int> seen(table.rows);
  for (uint64_t i = 0; i < 8; ++i) {
    const hone_batch batch = forward(hosted);
    ASSERT_EQ(batch.rows, i == 7 ? 8u : 16u) << "120 rows";
    std::vector<std::string> texts;
    for (const char* role : {"sentence1", "sentence2"}) {
      for (size_t row = 0; row < batch.rows; ++row) texts.push_back(table.text(role).at(batch.indices[row]));
    }
    for (size_t row = 0; row < batch.rows; ++row) {
      // Labels are trained on as float32.
      EXPECT_FLOAT_EQ(static_cast<float>(batch.labels[row]),
                      static_cast<float>(table.number("score")[batch.indices[row]] / 2));
      ++seen[batch.indices[row]];
    }
    const std::vector<float> vectors(batch.embeddings, batch.embeddings + texts.size() * batch.dim);
    EXPECT_EQ(vectors, encode(model_of(hosted), texts));
    // Asked again it is the same batch; asking for the model did not end it.
    const hone_batch again = forward(hosted);
    EXPECT_EQ(again.step, i);
    EXPECT_EQ(vectors, std::vector<float>(again.embeddings, again.embeddings + vectors.size()));
    const HostMse host(again);
    ASSERT_EQ(hone_trainer_backward(hosted, host.gradient.data(), host.gradient.size(), host.loss, nullptr,
                                    nullptr),
              HONE_OK);
  }
  EXPECT_EQ(seen, std::vector<int>(table.rows, 1));
  hone_batch batch = sized<hone_batch>();
  EXPECT_EQ(refused(HONE_EINVAL, [&](auto e) { return hone_trainer_forward(hosted, &batch, e); }).subject(),
            "trainer");
}

TEST_F(Training, BackwardNeedsForward) {
  const Trainer hosted = trainer(small_settings(), false);
  const std::vector<float> gradient(2 * 16 * kDim);
  const auto backward = [&](hone_error** error) {
    return hone_trainer_backward(hosted, gradient.data(), gradient.size(), 0, nullptr, error);
  };
  refused(HONE_EINVAL, backward);
  forward(hosted);
  ASSERT_EQ(backward(nullptr), HONE_OK);
  refused(HONE_EINVAL, backward);
}

TEST_F(Training, AGradientThatIsNoNumberIsRefused) {
  for (const float bad : {NAN, INFINITY}) {
    const Trainer hosted = trainer(small_settings(), false);
    const hone_batch batch = forward(hosted);
    std::vector<float> gradient(batch.roles * batch.rows * batch.dim);
    gradient.back() = bad;
    refused(HONE_EFAILED, [&](hone_error** error) {
      return hone_trainer_backward(hosted, gradient.data(), gradient.size(), 0, nullptr, error);
    });
  }
}

TEST_F(Training, ALossThatIsNoNumberEndsTheStep) {
  const TempFolder folder;
  model::save_model(*infinite_model(), folder / "infinite", {});
  model = load_model(runtime, folder / "infinite");
  const Trainer hosted = trainer(small_settings(), false);
  const Failure failure =
      refused(HONE_EFAILED, [&](auto e) { return hone_trainer_step(hosted, nullptr, e); });
  EXPECT_NE(failure.message().find("loss"), std::string::npos) << failure.message();
}

TEST_F(Training, TheSameBitsAtAnyNumberOfThreads) {
  std::vector<std::string> weights;
  for (const int threads : {1, 3}) {
    const Runtime other = make_runtime(threads);
    const Model base = load_model(other);
    const Dataset rows = read_pairs(other);
    const Trainer made = make_trainer(base, rows, rows, small_settings());
    const Job job = start(made);
    ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
    weights.push_back(weights_of(result_of(job)));
  }
  EXPECT_EQ(weights[0], weights[1]);
}

// Handles of two runtimes may meet: the trainer works with its model's.
TEST_F(Training, DataOfAnotherRuntime) {
  Runtime other = make_runtime(1);
  const Dataset rows = read_pairs(other);
  other.reset();
  const Trainer made = make_trainer(model, rows, nullptr, small_settings());
  const Trainer usual = trainer(small_settings(), false);
  EXPECT_EQ(step(made).loss, step(usual).loss);
}

}  // namespace

}  // namespace hone::testing
