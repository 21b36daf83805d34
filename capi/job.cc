#include "job.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>

#include "eval/scores_json.h"
#include "train/out_folder.h"

using hone::cat;

namespace hone::capi {

namespace {

train::OnExisting existing_of(const std::string& name) {
  return name == "resume"      ? train::OnExisting::resume
         : name == "overwrite" ? train::OnExisting::overwrite
                               : train::OnExisting::refuse;
}

}  // namespace

hone_progress no_progress(int64_t steps_total) {
  hone_progress p{};
  p.struct_size = sizeof p;
  p.state = HONE_JOB_RUNNING;
  p.steps_total = static_cast<uint64_t>(steps_total);
  p.loss = p.metric = p.best_metric = std::numeric_limits<double>::quiet_NaN();
  return p;
}

void note_step(hone_progress& p, const train::StepReport& report) {
  p.steps_done = static_cast<uint64_t>(report.step);
  p.steps_total = static_cast<uint64_t>(report.steps_total);
  p.examples_done += static_cast<uint64_t>(report.pairs);
  p.loss = report.loss;
  p.learning_rate = report.learning_rate;
  p.seconds = report.seconds;
}

JobState::JobState(hone_trainer& trainer, const hone_job_callbacks& callbacks, Ref<hone_model> base)
    : base_(std::move(base)),
      trainer_(trainer.trainer),
      busy_(trainer.busy),
      options_(trainer.options),
      callbacks_(callbacks),
      progress_(no_progress(trainer.trainer->steps_total())) {}

void JobState::start(const std::shared_ptr<JobState>& self, hone_job*& made, hone_job* handle) {
  try {
    // Held until the thread's own number is known: a callback may ask for it at once.
    std::lock_guard lock(self->mutex_);
    std::thread thread([self] { self->run(); });
    self->thread_ = thread.get_id();
    made = handle;
    thread.detach();
  } catch (const std::system_error& e) {
    fail("a thread for the job could not be started (", errno_text(e.code().value()),
         "): a runtime of fewer threads (--threads) or a higher limit on them leaves room for it");
  }
}

void say(const Sink* sink, std::string_view text) {
  if (sink == nullptr) return;
  constexpr std::string_view kWarning = "warning: ";
  const bool warning = text.starts_with(kWarning);
  if (warning) text.remove_prefix(kWarning.size());
  sink->say(warning ? HONE_LOG_WARNING : HONE_LOG_INFO, std::string(text));
}

void JobState::run() {
  int32_t end = HONE_JOB_FINISHED;
  hone_error* failure = nullptr;
  const hone_status status = guarded(&failure, [&] { train(); });  // its log sink is let go of here, too
  if (status != HONE_OK) {
    end = HONE_JOB_FAILED;
  } else if (result_.interrupted) {
    end = HONE_JOB_CANCELLED;
  }
  // Before anyone learns of the end: what is let go of later would be so while the program may be ending.
  trainer_.reset();
  base_ = {};
  {
    std::lock_guard lock(mutex_);
    if (failure != nullptr) error_ = Ref(*failure);
    progress_.state = end;
    ++version_;
    busy_->store(false);
  }
  release(failure);
  changed_.notify_all();
  if (callbacks_.on_finish != nullptr) {
    callbacks_.on_finish(callbacks_.user_data, end, end == HONE_JOB_FAILED && error_ ? &*error_ : nullptr);
  }
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
  }
  changed_.notify_all();
  if (callbacks_.on_release != nullptr) callbacks_.on_release(callbacks_.user_data);
}

void JobState::train() {
  const std::string& metric = trainer_->metric();
  const auto sink = base_->runtime->sink();
  hone_progress now = progress_;
  auto tell = [&]() noexcept {  // what leaves a callback ends the process
    publish(now);
    if (callbacks_.on_progress != nullptr && callbacks_.on_progress(callbacks_.user_data, &now) != 0)
      cancel();
  };
  const auto say = [&](std::string_view text) { capi::say(sink.get(), text); };
  train::TrainCallbacks callbacks;
  callbacks.begin = [&] {
    for (const std::string& line : trainer_->introduction()) say(line);
  };
  callbacks.note = say;
  callbacks.estimate = [&](const train::Estimate& e) {
    say(cat("estimate: ", std::llround(e.seconds), " s, ", e.bytes / 1000000, " MB"));
  };
  callbacks.resumed = [&](int64_t step, const train::EvalReport* best) {
    now.steps_done = static_cast<uint64_t>(step);
    if (best != nullptr) now.best_metric = best->value(metric);
    tell();
  };
  callbacks.step = [&](const train::StepReport& report) {
    note_step(now, report);
    tell();
  };
  callbacks.evaluation = [&](const train::EvalReport& report) {
    now.metric = report.value(metric);
    if (report.step > 0 && report.best) now.best_metric = now.metric;
    say(cat(report.step == 0 ? "before training" : cat("step ", report.step), ": ", metric, " ", now.metric));
    tell();
  };
  callbacks.stop = [&] { return cancelled_.load(); };
  if (!options_.text("train.out").empty()) {
    result_ =
        trainer_->run(options_.text("train.out"), existing_of(options_.text("train.existing")), callbacks);
  } else {
    result_ = trainer_->run(callbacks);
  }
  if (result_.already_finished) {
    now.steps_done = static_cast<uint64_t>(result_.steps);
    if (result_.after) now.best_metric = result_.after->value(metric);
    tell();
  }
  if (!result_.interrupted) say(cat(result_.below() ? "warning: " : "", result_.verdict_text()));
}

void JobState::publish(const hone_progress& progress) {
  {
    std::lock_guard lock(mutex_);
    progress_ = progress;
    ++version_;
  }
  changed_.notify_all();
}

int32_t JobState::state() const {
  std::lock_guard lock(mutex_);
  return progress_.state;
}

template <class Done>
hone_status JobState::wait_until(std::unique_lock<std::mutex>& lock, int64_t timeout_ms,
                                 const Done& done) const {
  if (done()) return HONE_OK;
  if (std::this_thread::get_id() == thread_) return HONE_EDEADLOCK;
  if (timeout_ms < 0) {
    changed_.wait(lock, done);
    return HONE_OK;
  }
  // A longer wait than the clock can count is one for ever, give or take 290 years.
  constexpr int64_t kLongest = int64_t{1} << 42;
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(std::min(timeout_ms, kLongest));
  return changed_.wait_until(lock, until, done) ? HONE_OK : HONE_ETIMEDOUT;
}

hone_status JobState::wait(int64_t timeout_ms) const {
  std::unique_lock lock(mutex_);
  if (std::this_thread::get_id() == thread_) return HONE_EDEADLOCK;
  return wait_until(lock, timeout_ms, [&] { return finished_; });
}

hone_status JobState::next_event(int64_t timeout_ms, hone_progress& out) {
  std::unique_lock lock(mutex_);
  const hone_status status = wait_until(
      lock, timeout_ms, [&] { return version_ != fetched_ || progress_.state != HONE_JOB_RUNNING; });
  if (status != HONE_OK) return status;
  fetched_ = version_;
  out = progress_;
  return HONE_OK;
}

const train::TrainResult& JobState::result() const {
  std::lock_guard lock(mutex_);
  switch (progress_.state) {
    case HONE_JOB_RUNNING:
      throw StatusError(HONE_EBUSY, "job", "job: it runs still, it has no result yet");
    case HONE_JOB_CANCELLED:
      throw StatusError(HONE_ECANCELLED, "job",
                        cat("job: it was cancelled after step ", result_.steps, ", it has no result"));
    case HONE_JOB_FAILED:
      if (!error_) throw StatusError(HONE_ENOMEM, "job", "job: out of memory");
      throw StatusError(error_->status, error_->subject, error_->message, error_->row);
    default:
      return result_;
  }
}

const hone_error* JobState::error() const {
  std::lock_guard lock(mutex_);
  return error_ ? &*error_ : nullptr;
}

}  // namespace hone::capi

using namespace hone::capi;  // NOLINT(google-build-using-namespace): not a header

extern "C" {

hone_status hone_trainer_start(hone_trainer* trainer, const hone_job_callbacks* callbacks, hone_job** out,
                               hone_error** error) {
  return guarded(error, [&] {
    hone_trainer& t = checked(trainer, "trainer");
    hone_job_callbacks given{};
    if (callbacks != nullptr) {
      given = read_sized(callbacks, offsetof(hone_job_callbacks, user_data) + sizeof callbacks->user_data,
                         "callbacks");
    }
    hone_job*& made = checked_out(out, "out");
    auto state = std::make_shared<JobState>(t, given, t.model);
    auto fresh = std::make_unique<hone_job>(state, t.model->runtime);
    if (t.busy->exchange(true)) throw StatusError(HONE_EBUSY, "trainer", "trainer: it has a running job");
    try {
      JobState::start(state, made, fresh.get());
    } catch (...) {
      t.busy->store(false);
      throw;
    }
    static_cast<void>(fresh.release());  // the caller's
  });
}

int32_t hone_job_poll(const hone_job* job) {
  return guarded_number<int32_t>([&] { return checked(job, "job").state->state(); });
}

hone_status hone_job_wait(hone_job* job, int64_t timeout_ms, hone_error** error) {
  return guarded(error, [&] {
    const hone_status status = checked(job, "job").state->wait(timeout_ms);
    if (status == HONE_ETIMEDOUT)
      throw StatusError(status, "job", cat("job: it runs still after ", timeout_ms, " ms"));
    if (status != HONE_OK) throw StatusError(status, "job", "job: a callback of this job cannot wait for it");
  });
}

hone_status hone_job_next_event(hone_job* job, int64_t timeout_ms, hone_progress* out, hone_error** error) {
  return guarded(error, [&] {
    hone_job& checked_job = checked(job, "job");
    check_sized(out, offsetof(hone_progress, state) + sizeof out->state, "out");
    hone_progress event{};
    const hone_status status = checked_job.state->next_event(timeout_ms, event);
    if (status == HONE_ETIMEDOUT)
      throw StatusError(status, "job", cat("job: nothing new after ", timeout_ms, " ms"));
    if (status != HONE_OK) throw StatusError(status, "job", "job: a callback of this job cannot wait for it");
    write_sized(out, event);
  });
}

void hone_job_cancel(hone_job* job) {
  if (is(job)) job->state->cancel();
}

hone_status hone_job_result(const hone_job* job, hone_model** out, hone_error** error) {
  return guarded(error, [&] {
    const hone_job& checked_job = checked(job, "job");
    hone_model*& made = checked_out(out, "out");
    made = new hone_model(checked_job.runtime, checked_job.state->result().model);
  });
}

hone_status hone_job_report(const hone_job* job, hone_buffer** out, hone_error** error) {
  return guarded(error, [&] {
    const hone_job& checked_job = checked(job, "job");
    hone_buffer*& made = checked_out(out, "out");
    const hone::train::TrainResult& result = checked_job.state->result();
    auto scores = [](const std::optional<hone::train::EvalReport>& report) -> nlohmann::ordered_json {
      if (!report) return nullptr;
      nlohmann::ordered_json j = nlohmann::ordered_json::object();
      for (const auto& [name, value] : report->metrics) j[name] = hone::eval::json_number(value);
      return j;
    };
    auto intervals = [](const std::optional<hone::train::EvalReport>& report) -> nlohmann::ordered_json {
      if (!report || report->intervals.empty()) return nullptr;
      nlohmann::ordered_json j = nlohmann::ordered_json::object();
      for (size_t m = 0; m < report->metrics.size(); ++m)
        j[report->metrics[m].first] = hone::eval::json_interval(report->intervals[m]);
      return j;
    };
    nlohmann::ordered_json j = {
        {"steps", result.steps},
        {"kept_step", result.kept_step},
        {"seconds", result.seconds},
        {"already_finished", result.already_finished},
        {"ended_early", result.ended_early.empty() ? nlohmann::ordered_json(nullptr)
                                                   : nlohmann::ordered_json(result.ended_early)},
        {"before", scores(result.before)},
        {"after", scores(result.after)},
        {"before_95", intervals(result.before)},
        {"after_95", intervals(result.after)},
        {"checkpoint_bytes", result.checkpoint_bytes},
        {"verdict", result.verdict ? result.verdict->json() : nlohmann::ordered_json(nullptr)}};
    j.update(result.beforehand());
    made = make_buffer(j.dump());
  });
}

const hone_error* hone_job_error(const hone_job* job) {
  return is(job) ? job->state->error() : nullptr;
}

hone_job* hone_job_retain(hone_job* job) {
  return retain(job);
}
void hone_job_release(hone_job* job) {
  release(job);
}

}  // extern "C"
