// Steps of a Trainer: of its own loop, where several are on their way, and of a host's, one at a time.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "train/trainer_run.h"

namespace hone::train {

std::vector<std::vector<uint32_t>> Trainer::step_rows(int64_t index) {
  const int64_t epoch = index / steps_per_epoch_, first = index % steps_per_epoch_ * options_.accumulate;
  std::vector<std::vector<uint32_t>> rows;
  for (int64_t b = first; b < std::min(first + options_.accumulate, batches_.per_epoch()); ++b)
    rows.push_back(batches_.rows(epoch, b));
  return rows;
}

// "lines 3, 8 of pairs.tsv"; of several files "a.tsv:3, b.tsv:8".
std::string Trainer::row_list(std::span<const uint32_t> rows) const {
  const data::Table& table = data_.table();
  const bool one_file = table.appended.empty();
  std::string list;
  for (uint32_t row : rows)
    list += cat(list.empty() ? "" : ", ", one_file ? cat(table.lines[row]) : table.where(row));
  return one_file ? cat("lines ", list, " of ", table.path) : list;
}

// Adds the gradient of `share` times the loss of one batch to that of the parameters. `batch` counts those of
// the whole run: it keys the dropout and what a loss draws.
double Trainer::add_batch(Run& run, std::span<const uint32_t> rows, uint64_t batch, double share) {
  loss::Batch input;
  input.vectors = run.pass->forward(data_, rows, options_.seed, batch);
  input.rows = static_cast<int64_t>(rows.size());
  input.roles = data_.roles();
  input.dim = run.pass->dim();
  input.label_width = data_.label_width();
  input.number = batch;
  std::vector<float> labels;
  for (uint32_t row : rows)
    labels.insert(labels.end(), data_.labels(row), data_.labels(row) + data_.label_width());
  input.labels = labels;
  loss::FalseNegatives false_negatives;
  if (false_negatives_) {
    false_negatives = false_negatives_->of(rows, run.loss->compares_all());
    input.false_negatives = &false_negatives;
  }
  for (size_t i = 0; i < run.heads.size(); ++i)
    run.parameters->read(run.heads[i], compute::State::value, run.trained[i]->values);
  std::vector<float> gradient(input.vectors.size(), 0.0F);
  const double loss = run.loss->evaluate(input, *engine_, gradient);
  const auto scale = static_cast<float>(share);
  if (share != 1) {
    for (float& g : gradient) g *= scale;
    for (loss::Head* head : run.trained) {
      for (float& g : head->gradient) g *= scale;
    }
  }
  run.pass->backward(gradient);
  for (size_t i = 0; i < run.heads.size(); ++i)
    run.parameters->add_gradient(run.heads[i], run.trained[i]->gradient);
  return share * loss;
}

// Queues forward, backward and update. What is waited for are the vectors, which the loss needs.
void Trainer::start_step(Run& run, int64_t index) {
  StartedStep started;
  const auto batches = step_rows(index);
  int64_t tokens = 0;
  for (size_t b = 0; b < batches.size(); ++b) {
    started.loss += add_batch(run, batches[b], static_cast<uint64_t>(index * options_.accumulate) + b,
                              1 / static_cast<double>(batches.size()));
    tokens += run.pass->tokens();
    started.rows.insert(started.rows.end(), batches[b].begin(), batches[b].end());
  }
  started.gradient_norm = update(run, index);
  started.report = report_of(index, tokens, started.rows.size());
  run.started.push_back(std::move(started));
}

// Clipping and AdamW at the rate of step `index`; the norm before clipping comes later.
std::unique_ptr<compute::Reading> Trainer::update(Run& run, int64_t index) const {
  compute::AdamW adamw;
  adamw.learning_rate = static_cast<float>(schedule_.rate(index));
  adamw.weight_decay = static_cast<float>(options_.weight_decay);
  adamw.step = static_cast<uint64_t>(index) + 1;
  auto norm = run.parameters->clipped_step(adamw, options_.max_grad_norm);
  run.parameters->clear_gradients();
  return norm;
}

StepReport Trainer::report_of(int64_t index, int64_t tokens, size_t rows) const {
  StepReport report;
  report.step = index + 1;
  report.steps_total = frame_.steps_total;
  report.epoch = static_cast<double>(index + 1) / static_cast<double>(steps_per_epoch_);
  report.learning_rate = schedule_.rate(index);
  report.tokens = tokens;
  report.pairs = static_cast<int64_t>(rows);
  return report;
}

// Reports, in order, the steps whose numbers are there, and waits until at most `may_stay` are left. A number
// that is none has been in the weights by then: the error ends the run, and nothing is saved before all steps
// are reported.
void Trainer::report_steps(Run& run, size_t may_stay, const TrainCallbacks& callbacks) const {
  while (!run.started.empty()) {
    StartedStep& next = run.started.front();
    if (run.started.size() <= may_stay && !next.gradient_norm->ready()) return;
    StepReport report = next.report;
    report.loss = next.loss;
    report.grad_norm = static_cast<double>(next.gradient_norm->number());
    for (const auto& [what, value] : {std::pair{"loss", report.loss}, {"gradient", report.grad_norm}}) {
      if (!std::isfinite(value)) {
        const std::vector<uint32_t> rows = std::move(next.rows);
        run.started.clear();
        fail("step ", report.step, ": the ", what, " is ", std::isnan(value) ? "nan" : cat(value),
             " in the batch of ", row_list(rows));
      }
    }
    report.seconds = seconds_since(run.training);
    run.started.pop_front();
    if (callbacks.step) callbacks.step(report);
  }
}

Trainer::Run& Trainer::hosted() {
  if (!hosted_) {
    auto run = std::make_unique<Run>();
    run->start = model_;
    begin(*run);
    run->training = Clock::now();
    hosted_ = std::move(run);
  }
  return *hosted_;
}

size_t Trainer::forwarded_floats() const {
  return hosted_ && hosted_->forwarded ? hosted_->host.vectors.size() : 0;
}

namespace {

void require_steps_left(int64_t step, int64_t total) {
  if (step >= total) fail_usage("step: all ", total, " steps are done");
}

}  // namespace

StepReport Trainer::step() {
  Run& run = hosted();
  require_steps_left(run.state.step, frame_.steps_total);
  run.forwarded = false;
  run.parameters->clear_gradients();  // of a step that failed half-way
  start_step(run, run.state.step);
  run.state.step += 1;
  StepReport done;
  TrainCallbacks callbacks;
  callbacks.step = [&](const StepReport& report) { done = report; };
  report_steps(run, 0, callbacks);
  return done;
}

const HostBatch& Trainer::forward() {
  Run& run = hosted();
  if (run.forwarded) return run.host;
  const int64_t index = run.state.step;
  require_steps_left(index, frame_.steps_total);
  if (options_.accumulate > 1)
    throw config::OptionError("train.accumulate",
                              cat("accumulate: ", options_.accumulate,
                                  " found, 1 expected: a loss of the host's makes a step of each batch"));
  const std::vector<uint32_t> rows = step_rows(index).front();
  HostBatch host;
  host.step = index;
  host.rows = static_cast<int64_t>(rows.size());
  host.roles = data_.roles();
  host.label_width = data_.label_width();
  for (uint32_t row : rows) {
    host.labels.insert(host.labels.end(), data_.labels(row), data_.labels(row) + host.label_width);
    host.indices.push_back(data_.table().origin(row));
  }
  const auto vectors = run.pass->forward(data_, rows, options_.seed, static_cast<uint64_t>(index));
  host.dim = run.pass->dim();
  host.vectors.assign(vectors.begin(), vectors.end());
  run.host = std::move(host);
  run.forwarded = true;
  return run.host;
}

StepReport Trainer::backward(std::span<const float> gradient, double loss) {
  if (!hosted_ || !hosted_->forwarded)
    fail_usage("gradient: found before forward, which gives what it is of");
  Run& run = *hosted_;
  if (gradient.size() != run.host.vectors.size()) {
    fail_usage("gradient: ", gradient.size(), " numbers found, ", run.host.vectors.size(), " expected");
  }
  if (!std::all_of(gradient.begin(), gradient.end(), [](float g) { return std::isfinite(g); })) {
    fail("step ", run.state.step + 1, ": the gradient given has a value that is not finite");
  }
  const int64_t index = run.state.step;
  run.forwarded = false;  // whatever happens now, the batch is used up
  run.parameters->clear_gradients();
  run.pass->backward(gradient);
  const auto norm = update(run, index);
  StepReport report = report_of(index, run.pass->tokens(), static_cast<size_t>(run.host.rows));
  report.loss = loss;
  report.grad_norm = static_cast<double>(norm->number());
  report.seconds = seconds_since(run.training);
  run.state.step = index + 1;
  if (!std::isfinite(report.grad_norm)) {
    fail("step ", report.step, ": the gradient is ", report.grad_norm, " in the batch of ",
         row_list(step_rows(index).front()));
  }
  return report;
}

std::shared_ptr<const model::SentenceModel> Trainer::tuned() const {
  return hosted_ ? model_->with_tensors(hosted_->encoder->read(*hosted_->parameters)) : model_;
}

}  // namespace hone::train
