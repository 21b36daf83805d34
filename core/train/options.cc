#include "train/options.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace hone::train {

size_t parse_memory(std::string_view text) {
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  const double factor = unit == "G" || unit == "GB"   ? 1e9
                        : unit == "M" || unit == "MB" ? 1e6
                        : unit.empty()                ? 1
                                                      : 0;
  constexpr double kLeast = 1e6, kMost = 1e15;
  if (code != std::errc() || factor == 0 || !(number * factor >= kLeast) || number * factor > kMost)
    fail_usage("memory: \"", excerpt(text), "\" found, bytes expected, as 2G or 800M");
  return static_cast<size_t>(number * factor);
}

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
  t.loss = o.text("train.loss");
  t.loss_options = o.text("train.loss_options");
  t.batch_size = o.integer("train.batch_size");
  t.accumulate = o.integer("train.accumulate");
  if (o.given("train.memory")) t.memory = parse_memory(o.text("train.memory"));
  t.sampler = o.text("train.sampler");
  if (o.given("train.mask_similarity")) t.mask_similarity = o.real("train.mask_similarity");
  t.vector_cache = o.text("train.vector_cache");
  t.freeze = o.text("train.freeze");
  t.rates = o.text("train.rates");
  t.eval_share = o.real("train.eval_share");
  t.patience = o.integer("train.patience");
  t.min_gain = o.real("train.min_gain");
  t.max_minutes = o.real("train.max_minutes");
  t.checkpoint_minutes = o.real("train.checkpoint_minutes");
  t.learning_rate = o.real("train.lr");
  t.warmup_ratio = o.real("train.warmup_ratio");
  t.schedule = parse_schedule(o.text("train.schedule"));
  t.weight_decay = o.real("train.weight_decay");
  t.max_grad_norm = o.real("train.max_grad_norm");
  if (o.given("train.dropout")) t.dropout = o.real("train.dropout");
  t.prompts = encode::parse_prompt_use(o.text("train.prompts"));
  if (o.given("train.label_scale")) t.label_scale = o.real("train.label_scale");
  if (o.given("train.max_seq_length"))
    t.max_seq_length = static_cast<int32_t>(o.integer("train.max_seq_length"));
  t.hold_out = o.real("train.hold_out");
  t.task = o.text("eval.task");
  t.evaluation = eval::evaluation_options(o);
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
  number("train.hold_out", o.hold_out);
  if (o.label_scale != 0) number("train.label_scale", o.label_scale);
  if (o.max_seq_length != 0) number("train.max_seq_length", o.max_seq_length);
  if (o.eval_steps != 0) number("train.eval_steps", o.eval_steps);
  number("train.checkpoint_steps", o.checkpoint_steps);
  number("train.accumulate", o.accumulate);
  if (o.mask_similarity <= 1) number("train.mask_similarity", o.mask_similarity);
  number("train.eval_share", o.eval_share);
  number("train.patience", o.patience);
  number("train.min_gain", o.min_gain);
  number("train.max_minutes", o.max_minutes);
  number("train.checkpoint_minutes", o.checkpoint_minutes);
  const config::OptionInfo& sampler = *config::find_option("train.sampler");
  checked.parse(sampler, o.sampler, sampler.flag());
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
          {"accumulate", cat(accumulate)},
          {"sampler", sampler},
          {"mask-similarity", mask_similarity > 1 ? "none" : cat(mask_similarity)},
          {"freeze", freeze.empty() ? "none" : freeze},
          {"rates", rates.empty() ? "none" : rates},
          {"lr", cat(learning_rate)},
          {"warmup-ratio", cat(warmup_ratio)},
          {"schedule", std::string(schedule_name(schedule))},
          {"weight-decay", cat(weight_decay)},
          {"max-grad-norm", cat(max_grad_norm)},
          {"dropout", dropout < 0 ? "the model's" : cat(dropout)},
          {"label-scale", cat(label_scale)},
          {"hold-out", hold_out > 0 ? cat(hold_out) : "none"},
          {"seed", cat(seed)},
          {"shuffle", cat(shuffle)},
          {"eval-steps", cat(eval_steps)},
          {"max-seq-length", max_seq_length == 0 ? "the model's" : cat(max_seq_length)}};
}

std::string TrainResult::verdict_text() const {
  return verdict ? verdict->text()
                 : "not evaluated: whether the tuned model is better than the base model is not known "
                   "(--eval PATH "
                   "tells by other rows, --hold-out 0.1 by a tenth of these)";
}

bool TrainResult::below() const {
  return verdict && verdict->below();
}

nlohmann::ordered_json TrainResult::beforehand() const {
  nlohmann::ordered_json j = {{"loss", loss},
                              {"label_scale", label_scale},
                              {"prompts", encode::prompts_json(prompts)},
                              {"data", preflight.json()},
                              {"warnings", preflight.warnings},
                              {"estimate", nullptr}};
  for (const std::string& warning : warnings) j["warnings"].push_back(warning);
  if (below()) j["warnings"].push_back(verdict_text());
  if (hold_out) {
    j["hold_out"] = {{"share", hold_out->share},
                     {"rows", hold_out->rows},
                     {"trained_rows", hold_out->trained_rows},
                     {"task", hold_out->task}};
  }
  if (estimate) j["estimate"] = {{"seconds", estimate->seconds}, {"bytes", estimate->bytes}};
  return j;
}

}  // namespace hone::train
