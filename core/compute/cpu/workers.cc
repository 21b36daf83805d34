#include "compute/cpu/workers.h"

#include <pthread.h>
#include <signal.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

namespace hone::compute::cpu {

int refuse_threads_beyond = -1;

namespace {

constexpr int kLeftOver = 2;
// Where there is an end to them, a share of what could be made is left, too: the work itself takes memory,
// and other programs of the same user may need threads.
constexpr int kShareLeft = 4;

struct Gate {
  std::mutex mutex;
  std::condition_variable opened;
  bool open = false;
  std::vector<pid_t> numbers;  // of the threads that wait
};

// Takes what a working thread takes besides its stack: the allocator's own space for it.
void* wait_at(void* gate) {
  auto& g = *static_cast<Gate*>(gate);
  void* volatile some = std::malloc(64);
  std::unique_lock lock(g.mutex);
  g.numbers.push_back(gettid());
  g.opened.wait(lock, [&] { return g.open; });
  std::free(some);
  return nullptr;
}

int made_at_once(int wanted) {
  Gate gate;
  std::vector<pthread_t> made;
  made.reserve(static_cast<size_t>(wanted));
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return 0;
  // As large as a worker's stack: it is address space that may be what runs out.
  pthread_attr_setstacksize(&attributes,
                            tbb::global_control::active_value(tbb::global_control::thread_stack_size));
  while (static_cast<int>(made.size()) < wanted) {
    pthread_t thread;
    if (pthread_create(&thread, &attributes, wait_at, &gate) != 0) break;
    made.push_back(thread);
  }
  pthread_attr_destroy(&attributes);
  {
    std::lock_guard lock(gate.mutex);
    gate.open = true;
  }
  gate.opened.notify_all();
  for (pthread_t thread : made) pthread_join(thread, nullptr);
  // A thread that was joined still counts for a moment.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  for (pid_t number : gate.numbers) {
    while (tgkill(getpid(), number, 0) == 0 && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return static_cast<int>(made.size());
}

std::mutex taking;  // one runtime after the other
int promised = 0;   // workers of all runtimes, each of them made by now

bool was_scarce = false;

// Of the process, while there are runtimes of several threads. A program may end without releasing them: this
// must not be destroyed then, as what it belongs to in TBB may be gone already.
tbb::global_control* limit = nullptr;

// The limit is never lifted in between, nor behind the last runtime where threads are scarce: TBB would make
// threads at once, as arenas ask for them for a while after their work is done.
void hold_to_promised() {
  if (promised == 0 && was_scarce && limit != nullptr) return;
  tbb::global_control* former = limit;
  limit = promised == 0 && !was_scarce ? nullptr
                                       : new tbb::global_control(tbb::global_control::max_allowed_parallelism,
                                                                 static_cast<size_t>(promised) + 1);
  delete former;
}

// Has TBB make all that are promised: as no more are allowed in the whole process, all are at work at once.
// Where others keep some busy it is not known when that is so, only that it soon is.
void make_workers(int fresh) {
  using Clock = std::chrono::steady_clock;
  constexpr auto kBusyElsewhere = std::chrono::milliseconds(10);
  // Where they are scarce they must be there before others take them, however slowly the machine works.
  const auto longest = was_scarce ? std::chrono::milliseconds(5000) : std::chrono::milliseconds(100);
  const int all = promised;
  tbb::task_arena arena(all + 1);
  std::atomic<int> here{0};
  const auto start = Clock::now();
  const auto complete = [&] {
    const auto waited = Clock::now() - start;
    return here > all || waited > longest || (here > fresh && waited > kBusyElsewhere);
  };
  arena.execute([&] {
    tbb::parallel_for(
        0, all + 1,
        [&](int) {
          ++here;
          while (!complete()) std::this_thread::yield();
        },
        tbb::simple_partitioner());
  });
}

}  // namespace

int threads_to_be_had(int wanted, bool* scarce) {
  if (wanted <= 0) return 0;
  const int plenty = 2 * wanted + kLeftOver;
  int made = made_at_once(plenty);
  if (refuse_threads_beyond >= 0) made = std::min(made, refuse_threads_beyond);
  if (scarce != nullptr) *scarce = made < plenty;
  if (made >= wanted + kLeftOver) return wanted;
  const int rest = std::max(0, made - kLeftOver);
  return std::min(wanted, rest - rest / kShareLeft);
}

Workers::Workers(int wanted) : count_(0) {
  if (wanted <= 0) return;
  std::lock_guard lock(taking);
  bool scarce = false;
  count_ = threads_to_be_had(wanted, &scarce);
  was_scarce = was_scarce || scarce;
  promised += count_;
  hold_to_promised();
  if (count_ > 0) make_workers(count_);
}

Workers::~Workers() {
  std::lock_guard lock(taking);
  promised -= count_;
  hold_to_promised();
}

}  // namespace hone::compute::cpu
