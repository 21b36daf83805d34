// The threads that a runtime's arena works with, made before the first task.
//
// Rules: TBB makes a thread when there is work for it, and ends the process where the system refuses it one
// (a limit on processes, of a control group or of address space). So as many as are wanted are made once
// beforehand, all at the same time, and let go; an arena gets no more than could be made, and TBB is led to
// make those at once, while they can be had. An arena asks for workers for a while after its work is done, so
// that arenas together ask for more than they have: where threads are scarce, TBB is held to those that were
// made. A few are left over for threads of other kinds: a job's, those that read ahead.
#pragma once

#include <memory>

namespace hone::compute::cpu {

// Of `wanted` threads beside the caller's, those that the system lets this process have now. `scarce` tells
// that it has not as many again.
int threads_to_be_had(int wanted, bool* scarce = nullptr);

// Room for the workers of one arena, for as long as the object lives.
class Workers {
 public:
  explicit Workers(int wanted);  // never fails: fewer, down to none
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  int count() const { return count_; }

 private:
  int count_;
};

// Tests only: threads that the system is taken to refuse beyond this number; negative: what it says itself.
extern int refuse_threads_beyond;

}  // namespace hone::compute::cpu
