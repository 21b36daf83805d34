#include "train/options.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "eval/sts.h"

namespace hone::train {

void check_options(const TrainOptions& o) {
  auto require = [](bool ok, const char* name, auto found, const char* expected) {
    if (!ok) fail_usage(name, ": ", found, " found, ", expected, " expected");
  };
  require(o.epochs > 0 && o.epochs <= kMostEpochs, "epochs", o.epochs, "a number above 0, at most 1000000");
  require(o.steps >= 0 && o.steps <= kMostSteps, "steps", o.steps, "0 to 1000000000");
  require(o.batch_size >= 1 && o.batch_size <= 65536, "batch-size", o.batch_size, "1 to 65536");
  require(o.learning_rate >= 0 && o.learning_rate < 10, "lr", o.learning_rate, "0 to 10");
  require(o.warmup_ratio >= 0 && o.warmup_ratio <= 1, "warmup-ratio", o.warmup_ratio, "0 to 1");
  require(o.weight_decay >= 0 && o.weight_decay < 1, "weight-decay", o.weight_decay, "0 to 1");
  require(o.max_grad_norm >= 0 && std::isfinite(o.max_grad_norm), "max-grad-norm", o.max_grad_norm,
          "0 (off) or more");
  require(o.dropout < 1, "dropout", o.dropout, "0 to below 1");
  require(o.label_scale >= 0 && std::isfinite(o.label_scale), "label-scale", o.label_scale,
          "a number above 0");
  require(o.eval_steps >= 0, "eval-steps", o.eval_steps, "0 or more");
  require(o.checkpoint_steps >= 0, "checkpoint-steps", o.checkpoint_steps, "0 or more");
  const auto& names = eval::sts_metric_names();
  if (std::find(names.begin(), names.end(), o.metric) == names.end()) {
    std::string list;
    for (const auto& name : names) list += cat(list.empty() ? "" : ", ", name);
    fail_usage("metric: \"", excerpt(o.metric), "\" found, one of ", list, " expected");
  }
}

int64_t total_steps(const TrainOptions& o, int64_t steps_per_epoch) {
  if (o.steps > 0) return o.steps;
  // At most 10^6 epochs of 2^32 steps: exact enough as a double, far from its ends.
  const double steps = std::ceil(o.epochs * static_cast<double>(steps_per_epoch));
  if (steps > static_cast<double>(kMostSteps))
    fail_usage("epochs: ", o.epochs, " found, which are ", steps, " steps here, at most ", kMostSteps,
               " expected");
  return static_cast<int64_t>(steps);
}

std::vector<std::pair<std::string, std::string>> TrainOptions::identity() const {
  return {{"epochs", cat(epochs)},
          {"steps", cat(steps)},
          {"batch-size", cat(batch_size)},
          {"lr", cat(learning_rate)},
          {"warmup-ratio", cat(warmup_ratio)},
          {"schedule", std::string(schedule_name(schedule))},
          {"weight-decay", cat(weight_decay)},
          {"max-grad-norm", cat(max_grad_norm)},
          {"dropout", dropout < 0 ? "the model's" : cat(dropout)},
          {"label-scale", cat(label_scale)},
          {"seed", cat(seed)},
          {"shuffle", cat(shuffle)},
          {"eval-steps", cat(eval_steps)},
          {"metric", metric},
          {"max-seq-length", max_seq_length == 0 ? "the model's" : cat(max_seq_length)}};
}

}  // namespace hone::train
