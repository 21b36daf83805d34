#include "train/trainer.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/spelling.h"
#include "compute/device.h"
#include "train/base_vectors.h"
#include "train/data_roles.h"
#include "train/trainer_run.h"

namespace hone::train {

namespace {

// Steps that may be on their way while the next is made ready: enough that a GPU always has one to go on
// with.
constexpr size_t kStepsInFlight = 3;

const loss::LossInfo& loss_of(const data::Table& table) {
  std::vector<std::string> names;
  for (const auto& [role, column] : table.columns) names.push_back(role);
  return loss_for(names, {}, table.source());
}

std::string names_of(const encode::PromptedTexts& prompts) {
  std::string list;
  for (const auto& [texts, prompt] : prompts) list += cat(list.empty() ? "" : ", ", texts);
  return list;
}

// Where memory is asked for, token ids may take a quarter of it. That of a device is not the data's.
size_t most_id_bytes(const TrainOptions& options, const compute::Engine& engine) {
  return options.memory == 0 || engine.device_memory() > 0 ? SIZE_MAX : options.memory / 4;
}

TrainData data_of(TrainRows& rows, std::optional<HeldOut>& held_out, const loss::LossInfo& loss,
                  const TrainOptions& options, const model::SentenceModel& model, compute::Engine& engine) {
  const size_t most = most_id_bytes(options, engine);
  if (!(options.hold_out > 0)) return {rows, loss, options.label_scale, model, engine, options.prompts, most};
  TableRows kept(whole_table(rows));
  held_out = hold_out(*kept.owned(), loss, options);
  return {kept, loss, options.label_scale, model, engine, options.prompts, most};
}

void require_metric(const std::string& metric, const std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), metric) != names.end()) return;
  std::string list;
  for (const std::string& name : names) list += cat(list.empty() ? "" : ", ", name);
  throw config::OptionError(
      "train.metric",
      cat("metric: \"", excerpt(metric), "\" found, one of ", list, " expected",
          did_you_mean_of(metric, names, [](const std::string& name) { return std::string_view(name); })));
}

}  // namespace

Trainer::Trainer(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine,
                 data::Table train, MakeEvaluation evaluation, TrainOptions options)
    : Trainer(std::move(model), std::move(engine), TableRows(std::move(train)), std::move(evaluation),
              std::move(options)) {}

Trainer::Trainer(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine,
                 TrainRows&& train, MakeEvaluation evaluation, TrainOptions options)
    : model_(options.max_seq_length > 0 && options.max_seq_length != model->max_seq_length
                 ? model->with_max_seq_length(options.max_seq_length)
                 : std::move(model)),
      engine_(std::move(engine)),
      options_((check_options(options), std::move(options))),
      loss_(options_.loss.empty() ? loss_of(train.block()) : loss::find_loss(options_.loss)),
      loss_options_(loss_, options_.loss_options),
      data_(data_of(train, held_out_, loss_, options_, *model_, *engine_)),
      batches_(data_, options_) {
  const auto made = loss::make_loss(loss_, loss_options_, setup());  // what does not go together is found now
  rules_ = TensorRules(options_.freeze, options_.rates, options_.learning_rate, *model_, made->heads());
  for (const loss::Head& head : made->heads()) head_floats_ += head.shape.rows * head.shape.cols;
  if (options_.label_scale > 0 && loss_.labels != loss::Labels::similarity)
    fail_usage("label-scale: found with the loss ", loss_.name, ", whose labels are not scaled");
  if (options_.mask_similarity <= 1 && !loss_.in_batch)
    fail_usage("mask-similarity: the loss ", loss_.name, " has no negatives of other rows to mask");
  if (loss_.in_batch && data_.roles() == 2 && loss_options_.word("hardness") == "hard_negatives") {
    fail_usage(
        "loss-options: hardness: hard_negatives found, but the data name no negatives (columns negative, "
        "negative_1, ...): it would do nothing; in_batch_negatives weighs those of other rows");
  }
  if (options_.prompts != encode::PromptUse::none && !encode::any_prompt(data_.prompts()))
    throw config::OptionError("train.prompts", cat("prompts: ", encode::prompt_use_name(options_.prompts),
                                                   " found, but the model of ", model_->folder,
                                                   " has no such prompt for ", names_of(data_.prompts())));
  if (held_out_ && evaluation) {
    throw config::OptionError("train.hold_out",
                              "hold-out: found with data to evaluate on, one of the two expected");
  }
  if (held_out_) {
    const auto rows =
        evaluation_of(held_out_->task, std::move(held_out_->table), engine_, options_.evaluation);
    held_out_->table = {};
    eval_ = rows(*model_);
  } else if (evaluation) {
    eval_ = evaluation(*model_);
  }
  evaluation = nullptr;  // and the texts that it may hold
  if (eval_) {
    if (options_.metric.empty()) options_.metric = eval_->metric_names().front();
    require_metric(options_.metric, eval_->metric_names());
  } else if (options_.patience > 0) {
    fail_usage("patience: found without data to evaluate on, which tells when there is no gain");
  }
  steps_per_epoch_ = (batches_.per_epoch() + options_.accumulate - 1) / options_.accumulate;
  frame_.steps_total = total_steps(options_, steps_per_epoch_);
  schedule_ = {
      options_.schedule, options_.learning_rate,
      static_cast<int64_t>(std::ceil(static_cast<double>(frame_.steps_total) * options_.warmup_ratio)),
      frame_.steps_total};
  preflight_ = look_at(data_, loss_, options_.batch_size, model_->max_seq_length);
  if (eval_) {
    for (const std::string& warning : eval_->warnings())
      preflight_.warnings.push_back(cat("evaluation: ", warning));
  }
  if (held_out_ && held_out_->mirrored > 0) {
    preflight_.warnings.push_back(cat(held_out_->mirrored, " of the ", held_out_->rows,
                                      " rows held out are trained on the other way round"));
  }
  if (std::string few = compute::shortage_of_threads(*engine_); !few.empty())
    preflight_.warnings.push_back(std::move(few));
  const bool duplicates = loss_.in_batch && loss_options_.word("mask") == "duplicates";
  if (duplicates || options_.mask_similarity <= 1)
    false_negatives_ = std::make_unique<FalseNegatives>(data_, *engine_, duplicates);
  micro_tokens_ = allowed_micro_tokens(made->compares_all());
  frame_.identity = options_.identity();
  auto note = [&](const char* name, std::string value) {
    frame_.identity.emplace_back(name, std::move(value));
  };
  note("loss", loss_.name);
  note("loss-options", loss_options_.text().empty() ? "default" : loss_options_.text());
  note("metric", eval_ ? options_.metric : "none");
  note("micro-batches", micro_tokens_ == 0 ? "whole batches" : cat("of ", micro_tokens_, " tokens"));
  note("data", cat(data_.rows(), " rows with hash ", data_.table().content_hash));
  note("eval data", eval_ ? cat(eval_->task(), " of ", eval_->units(), " ", eval_->unit(), " with hash ",
                                eval_->content_hash())
                          : "none");
  note("dim", eval_ && eval_->dim() > 0 ? cat(eval_->dim()) : "none");
  note("model", model::model_identity(*model_));
  // Before there was a choice the default prompt stood before every text.
  const std::string before_choice = model_->prompt().empty() ? "none" : "default";
  note("prompts", encode::use_of(*model_, data_.prompts()));
  note("eval-prompts", eval_ ? encode::use_of(*model_, eval_->prompts()) : "none");
  frame_.implied = {{"prompts", before_choice}, {"eval-prompts", eval_ ? before_choice : "none"}};
  frame_.evaluates = eval_ != nullptr;
  if (eval_) {
    frame_.metrics = eval_->metric_names();
    frame_.metric = options_.metric;
  }
}

Trainer::~Trainer() = default;

loss::Setup Trainer::setup() const {
  loss::Setup setup;
  setup.dim = model_->dim();
  setup.seed = options_.seed;
  if (loss_.labels == loss::Labels::classes) {
    const auto seen = static_cast<int64_t>(data_.label_range().second) + 1;
    setup.classes = static_cast<int64_t>(loss_options_.integer("classes"));
    if (setup.classes == 0) setup.classes = seen;
    if (setup.classes < seen)
      fail_usage("loss-options: classes: ", setup.classes, " found, the largest label is ", seen - 1);
    if (setup.classes < 2)
      fail(data_.table().source(), ": all rows are of class 0, at least two classes expected");
  }
  if (loss_.labels == loss::Labels::teacher_vector) setup.teacher_width = data_.label_width();
  return setup;
}

int64_t Trainer::evaluate_every() const {
  return options_.eval_steps > 0 ? options_.eval_steps : steps_per_epoch_;
}

bool Trainer::evaluation_follows(int64_t step) const {
  return eval_ && (step == frame_.steps_total || step % evaluate_every() == 0);
}

// Would another evaluation take more than its share of the time since the first step? What one takes is known
// from the base model's, but not where an earlier part of the run made that.
bool Trainer::evaluation_is_dear(const Run& run) const {
  const double one = run.evaluations > 0 ? run.evaluation_seconds / run.evaluations : run.base_seconds;
  if (options_.eval_share >= 1 || one == 0) return false;
  return run.evaluation_seconds + one > options_.eval_share * (seconds_since(run.training) + one);
}

Trainer::Progress Trainer::until_stopped(const TrainCallbacks& callbacks) {
  return [&callbacks](size_t, size_t) {
    if (callbacks.stop && callbacks.stop()) throw Stopped();
  };
}

bool Trainer::evaluate(Run& run, const TrainCallbacks& callbacks) const {
  const auto start = Clock::now();
  try {
    run.latest = eval_->run(*run.vectors, {.progress = until_stopped(callbacks)});
  } catch (const Stopped&) {
    return false;
  }
  run.evaluation_seconds += seconds_since(start);
  ++run.evaluations;
  consider(run, report_of(*run.latest, run.state.step), callbacks);
  return true;
}

EvalReport Trainer::report_of(const eval::Result& result, int64_t step) const {
  return {step, result.metrics, result.interval.low, result.interval.high, {}, false};
}

// Keeps the weights of the best evaluated step. A metric that is not a number is worse than any that is one;
// among such the last is kept, as nothing tells them apart.
void Trainer::consider(Run& run, EvalReport report, const TrainCallbacks& callbacks) const {
  const double value = report.value(options_.metric);
  const double most = run.state.best ? run.state.best->value(options_.metric) : std::nan("");
  report.best = std::isnan(most) || value > most + options_.min_gain;
  if (report.best) {
    run.state.best = report;
    run.best = run.latest;
    run.state.best_weights.clear();  // before there are others: one copy of the model less
    run.state.best_weights = run.encoder->read(*run.parameters);
  }
  run.state.since_best = report.best ? 0 : run.state.since_best + 1;
  run.state.evaluation_due = false;
  if (callbacks.evaluation) callbacks.evaluation(report);
}

void Trainer::begin(Run& run, const Progress& progress) {
  run.parameters = engine_->parameters();
  run.encoder = std::make_unique<nn::SentenceEncoder>(
      *run.start, *run.parameters,
      nn::EncoderOptions{
          true, static_cast<float>(options_.dropout),
          [this](const std::string& name, compute::ParameterOptions& o) { rules_.apply(name, o); }});
  run.loss = loss::make_loss(loss_, loss_options_, setup());
  for (loss::Head& head : run.loss->heads()) {
    compute::ParameterOptions trained{true, head.decays, false};
    rules_.apply(head.name, trained);
    if (!trained.trainable) continue;  // it stays in the loss as it was begun
    run.trained.push_back(&head);
    run.heads.push_back(run.parameters->add(head.name, head.shape, head.values, nullptr, trained));
  }
  run.graph = engine_->graph(*run.parameters);
  run.pass = std::make_unique<BatchPass>(*run.encoder, *run.graph, micro_tokens_);
  if (options_.mask_similarity <= 1 && !false_negatives_->has_vectors()) {
    false_negatives_->use_vectors(base_vectors(model_, engine_, data_, options_.vector_cache, progress),
                                  model_->vector_dim(), options_.mask_similarity);
  }
}

TrainResult Trainer::run(const fs::path& out, OnExisting existing, const TrainCallbacks& callbacks) {
  return run_to(&out, existing, callbacks);
}

TrainResult Trainer::run(const TrainCallbacks& callbacks) {
  return run_to(nullptr, OnExisting::refuse, callbacks);
}

TrainResult Trainer::run_to(const fs::path* out, OnExisting existing, const TrainCallbacks& callbacks) {
  auto note = [&](const std::string& text) {
    if (callbacks.note) callbacks.note(text);
  };
  const auto start = Clock::now();
  const fs::path checkpoint = out != nullptr ? *out / "checkpoint" : fs::path();
  if (out != nullptr) recover_out_folder(*out);
  TrainResult result;
  result.loss = loss_.name;
  result.label_scale = label_scale();
  result.preflight = preflight_;
  result.prompts = data_.prompts();
  if (held_out_) result.hold_out = {options_.hold_out, held_out_->rows, data_.rows(), held_out_->task};
  Run run;
  run.start = model_;
  run.state.identity = frame_.identity;
  std::optional<LoadedCheckpoint> loaded;
  if (out != nullptr && holds_run(*out, existing) && existing == OnExisting::resume) {
    loaded = load_checkpoint(checkpoint, frame_, *model_);
    if (const auto finished = finished_run(*out, loaded)) {
      const bool early = !finished->ended_early.empty();
      note(cat("the run in ", *out, " is finished already",
               early ? cat(" (it ended ", finished->ended_early, ")") : "", ": nothing to do",
               !early   ? ""
               : loaded ? ", a larger patience goes on with it"
                        : ", and without its checkpoint it cannot go on"));
      result.ended_early = finished->ended_early;
      result.already_finished = true;
      result.steps = finished->step;
      result.kept_step = finished->best ? finished->best->step : finished->step;
      result.before = finished->before;
      result.after = finished->best;
      result.verdict = finished->verdict;
      result.model = model::load_model(*out);
      if (loaded) result.checkpoint_bytes = bytes_of_folder(checkpoint);
      return result;
    }
  }
  if (loaded) {
    run.start = loaded->model;
    run.state = std::move(loaded->state);
    note(cat("resuming after step ", run.state.step, " of ", frame_.steps_total));
    if (callbacks.resumed) callbacks.resumed(run.state.step, run.state.best ? &*run.state.best : nullptr);
  } else if (existing == OnExisting::resume) {
    note(cat("no checkpoint in ", checkpoint, ": starting anew"));
  }
  std::optional<NewFolders> new_folders;
  if (out != nullptr) {
    new_folders.emplace(*out);
    require_writable(*out);
  }
  if (options_.mask_similarity <= 1 && !options_.vector_cache.empty()) require_cache(options_.vector_cache);
  if (callbacks.begin) callbacks.begin();

  result.steps = run.state.step;
  try {
    prepare(run, loaded, callbacks);
  } catch (const Stopped&) {
    result.interrupted = true;
    if (loaded) result.checkpoint_bytes = bytes_of_folder(checkpoint);
    return result;
  }
  result.estimate = run.estimated;
  result.warnings = run.warnings;
  train(run, out, callbacks, result);
  run.pass.reset();  // what a step needs makes room for a verdict
  run.graph.reset();
  if (!result.interrupted && !judge(run, callbacks)) {
    if (out != nullptr && result.ended_early.empty()) save(run, *out);
    result.ended_early.clear();
    result.interrupted = true;
  }
  if (!result.interrupted) {
    run.state.ended_early = result.ended_early;
    result.model = finish(run, out);
  }
  if (out != nullptr && (result.interrupted || !result.ended_early.empty()))
    result.checkpoint_bytes = bytes_of_folder(checkpoint);
  if (out != nullptr && !result.ended_early.empty()) {
    note(cat("ended ", result.ended_early, "; a checkpoint (", shown_bytes(result.checkpoint_bytes),
             ") stays in ", checkpoint, ": resumed, the run goes on from it"));
  }
  result.verdict = run.state.verdict;
  result.steps = run.state.step;
  result.kept_step = run.state.best ? run.state.best->step : run.state.step;
  result.before = run.state.before;
  result.after = run.state.best;
  result.seconds = seconds_since(start);
  return result;
}

// What is to be done before the first step of a run, or the next of a resumed one.
void Trainer::prepare(Run& run, const std::optional<LoadedCheckpoint>& loaded,
                      const TrainCallbacks& callbacks) {
  if (options_.mask_similarity <= 1 && callbacks.note) {
    callbacks.note(cat("mask-similarity: by the base model's vectors of all ", data_.texts(), " texts, ",
                       options_.vector_cache.empty()
                           ? "made anew (--vector-cache DIR keeps them for the next run, and for --resume)"
                           : cat("kept in ", options_.vector_cache)));
  }
  begin(run, until_stopped(callbacks));
  if (loaded) restore_training(*loaded, *run.encoder, *run.parameters, run.heads);
  run.vectors = std::make_unique<encode::Encoder>(run.start, engine_, *run.encoder, *run.parameters);
  if (eval_ && !run.state.before) {
    const auto evaluation = Clock::now();
    run.before = eval_->run(*run.vectors, {.progress = until_stopped(callbacks)});
    run.state.before = report_of(*run.before, 0);
    run.base_seconds = seconds_since(evaluation);
    if (callbacks.evaluation) callbacks.evaluation(*run.state.before);
  }
  // An earlier part of the run has said so, too, but not to whom this one is told.
  if (eval_ && std::isnan(run.state.before->value(options_.metric))) {
    run.warnings.push_back(cat(options_.metric, " of the base model is not a number on ", eval_->source(),
                               ": unless that changes, nothing tells a better step, and the last is kept"));
    if (callbacks.note) callbacks.note(cat("warning: ", run.warnings.back()));
  }
  estimate(run, callbacks);
}

// Rule: a checkpoint holds what a run without a limit has after the same step. The evaluation that is made
// only because a limit ends the run comes after the checkpoint, and those who go on do not know of it.
void Trainer::train(Run& run, const fs::path* out, const TrainCallbacks& callbacks, TrainResult& result) {
  const auto asked_to_stop = [&] { return callbacks.stop && callbacks.stop(); };
  const auto minutes_since = [](Clock::time_point start) { return seconds_since(start) / 60; };
  run.training = Clock::now();
  auto saved = run.training;
  const auto end_early = [&](std::string why) {
    result.ended_early = std::move(why);
    run.pass.reset();  // there is no other step
    run.graph.reset();
    if (out != nullptr) save(run, *out);
  };
  const auto end_without_gain = [&] {
    end_early(cat("after ", run.state.since_best, " evaluations without gain"));
  };
  if (run.state.evaluation_due && !evaluate(run, callbacks)) {  // the checkpoint is as it was
    result.interrupted = true;
    return;
  }
  if (patience_is_spent(run.state)) return end_without_gain();
  for (int64_t index = run.state.step; index < frame_.steps_total; ++index) {
    start_step(run, index);
    run.state.step = index + 1;
    report_steps(run, kStepsInFlight, callbacks);
    const bool last = run.state.step == frame_.steps_total;
    const bool time_is_over =
        !last && options_.max_minutes > 0 && minutes_since(run.training) >= options_.max_minutes;
    const bool due =
        out != nullptr &&
        ((options_.checkpoint_steps > 0 && run.state.step % options_.checkpoint_steps == 0) ||
         (options_.checkpoint_minutes > 0 && minutes_since(saved) >= options_.checkpoint_minutes));
    // Who asks to stop does not wait for an evaluation: a resumed run makes it first.
    const bool evaluates =
        eval_ && (last || (evaluation_follows(run.state.step) && !evaluation_is_dear(run)));
    run.state.evaluation_due = evaluates;
    bool stop = asked_to_stop();
    if (stop || due || last || time_is_over || evaluates) report_steps(run, 0, callbacks);
    if (evaluates && !stop) stop = !evaluate(run, callbacks) || asked_to_stop();
    if (last && !run.state.evaluation_due) break;
    if (!stop && patience_is_spent(run.state)) return end_without_gain();
    if (!stop && time_is_over) {
      end_early(cat("after ", options_.max_minutes, " minutes"));
      if (evaluates || !eval_ || evaluate(run, callbacks)) return;
      stop = true;
    } else if (out != nullptr && (stop || due)) {
      save(run, *out);
      saved = Clock::now();
    }
    if (stop) {
      result.ended_early.clear();
      result.interrupted = true;
      return;
    }
  }
}

}  // namespace hone::train
