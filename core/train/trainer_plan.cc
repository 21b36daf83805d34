// What a Trainer plans before step 1: how a batch is cut to fit the memory allowed, and what a run takes.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "train/trainer_run.h"

namespace hone::train {

// Tokens of a micro-batch that keep the process within the memory allowed; 0 where every batch fits.
int64_t Trainer::allowed_micro_tokens() {
  const size_t allowed = options_.memory > 0 ? options_.memory : machine_memory() / 4 * 3;
  Workload work = workload(frame_.steps_total, 0, false);
  work.tokens_of_largest = 0;
  size_t bytes = data_.bytes();
  if (loss_.in_batch)
    bytes += FalseNegatives::most_bytes(data_, options_.mask_similarity <= 1 ? model_->vector_dim() : 0);
  if (eval_) bytes += eval_->bytes();
  const size_t fixed = estimate_bytes(*model_, work, bytes);
  // The most that a batch can have: its longest rows together.
  std::vector<int64_t> tokens;
  for (uint32_t row = 0; row < data_.rows(); ++row) tokens.push_back(data_.tokens(row));
  const auto size = static_cast<size_t>(std::min(options_.batch_size, data_.rows()));
  std::nth_element(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(size - 1), tokens.end(),
                   std::greater<>());
  const int64_t most =
      std::accumulate(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(size), int64_t{0});
  const int64_t longest = preflight_.longest_tokens;
  const size_t per_token = bytes_per_token(*model_);
  const int64_t fits = allowed > fixed ? static_cast<int64_t>((allowed - fixed) / per_token) : 0;
  if (fits >= most) return 0;
  if (fits < longest) {
    fail_usage("memory: ", allowed / 1000000, " MB found, at least ",
               (fixed + static_cast<size_t>(longest) * per_token) / 1000000 + 1,
               " MB expected for this model and data");
  }
  return fits;
}

// What is still to be done after `done` steps; three epochs stand for all.
Workload Trainer::workload(int64_t last, int64_t done, bool evaluation_due) {
  Workload work;
  work.steps = last - done;
  const int64_t looked_at = std::min(work.steps, 3 * steps_per_epoch_);
  int64_t tokens = 0;
  for (int64_t index = done; index < done + looked_at; ++index) {
    for (const auto& rows : step_rows(index)) {
      int64_t batch = 0;
      for (uint32_t row : rows) batch += data_.tokens(row);
      tokens += batch;
      work.tokens_of_largest = std::max(work.tokens_of_largest, batch);
    }
  }
  work.tokens_per_step = static_cast<double>(tokens) / static_cast<double>(std::max<int64_t>(1, looked_at));
  work.cut = micro_tokens_ > 0;
  if (work.cut) work.tokens_of_largest = std::min(work.tokens_of_largest, micro_tokens_);
  work.head_floats = head_floats_;
  work.loss_floats = std::min(options_.batch_size, data_.rows()) * data_.roles() * model_->dim();
  work.checkpoints =
      options_.checkpoint_minutes > 0 || (options_.checkpoint_steps > 0 && options_.checkpoint_steps < last);
  if (!eval_) return work;
  work.evaluation_batch_tokens = engine_->batch_tokens();
  const int64_t every = evaluate_every();
  work.evaluations = last / every - done / every + (evaluation_due ? 1 : 0);
  if (work.steps > 0 && last % every != 0) ++work.evaluations;  // after the last step
  work.tokens_per_evaluation = eval_->tokens();
  return work;
}

// `evaluation_seconds`: what the evaluation of the base model took, 0 when it was made by an earlier run.
void Trainer::estimate(Run& run, double evaluation_seconds, const TrainCallbacks& callbacks) {
  if (!callbacks.estimate) return;
  const Workload work = workload(frame_.steps_total, run.state.step, run.state.evaluation_due);
  size_t bytes = data_.bytes() + (false_negatives_ ? false_negatives_->bytes() : 0);
  if (eval_) bytes += eval_->bytes();
  Speed speed;
  speed.evaluation_seconds = evaluation_seconds;
  nn::TokenBatch batch;
  const std::vector<uint32_t> rows = step_rows(run.state.step).front();
  for (uint32_t row : rows) {
    if (micro_tokens_ > 0 && batch.tokens() + data_.tokens(row) > micro_tokens_ && batch.tokens() > 0) break;
    for (int64_t role = 0; role < data_.roles(); ++role)
      batch.add(data_.ids(data_.text(role, row)), row, static_cast<uint32_t>(role));
  }
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

}  // namespace hone::train
