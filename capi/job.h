// A training run in the background.
//
// Rules: the run has a thread of its own and shares this state with its handle, so that the handle may go at
// any time. No callback is called under the lock. `finished` is set after on_finish has returned.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "handles.h"

namespace hone::capi {

class JobState {
 public:
  JobState(hone_trainer& trainer, const hone_job_callbacks& callbacks, Ref<hone_model> base);
  // Starts the thread; throws when there is none to be had, and then nothing was called.
  // `made` is written before any callback of the job.
  static void start(const std::shared_ptr<JobState>& self, hone_job*& made, hone_job* handle);

  int32_t state() const;
  void cancel() { cancelled_ = true; }
  // HONE_OK, HONE_ETIMEDOUT or HONE_EDEADLOCK.
  hone_status wait(int64_t timeout_ms) const;
  hone_status next_event(int64_t timeout_ms, hone_progress& out);
  // Throws StatusError while it runs, and where it has no result.
  const train::TrainResult& result() const;
  const hone_error* error() const;  // once it has failed

 private:
  void run();
  void train();
  void publish(const hone_progress& progress);
  template <class Done>
  hone_status wait_until(std::unique_lock<std::mutex>& lock, int64_t timeout_ms, const Done& done) const;

  Ref<hone_model>
      base_;  // while it runs: the thread must not be the last to hold a runtime when it has ended
  std::shared_ptr<train::Trainer> trainer_;
  std::shared_ptr<std::atomic<bool>> busy_;
  config::Options options_;
  hone_job_callbacks callbacks_;
  std::atomic<bool> cancelled_{false};

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::thread::id thread_;
  hone_progress progress_{};  // state HONE_JOB_RUNNING until the end
  uint64_t version_ = 0, fetched_ = 0;
  bool finished_ = false;
  train::TrainResult result_;
  Ref<hone_error> error_;
};

// The progress of a run before its first step.
hone_progress no_progress(int64_t steps_total);
void note_step(hone_progress& progress, const train::StepReport& report);
// A line of a trainer's for the log; it says itself that it is a warning.
void say(const Sink* sink, std::string_view text);

}  // namespace hone::capi

struct hone_job : hone::capi::Handle {
  hone_job(std::shared_ptr<hone::capi::JobState> shared, hone::capi::Ref<hone_runtime> parent)
      : Handle(hone::capi::HandleType<hone_job>::kMagicWord),
        state(std::move(shared)),
        runtime(std::move(parent)) {}
  ~hone_job() { state->cancel(); }
  const std::shared_ptr<hone::capi::JobState> state;
  const hone::capi::Ref<hone_runtime> runtime;  // of its result
};
