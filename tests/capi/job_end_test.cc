// How a job ends: finished, failed, cancelled, let go; and what outlives what.
#include <fstream>

#include "tests/base/temp_folder.h"
#include "tests/capi/jobs.h"
#include "tests/train/small_run.h"

namespace hone::testing {

namespace {

// The callback that holds the job returns only after the release did: a release that waited would never end.
TEST_F(Jobs, ReleaseOfARunningJobDoesNotWait) {
  Recorder recorder;
  Gate go_on;
  recorder.hold(go_on);
  const Trainer trainer = endless_trainer();
  const hone_job_callbacks callbacks = recorder.callbacks();
  Job job = start(trainer, &callbacks);
  ASSERT_TRUE(recorder.begun.pass());
  job.reset();
  EXPECT_FALSE(recorder.finished.is_open());
  go_on.open();
  ASSERT_TRUE(recorder.released.pass());
  EXPECT_EQ(recorder.order, kAllInOrder);
  EXPECT_EQ(recorder.state, HONE_JOB_CANCELLED);
}

TEST_F(Jobs, ReleaseOfOneOfTwoReferencesCancelsNothing) {
  const Trainer trainer = short_trainer(40);
  const Job job = start(trainer);
  job.another().reset();
  EXPECT_EQ(end_of(job), HONE_JOB_FINISHED);
}

TEST_F(Jobs, AHostThatNeverAsksLosesNothing) {
  Recorder recorder;
  const Trainer trainer = short_trainer();
  const hone_job_callbacks callbacks = recorder.callbacks();
  const Job job = start(trainer, &callbacks);
  ASSERT_TRUE(recorder.released.pass());
  EXPECT_EQ(recorder.state, HONE_JOB_FINISHED);
  EXPECT_EQ(hone_job_poll(job), HONE_JOB_FINISHED);
  EXPECT_EQ(hone_model_dim(result_of(job)), kDim);
}

TEST_F(Jobs, WhereStartFailsNoCallbackIsCalled) {
  const Trainer trainer = endless_trainer();
  const Job running = start(trainer);
  Recorder recorder;
  const hone_job_callbacks callbacks = recorder.callbacks();
  hone_job* job = nullptr;
  refused(HONE_EBUSY,
          [&](hone_error** error) { return hone_trainer_start(trainer, &callbacks, &job, error); });
  EXPECT_EQ(job, nullptr);
  hone_job_cancel(running);
  end_of(running);
  EXPECT_EQ(recorder.order, std::vector<std::string>());
}

TEST_F(Jobs, ATrainerWithARunningJobIsBusyAndThenTrainsAnew) {
  const Trainer trainer = short_trainer(30);
  Gate go_on;
  Recorder recorder;
  recorder.hold(go_on);
  const hone_job_callbacks callbacks = recorder.callbacks();
  const Job first = start(trainer, &callbacks);
  ASSERT_TRUE(recorder.begun.pass());
  hone_progress progress = sized<hone_progress>();
  hone_batch batch = sized<hone_batch>();
  const float gradient = 0;
  Model copy;
  const auto subject = [](const Failure& f) { return f.subject(); };
  EXPECT_EQ(subject(refused(HONE_EBUSY, [&](auto e) { return hone_trainer_step(trainer, &progress, e); })),
            "trainer");
  EXPECT_EQ(subject(refused(HONE_EBUSY, [&](auto e) { return hone_trainer_forward(trainer, &batch, e); })),
            "trainer");
  EXPECT_EQ(
      subject(refused(HONE_EBUSY,
                      [&](auto e) { return hone_trainer_backward(trainer, &gradient, 1, 0, &progress, e); })),
      "trainer");
  EXPECT_EQ(
      subject(refused(HONE_EBUSY, [&](auto e) { return hone_trainer_model(trainer, copy.place(), e); })),
      "trainer");
  go_on.open();
  ASSERT_EQ(end_of(first), HONE_JOB_FINISHED);
  ASSERT_TRUE(recorder.released.pass());
  const Job second = start(trainer);
  ASSERT_EQ(end_of(second), HONE_JOB_FINISHED);
  EXPECT_EQ(encode(result_of(first), kTexts), encode(result_of(second), kTexts));
  EXPECT_NE(encode(result_of(first), kTexts), encode(model, kTexts));
}

TEST_F(Jobs, AJobKeepsWhatItWasMadeFrom) {
  Trainer trainer = short_trainer(20);
  const Job reference = start(trainer);
  ASSERT_EQ(end_of(reference), HONE_JOB_FINISHED);
  const std::vector<float> expected = encode(result_of(reference), kTexts);

  Gate go_on;
  Recorder recorder;
  recorder.hold(go_on);
  const hone_job_callbacks callbacks = recorder.callbacks();
  const Job job = start(trainer, &callbacks);
  ASSERT_TRUE(recorder.begun.pass());
  runtime.reset();
  model.reset();
  dataset.reset();
  trainer.reset();
  go_on.open();
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  EXPECT_EQ(encode(result_of(job), kTexts), expected);
  EXPECT_TRUE(recorder.released.pass());
}

TEST_F(Jobs, TwoRuntimesOfOneProcessDoNotMeet) {
  Runtime other_runtime = make_runtime(1);
  const Model other_model = load_model(other_runtime);
  const Dataset other_pairs = read_pairs(other_runtime);
  const Trainer other = make_trainer(other_model, other_pairs, nullptr,
                                     {{"train.steps", 20}, {"train.batch_size", 4}, {"train.lr", 1e-3}});
  const Trainer trainer = short_trainer(20);
  const Job a = start(trainer), b = start(other);
  other_runtime.reset();
  ASSERT_EQ(end_of(a), HONE_JOB_FINISHED);
  ASSERT_EQ(end_of(b), HONE_JOB_FINISHED);
  EXPECT_EQ(encode(result_of(a), kTexts), encode(result_of(b), kTexts));
}

TEST_F(Jobs, AFailedJobSaysWhy) {
  const TempFolder folder;
  model::save_model(*infinite_model(), folder / "infinite", {});
  const Model infinite = load_model(runtime, folder / "infinite");
  const Trainer trainer = make_trainer(infinite, dataset, nullptr, {{"train.steps", 8}});
  Recorder recorder;
  const hone_job_callbacks callbacks = recorder.callbacks();
  const Job job = start(trainer, &callbacks);
  EXPECT_EQ(end_of(job), HONE_JOB_FAILED);
  ASSERT_TRUE(recorder.released.pass());
  EXPECT_EQ(recorder.state, HONE_JOB_FAILED);

  const hone_error* error = hone_job_error(job);
  ASSERT_NE(error, nullptr);
  const std::string message = hone_error_message(error);
  EXPECT_EQ(hone_error_code(error), HONE_EFAILED);
  EXPECT_NE(message.find("loss"), std::string::npos) << message;
  EXPECT_EQ(recorder.message, message);
  Model none;
  Buffer no_report;
  EXPECT_EQ(refused(HONE_EFAILED, [&](auto e) { return hone_job_result(job, none.place(), e); }).message(),
            message);
  EXPECT_EQ(
      refused(HONE_EFAILED, [&](auto e) { return hone_job_report(job, no_report.place(), e); }).message(),
      message);
  hone_progress last = sized<hone_progress>();
  ASSERT_EQ(hone_job_next_event(job, 0, &last, nullptr), HONE_OK);
  EXPECT_EQ(last.state, HONE_JOB_FAILED);
}

// Whether start or the job finds it out: what is said names the place, and nobody is called who need not be.
TEST_F(Jobs, AnOutThatCannotBeWrittenIsNamed) {
  const TempFolder folder;
  folder.write("file", "no folder");
  const Trainer trainer = make_trainer(
      model, dataset, nullptr, {{"train.steps", 2}, {"train.out", (folder / "file" / "out").string()}});
  Recorder recorder;
  const hone_job_callbacks callbacks = recorder.callbacks();
  Job job;
  Failure failure;
  const hone_status status = hone_trainer_start(trainer, &callbacks, job.place(), failure.place());
  std::string message = failure.message();
  if (status == HONE_OK) {
    EXPECT_EQ(end_of(job), HONE_JOB_FAILED);
    ASSERT_TRUE(recorder.released.pass());
    EXPECT_EQ(recorder.order.back(), "release");
    ASSERT_NE(hone_job_error(job), nullptr);
    message = hone_error_message(hone_job_error(job));
  } else {
    EXPECT_EQ(status, HONE_EFAILED) << message;
    EXPECT_EQ(recorder.order, std::vector<std::string>());
  }
  EXPECT_NE(message.find((folder / "file").string()), std::string::npos) << message;
}

TEST_F(Jobs, ACancelledJobHasNoResult) {
  const Trainer trainer = endless_trainer();
  const Job job = start(trainer);
  Model none;
  Buffer no_report;
  refused(HONE_EBUSY, [&](auto e) { return hone_job_result(job, none.place(), e); });
  refused(HONE_EBUSY, [&](auto e) { return hone_job_report(job, no_report.place(), e); });
  hone_job_cancel(job);
  EXPECT_EQ(end_of(job), HONE_JOB_CANCELLED);
  refused(HONE_ECANCELLED, [&](auto e) { return hone_job_result(job, none.place(), e); });
  refused(HONE_ECANCELLED, [&](auto e) { return hone_job_report(job, no_report.place(), e); });
  EXPECT_EQ(none, nullptr);
  EXPECT_EQ(no_report, nullptr);
}

TEST_F(Jobs, CancelAfterTheEndDoesNothing) {
  const Trainer trainer = short_trainer();
  const Job job = start(trainer);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  hone_job_cancel(job);
  EXPECT_EQ(hone_job_poll(job), HONE_JOB_FINISHED);
  EXPECT_EQ(hone_model_dim(result_of(job)), kDim);
}

}  // namespace

}  // namespace hone::testing
