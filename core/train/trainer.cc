#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

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

void check_options(const TrainOptions& o) {
  auto require = [](bool ok, const char* name, double found, const char* expected) {
    if (!ok) fail_usage(name, ": ", found, " found, ", expected, " expected");
  };
  require(o.epochs > 0 && o.epochs <= 1e6, "epochs", o.epochs, "a number above 0");
  require(o.steps >= 0, "steps", static_cast<double>(o.steps), "0 or more");
  require(o.batch_size >= 1 && o.batch_size <= 65536, "batch-size", static_cast<double>(o.batch_size),
          "1 to 65536");
  require(o.learning_rate >= 0 && o.learning_rate < 10, "lr", o.learning_rate, "0 to 10");
  require(o.warmup_ratio >= 0 && o.warmup_ratio <= 1, "warmup-ratio", o.warmup_ratio, "0 to 1");
  require(o.weight_decay >= 0 && o.weight_decay < 1, "weight-decay", o.weight_decay, "0 to 1");
  require(o.max_grad_norm >= 0 && std::isfinite(o.max_grad_norm), "max-grad-norm", o.max_grad_norm,
          "0 (off) or more");
  require(o.dropout < 1, "dropout", o.dropout, "0 to below 1");
  require(o.label_scale >= 0 && std::isfinite(o.label_scale), "label-scale", o.label_scale,
          "a number above 0");
  require(o.eval_steps >= 0, "eval-steps", static_cast<double>(o.eval_steps), "0 or more");
  require(o.checkpoint_steps >= 0, "checkpoint-steps", static_cast<double>(o.checkpoint_steps), "0 or more");
  const auto& names = eval::sts_metric_names();
  if (std::find(names.begin(), names.end(), o.metric) == names.end()) {
    std::string list;
    for (const auto& name : names) list += cat(list.empty() ? "" : ", ", name);
    fail_usage("metric: \"", excerpt(o.metric), "\" found, one of ", list, " expected");
  }
}

// What a folder must look like before --overwrite may replace it.
bool is_ours(const fs::path& out) {
  if (!fs::is_directory(out)) return false;
  for (const char* name : {"modules.json", "training.json", "checkpoint"}) {
    if (fs::exists(out / name)) return true;
  }
  return false;
}

}  // namespace

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

struct Trainer::Run {
  std::unique_ptr<compute::Parameters> parameters;
  std::unique_ptr<nn::SentenceEncoder> encoder;
  std::unique_ptr<compute::Graph> graph;
  std::unique_ptr<encode::Encoder> vectors;
  std::shared_ptr<const model::SentenceModel> start;  // the base model, or the checkpoint's
  CheckpointState state;
  int64_t order_epoch = -1;
  std::vector<uint32_t> order;
};

Trainer::Trainer(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine,
                 data::Table train, std::optional<data::Table> eval, TrainOptions options)
    : model_(options.max_seq_length > 0 ? model->with_max_seq_length(options.max_seq_length)
                                        : std::move(model)),
      engine_(std::move(engine)),
      options_((check_options(options), std::move(options))),
      label_scale_(options_.label_scale > 0 ? options_.label_scale : read_label_scale(train)),
      data_(std::move(train), *model_, *engine_, label_scale_),
      eval_(std::move(eval)) {
  const auto rows = static_cast<int64_t>(data_.rows());
  steps_per_epoch_ = (rows + options_.batch_size - 1) / options_.batch_size;
  steps_total_ =
      options_.steps > 0
          ? options_.steps
          : static_cast<int64_t>(std::ceil(options_.epochs * static_cast<double>(steps_per_epoch_)));
  schedule_ = {options_.schedule, options_.learning_rate,
               static_cast<int64_t>(std::ceil(static_cast<double>(steps_total_) * options_.warmup_ratio)),
               steps_total_};
  identity_ = options_.identity();
  identity_.emplace_back("data", cat(data_.rows(), " rows with hash ", data_.table().content_hash));
  identity_.emplace_back("eval data",
                         eval_ ? cat(eval_->rows, " rows with hash ", eval_->content_hash) : "none");
  identity_.emplace_back("model", cat("weights with hash ", weights_hash(*model_)));
}

EvalReport Trainer::evaluate(encode::Encoder& encoder, int64_t step) const {
  const auto a = encoder.encode(eval_->text("sentence1")), b = encoder.encode(eval_->text("sentence2"));
  const auto scores = eval::sts_scores(a, b, encoder.dim(), eval_->number("score"), true);
  return {step, scores.metrics, scores.spearman_cosine_interval.low, scores.spearman_cosine_interval.high,
          false};
}

// Keeps the weights of the best evaluated step. A metric that is not a number is never better.
void Trainer::consider(Run& run, EvalReport report, const TrainCallbacks& callbacks) {
  auto value = [&](const EvalReport& r) {
    for (const auto& [name, v] : r.metrics) {
      if (name == options_.metric) return std::isnan(v) ? -HUGE_VAL : v;
    }
    return -HUGE_VAL;
  };
  report.best = !run.state.best || value(report) > value(*run.state.best);
  if (report.best) {
    run.state.best = report;
    run.state.best_weights = run.encoder->read(*run.parameters);
  }
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

void Trainer::step(Run& run, int64_t index, StepReport& report) {
  const auto rows = batch_rows(run, index);
  nn::TokenBatch batch;
  std::vector<float> labels;
  std::vector<int32_t> left, right;
  for (uint32_t row : rows) {
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
  float value = 0;
  graph.read(loss, std::span(&value, 1));
  if (!std::isfinite(value)) {
    fail("step ", index + 1, ": the loss is ", value, " in the batch of lines ", row_list(rows), " of ",
         data_.table().path);
  }
  graph.compute::Graph::backward(loss);
  const double norm = run.parameters->gradient_norm();
  if (!std::isfinite(norm)) {
    fail("step ", index + 1, ": the gradient is ", norm, " in the batch of lines ", row_list(rows), " of ",
         data_.table().path);
  }
  compute::AdamW adamw;
  adamw.learning_rate = static_cast<float>(schedule_.rate(index));
  adamw.weight_decay = static_cast<float>(options_.weight_decay);
  adamw.step = static_cast<uint64_t>(index) + 1;
  if (options_.max_grad_norm > 0)
    adamw.gradient_scale = static_cast<float>(std::min(1.0, options_.max_grad_norm / (norm + 1e-6)));
  run.parameters->step(adamw);
  run.parameters->clear_gradients();

  report.step = index + 1;
  report.steps_total = steps_total_;
  report.epoch = static_cast<double>(index + 1) / static_cast<double>(steps_per_epoch_);
  report.loss = static_cast<double>(value);
  report.learning_rate = schedule_.rate(index);
  report.grad_norm = norm;
  report.tokens = batch.tokens();
  report.pairs = static_cast<int64_t>(rows.size());
}

// Memory at the most: the program and the mapped model; of a trained matrix its value, gradient, moments and
// transposed copy (of an embedding table no gradient and no copy); the activations of the largest batch; the
// copies that saving makes. Three epochs stand for all. Per token and layer the activations are qkv, context,
// sums, inputs (12 H) and the feed-forward's F; its backward needs another 2 F + 12 H once.
Estimate Trainer::estimate_memory(Run& run) const {
  int64_t tokens = 0;
  const int64_t enough = std::min(steps_total_, run.state.step + 3 * steps_per_epoch_);
  for (int64_t index = run.state.step; index < enough; ++index) {
    int64_t batch = 0;
    for (uint32_t row : batch_rows(run, index)) batch += data_.tokens(row);
    tokens = std::max(tokens, batch);
  }
  const auto& c = model_->config;
  const int64_t hidden = c.hidden_size, intermediate = c.intermediate_size;
  const int64_t per_token = c.layers * (12 * hidden + intermediate) + 2 * intermediate + 12 * hidden;
  const int64_t all = model_->parameters();
  const int64_t tables = (int64_t{c.vocab_size} + c.max_positions + c.type_vocab_size) * hidden;
  const int64_t copies = (eval_ ? 1 : 0) + (options_.checkpoint_steps > 0 ? 3 : 1);
  constexpr int64_t kProgram = 30 << 20;
  Estimate e;
  e.bytes = static_cast<size_t>(
      kProgram + 4 * (all + 5 * (all - tables) + 3 * tables + tokens * per_token + copies * all));
  return e;
}

// Time: a forward pass of the first batch, measured; a whole step is about three and a half of them.
void Trainer::estimate(Run& run, const TrainCallbacks& callbacks) {
  if (!callbacks.estimate) return;
  Estimate e = estimate_memory(run);
  nn::TokenBatch batch;
  for (uint32_t row : batch_rows(run, run.state.step)) data_.append(batch, row);
  double best = HUGE_VAL;
  for (int i = 0; i < 2; ++i) {
    const auto start = Clock::now();
    run.graph->begin(compute::Mode::infer);
    run.encoder->forward(*run.graph, batch);
    best = std::min(best, seconds_since(start));
  }
  double mean = 0;
  for (size_t row = 0; row < data_.rows(); ++row) mean += static_cast<double>(data_.tokens(row));
  mean *= static_cast<double>(std::min<int64_t>(options_.batch_size, static_cast<int64_t>(data_.rows()))) /
          static_cast<double>(data_.rows());
  e.seconds = 3.5 * best * mean / static_cast<double>(batch.tokens()) *
              static_cast<double>(steps_total_ - run.state.step);
  callbacks.estimate(e);
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
    for (size_t i = 0; i < run.state.before->metrics.size(); ++i) {
      const auto& [name, value] = run.state.before->metrics[i];
      card.scores.push_back(
          {eval_->path.filename().string(), name, value, run.state.best->metrics[i].second});
    }
  }
  StagedFolder staged(out);
  write_model_files(*tuned, staged.path(), card);
  StagedFile record(staged.path() / "training.json");
  record.write(finished_record(run.state));
  record.commit();
  staged.commit();
}

TrainResult Trainer::run(const fs::path& out, OnExisting existing, const TrainCallbacks& callbacks) {
  auto note = [&](const std::string& text) {
    if (callbacks.note) callbacks.note(text);
  };
  const auto start = Clock::now();
  const fs::path checkpoint = out / "checkpoint";
  recover_staged_folder(out);
  if (fs::is_directory(out))
    recover_staged_folder(checkpoint);  // a killed run may have left only this behind
  TrainResult result;
  Run run;
  run.start = model_;
  run.state.identity = identity_;
  std::optional<LoadedCheckpoint> loaded;
  if (fs::exists(out) && !(fs::is_directory(out) && fs::is_empty(out))) {
    switch (existing) {
      case OnExisting::refuse:
        fail(out,
             ": exists already; go on with --resume, replace it with --overwrite, or name another folder");
      case OnExisting::overwrite:
        if (!is_ours(out)) fail(out, ": is not a folder that hone wrote, so --overwrite leaves it alone");
        fs::remove_all(checkpoint);
        break;
      case OnExisting::resume:
        loaded = load_checkpoint(checkpoint, identity_);
        if (!loaded && finished_earlier(out, identity_, run.state)) {
          note(cat("the run in ", out, " is finished already: nothing to do"));
          result.already_finished = true;
          result.steps = result.kept_step = run.state.step;
          if (run.state.best) result.kept_step = run.state.best->step;
          result.before = run.state.before;
          result.after = run.state.best;
          return result;
        }
        if (!loaded && !is_ours(out)) fail(out, ": exists and is not a folder that hone wrote");
        break;
    }
  }
  if (loaded) {
    run.start = loaded->model;
    run.state = std::move(loaded->state);
    note(cat("resuming after step ", run.state.step, " of ", steps_total_));
  } else if (existing == OnExisting::resume) {
    note(cat("no checkpoint in ", checkpoint, ": starting anew"));
  }
  { StagedFolder writable(checkpoint); }  // a folder that cannot be written is found now, not after an hour
  if (callbacks.begin) callbacks.begin();

  const float dropout = static_cast<float>(options_.dropout);
  run.parameters = engine_->parameters();
  run.encoder =
      std::make_unique<nn::SentenceEncoder>(*run.start, *run.parameters, nn::EncoderOptions{true, dropout});
  if (loaded) restore_moments(checkpoint, *run.encoder, *run.parameters);
  run.graph = engine_->graph(*run.parameters);
  run.vectors = std::make_unique<encode::Encoder>(run.start, engine_, *run.encoder, *run.parameters);
  if (eval_ && !run.state.before) {
    run.state.before = evaluate(*run.vectors, 0);
    if (callbacks.evaluation) callbacks.evaluation(*run.state.before);
  }
  estimate(run, callbacks);

  const auto training = Clock::now();
  const int64_t eval_every = options_.eval_steps > 0 ? options_.eval_steps : steps_per_epoch_;
  for (int64_t index = run.state.step; index < steps_total_; ++index) {
    StepReport report;
    step(run, index, report);
    report.seconds = seconds_since(training);
    run.state.step = index + 1;
    if (callbacks.step) callbacks.step(report);
    const bool last = run.state.step == steps_total_;
    if (eval_ && (last || run.state.step % eval_every == 0))
      consider(run, evaluate(*run.vectors, run.state.step), callbacks);
    const bool stop = !last && callbacks.stop && callbacks.stop();
    const bool due = options_.checkpoint_steps > 0 && run.state.step % options_.checkpoint_steps == 0;
    if (stop || (due && !last))
      save_checkpoint(checkpoint, *run.start, *run.encoder, *run.parameters, run.state);
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
