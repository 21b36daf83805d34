// What a training run is told, and what it says while it runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/options.h"
#include "encode/prompts.h"
#include "eval/evaluation.h"
#include "model/sentence_model.h"
#include "train/preflight.h"
#include "train/schedule.h"
#include "train/verdict.h"

namespace hone::train {

struct TrainOptions {
  double epochs = 3;
  int64_t steps = 0;  // > 0: instead of epochs
  std::string loss;   // empty: as suits the columns
  std::string loss_options;
  int64_t batch_size = 32;
  int64_t accumulate = 1;          // batches of a step
  size_t memory = 0;               // bytes of the process, or of a GPU; 0: 3/4 of what is there
  std::string sampler = "random";  // or no-duplicates
  double mask_similarity = 2;      // above 1: no mask by similarity
  std::string vector_cache;        // a folder; empty: vectors are not kept
  std::string freeze, rates;       // tensor_rules.h: a regular expression; "REGEX=RATE;..."
  double learning_rate = 5e-5;
  double warmup_ratio = 0;
  ScheduleKind schedule = ScheduleKind::linear;
  double weight_decay = 0;
  double max_grad_norm = 1;                             // 0: no clipping
  double dropout = -1;                                  // negative: the model's own
  encode::PromptUse prompts = encode::PromptUse::none;  // before the texts trained on
  double label_scale = 0;                               // 0: read off the data
  double hold_out = 0;                                  // share of the rows to evaluate on (hold_out.h)
  std::string task;          // eval.task where it is given; empty: as suits the data
  eval::Options evaluation;  // of the rows held out
  uint64_t seed = 42;
  bool shuffle = true;
  int64_t eval_steps = 0;  // 0: at the end of each epoch
  double eval_share = 1;   // of the time, at most
  int64_t patience = 0;    // evaluations without a better score; 0: no end
  double min_gain = 0;
  double max_minutes = 0;          // of this run or part of a resumed one; 0: no end
  double checkpoint_minutes = 0;   // 0: by steps alone
  int64_t checkpoint_steps = 500;  // 0: only when interrupted
  std::string metric;              // empty: the evaluation's first
  int32_t max_seq_length = 0;      // 0: the model's own

  // Everything that changes the weights after a step, as name and value: what a resumed run must agree on.
  // Limits (patience with min_gain, max_minutes) are not among them: they only say after which step it ends.
  std::vector<std::pair<std::string, std::string>> identity() const;
};

constexpr int64_t kMostSteps = 1000000000;  // so that counts of steps fit every type they meet

// "2G", "800M" (10^9, 10^6) or bytes. Throws UsageError.
size_t parse_memory(std::string_view text);
// From train.* of named options.
TrainOptions train_options(const config::Options& options);
// Throws UsageError naming the option whose value cannot be.
void check_options(const TrainOptions& options);
// Of a run over data of so many steps an epoch. Throws UsageError when they are more than kMostSteps.
int64_t total_steps(const TrainOptions& options, int64_t steps_per_epoch);

struct StepReport {
  int64_t step = 0, steps_total = 0;  // step counts from 1
  double epoch = 0;
  double loss = 0, learning_rate = 0, grad_norm = 0;
  int64_t tokens = 0;  // of this batch
  int64_t pairs = 0;   // rows of this batch
  double seconds = 0;  // since the start of the run, earlier runs of a resumed one not counted
};

struct EvalReport {
  int64_t step = 0;  // 0: before training
  std::vector<std::pair<std::string, double>> metrics;
  double low = 0, high = 0;               // 95 % interval of the evaluation's first metric
  std::vector<eval::Interval> intervals;  // of each metric, made with the verdict; empty before
  bool best = false;
  double value(std::string_view metric) const;  // NaN where there is none of that name
};

struct Estimate {
  double seconds = 0;  // of the steps and evaluations to come
  size_t bytes = 0;    // of the process at its peak, or of a GPU
};

struct TrainCallbacks {
  std::function<void()> begin;                   // all checks passed, work begins: Trainer::introduction()
  std::function<void(const std::string&)> note;  // a line for people
  // A run goes on after `step`; the best evaluation of its earlier parts, null where there was none.
  std::function<void(int64_t step, const EvalReport* best)> resumed;
  std::function<void(const Estimate&)> estimate;
  std::function<void(const StepReport&)> step;
  std::function<void(const EvalReport&)> evaluation;
  std::function<bool()> stop;  // true: keep a checkpoint and return
};

struct TrainResult {
  bool interrupted = false;
  std::string ended_early;  // why, where training ended before its last step
  bool already_finished = false;
  int64_t steps = 0, kept_step = 0;  // kept_step: the step whose weights were saved
  std::optional<EvalReport> before, after;
  std::optional<Verdict> verdict;                     // of a finished run that was evaluated
  std::shared_ptr<const model::SentenceModel> model;  // null when interrupted
  double seconds = 0;
  size_t checkpoint_bytes = 0;  // of the one kept, where the run can go on: interrupted, or ended by a limit
  // What was known before the first step.
  std::string loss;
  double label_scale = 1;
  Preflight preflight;
  encode::PromptedTexts prompts;  // before the texts trained on
  // Where rows are held out.
  struct HoldOut {
    double share = 0;
    int64_t rows = 0, trained_rows = 0;
    std::string task;
  };
  std::optional<HoldOut> hold_out;
  std::optional<Estimate> estimate;   // where a callback asked for it
  std::vector<std::string> warnings;  // of the run itself

  std::string verdict_text() const;  // one line, also where there is no verdict
  bool below() const;                // by the verdict: who gets the model is to be warned
  // {"loss", "label_scale", "prompts", "data", "warnings", "estimate"} and, where rows are held out,
  // "hold_out": for programs. Warnings are all there were: the preflight's, the run's own and a verdict below
  // the base model.
  nlohmann::ordered_json beforehand() const;
};

}  // namespace hone::train
