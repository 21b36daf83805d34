// Where messages for people go: the sink of a runtime, its level and its release.
#include <cstring>

#include "tests/capi/jobs.h"
#include "tests/capi/rows.h"
#include "tests/capi/steps.h"

namespace hone::testing {

namespace {

struct Log {
  std::atomic<int> messages = 0, releases = 0, unclean = 0;
  std::mutex mutex;
  std::vector<std::pair<int32_t, std::string>> all;
  hone_log_sink sink() {
    hone_log_sink s = sized<hone_log_sink>();
    s.user_data = this;
    s.on_message = [](void* self, int32_t level, const char* message) {
      auto& log = *static_cast<Log*>(self);
      ++log.messages;
      const std::lock_guard lock(log.mutex);
      log.all.emplace_back(level, message);
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

TEST_F(Jobs, SayWhatIsKnownBeforeTheFirstStepAndReportIt) {
  Log log;
  const hone_log_sink sink = log.sink();
  ASSERT_EQ(hone_runtime_set_log(runtime, &sink, HONE_LOG_INFO, nullptr), HONE_OK);
  const Row row{text_value("a text"), text_value("another")};
  const Dataset same = dataset_of(runtime, {"anchor", "positive"}, {row, row, row, row});
  const Trainer trainer = make_trainer(model, same, nullptr, {{"train.steps", 1}});
  Job job = start(trainer);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  const auto report = nlohmann::json::parse(report_of(job));
  ASSERT_EQ(hone_runtime_set_log(runtime, nullptr, HONE_LOG_INFO, nullptr), HONE_OK);
  const auto said = [&](int32_t level, std::string_view start) {
    return std::any_of(log.all.begin(), log.all.end(),
                       [&](const auto& m) { return m.first == level && m.second.starts_with(start); });
  };
  for (const char* start : {"engine: cpu, ", "loss: mnr (chosen by the columns",
                            "data: 4 rows, 3 of them repeated, ", "estimate: ", "not evaluated: "})
    EXPECT_TRUE(said(HONE_LOG_INFO, start)) << start;
  EXPECT_EQ(report.at("loss"), "mnr");
  EXPECT_EQ(report.at("label_scale"), 1);
  EXPECT_EQ(report.at("data").at("rows"), 4);
  EXPECT_EQ(report.at("data").at("repeated_rows"), 3);
  EXPECT_EQ(report.at("data").at("different_positives"), 1);
  EXPECT_GT(report.at("estimate").at("bytes"), 1000000);
  ASSERT_EQ(report.at("warnings").size(), 2U) << report;
  for (const std::string warning : report.at("warnings"))
    EXPECT_TRUE(said(HONE_LOG_WARNING, warning)) << warning;
  EXPECT_EQ(log.unclean, 0);
}

// What a job says before its first step, the host's own loop says once.
TEST_F(Jobs, AHostsOwnLoopSaysWhatIsKnownToo) {
  for (const bool by_forward : {false, true}) {
    Log log;
    const hone_log_sink sink = log.sink();
    ASSERT_EQ(hone_runtime_set_log(runtime, &sink, HONE_LOG_WARNING, nullptr), HONE_OK);
    const Dataset rows =
        dataset_of(runtime, {"anchor", "positive"},
                   {{text_value("a text"), text_value("another")}, {text_value(" "), text_value("a third")}});
    const Trainer trainer = make_trainer(model, rows, nullptr, {{"train.steps", 2}});
    if (by_forward) {
      forward(trainer);
      forward(trainer);
    } else {
      step(trainer);
      step(trainer);
    }
    ASSERT_EQ(hone_runtime_set_log(runtime, nullptr, HONE_LOG_INFO, nullptr), HONE_OK);
    const std::pair<int32_t, std::string> expected{
        HONE_LOG_WARNING, "1 of 2 rows has an empty text, (rows):2: column \"anchor\""};
    EXPECT_EQ(std::count(log.all.begin(), log.all.end(), expected), 1);
  }
}

}  // namespace

}  // namespace hone::testing
