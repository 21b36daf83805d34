// What the tests of jobs share: callbacks that record, and jobs that run until they are told to stop.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/capi/host.h"

namespace hone::testing {

// A door that is shut until it is opened, for good.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  // False when it stayed shut for as long as a test waits.
  bool pass() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(kGuardMs), [&] { return open_; });
  }
  bool is_open() {
    const std::lock_guard lock(mutex_);
    return open_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

// Callbacks of one job. Outlives it: a test that gives it away waits for `released`.
class Recorder {
 public:
  std::function<int32_t(const hone_progress&)> on_progress;
  std::function<void(int32_t, const hone_error*)> on_finish;
  // From now on on_progress returns only once `go_on` lets it.
  void hold(Gate& go_on) {
    on_progress = [&](const hone_progress&) {
      EXPECT_TRUE(go_on.pass());
      return 0;
    };
  }
  Gate begun, finished, released;  // the first on_progress was entered; on_finish, on_release were called

  hone_job_callbacks callbacks() {
    hone_job_callbacks c = sized<hone_job_callbacks>();
    c.user_data = this;
    c.on_progress = [](void* self, const hone_progress* p) {
      return static_cast<Recorder*>(self)->progress(*p);
    };
    c.on_finish = [](void* self, int32_t last, const hone_error* error) {
      static_cast<Recorder*>(self)->finish(last, error);
    };
    c.on_release = [](void* self) { static_cast<Recorder*>(self)->release(); };
    return c;
  }

  // To be read once `released` is open, or where nothing was called.
  std::vector<hone_progress> progress_seen;
  std::vector<std::string> order;  // "progress" (once for all in a row), "finish", "release"
  int32_t state = 0;
  std::string message;  // of on_finish's error
  std::vector<std::thread::id> threads;

 private:
  // Callbacks come one at a time.
  struct Alone {
    explicit Alone(Recorder& recorder) : recorder_(recorder) {
      EXPECT_FALSE(recorder_.inside_.exchange(true));
    }
    ~Alone() { recorder_.inside_ = false; }
    Recorder& recorder_;
  };
  void note(const char* what) {
    if (order.empty() || order.back() != what || order.back() != "progress") order.push_back(what);
    threads.push_back(std::this_thread::get_id());
  }
  int32_t progress(const hone_progress& p) {
    const Alone alone(*this);
    note("progress");
    progress_seen.push_back(p);
    begun.open();
    return on_progress ? on_progress(p) : 0;
  }
  void finish(int32_t last, const hone_error* error) {
    const Alone alone(*this);
    note("finish");
    state = last;
    message = error == nullptr ? "" : hone_error_message(error);
    if (on_finish) on_finish(last, error);
    finished.open();
  }
  void release() {
    note("release");
    released.open();
  }
  std::atomic<bool> inside_ = false;
};

const std::vector<std::string> kAllInOrder = {"progress", "finish", "release"};

// A model and pairs to train it on.
class Jobs : public ::testing::Test {
 protected:
  // So many steps that the job runs until it is cancelled.
  Trainer endless_trainer() {
    return make_trainer(model, dataset, nullptr,
                        {{"train.steps", 100000000}, {"train.batch_size", 2}, {"train.checkpoint_steps", 0}});
  }
  Trainer short_trainer(int steps = 4) {
    return make_trainer(model, dataset, nullptr,
                        {{"train.steps", steps}, {"train.batch_size", 4}, {"train.lr", 1e-3}});
  }

  Runtime runtime = make_runtime();
  Model model = load_model(runtime);
  Dataset dataset = read_pairs(runtime);
};

}  // namespace hone::testing
