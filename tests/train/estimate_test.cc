// The estimate grows with what it is to count. How near it comes is measured (docs/performance.md) and not
// tested here.
#include "train/estimate.h"

#include <gtest/gtest.h>

#include "tests/base/temp_folder.h"
#include "tests/train/small_run.h"

namespace hone::train {
namespace {

TEST(Estimate, seconds_are_those_of_steps_and_evaluations) {
  Workload work;
  work.steps = 100;
  work.tokens_per_step = 50;
  const double steps = estimate_seconds(work, {0.001, 0});
  EXPECT_NEAR(steps, 100 * 50 * 0.001 * 3.5, 1e-9);
  work.evaluations = 4;
  work.tokens_per_evaluation = 500;
  EXPECT_NEAR(estimate_seconds(work, {0.001, 0}), steps + 4 * 500 * 0.001, 1e-9);
  EXPECT_NEAR(estimate_seconds(work, {0.001, 7}), steps + 4 * 7, 1e-9);
}

TEST(Estimate, bytes_are_those_of_model_batch_copies_and_data) {
  const auto model = model::load_model(testing::kModels / "mean-gelu");
  Workload work;
  work.tokens_of_largest = 1000;
  const size_t bytes = estimate_bytes(*model, work, 0);
  EXPECT_GT(bytes, 4 * 5 * static_cast<size_t>(model->parameters()));
  EXPECT_EQ(estimate_bytes(*model, work, 12345), bytes + 12345);
  work.checkpoints = true;
  EXPECT_EQ(estimate_bytes(*model, work, 0), bytes + 2 * 4 * static_cast<size_t>(model->parameters()));
  work.checkpoints = false;
  work.tokens_of_largest = 2000;
  EXPECT_GT(estimate_bytes(*model, work, 0), bytes);
}

TEST(Estimate, bytes_of_a_device_are_those_of_weights_and_activations) {
  const auto model = model::load_model(testing::kModels / "mean-gelu");
  Workload work;
  const size_t weights = estimate_device_bytes(*model, work);
  EXPECT_GE(weights, 4 * 4 * static_cast<size_t>(model->parameters()));
  work.tokens_of_largest = 1000;
  EXPECT_EQ(estimate_device_bytes(*model, work), weights + 1000 * device_bytes_per_token(*model));
  EXPECT_GT(device_bytes_per_token(*model), bytes_per_token(*model));
  work.checkpoints = true;
  EXPECT_EQ(estimate_device_bytes(*model, work), weights + 1000 * device_bytes_per_token(*model))
      << "copies are the host's";
}

TEST(Estimate, bytes_count_what_is_trained_of_the_loss) {
  const auto model = model::load_model(testing::kModels / "mean-gelu");
  Workload work;
  const size_t without = estimate_bytes(*model, work, 0);
  work.head_floats = 1000000;
  EXPECT_GE(estimate_bytes(*model, work, 0), without + 4 * 4 * 1000000U);
}

TEST(Estimate, data_are_their_token_ids_each_text_once) {
  const auto model = model::load_model(testing::kModels / "mean-gelu")->with_max_seq_length(64);
  auto engine = compute::test_engine(1);
  auto bytes = [&](const std::string& rows) {
    return TrainData(
               data::parse_table("sentence1\tsentence2\tscore\n" + rows, "x.tsv", testing::pair_roles()),
               loss::find_loss("cosine"), 1, *model, *engine)
        .bytes();
  };
  const size_t small = bytes("a\tb\t1\n");
  EXPECT_GT(small, 2 * sizeof(std::vector<int32_t>));
  EXPECT_LT(small, 1000U);
  std::string words;
  for (int i = 0; i < 100; ++i) words += "rain ";
  EXPECT_GE(bytes(words + "\tb\t1\n"), small + 50 * sizeof(int32_t));
  EXPECT_LT(bytes("a\tb\t1\na\tb\t1\n"), small + 64);
}

// What run() tells: of the twelve steps, with evaluations after 5, 10 and 12.
TEST(Estimate, of_a_run_counts_what_is_left) {
  testing::TempFolder folder;
  auto estimate_of = [&](const char* out, train::OnExisting existing, int64_t stop, bool with_eval) {
    Estimate found;
    TrainCallbacks callbacks = testing::stopping_after(stop);
    callbacks.estimate = [&](const Estimate& e) { found = e; };
    testing::train_small(folder / out, testing::small_options(), existing, 1, callbacks, with_eval);
    return found;
  };
  const Estimate with = estimate_of("a", OnExisting::refuse, 11, true);
  const Estimate without = estimate_of("b", OnExisting::refuse, -1, false);
  EXPECT_GT(with.seconds, 0);
  EXPECT_GT(without.seconds, 0);
  EXPECT_GT(with.bytes, without.bytes);
  EXPECT_GT(estimate_of("a", OnExisting::resume, 12, true).seconds, 0);
}

// Vectors of the base model are made before there are activations: the larger of the two counts.
TEST(Estimate, has_what_only_the_time_before_the_first_step_takes) {
  const auto model = model::load_model(testing::kModels / "mean-gelu");
  Workload work;
  const size_t without = estimate_bytes(*model, work, 0);
  const size_t activations = 1000 * bytes_per_token(*model);
  work.bytes_before = activations + 5;
  EXPECT_EQ(estimate_bytes(*model, work, 0), without + activations + 5);
  work.tokens_of_largest = 1000;
  EXPECT_EQ(estimate_bytes(*model, work, 0), without + activations + 5);
  work.bytes_before = activations - 5;
  EXPECT_EQ(estimate_bytes(*model, work, 0), without + activations);
}

}  // namespace
}  // namespace hone::train
