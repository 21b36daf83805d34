// train.out: what a job leaves in its folder, and how the next goes on from it.
#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/base/temp_folder.h"
#include "tests/capi/jobs.h"
#include "tests/train/small_run.h"

namespace hone::testing {

namespace {

class TrainingOut : public Jobs {
 protected:
  // Small, with evaluation, written to `name`.
  Trainer to(const std::string& name, const std::string& existing = "refuse") {
    return make_trainer(
        model, dataset, dataset,
        small_settings({{"train.out", (folder / name).string()}, {"train.existing", existing}}));
  }
  // Cancelled by its callback once `steps` are done.
  void cancelled_after(hone_trainer* trainer, uint64_t steps) {
    Recorder recorder;
    recorder.on_progress = [steps](const hone_progress& p) { return p.steps_done >= steps ? 1 : 0; };
    const hone_job_callbacks callbacks = recorder.callbacks();
    const Job job = start(trainer, &callbacks);
    EXPECT_EQ(end_of(job), HONE_JOB_CANCELLED);
    EXPECT_TRUE(recorder.released.pass());
  }
  // That a job with this folder fails, wherever it is found out; what is said.
  std::string failure_of(hone_trainer* trainer) {
    Job job;
    Failure failure;
    const hone_status status = hone_trainer_start(trainer, nullptr, job.place(), failure.place());
    if (status != HONE_OK) {
      EXPECT_EQ(status, HONE_EFAILED);
      expect_no_flags(failure.message());
      return failure.message();
    }
    EXPECT_EQ(end_of(job), HONE_JOB_FAILED);
    const std::string message = hone_job_error(job) == nullptr ? "" : hone_error_message(hone_job_error(job));
    expect_no_flags(message);
    return message;
  }

  TempFolder folder;
};

TEST_F(TrainingOut, AFolderHasTheFilesOfTheCommandLine) {
  train_small(folder / "core", small_options(), train::OnExisting::refuse, 1);
  const Trainer trainer = to("out");
  const Job job = start(trainer);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  EXPECT_EQ(differences(contents(folder / "core"), contents(folder / "out")), "");
  EXPECT_EQ(encode(load_model(runtime, folder / "out"), kTexts), encode(result_of(job), kTexts));
}

TEST_F(TrainingOut, ACancelledJobGoesOnWithTheBitsOfOneThatNeverStopped) {
  const Trainer whole = to("whole");
  ASSERT_EQ(end_of(start(whole)), HONE_JOB_FINISHED);
  const Trainer first = to("parts");
  cancelled_after(first, 4);
  ASSERT_TRUE(fs::exists(folder / "parts/checkpoint/state.json"));
  const Trainer second = to("parts", "resume");
  cancelled_after(second, 7);
  const Trainer third = to("parts", "resume");
  const Job job = start(third);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  EXPECT_EQ(differences(contents(folder / "whole"), contents(folder / "parts")), "");
  EXPECT_EQ(nlohmann::json::parse(report_of(job))["steps"], 12);
}

TEST_F(TrainingOut, AResumedJobSaysWhatWasReached) {
  const Trainer first = to("parts");
  cancelled_after(first, 7);  // after the evaluation of step 5
  const Trainer second = to("parts", "resume");
  Recorder recorder;
  const hone_job_callbacks callbacks = recorder.callbacks();
  ASSERT_EQ(end_of(start(second, &callbacks)), HONE_JOB_FINISHED);
  ASSERT_TRUE(recorder.released.pass());
  const hone_progress& reached = recorder.progress_seen.front();
  EXPECT_GE(reached.steps_done, 7u);
  EXPECT_LT(reached.steps_done, 12u);
  EXPECT_EQ(reached.examples_done, 0u) << "by this job";
  EXPECT_TRUE(std::isfinite(reached.best_metric));
  EXPECT_TRUE(std::isnan(reached.metric)) << "nothing was evaluated yet";
  for (const hone_progress& p : recorder.progress_seen) EXPECT_GE(p.best_metric, reached.best_metric);

  const Trainer third = to("parts", "resume");
  const Job finished = start(third);
  ASSERT_EQ(end_of(finished), HONE_JOB_FINISHED);
  hone_progress last = sized<hone_progress>();
  ASSERT_EQ(hone_job_next_event(finished, 0, &last, nullptr), HONE_OK);
  EXPECT_EQ(last.best_metric, recorder.progress_seen.back().best_metric) << "of a run that is finished";
}

// Asked to in the last evaluation's progress, so that the verdict is what is left.
TEST_F(TrainingOut, AJobCancelledBeforeItsVerdictGoesOnWithTheSameBits) {
  const Trainer whole = to("whole");
  ASSERT_EQ(end_of(start(whole)), HONE_JOB_FINISHED);
  for (const char* existing : {"refuse", "resume"}) {
    Recorder recorder;
    int last = 0;
    recorder.on_progress = [&](const hone_progress& p) { return p.steps_done == 12 && ++last == 2 ? 1 : 0; };
    const hone_job_callbacks callbacks = recorder.callbacks();
    const Trainer trainer = to("parts", existing);
    const Job job = start(trainer, &callbacks);
    EXPECT_EQ(end_of(job), HONE_JOB_CANCELLED);
    EXPECT_TRUE(recorder.released.pass());
    EXPECT_FALSE(fs::exists(folder / "parts/training.json"));
    if (existing == std::string("refuse")) fs::remove_all(folder / "parts");
    if (existing == std::string("refuse")) cancelled_after(to("parts"), 11);
  }
  ASSERT_EQ(end_of(start(to("parts", "resume"))), HONE_JOB_FINISHED);
  EXPECT_EQ(differences(contents(folder / "whole"), contents(folder / "parts")), "");
}

TEST_F(TrainingOut, AJobThatALimitEndedGoesOnAndReportsIntervalsOfEveryMetric) {
  const Trainer whole = to("whole");
  ASSERT_EQ(end_of(start(whole)), HONE_JOB_FINISHED);
  const Trainer limited =
      make_trainer(model, dataset, dataset,
                   small_settings({{"train.out", (folder / "parts").string()}, {"train.max_minutes", 1e-9}}));
  const Job first = start(limited);
  ASSERT_EQ(end_of(first), HONE_JOB_FINISHED);
  const auto report = nlohmann::json::parse(report_of(first));
  EXPECT_EQ(report["steps"], 1);
  EXPECT_EQ(report["ended_early"], "after 1e-09 minutes");
  EXPECT_GT(report["checkpoint_bytes"], 0);
  for (const char* when : {"before", "after"}) {
    const auto& intervals = report[std::string(when) + "_95"];
    EXPECT_EQ(intervals.size(), report[when].size());
    for (const auto& [name, value] : report[when].items()) {
      EXPECT_LE(intervals.at(name).at(0), intervals.at(name).at(1)) << name;
    }
  }
  const Trainer rest = to("parts", "resume");
  const Job second = start(rest);
  ASSERT_EQ(end_of(second), HONE_JOB_FINISHED);
  EXPECT_EQ(nlohmann::json::parse(report_of(second))["checkpoint_bytes"], 0);
  EXPECT_EQ(differences(contents(folder / "whole"), contents(folder / "parts")), "");
}

TEST_F(TrainingOut, AReleasedJobKeepsACheckpointToo) {
  Recorder recorder;
  Gate go_on;
  recorder.on_progress = [&](const hone_progress& p) {
    EXPECT_TRUE(p.steps_done < 1 || go_on.pass());
    return 0;
  };
  const Trainer trainer = make_trainer(
      model, dataset, nullptr,
      {{"train.steps", 100000000}, {"train.checkpoint_steps", 0}, {"train.out", (folder / "out").string()}});
  const hone_job_callbacks callbacks = recorder.callbacks();
  Job job = start(trainer, &callbacks);
  ASSERT_TRUE(recorder.begun.pass());
  job.reset();
  go_on.open();
  ASSERT_TRUE(recorder.released.pass());
  EXPECT_EQ(recorder.state, HONE_JOB_CANCELLED);
  EXPECT_TRUE(fs::exists(folder / "out/checkpoint/state.json"));
}

TEST_F(TrainingOut, AFinishedRunIsRefusedResumedOrReplaced) {
  const Trainer trainer = to("out");
  const Job job = start(trainer);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  const auto before = contents(folder / "out");

  const Trainer refusing = to("out");
  const std::string message = failure_of(refusing);
  EXPECT_NE(message.find((folder / "out").string()), std::string::npos) << message;
  EXPECT_NE(message.find("replace it with train.existing \"overwrite\""), std::string::npos) << message;
  EXPECT_EQ(differences(before, contents(folder / "out")), "");

  const Trainer resuming = to("out", "resume");
  const Job again = start(resuming);
  ASSERT_EQ(end_of(again), HONE_JOB_FINISHED);
  EXPECT_EQ(nlohmann::json::parse(report_of(again))["already_finished"], true);
  hone_progress last = sized<hone_progress>();
  ASSERT_EQ(hone_job_next_event(again, 0, &last, nullptr), HONE_OK);
  EXPECT_EQ(last.steps_done, 12u) << "of a run that is finished";
  EXPECT_EQ(encode(result_of(again), kTexts), encode(result_of(job), kTexts));
  EXPECT_EQ(differences(before, contents(folder / "out")), "");

  const Trainer replacing = to("out", "overwrite");
  ASSERT_EQ(end_of(start(replacing)), HONE_JOB_FINISHED);
  EXPECT_EQ(differences(before, contents(folder / "out")), "");
}

TEST_F(TrainingOut, AFolderOfSomethingElseIsNotTouched) {
  folder.write("mine/diary.txt", "kept");
  for (const char* existing : {"refuse", "resume", "overwrite"}) {
    const Trainer trainer = to("mine", existing);
    EXPECT_NE(failure_of(trainer).find((folder / "mine").string()), std::string::npos);
    EXPECT_EQ(folder.read("mine/diary.txt"), "kept");
    EXPECT_EQ(folder.names("mine").size(), 1u);
  }
}

TEST_F(TrainingOut, ARunWithOtherSettingsIsNotGoneOnWith) {
  const Trainer first = to("out");
  cancelled_after(first, 4);
  const Trainer other = make_trainer(
      model, dataset, dataset,
      small_settings(
          {{"train.out", (folder / "out").string()}, {"train.existing", "resume"}, {"train.lr", 2e-3}}));
  EXPECT_NE(failure_of(other).find("lr"), std::string::npos);
}

}  // namespace

}  // namespace hone::testing
