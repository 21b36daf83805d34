// Where messages for people go: the sink of a runtime, its level and its release.
#include <cstring>

#include "tests/capi/jobs.h"

namespace hone::testing {

namespace {

struct Log {
  std::atomic<int> messages = 0, releases = 0, unclean = 0;
  hone_log_sink sink() {
    hone_log_sink s = sized<hone_log_sink>();
    s.user_data = this;
    s.on_message = [](void* self, int32_t level, const char* message) {
      auto& log = *static_cast<Log*>(self);
      ++log.messages;
      if (log.releases > 0 || level < HONE_LOG_ERROR || level > HONE_LOG_INFO || *message == 0 ||
          std::strchr(message, '\n') != nullptr) {
        ++log.unclean;
      }
    };
    s.on_release = [](void* self) { ++static_cast<Log*>(self)->releases; };
    return s;
  }
};

TEST_F(Jobs, ASinkIsReleasedOnceWhenItIsReplacedOrItsRuntimeGoes) {
  Log first, second, third;
  const hone_log_sink a = first.sink(), b = second.sink(), c = third.sink();
  ASSERT_EQ(hone_runtime_set_log(runtime, &a, HONE_LOG_INFO, nullptr), HONE_OK);
  EXPECT_EQ(first.releases, 0);
  ASSERT_EQ(hone_runtime_set_log(runtime, &b, HONE_LOG_INFO, nullptr), HONE_OK);
  EXPECT_EQ(first.releases, 1);
  hone_log_sink broken = c;
  broken.struct_size = 0;
  EXPECT_EQ(hone_runtime_set_log(runtime, &broken, HONE_LOG_INFO, nullptr), HONE_EINVAL);
  EXPECT_EQ(second.releases, 0) << "a sink that was refused replaced another";
  EXPECT_EQ(third.releases, 0) << "on failure on_release is not called";
  ASSERT_EQ(hone_runtime_set_log(runtime, nullptr, HONE_LOG_INFO, nullptr), HONE_OK);
  EXPECT_EQ(second.releases, 1);
  Runtime other = make_runtime(1);
  ASSERT_EQ(hone_runtime_set_log(other, &c, HONE_LOG_INFO, nullptr), HONE_OK);
  other.reset();
  EXPECT_EQ(third.releases, 1);
  EXPECT_EQ(first.unclean + second.unclean + third.unclean, 0);
}

TEST_F(Jobs, ASinkHearsOfTrainingUpToItsLevel) {
  Log all, errors;
  hone_log_sink sink = all.sink();
  ASSERT_EQ(hone_runtime_set_log(runtime, &sink, HONE_LOG_INFO, nullptr), HONE_OK);
  const Trainer trainer = make_trainer(model, dataset, dataset, {{"train.steps", 2}});
  ASSERT_EQ(end_of(start(trainer)), HONE_JOB_FINISHED);
  EXPECT_GT(all.messages, 0) << "of the scores before training";
  EXPECT_EQ(all.unclean, 0);
  sink = errors.sink();
  ASSERT_EQ(hone_runtime_set_log(runtime, &sink, HONE_LOG_ERROR, nullptr), HONE_OK);
  ASSERT_EQ(end_of(start(trainer)), HONE_JOB_FINISHED);
  EXPECT_EQ(errors.messages, 0);
  ASSERT_EQ(hone_runtime_set_log(runtime, nullptr, HONE_LOG_INFO, nullptr), HONE_OK);
}

}  // namespace

}  // namespace hone::testing
