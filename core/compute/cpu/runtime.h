// Threads of the cpu engine: one TBB arena of exactly the asked size, or of as many threads as the system
// lets there be (workers.h), and scratch memory per slot in it.
//
// Rules
// - parallel(n, f) runs f(i, slot) for i in [0, n) and returns when all are done. Which thread runs which i
//   is open, so f(i) writes only what belongs to i; sums over i are made afterwards in the order of i. That
//   is what makes results the same at any thread count.
// - `slot` is below threads() and is held by one running f at a time, because f never waits for other tasks.
//   Scratch memory and matrix-product contexts are therefore per slot; nothing is thread_local.
// - Inside f denormals are flushed to zero (Adam's moments decay into them); the caller's mode is restored.
#pragma once

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "compute/cpu/arena.h"
#include "compute/cpu/workers.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hone::compute::cpu {

#if defined(__x86_64__)
class FlushDenormals {
 public:
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040U); }
  ~FlushDenormals() { _mm_setcsr(saved_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned saved_;
};
#else
struct FlushDenormals {};
#endif

inline constexpr int kMostThreads = 4096;

class Runtime {
 public:
  explicit Runtime(int threads)
      : asked_(threads),
        limit_(tbb::global_control::max_allowed_parallelism, kMostThreads),
        workers_(threads - 1),
        threads_(1 + workers_.count()),
        arena_(threads_),
        scratch_(static_cast<size_t>(std::max(2, threads_))) {}

  int threads() const { return threads_; }
  int threads_asked() const { return asked_; }

  template <class F>
  void parallel(int64_t n, const F& f) {
    if (n <= 0) return;
    if (n == 1 || threads_ == 1) {
      arena_.execute([&] {
        FlushDenormals flush;
        const int slot = tbb::this_task_arena::current_thread_index();
        for (int64_t i = 0; i < n; ++i) f(i, slot);
      });
      return;
    }
    // Each thread takes the next i until there is none: a few large pieces (panels of a batch) leave no
    // thread idle while another still has several, as ranges cut in advance would.
    std::atomic<int64_t> next{0};
    arena_.execute([&] {
      tbb::parallel_for(
          int64_t{0}, std::min<int64_t>(n, threads_),
          [&](int64_t) {
            FlushDenormals flush;
            const int slot = tbb::this_task_arena::current_thread_index();
            try {
              for (int64_t i = next++; i < n; i = next++) f(i, slot);
            } catch (...) {
              next = n;  // what is left is of no use to anyone
              throw;
            }
          },
          tbb::simple_partitioner());
    });
  }

  // At least n floats, kept and reused; one user per slot at a time.
  float* scratch(int slot, size_t n) {
    Scratch& s = scratch_[static_cast<size_t>(slot)];
    if (s.size < n) {
      s.memory = aligned_floats(n);
      s.size = n;
    }
    return s.memory.get();
  }

 private:
  struct alignas(64) Scratch {
    AlignedFloats memory;
    size_t size = 0;
  };
  int asked_;
  // The lowest limit in the process holds: with one of its own count each, a runtime would cut short the
  // others.
  tbb::global_control limit_;
  Workers workers_;
  int threads_;
  tbb::task_arena arena_;
  std::vector<Scratch> scratch_;  // an arena of one has a second slot, for another thread of the host's
};

}  // namespace hone::compute::cpu
