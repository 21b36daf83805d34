#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "eval/sts.h"
#include "train/trainer_run.h"

namespace hone::train {

namespace {

// Steps that may be on their way while the next is made ready: enough that a GPU always has one to go on
// with.
constexpr size_t kStepsInFlight = 3;

}  // namespace

Trainer::Trainer(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine,
                 data::Table train, std::optional<data::Table> eval, TrainOptions options)
    : model_(options.max_seq_length > 0 && options.max_seq_length != model->max_seq_length
                 ? model->with_max_seq_length(options.max_seq_length)
                 : std::move(model)),
      engine_(std::move(engine)),
      options_((check_options(options), std::move(options))),
      label_scale_(options_.label_scale > 0 ? options_.label_scale : read_label_scale(train)),
      data_(std::move(train), *model_, *engine_, label_scale_) {
  const auto rows = static_cast<int64_t>(data_.rows());
  steps_per_epoch_ = (rows + options_.batch_size - 1) / options_.batch_size;
  frame_.steps_total = total_steps(options_, steps_per_epoch_);
  schedule_ = {
      options_.schedule, options_.learning_rate,
      static_cast<int64_t>(std::ceil(static_cast<double>(frame_.steps_total) * options_.warmup_ratio)),
      frame_.steps_total};
  const auto content = [](const data::Table& table) {
    return cat(table.rows, " rows with hash ", table.content_hash);
  };
  frame_.identity = options_.identity();
  frame_.identity.emplace_back("data", content(data_.table()));
  frame_.identity.emplace_back("eval data", eval ? content(*eval) : "none");
  frame_.identity.emplace_back("model", model_identity(*model_));
  frame_.evaluates = eval.has_value();
  if (eval) eval_.emplace(std::move(*eval), *model_, *engine_);
}

Trainer::~Trainer() = default;

EvalReport Trainer::evaluate(encode::Encoder& encoder, int64_t step) const {
  const auto a = encoder.encode_ids(eval_->first), b = encoder.encode_ids(eval_->second);
  const auto scores = eval::sts_scores(a, b, encoder.dim(), eval_->table.number("score"), true);
  return {step, scores.metrics, scores.spearman_cosine_interval.low, scores.spearman_cosine_interval.high,
          false};
}

int64_t Trainer::evaluate_every() const {
  return options_.eval_steps > 0 ? options_.eval_steps : steps_per_epoch_;
}

bool Trainer::evaluation_follows(int64_t step) const {
  return eval_ && (step == frame_.steps_total || step % evaluate_every() == 0);
}

// Keeps the weights of the best evaluated step. A metric that is not a number is never better.
void Trainer::consider(Run& run, EvalReport report, const TrainCallbacks& callbacks) {
  auto value = [&](const EvalReport& r) {
    const double v = r.value(options_.metric);
    return std::isnan(v) ? -HUGE_VAL : v;
  };
  report.best = !run.state.best || value(report) > value(*run.state.best);
  if (report.best) {
    run.state.best = report;
    run.state.best_weights.clear();  // before there are others: one copy of the model less
    run.state.best_weights = run.encoder->read(*run.parameters);
  }
  run.state.evaluation_due = false;
  if (callbacks.evaluation) callbacks.evaluation(report);
}

// What is still to be done; three epochs stand for all.
Workload Trainer::workload(Run& run) const {
  Workload work;
  work.steps = frame_.steps_total - run.state.step;
  const int64_t looked_at = std::min(work.steps, 3 * steps_per_epoch_);
  int64_t tokens = 0;
  for (int64_t index = run.state.step; index < run.state.step + looked_at; ++index) {
    int64_t batch = 0;
    for (uint32_t row : batch_rows(run, index)) batch += data_.tokens(row);
    tokens += batch;
    work.tokens_of_largest = std::max(work.tokens_of_largest, batch);
  }
  work.tokens_per_step = static_cast<double>(tokens) / static_cast<double>(std::max<int64_t>(1, looked_at));
  work.checkpoints = options_.checkpoint_steps > 0 && options_.checkpoint_steps < frame_.steps_total;
  if (!eval_) return work;
  work.evaluation_batch_tokens = engine_->batch_tokens();
  const int64_t every = evaluate_every();
  work.evaluations = frame_.steps_total / every - run.state.step / every + (run.state.evaluation_due ? 1 : 0);
  if (work.steps > 0 && frame_.steps_total % every != 0) ++work.evaluations;  // after the last step
  for (const auto* side : {&eval_->first, &eval_->second}) {
    for (const auto& ids : *side) work.tokens_per_evaluation += static_cast<int64_t>(ids.size());
  }
  return work;
}

// `evaluation_seconds`: what the evaluation of the base model took, 0 when it was made by an earlier run.
void Trainer::estimate(Run& run, double evaluation_seconds, const TrainCallbacks& callbacks) const {
  if (!callbacks.estimate) return;
  const Workload work = workload(run);
  size_t bytes = data_.bytes();
  if (eval_) bytes += eval_->bytes();
  Speed speed;
  speed.evaluation_seconds = evaluation_seconds;
  nn::TokenBatch batch;
  for (uint32_t row : batch_rows(run, run.state.step)) data_.append(batch, row);
  double best = HUGE_VAL;
  for (int i = 0; i < 2; ++i) {
    const auto start = Clock::now();
    run.graph->begin(compute::Mode::infer);
    const compute::Tensor y = run.encoder->forward(*run.graph, batch);
    const compute::Shape shape = run.graph->shape(y);
    std::vector<float> vectors(static_cast<size_t>(shape.rows * shape.cols));
    run.graph->read(y, vectors);  // a GPU has not computed before it is asked
    best = std::min(best, seconds_since(start));
  }
  speed.token_seconds = best / static_cast<double>(batch.tokens());
  callbacks.estimate({estimate_seconds(work, speed), estimate_bytes(*model_, work, bytes)});
}

std::shared_ptr<const model::SentenceModel> Trainer::finish(Run& run, const fs::path* out) {
  const bool kept_best = !run.state.best_weights.empty();
  const auto tuned =
      run.start->with_tensors(kept_best ? run.state.best_weights : run.encoder->read(*run.parameters));
  if (out == nullptr) return tuned;
  model::ModelCard card;
  card.base_model = model_->folder.string();
  card.data = cat(data_.table().path.filename(), ", ", data_.rows(), " labelled pairs");
  card.loss = "cosine similarity (MSE of the cosine of the two vectors and the label)";
  card.settings = options_.identity();
  card.settings.emplace_back("labels divided by", cat(label_scale_));
  if (run.state.before && run.state.best) {
    for (const auto& [name, value] : run.state.before->metrics)
      card.scores.push_back(
          {eval_->table.path.filename().string(), name, value, run.state.best->value(name)});
  }
  StagedFolder staged(*out);
  write_model_files(*tuned, staged.path(), card);
  StagedFile record(staged.path() / "training.json");
  record.write(run_record_json(run.state));
  record.commit();
  keep_other_files(*out, staged.path());
  staged.commit();
  return tuned;
}

void Trainer::begin(Run& run) const {
  run.parameters = engine_->parameters();
  run.encoder = std::make_unique<nn::SentenceEncoder>(
      *run.start, *run.parameters, nn::EncoderOptions{true, static_cast<float>(options_.dropout)});
  run.graph = engine_->graph(*run.parameters);
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
  Run run;
  run.start = model_;
  run.state.identity = frame_.identity;
  std::optional<LoadedCheckpoint> loaded;
  if (out != nullptr && holds_run(*out, existing) && existing == OnExisting::resume) {
    loaded = load_checkpoint(checkpoint, frame_, *model_);
    if (!loaded) {
      const RunRecord finished = read_run_record(*out / "training.json", *out, frame_);
      note(cat("the run in ", *out, " is finished already: nothing to do"));
      result.already_finished = true;
      result.steps = finished.step;
      result.kept_step = finished.best ? finished.best->step : finished.step;
      result.before = finished.before;
      result.after = finished.best;
      result.model = model::load_model(*out);
      return result;
    }
  }
  if (loaded) {
    run.start = loaded->model;
    run.state = std::move(loaded->state);
    note(cat("resuming after step ", run.state.step, " of ", frame_.steps_total));
  } else if (existing == OnExisting::resume) {
    note(cat("no checkpoint in ", checkpoint, ": starting anew"));
  }
  std::optional<NewFolders> new_folders;
  if (out != nullptr) {
    new_folders.emplace(*out);
    require_writable(*out);
  }
  if (callbacks.begin) callbacks.begin();

  begin(run);
  if (loaded) restore_moments(*loaded, *run.encoder, *run.parameters);
  run.vectors = std::make_unique<encode::Encoder>(run.start, engine_, *run.encoder, *run.parameters);
  double evaluation_seconds = 0;
  if (eval_ && !run.state.before) {
    const auto evaluation = Clock::now();
    run.state.before = evaluate(*run.vectors, 0);
    evaluation_seconds = seconds_since(evaluation);
    if (callbacks.evaluation) callbacks.evaluation(*run.state.before);
  }
  estimate(run, evaluation_seconds, callbacks);

  const auto asked_to_stop = [&] { return callbacks.stop && callbacks.stop(); };
  run.training = Clock::now();
  if (run.state.evaluation_due) consider(run, evaluate(*run.vectors, run.state.step), callbacks);
  for (int64_t index = run.state.step; index < frame_.steps_total; ++index) {
    start_step(run, index);
    run.state.step = index + 1;
    report_steps(run, kStepsInFlight, callbacks);
    const bool last = run.state.step == frame_.steps_total;
    const bool due =
        out != nullptr && options_.checkpoint_steps > 0 && run.state.step % options_.checkpoint_steps == 0;
    // Who asks to stop does not wait for an evaluation: a resumed run makes it first.
    run.state.evaluation_due = evaluation_follows(run.state.step);
    bool stop = asked_to_stop();
    if (stop || due || last || run.state.evaluation_due) report_steps(run, 0, callbacks);
    if (run.state.evaluation_due && !stop) {
      consider(run, evaluate(*run.vectors, run.state.step), callbacks);
      stop = asked_to_stop();
    }
    if (last && !run.state.evaluation_due) break;
    if (out != nullptr && (stop || due))
      save_checkpoint(checkpoint, *run.start, *run.encoder, *run.parameters, run.state);
    if (stop) {
      result.interrupted = true;
      break;
    }
  }
  if (!result.interrupted) result.model = finish(run, out);
  result.steps = run.state.step;
  result.kept_step = run.state.best ? run.state.best->step : run.state.step;
  result.before = run.state.before;
  result.after = run.state.best;
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace hone::train
