// The pull side of a job: wait and next_event, with their time-outs.
#include <cmath>

#include "tests/capi/jobs.h"

namespace hone::testing {

namespace {

hone_progress next(hone_job* job, int64_t timeout_ms = kGuardMs) {
  hone_progress event = sized<hone_progress>();
  Failure failure;
  require(hone_job_next_event(job, timeout_ms, &event, failure.place()), failure);
  return event;
}

TEST_F(Jobs, EventsLeadToTheEnd) {
  const Trainer trainer = short_trainer(40);
  const Job job = start(trainer);
  uint64_t steps = 0;
  hone_progress event = next(job);
  for (; event.state == HONE_JOB_RUNNING; event = next(job)) {
    EXPECT_GE(event.steps_done, steps);
    EXPECT_LE(event.steps_done, 40u);
    EXPECT_EQ(event.steps_total, 40u);
    EXPECT_EQ(event.reserved, 0);
    EXPECT_TRUE(std::isnan(event.metric) && std::isnan(event.best_metric));
    if (event.steps_done > 0) {
      EXPECT_TRUE(std::isfinite(event.loss));
    }
    steps = event.steps_done;
  }
  EXPECT_EQ(event.state, HONE_JOB_FINISHED);
  EXPECT_EQ(event.steps_done, 40u);
  EXPECT_EQ(event.examples_done, 160u);
}

// Nobody fetched anything while it ran: what is left is the end, and it is given for ever.
TEST_F(Jobs, TheEndIsNeverLost) {
  const Trainer trainer = short_trainer(10);
  const Job job = start(trainer);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  for (const int64_t timeout : {int64_t{0}, int64_t{1}, kGuardMs, int64_t{-1}, INT64_MAX}) {
    const hone_progress event = next(job, timeout);
    EXPECT_EQ(event.state, HONE_JOB_FINISHED);
    EXPECT_EQ(event.steps_done, 10u);
  }
}

TEST_F(Jobs, NextEventTimesOutAndLeavesItsPlaceAlone) {
  Gate go_on;
  Recorder recorder;
  recorder.hold(go_on);
  const Trainer trainer = endless_trainer();
  const hone_job_callbacks callbacks = recorder.callbacks();
  const Job job = start(trainer, &callbacks);
  ASSERT_TRUE(recorder.begun.pass());
  // Steps may go on behind a callback that does not return, so that there may be events for ever; cancelled,
  // there are not.
  hone_job_cancel(job);
  hone_progress event = sized<hone_progress>();
  hone_status status = HONE_OK;
  for (int i = 0; i < 1000 && status == HONE_OK; ++i) {
    event = sized<hone_progress>();
    event.steps_done = 12345;
    status = hone_job_next_event(job, 20, &event, nullptr);
  }
  EXPECT_EQ(status, HONE_ETIMEDOUT);
  EXPECT_EQ(event.steps_done, 12345u);
  EXPECT_EQ(event.struct_size, sizeof event);
  go_on.open();
  do event = next(job);
  while (event.state == HONE_JOB_RUNNING);
  EXPECT_EQ(event.state, HONE_JOB_CANCELLED);
  EXPECT_TRUE(recorder.released.pass());
}

TEST_F(Jobs, WaitTimesOutWhileTheJobRuns) {
  const Trainer trainer = endless_trainer();
  const Job job = start(trainer);
  Failure failure;
  EXPECT_EQ(hone_job_wait(job, 0, failure.place()), HONE_ETIMEDOUT);
  EXPECT_EQ(failure.code(), HONE_ETIMEDOUT);
  EXPECT_EQ(hone_job_wait(job, 1, nullptr), HONE_ETIMEDOUT);
  EXPECT_EQ(hone_job_poll(job), HONE_JOB_RUNNING);
  hone_job_cancel(job);
  EXPECT_EQ(end_of(job), HONE_JOB_CANCELLED);
}

// The longest time there is must not become one that is over.
TEST_F(Jobs, ManyWaitAtOnceForAsLongAsCanBeSaid) {
  const Trainer trainer = endless_trainer();
  const Job job = start(trainer);
  std::atomic<int> waiting = 0, ended = 0;
  std::vector<std::thread> threads;
  for (const int64_t timeout : {int64_t{-1}, INT64_MAX, INT64_MIN, INT64_MAX / 1000000, INT64_MAX / 1000}) {
    threads.emplace_back([&, timeout] {
      ++waiting;
      EXPECT_EQ(hone_job_wait(job, timeout, nullptr), HONE_OK);
      EXPECT_EQ(hone_job_poll(job), HONE_JOB_CANCELLED);
      ++ended;
    });
    threads.emplace_back([&, timeout] {
      ++waiting;
      hone_progress event = sized<hone_progress>();
      do EXPECT_EQ(hone_job_next_event(job, timeout, &event, nullptr), HONE_OK);
      while (event.state == HONE_JOB_RUNNING);
      ++ended;
    });
  }
  while (waiting < 10) std::this_thread::yield();
  EXPECT_EQ(hone_job_wait(job, 50, nullptr), HONE_ETIMEDOUT);
  EXPECT_EQ(ended, 0);
  hone_job_cancel(job);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ended, 10);
}

TEST_F(Jobs, EvaluationsShowInTheEvents) {
  const Trainer trainer = make_trainer(
      model, dataset, dataset, {{"train.steps", 6}, {"train.batch_size", 16}, {"train.eval_steps", 3}});
  const Job job = start(trainer);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  const hone_progress last = next(job);
  EXPECT_TRUE(last.metric >= -1 && last.metric <= 1) << last.metric;
  EXPECT_TRUE(last.best_metric >= last.metric && last.best_metric <= 1) << last.best_metric;
  EXPECT_GE(last.seconds, 0);
}

}  // namespace

}  // namespace hone::testing
