// The record of a run as JSON: how far it is, what it was told, what was measured. OUT/checkpoint/state.json
// and, of a finished run, OUT/training.json.
//
// Rules: a record read is a file from outside: every value is checked here, in its type and against the run
// that wants to go on from it. Nothing in a record depends on the time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/identity.h"
#include "train/options.h"
#include "train/verdict.h"

namespace hone::train {

struct RunRecord {
  int64_t step = 0;  // steps done
  model::Identity identity;
  std::optional<EvalReport> before;  // evaluation of the base model
  std::optional<EvalReport> best;
  std::optional<Verdict> verdict;  // of a finished run
  int64_t since_best = 0;          // evaluations
  bool evaluation_due = false;     // stopped before the evaluation that follows `step`
  std::string ended_early;         // why, of a finished run that ended before its last step
  std::vector<std::string> files;  // of a finished run: what it wrote into OUT
};

// What a record must fit.
struct RunFrame {
  model::Identity identity;
  model::Identity implied;  // what an earlier record means that does not name it
  int64_t steps_total = 0;
  bool evaluates = false;
  std::vector<std::string> metrics;  // of an evaluation, in the order of its report
  std::string metric;                // of them, which tells the best step
};

std::string run_record_json(const RunRecord& record);

// Throws Error when the file is no record.
RunRecord read_run_record(const std::filesystem::path& file);
// The same, and that it is of this very run and of a step it can have reached. `place` is the folder that
// messages name.
RunRecord read_run_record(const std::filesystem::path& file, const std::filesystem::path& place,
                          const RunFrame& frame);

}  // namespace hone::train
