// Handles: made and let go in any order, counted by any number of threads. AddressSanitizer says what was not
// freed.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <random>
#include <thread>

#include "tests/capi/host.h"

namespace hone::testing {

namespace {

// Pieces of one round, let go in the order that `random` gives.
class Round {
 public:
  template <class T>
  T* keep(Handle<T> handle) {
    T* const raw = handle.give();
    releases_.emplace_back([raw] { Counted<T>::release(raw); });
    return raw;
  }
  void let_go(std::mt19937& random) {
    std::shuffle(releases_.begin(), releases_.end(), random);
    for (const auto& release : releases_) release();
  }

 private:
  std::vector<std::function<void()>> releases_;
};

Dataset two_pairs(hone_runtime* runtime) {
  const char* const columns[] = {"sentence1", "sentence2", "score"};
  Dataset dataset;
  Failure failure;
  require(hone_dataset_create(runtime, columns, 3, nullptr, dataset.place(), failure.place()), failure);
  for (int i = 0; i < 2; ++i) {
    const hone_value row[] = {{{"one", 3}, 0}, {{"two", 3}, 0}, {{nullptr, 0}, 0.25 * i}};
    require(hone_dataset_add(dataset, row, 3, failure.place()), failure);
  }
  return dataset;
}

hone_dataset* keep_cheap_ones(Round& round, hone_runtime* runtime) {
  round.keep(make_config({{"train.steps", 1}}));
  hone_dataset* dataset = round.keep(two_pairs(runtime));
  Buffer info;
  require(hone_dataset_info(dataset, 1, info.place(), nullptr), {});
  round.keep(std::move(info));
  Handle<hone_error> error;
  EXPECT_EQ(hone_dataset_info(nullptr, 1, info.place(), error.place()), HONE_EINVAL);
  round.keep(std::move(error));
  return dataset;
}

// Sanitizers have enough of fewer: they look for races and stray accesses, not for what adds up.
#ifdef HONE_SANITIZED
constexpr int kRounds = 200;
#else
constexpr int kRounds = 10000;
#endif

// A handle of every kind in each round, and a job that may still run when the last that a host holds is let
// go. The smallest of each, so that ten thousand are soon made.
TEST(Handles, TenThousandRoundsInAnyOrder) {
  std::mt19937 random(2);
  std::atomic<int> at_work = 0;
  for (int i = 0; i < kRounds; ++i) {
    Round round;
    hone_runtime* runtime = round.keep(make_runtime(1));
    hone_dataset* dataset = keep_cheap_ones(round, runtime);
    hone_model* model = round.keep(load_model(runtime));
    hone_trainer* trainer = round.keep(
        make_trainer(model, dataset, nullptr, {{"train.steps", 1 + i % 2}, {"train.batch_size", 2}}));
    // A few jobs that nobody holds run at once, not thousands.
    while (at_work >= 8) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ++at_work;
    hone_job_callbacks callbacks{};
    callbacks.struct_size = sizeof callbacks;
    callbacks.user_data = &at_work;
    callbacks.on_release = [](void* count) { --*static_cast<std::atomic<int>*>(count); };
    Job job;
    ASSERT_EQ(hone_trainer_start(trainer, &callbacks, job.place(), nullptr), HONE_OK);
    if (i % 3 == 0) {
      ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
      round.keep(result_of(job));
    }
    round.keep(std::move(job));
    round.let_go(random);
  }
  while (at_work > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(Handles, AHandleKeepsWhatItWasMadeFrom) {
  Runtime runtime = make_runtime();
  Model model = load_model(runtime);
  const std::vector<float> expected = encode(model, kTexts);
  Dataset dataset = two_pairs(runtime);
  runtime.reset();
  EXPECT_EQ(encode(model, kTexts), expected);
  EXPECT_EQ(hone_dataset_size(dataset), 2);
  const Trainer trainer = make_trainer(model, dataset, nullptr, {{"train.steps", 2}});
  model.reset();
  dataset.reset();
  ASSERT_EQ(hone_trainer_step(trainer, nullptr, nullptr), HONE_OK);
  Model tuned;
  ASSERT_EQ(hone_trainer_model(trainer, tuned.place(), nullptr), HONE_OK);
  EXPECT_EQ(hone_model_dim(tuned), kDim);
}

// Threads that count up and down at once; a handle that is let go too early is found by AddressSanitizer, a
// race by ThreadSanitizer.
template <class T>
void count_from_threads(Handle<T> handle) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([own = handle.another()]() mutable {
      for (int n = 0; n < 5000; ++n) {
        Handle<T> another = own.another();
        ASSERT_EQ(static_cast<T*>(another), static_cast<T*>(own));
        if (n % 2 == 0) own = std::move(another);
      }
    });
  }
  handle.reset();
  for (std::thread& thread : threads) thread.join();
}

TEST(Handles, CountedByManyThreadsAtOnce) {
  Runtime runtime = make_runtime();
  Model model = load_model(runtime);
  Dataset dataset = two_pairs(runtime);
  Trainer trainer = make_trainer(model, dataset, nullptr, {{"train.steps", 2}});
  Job job = start(trainer);
  Buffer buffer;
  ASSERT_EQ(hone_model_info(model, buffer.place(), nullptr), HONE_OK);
  Handle<hone_error> error;
  ASSERT_EQ(hone_model_info(nullptr, buffer.place(), error.place()), HONE_EINVAL);
  ASSERT_EQ(hone_model_info(model, buffer.place(), nullptr), HONE_OK);
  count_from_threads(std::move(runtime));
  count_from_threads(std::move(model));
  count_from_threads(std::move(dataset));
  count_from_threads(std::move(trainer));
  count_from_threads(std::move(job));
  count_from_threads(std::move(buffer));
  count_from_threads(std::move(error));
  count_from_threads(make_config({}));
}

}  // namespace

}  // namespace hone::testing
