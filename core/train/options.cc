#include "train/options.h"

#include <cmath>
#include <limits>

#include "base/error.h"

namespace hone::train {

double EvalReport::value(std::string_view metric) const {
  for (const auto& [name, value] : metrics) {
    if (name == metric) return value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

TrainOptions train_options(const config::Options& o) {
  TrainOptions t;
  t.epochs = o.real("train.epochs");
  t.steps = o.integer("train.steps");
  t.batch_size = o.integer("train.batch_size");
  t.learning_rate = o.real("train.lr");
  t.warmup_ratio = o.real("train.warmup_ratio");
  t.schedule = parse_schedule(o.text("train.schedule"));
  t.weight_decay = o.real("train.weight_decay");
  t.max_grad_norm = o.real("train.max_grad_norm");
  if (o.given("train.dropout")) t.dropout = o.real("train.dropout");
  if (o.given("train.label_scale")) t.label_scale = o.real("train.label_scale");
  if (o.given("train.max_seq_length"))
    t.max_seq_length = static_cast<int32_t>(o.integer("train.max_seq_length"));
  t.seed = static_cast<uint64_t>(o.integer("train.seed"));
  t.shuffle = !o.boolean("train.no_shuffle");
  if (o.given("train.eval_steps")) t.eval_steps = o.integer("train.eval_steps");
  t.checkpoint_steps = o.integer("train.checkpoint_steps");
  t.metric = o.text("train.metric");
  return t;
}

void check_options(const TrainOptions& o) {
  config::Options checked;
  auto number = [&](const char* key, auto value) {
    const config::OptionInfo& info = *config::find_option(key);
    config::check_range(info, static_cast<double>(value), cat(value), info.flag());
  };
  number("train.epochs", o.epochs);
  number("train.steps", o.steps);
  number("train.batch_size", o.batch_size);
  number("train.lr", o.learning_rate);
  number("train.warmup_ratio", o.warmup_ratio);
  number("train.weight_decay", o.weight_decay);
  number("train.max_grad_norm", o.max_grad_norm);
  if (!(o.dropout < 0)) number("train.dropout", o.dropout);
  if (o.label_scale != 0) number("train.label_scale", o.label_scale);
  if (o.max_seq_length != 0) number("train.max_seq_length", o.max_seq_length);
  if (o.eval_steps != 0) number("train.eval_steps", o.eval_steps);
  number("train.checkpoint_steps", o.checkpoint_steps);
  const config::OptionInfo& metric = *config::find_option("train.metric");
  checked.parse(metric, o.metric, metric.flag());
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
