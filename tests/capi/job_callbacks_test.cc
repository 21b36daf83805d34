// Callbacks of a job: their order, what they may call, what they stop.
#include "tests/capi/jobs.h"

namespace hone::testing {

namespace {

TEST_F(Jobs, CallbacksComeInOrderAndOnlyOnce) {
  Recorder recorder;
  const Trainer trainer = short_trainer(6);
  const hone_job_callbacks callbacks = recorder.callbacks();
  const Job job = start(trainer, &callbacks);
  EXPECT_EQ(end_of(job), HONE_JOB_FINISHED);
  ASSERT_TRUE(recorder.released.pass());
  EXPECT_EQ(recorder.order, kAllInOrder);
  EXPECT_EQ(recorder.state, HONE_JOB_FINISHED);
  EXPECT_EQ(recorder.message, "");
  uint64_t before = 0;
  for (const hone_progress& p : recorder.progress_seen) {
    EXPECT_EQ(p.struct_size, sizeof p);
    EXPECT_EQ(p.state, HONE_JOB_RUNNING);
    EXPECT_GE(p.steps_done, before);
    EXPECT_EQ(p.steps_total, 6u);
    EXPECT_EQ(p.examples_done, 4 * p.steps_done);
    before = p.steps_done;
  }
  for (const std::thread::id id : recorder.threads) EXPECT_NE(id, std::this_thread::get_id());
}

TEST_F(Jobs, CallbacksAreCopied) {
  Recorder recorder;
  const Trainer trainer = short_trainer();
  hone_job_callbacks callbacks = recorder.callbacks();
  const Job job = start(trainer, &callbacks);
  callbacks = {};
  EXPECT_TRUE(recorder.released.pass());
}

TEST_F(Jobs, EveryCallbackMayBeMissing) {
  for (int kept = 0; kept < 8; ++kept) {
    Recorder recorder;
    const Trainer trainer = short_trainer();
    hone_job_callbacks callbacks = recorder.callbacks();
    if ((kept & 1) == 0) callbacks.on_progress = nullptr;
    if ((kept & 2) == 0) callbacks.on_finish = nullptr;
    if ((kept & 4) == 0) callbacks.on_release = nullptr;
    const Job job = start(trainer, &callbacks);
    EXPECT_EQ(end_of(job), HONE_JOB_FINISHED);
    if (callbacks.on_release != nullptr) {
      ASSERT_TRUE(recorder.released.pass());
    }
    if (callbacks.on_finish != nullptr) {
      EXPECT_TRUE(recorder.finished.is_open());
    }
  }
}

TEST_F(Jobs, ProgressThatReturnsNotZeroCancels) {
  for (const int32_t answer : {1, -1, INT32_MIN}) {
    Recorder recorder;
    recorder.on_progress = [answer](const hone_progress& p) { return p.steps_done >= 3 ? answer : 0; };
    const Trainer trainer = endless_trainer();
    const hone_job_callbacks callbacks = recorder.callbacks();
    const Job job = start(trainer, &callbacks);
    EXPECT_EQ(end_of(job), HONE_JOB_CANCELLED);
    ASSERT_TRUE(recorder.released.pass());
    EXPECT_EQ(recorder.order, kAllInOrder);
    EXPECT_EQ(recorder.state, HONE_JOB_CANCELLED);
    EXPECT_EQ(hone_job_error(job), nullptr);
  }
}

TEST_F(Jobs, CallbacksMayUseTheirJob) {
  Recorder recorder;
  Job job;
  Gate given;  // `job` is there
  const auto use = [&] {
    ASSERT_TRUE(given.pass());
    Failure failure;
    for (const int64_t timeout : {int64_t{0}, int64_t{10}, int64_t{-1}}) {
      EXPECT_EQ(hone_job_wait(job, timeout, failure.place()), HONE_EDEADLOCK);
      EXPECT_EQ(failure.code(), HONE_EDEADLOCK);
      EXPECT_FALSE(failure.message().empty());
    }
    EXPECT_EQ(hone_job_retain(job), static_cast<hone_job*>(job));
    hone_job_release(job);
    EXPECT_EQ(hone_job_error(job), nullptr);
  };
  recorder.on_progress = [&](const hone_progress&) {
    use();
    EXPECT_EQ(hone_job_poll(job), HONE_JOB_RUNNING);
    // What is there already needs no waiting; after it there is nothing before this callback returns.
    hone_progress event = sized<hone_progress>();
    Failure failure;
    if (hone_job_next_event(job, -1, &event, failure.place()) == HONE_OK) {
      for (const int64_t timeout : {int64_t{0}, int64_t{10}, int64_t{-1}}) {
        EXPECT_EQ(hone_job_next_event(job, timeout, &event, failure.place()), HONE_EDEADLOCK);
      }
    }
    EXPECT_EQ(failure.code(), HONE_EDEADLOCK);
    Model none;
    EXPECT_EQ(hone_job_result(job, none.place(), nullptr), HONE_EBUSY);
    hone_job_cancel(job);
    return 0;
  };
  recorder.on_finish = [&](int32_t, const hone_error*) { use(); };
  const Trainer trainer = endless_trainer();
  const hone_job_callbacks callbacks = recorder.callbacks();
  job = start(trainer, &callbacks);
  given.open();
  EXPECT_EQ(end_of(job), HONE_JOB_CANCELLED);
  ASSERT_TRUE(recorder.released.pass());
  EXPECT_EQ(recorder.order, kAllInOrder);
}

TEST_F(Jobs, ACallbackMayReleaseTheLastReferenceToItsJob) {
  for (const bool at_finish : {false, true}) {
    Recorder recorder;
    hone_job* job = nullptr;
    Gate given;
    const auto let_go = [&] {
      ASSERT_TRUE(given.pass());
      hone_job_release(std::exchange(job, nullptr));
    };
    recorder.on_progress = [&](const hone_progress&) {
      if (!at_finish) let_go();
      return 0;
    };
    recorder.on_finish = [&](int32_t, const hone_error*) {
      if (at_finish) let_go();
    };
    // The end comes of itself where nothing is released before.
    const Trainer trainer = at_finish ? short_trainer() : endless_trainer();
    const hone_job_callbacks callbacks = recorder.callbacks();
    job = start(trainer, &callbacks).give();
    given.open();
    ASSERT_TRUE(recorder.released.pass());
    EXPECT_EQ(recorder.order, kAllInOrder);
    EXPECT_EQ(recorder.state, at_finish ? HONE_JOB_FINISHED : HONE_JOB_CANCELLED);
  }
}

TEST_F(Jobs, ACallbackMayUseEveryOtherHandle) {
  Recorder recorder;
  const std::vector<float> expected = encode(model, kTexts);
  bool once = true;
  recorder.on_progress = [&](const hone_progress&) {
    if (std::exchange(once, false)) {
      EXPECT_EQ(encode(model, kTexts), expected);
      // A job of its own, waited for.
      const Trainer other = short_trainer();
      const Job inner = start(other);
      EXPECT_EQ(end_of(inner), HONE_JOB_FINISHED);
    }
    return 0;
  };
  const Trainer trainer = short_trainer();
  const hone_job_callbacks callbacks = recorder.callbacks();
  const Job job = start(trainer, &callbacks);
  EXPECT_EQ(end_of(job), HONE_JOB_FINISHED);
  EXPECT_TRUE(recorder.released.pass());
  EXPECT_FALSE(once);
}

// While a callback does not return, everybody else still gets an answer.
TEST_F(Jobs, ACallbackThatBlocksHoldsNobodyElse) {
  Recorder recorder;
  Gate go_on;
  recorder.hold(go_on);
  const Trainer trainer = endless_trainer();
  const hone_job_callbacks callbacks = recorder.callbacks();
  const Job job = start(trainer, &callbacks);
  ASSERT_TRUE(recorder.begun.pass());
  EXPECT_EQ(hone_job_poll(job), HONE_JOB_RUNNING);
  EXPECT_EQ(hone_job_wait(job, 0, nullptr), HONE_ETIMEDOUT);
  EXPECT_EQ(hone_job_wait(job, 30, nullptr), HONE_ETIMEDOUT);
  hone_progress event = sized<hone_progress>();
  const hone_status status = hone_job_next_event(job, 30, &event, nullptr);
  EXPECT_TRUE(status == HONE_OK || status == HONE_ETIMEDOUT) << status;
  Model none;
  EXPECT_EQ(hone_job_result(job, none.place(), nullptr), HONE_EBUSY);
  EXPECT_EQ(encode(model, kTexts).size(), kTexts.size() * kDim);
  hone_job_cancel(job);
  hone_job_cancel(job);
  EXPECT_EQ(hone_job_wait(job, 0, nullptr), HONE_ETIMEDOUT);
  go_on.open();
  EXPECT_EQ(end_of(job), HONE_JOB_CANCELLED);
  EXPECT_TRUE(recorder.released.pass());
}

TEST_F(Jobs, WaitReturnsOnlyAfterOnFinish) {
  Recorder recorder;
  Gate go_on, entered;
  std::atomic<bool> returned = false;
  recorder.on_finish = [&](int32_t, const hone_error*) {
    entered.open();
    EXPECT_TRUE(go_on.pass());
    returned = true;
  };
  const Trainer trainer = short_trainer();
  const hone_job_callbacks callbacks = recorder.callbacks();
  const Job job = start(trainer, &callbacks);
  ASSERT_TRUE(entered.pass());
  EXPECT_EQ(hone_job_wait(job, 30, nullptr), HONE_ETIMEDOUT);
  std::thread opener([&] { go_on.open(); });
  EXPECT_EQ(end_of(job), HONE_JOB_FINISHED);
  EXPECT_TRUE(returned);
  opener.join();
  EXPECT_TRUE(recorder.released.pass());
}

}  // namespace

}  // namespace hone::testing
