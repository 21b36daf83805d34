// Many threads and one model: results are those of one thread, bit for bit.
#include <thread>

#include "tests/capi/jobs.h"

namespace hone::testing {

namespace {

constexpr int kThreads = 64, kRounds = 12;

// Texts of thread `i`: others than its neighbours', of several lengths.
std::vector<std::string> texts_of(int i) {
  std::vector<std::string> texts = {std::to_string(i) + " quick horses"};
  for (int j = 0; j < i % 5; ++j) texts.push_back(texts.back() + " read a long letter " + std::to_string(j));
  return texts;
}

TEST_F(Jobs, ManyThreadsEncodeWhileOneJobTrainsAndAnotherIsCancelled) {
  const Settings settings = {{"train.steps", 150}, {"train.batch_size", 8}, {"train.lr", 1e-3}};
  std::vector<std::vector<float>> expected;
  for (int i = 0; i < kThreads; ++i) expected.push_back(encode(model, texts_of(i)));
  const Trainer trainer = make_trainer(model, dataset, nullptr, settings);
  Job job = start(trainer);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  const std::vector<float> tuned = encode(result_of(job), kTexts);

  job = start(trainer);
  const Trainer endless = endless_trainer();
  const Job cancelled = start(endless);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i, own = model.another()] {
      for (int n = 0; n < kRounds; ++n) EXPECT_EQ(encode(own, texts_of(i)), expected[static_cast<size_t>(i)]);
      if (i == kThreads / 2) hone_job_cancel(cancelled);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(end_of(cancelled), HONE_JOB_CANCELLED);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  EXPECT_EQ(encode(result_of(job), kTexts), tuned);
}

TEST_F(Jobs, ManyThreadsAskOneJob) {
  const Trainer trainer = short_trainer(50);
  const Job job = start(trainer);
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, own = job.another()] {
      hone_progress event = sized<hone_progress>();
      while (hone_job_poll(own) == HONE_JOB_RUNNING) {
        const hone_status status = hone_job_next_event(own, 5, &event, nullptr);
        EXPECT_TRUE(status == HONE_OK || status == HONE_ETIMEDOUT) << status;
        EXPECT_EQ(hone_job_error(own), nullptr);
      }
      EXPECT_EQ(hone_job_wait(own, kGuardMs, nullptr), HONE_OK);
      EXPECT_EQ(hone_model_dim(result_of(own)), kDim);
      EXPECT_FALSE(report_of(own).empty());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(hone_job_poll(job), HONE_JOB_FINISHED);
}

}  // namespace

}  // namespace hone::testing
