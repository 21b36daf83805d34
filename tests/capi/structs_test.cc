// Sized structs: a program that was compiled with another hone.h gets what it has room for, and nothing
// beyond.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

#include "tests/capi/jobs.h"

namespace hone::testing {

namespace {

// `fill` with every struct_size from 0 to beyond the struct, in memory of that size (AddressSanitizer watches
// its end).
template <class T, class F>
void try_sizes(F fill) {
  T whole = sized<T>();
  ASSERT_EQ(fill(&whole), HONE_OK);
  EXPECT_EQ(whole.struct_size, sizeof(T));
  bool allowed = false;
  for (size_t size = 0; size <= sizeof(T) + 64; ++size) {
    SCOPED_TRACE("struct_size " + std::to_string(size));
    const size_t room = std::max(size, sizeof(size_t));
    const std::unique_ptr<unsigned char[]> memory(new unsigned char[room]);
    std::memset(memory.get(), 0xA5, room);
    std::memcpy(memory.get(), &size, sizeof size);
    const hone_status status = fill(reinterpret_cast<T*>(memory.get()));
    size_t written = 0;
    std::memcpy(&written, memory.get(), sizeof written);
    if (status != HONE_OK) {
      EXPECT_EQ(status, HONE_EINVAL);
      EXPECT_FALSE(allowed) << "a smaller one was allowed";
      EXPECT_LT(size, sizeof(T));
      EXPECT_EQ(written, size);
      written = sizeof(size_t);
    } else {
      allowed = true;
      EXPECT_GT(size, sizeof(size_t));
      EXPECT_LE(written, std::min(size, sizeof(T)));
      EXPECT_TRUE(size < sizeof(T) || written == sizeof(T)) << written;
    }
    for (size_t i = written; i < room; ++i) ASSERT_EQ(memory[i], 0xA5) << "byte " << i;
  }
}

TEST_F(Jobs, OutputsOfEverySize) {
  const Trainer trainer = short_trainer(2);
  const Job job = start(trainer);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  try_sizes<hone_option>([](hone_option* o) { return hone_option_describe(0, o, nullptr); });
  try_sizes<hone_progress>([&](hone_progress* p) { return hone_job_next_event(job, 0, p, nullptr); });
  try_sizes<hone_batch>([&](hone_batch* b) { return hone_trainer_forward(trainer, b, nullptr); });
}

TEST_F(Jobs, AProgressThatIsRefusedCostsNoStep) {
  const Trainer trainer = short_trainer(2);
  hone_progress progress = sized<hone_progress>();
  progress.struct_size = 1;
  EXPECT_EQ(hone_trainer_step(trainer, &progress, nullptr), HONE_EINVAL);
  progress = sized<hone_progress>();
  ASSERT_EQ(hone_trainer_step(trainer, &progress, nullptr), HONE_OK);
  EXPECT_EQ(progress.steps_done, 1u);
}

// Callbacks of a program that knows no on_release: what lies behind them is not looked at.
TEST_F(Jobs, CallbacksBeyondTheStructSizeAreNotThere) {
  Recorder recorder;
  const Trainer trainer = short_trainer();
  hone_job_callbacks callbacks = recorder.callbacks();
  callbacks.struct_size = offsetof(hone_job_callbacks, on_release);
  callbacks.on_release = [](void*) { ADD_FAILURE() << "called beyond struct_size"; };
  const Job job = start(trainer, &callbacks);
  EXPECT_EQ(end_of(job), HONE_JOB_FINISHED);
  EXPECT_EQ(recorder.state, HONE_JOB_FINISHED);
}

}  // namespace

}  // namespace hone::testing
