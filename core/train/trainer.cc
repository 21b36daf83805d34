#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "eval/sts.h"
#include "train/sampler.h"

namespace hone::train {

using Clock = std::chrono::steady_clock;

namespace {

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// NaN where a report has no such metric, or its value is NaN.
double value_of(const EvalReport& report, const std::string& metric) {
  for (const auto& [name, value] : report.metrics) {
    if (name == metric) return value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

namespace {

// Steps that may be on their way while the next is made ready: enough that a GPU always has one to go on
// with.
constexpr size_t kStepsInFlight = 3;

// A step whose numbers may not have arrived yet.
struct StartedStep {
  StepReport report;
  std::vector<uint32_t> rows;
  std::unique_ptr<compute::Reading> loss, gradient_norm;
};

}  // namespace

struct Trainer::Run {
  std::unique_ptr<compute::Parameters> parameters;
  std::unique_ptr<nn::SentenceEncoder> encoder;
  std::unique_ptr<compute::Graph> graph;
  std::unique_ptr<encode::Encoder> vectors;
  std::shared_ptr<const model::SentenceModel> start;  // the base model, or the checkpoint's
  CheckpointState state;
  int64_t order_epoch = -1;
  std::vector<uint32_t> order;
  std::deque<StartedStep> started;
  Clock::time_point training;  // when the first step began
};

Trainer::Trainer(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine,
                 data::Table train, std::optional<data::Table> eval, TrainOptions options)
    : model_(options.max_seq_length > 0 ? model->with_max_seq_length(options.max_seq_length)
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
    const double v = value_of(r, options_.metric);
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

std::vector<uint32_t> Trainer::batch_rows(Run& run, int64_t index) const {
  const int64_t epoch = index / steps_per_epoch_, at = index % steps_per_epoch_;
  if (run.order_epoch != epoch) {
    run.order = epoch_order(options_.seed, static_cast<uint64_t>(epoch), static_cast<uint32_t>(data_.rows()),
                            options_.shuffle);
    run.order_epoch = epoch;
  }
  const auto begin = run.order.begin() + at * options_.batch_size;
  const auto size = std::min<int64_t>(options_.batch_size, run.order.end() - begin);
  return {begin, begin + size};
}

std::string Trainer::row_list(std::span<const uint32_t> rows) const {
  std::string list;
  for (uint32_t row : rows) list += cat(list.empty() ? "" : ", ", data_.line(row));
  return list;
}

// Queues forward, backward and update. Nothing here waits for the device.
void Trainer::start_step(Run& run, int64_t index) {
  StartedStep started;
  started.rows = batch_rows(run, index);
  nn::TokenBatch batch;
  std::vector<float> labels;
  std::vector<int32_t> left, right;
  for (uint32_t row : started.rows) {
    left.push_back(static_cast<int32_t>(2 * labels.size()));
    right.push_back(left.back() + 1);
    data_.append(batch, row);
    labels.push_back(data_.labels()[row]);
  }
  compute::Graph& graph = *run.graph;
  graph.begin(compute::Mode::train, options_.seed, static_cast<uint64_t>(index));
  const compute::Tensor vectors = run.encoder->forward(graph, batch);
  const compute::Tensor similarity = graph.pair_similarity(
      graph.rows(vectors, left), graph.rows(vectors, right), compute::Similarity::cosine);
  const compute::Tensor loss = graph.mean_squared_error(similarity, labels);
  started.loss = graph.read_later(loss);
  graph.compute::Graph::backward(loss);
  compute::AdamW adamw;
  adamw.learning_rate = static_cast<float>(schedule_.rate(index));
  adamw.weight_decay = static_cast<float>(options_.weight_decay);
  adamw.step = static_cast<uint64_t>(index) + 1;
  started.gradient_norm = run.parameters->clipped_step(adamw, options_.max_grad_norm);
  run.parameters->clear_gradients();

  StepReport& report = started.report;
  report.step = index + 1;
  report.steps_total = frame_.steps_total;
  report.epoch = static_cast<double>(index + 1) / static_cast<double>(steps_per_epoch_);
  report.learning_rate = schedule_.rate(index);
  report.tokens = batch.tokens();
  report.pairs = static_cast<int64_t>(started.rows.size());
  run.started.push_back(std::move(started));
}

// Reports, in order, the steps whose numbers are there, and waits until at most `may_stay` are left. A number
// that is none has been in the weights by then: the error ends the run, and nothing is saved before all steps
// are reported.
void Trainer::report_steps(Run& run, size_t may_stay, const TrainCallbacks& callbacks) const {
  while (!run.started.empty()) {
    StartedStep& next = run.started.front();
    if (run.started.size() <= may_stay && !(next.loss->ready() && next.gradient_norm->ready())) return;
    StepReport report = next.report;
    report.loss = static_cast<double>(next.loss->number());
    report.grad_norm = static_cast<double>(next.gradient_norm->number());
    for (const auto& [what, value] : {std::pair{"loss", report.loss}, {"gradient", report.grad_norm}}) {
      if (!std::isfinite(value)) {
        fail("step ", report.step, ": the ", what, " is ", value, " in the batch of lines ",
             row_list(next.rows), " of ", data_.table().path);
      }
    }
    report.seconds = seconds_since(run.training);
    run.started.pop_front();
    if (callbacks.step) callbacks.step(report);
  }
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

void Trainer::finish(Run& run, const fs::path& out) {
  const bool kept_best = !run.state.best_weights.empty();
  const auto tuned =
      run.start->with_tensors(kept_best ? run.state.best_weights : run.encoder->read(*run.parameters));
  model::ModelCard card;
  card.base_model = model_->folder.string();
  card.data = cat(data_.table().path.filename(), ", ", data_.rows(), " labelled pairs");
  card.loss = "cosine similarity (MSE of the cosine of the two vectors and the label)";
  card.settings = options_.identity();
  card.settings.emplace_back("labels divided by", cat(label_scale_));
  if (run.state.before && run.state.best) {
    for (const auto& [name, value] : run.state.before->metrics)
      card.scores.push_back(
          {eval_->table.path.filename().string(), name, value, value_of(*run.state.best, name)});
  }
  StagedFolder staged(out);
  write_model_files(*tuned, staged.path(), card);
  StagedFile record(staged.path() / "training.json");
  record.write(run_record_json(run.state));
  record.commit();
  keep_other_files(out, staged.path());
  staged.commit();
}

TrainResult Trainer::run(const fs::path& out, OnExisting existing, const TrainCallbacks& callbacks) {
  auto note = [&](const std::string& text) {
    if (callbacks.note) callbacks.note(text);
  };
  const auto start = Clock::now();
  const fs::path checkpoint = out / "checkpoint";
  recover_out_folder(out);
  TrainResult result;
  Run run;
  run.start = model_;
  run.state.identity = frame_.identity;
  std::optional<LoadedCheckpoint> loaded;
  if (holds_run(out, existing) && existing == OnExisting::resume) {
    loaded = load_checkpoint(checkpoint, frame_, *model_);
    if (!loaded) {
      const RunRecord finished = read_run_record(out / "training.json", out, frame_);
      note(cat("the run in ", out, " is finished already: nothing to do"));
      result.already_finished = true;
      result.steps = finished.step;
      result.kept_step = finished.best ? finished.best->step : finished.step;
      result.before = finished.before;
      result.after = finished.best;
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
  const NewFolders new_folders(out);
  require_writable(out);
  if (callbacks.begin) callbacks.begin();

  const float dropout = static_cast<float>(options_.dropout);
  run.parameters = engine_->parameters();
  run.encoder =
      std::make_unique<nn::SentenceEncoder>(*run.start, *run.parameters, nn::EncoderOptions{true, dropout});
  if (loaded) restore_moments(*loaded, *run.encoder, *run.parameters);
  run.graph = engine_->graph(*run.parameters);
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
    const bool due = options_.checkpoint_steps > 0 && run.state.step % options_.checkpoint_steps == 0;
    // Who asks to stop does not wait for an evaluation: a resumed run makes it first.
    run.state.evaluation_due = evaluation_follows(run.state.step);
    bool stop = asked_to_stop();
    if (stop || due || last || run.state.evaluation_due) report_steps(run, 0, callbacks);
    if (run.state.evaluation_due && !stop) {
      consider(run, evaluate(*run.vectors, run.state.step), callbacks);
      stop = asked_to_stop();
    }
    if (last && !run.state.evaluation_due) break;
    if (stop || due) save_checkpoint(checkpoint, *run.start, *run.encoder, *run.parameters, run.state);
    if (stop) {
      result.interrupted = true;
      break;
    }
  }
  if (!result.interrupted) finish(run, out);
  result.steps = run.state.step;
  result.kept_step = run.state.best ? run.state.best->step : run.state.step;
  result.before = run.state.before;
  result.after = run.state.best;
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace hone::train
