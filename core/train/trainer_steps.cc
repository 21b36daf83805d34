// Steps of a Trainer: of its own loop, where several are on their way, and of a host's, one at a time.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "train/sampler.h"
#include "train/trainer_run.h"

namespace hone::train {

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
  started.gradient_norm = update(run, index);
  started.report = report_of(index, batch.tokens(), started.rows.size());
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

StepReport Trainer::report_of(int64_t index, int64_t tokens, size_t pairs) const {
  StepReport report;
  report.step = index + 1;
  report.steps_total = frame_.steps_total;
  report.epoch = static_cast<double>(index + 1) / static_cast<double>(steps_per_epoch_);
  report.learning_rate = schedule_.rate(index);
  report.tokens = tokens;
  report.pairs = static_cast<int64_t>(pairs);
  return report;
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
        const std::vector<uint32_t> rows = std::move(next.rows);
        run.started.clear();
        fail("step ", report.step, ": the ", what, " is ", value, " in the batch of lines ", row_list(rows),
             " of ", data_.table().path);
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

// x [outer, inner, dim] as [inner, outer, dim]: the encoder has the two texts of a pair side by side, the
// host one role after the other.
std::vector<float> reordered(std::span<const float> x, int64_t outer, int64_t inner, int64_t dim) {
  std::vector<float> out(x.size());
  for (int64_t i = 0; i < outer; ++i) {
    for (int64_t j = 0; j < inner; ++j)
      std::copy_n(x.begin() + (i * inner + j) * dim, dim, out.begin() + (j * outer + i) * dim);
  }
  return out;
}

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
  const std::vector<uint32_t> rows = batch_rows(run, index);
  HostBatch host;
  host.step = index;
  host.rows = static_cast<int64_t>(rows.size());
  run.batch = {};
  for (uint32_t row : rows) {
    data_.append(run.batch, row);
    host.labels.push_back(static_cast<double>(data_.labels()[row]));
    host.indices.push_back(row);
  }
  compute::Graph& graph = *run.graph;
  graph.begin(compute::Mode::train, options_.seed, static_cast<uint64_t>(index));
  run.tensor = run.encoder->forward(graph, run.batch);
  host.dim = graph.shape(run.tensor).cols;
  std::vector<float> packed(static_cast<size_t>(2 * host.rows * host.dim));  // [rows, roles, dim]
  graph.read(run.tensor, packed);
  host.vectors = reordered(packed, host.rows, 2, host.dim);
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
  const std::vector<float> packed = reordered(gradient, 2, run.host.rows, run.host.dim);
  const int64_t index = run.state.step;
  run.forwarded = false;  // whatever happens now, the batch is used up
  run.parameters->clear_gradients();
  run.graph->backward(run.tensor, packed);
  const auto norm = update(run, index);
  StepReport report = report_of(index, run.batch.tokens(), static_cast<size_t>(run.host.rows));
  report.loss = loss;
  report.grad_norm = static_cast<double>(norm->number());
  report.seconds = seconds_since(run.training);
  run.state.step = index + 1;
  if (!std::isfinite(report.grad_norm)) {
    fail("step ", report.step, ": the gradient is ", report.grad_norm, " in the batch of lines ",
         row_list(batch_rows(run, index)), " of ", data_.table().path);
  }
  return report;
}

std::shared_ptr<const model::SentenceModel> Trainer::tuned() const {
  return hosted_ ? model_->with_tensors(hosted_->encoder->read(*hosted_->parameters)) : model_;
}

}  // namespace hone::train
