// Evaluations of the first numbers of each vector, against the reference's evaluators with truncate_dim
// (tests/fixtures/make_evaluators.py).
#include <gtest/gtest.h>

#include <cmath>

#include "eval/evaluation.h"
#include "eval/retrieval.h"
#include "tests/compute/test_engine.h"
#include "tests/eval/fixture.h"
#include "tests/places.h"

namespace hone::eval {
namespace {

namespace fs = std::filesystem;

const fs::path kModels = fs::path(testing::kFixtures) / "models",
               kSets = fs::path(testing::kFixtures) / "evaluators";

fs::path file_of(const std::string& task) {
  return task == "sts" ? kModels / "pairs.jsonl" : kSets / (task + ".jsonl");
}

Options first(int32_t dim) {
  Options options;
  options.dim = dim;
  return options;
}

// Of a task on the fixtures' data.
std::unique_ptr<Evaluation> evaluation(const std::string& task, const model::SentenceModel& model,
                                       const std::shared_ptr<compute::Engine>& engine, int32_t dim) {
  if (task == "retrieval") {
    return make_retrieval(read_retrieval(find_retrieval_files(kSets / "beir", "test")), model, engine,
                          first(dim));
  }
  data::ReadOptions read;
  read.roles = task_roles(task);
  return make_evaluation(task, data::read_table(file_of(task), read), model, engine, first(dim));
}

const std::vector<std::string> kTasks{"sts", "binary", "triplet", "retrieval", "mse"};

// The vectors of both differ by rounding, 1e-6, and the reference computes similarities in 32 bits; a score
// that is a share of rows is the same or moves by one of them.
TEST(EvaluationDim, scores_are_the_references) {
  const auto engine = compute::test_engine(2);
  const nlohmann::json reference = fixture_file("evaluators/truncated.json");
  for (const auto& [name, dims] : reference.items()) {
    const auto model = model::load_model(kModels / name);
    encode::Encoder encoder(model, engine);
    for (const auto& [dim, tasks] : dims.items()) {
      ASSERT_EQ(tasks.size(), kTasks.size());
      for (const std::string& task : kTasks) {
        SCOPED_TRACE(name + " " + dim + " " + task);
        const Result result = evaluation(task, *model, engine, std::stoi(dim))->run(encoder);
        // Of sts the reference also tells the largest of the four.
        for (const auto& [metric, found] : result.metrics) {
          SCOPED_TRACE(metric);
          const auto& expected = tasks.at(task).at(metric);
          const double size = expected.is_null() ? 0 : std::abs(expected.get<double>());
          expect_near(found, expected, 1e-4 * std::max(1.0, size));
        }
      }
    }
  }
  EXPECT_EQ(reference.size(), 2U);
}

TEST(EvaluationDim, of_the_whole_width_is_the_evaluation_without) {
  const auto engine = compute::test_engine(2);
  const auto model = model::load_model(kModels / "mean-gelu");
  encode::Encoder encoder(model, engine);
  for (const std::string& task : kTasks) {
    SCOPED_TRACE(task);
    const auto without = evaluation(task, *model, engine, 0), whole = evaluation(task, *model, engine, 32),
               half = evaluation(task, *model, engine, 16);
    EXPECT_EQ(whole->run(encoder).metrics, without->run(encoder).metrics);
    EXPECT_NE(half->run(encoder).metrics, without->run(encoder).metrics);
    EXPECT_FALSE(without->described().contains("dim"));
    EXPECT_EQ(half->described().at("dim"), 16);
    EXPECT_EQ(half->dim(), 16);
  }
}

TEST(EvaluationDim, is_found_to_be_too_wide_before_anything_is_encoded) {
  const auto engine = compute::test_engine(1);
  const auto model = model::load_model(kModels / "new-schema-list");
  for (const std::string& task : kTasks) {
    for (const int32_t dim : {21, -1}) {
      try {
        evaluation(task, *model, engine, dim);
        ADD_FAILURE() << task << " takes " << dim;
      } catch (const UsageError& e) {
        EXPECT_EQ(e.what(), cat("dim: ", dim, " found, 1 to 20 expected, the width of the vectors of ",
                                kModels / "new-schema-list"));
      }
    }
  }
}

// As in the reference, a teacher's vectors are cut too, and may have more numbers than the model's.
TEST(EvaluationDim, of_a_teachers_vectors_wants_as_many_numbers) {
  const auto engine = compute::test_engine(1);
  const auto model = model::load_model(kModels / "concatenated");  // 128 numbers
  EXPECT_NO_THROW(evaluation("mse", *model, engine, 32));
  const std::string file =
      file_of("mse").string() + ": column \"vector\": found vectors of 32 numbers, expected ";
  const auto message = [&](int32_t dim) -> std::string {
    try {
      evaluation("mse", *model, engine, dim);
    } catch (const UsageError&) {
      return "a usage error";
    } catch (const Error& e) {
      return e.what();
    }
    return "none";
  };
  EXPECT_EQ(message(33), file + "33 or more, for --dim");
  EXPECT_EQ(message(0), file + "128, as the model's");
}

}  // namespace
}  // namespace hone::eval
