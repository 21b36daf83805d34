// What a Trainer plans and says before step 1: how a batch is cut to fit the memory allowed, and what a run
// takes.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "train/trainer_run.h"

namespace hone::train {

std::vector<std::string> Trainer::introduction() const {
  std::vector<std::string> lines{
      cat("engine: ", engine_->describe()),
      cat("loss: ", loss_.name,
          options_.loss.empty() ? " (chosen by the columns; --loss names another), " : ", ", loss_.formula)};
  if (held_out_) {
    lines.push_back(cat("hold-out: ", held_out_->rows, " of ", held_out_->of_rows, " rows, chosen by ",
                        held_out_->by, ", are kept to evaluate on"));
  }
  if (eval_) {
    lines.push_back(
        cat("evaluation: ", eval_->task(),
            options_.task.empty() ? " (chosen by the data's columns; --task names another), " : ", ",
            eval_->units(), " ", eval_->unit(), " of ", eval_->source()));
  }
  if (encode::has_prompts(*model_)) {
    lines.push_back(cat("prompts: ", encode::prompts_line(data_.prompts()),
                        options_.prompts == encode::PromptUse::none
                            ? " (--prompts default or roles puts the model's)"
                            : " (--prompts)"));
    if (eval_)
      lines.push_back(
          cat("prompts of the evaluation: ", encode::prompts_line(eval_->prompts()), " (--eval-prompts)"));
  }
  for (std::string& line : preflight_.lines()) lines.push_back(std::move(line));
  if (label_scale() != 1) {
    lines.push_back(cat("labels are divided by ", label_scale(),
                        options_.label_scale > 0 ? "" : " (read off the data; --label-scale sets another)"));
  }
  return lines;
}

// The first batches stand for all: where much is masked, batches do not differ much.
size_t Trainer::mask_bytes(bool all_directions) {
  if (!false_negatives_) return 0;
  size_t most = 0;
  for (int64_t b = 0; b < std::min<int64_t>(3, batches_.per_epoch()); ++b)
    most = std::max(most, false_negatives_->bytes_of_batch(batches_.rows(0, b), all_directions));
  const bool vectors_to_come = options_.mask_similarity <= 1 && !false_negatives_->has_vectors();
  const auto dim = static_cast<size_t>(vectors_to_come ? model_->vector_dim() : 0);
  return most + false_negatives_->bytes() + static_cast<size_t>(data_.encodings()) * dim * sizeof(float);
}

// A run of it, and the results of the base model's, the latest and the best.
size_t Trainer::evaluation_bytes() const {
  if (!eval_) return 0;
  return eval_->bytes() + eval_->run_bytes(model_->vector_dim()) + 3 * eval_->result_bytes();
}

// What making the vectors of the base model takes, or reading them from where they are kept: the file's pages
// beside the copy.
size_t Trainer::bytes_before() const {
  if (options_.mask_similarity > 1 || false_negatives_->has_vectors()) return 0;
  const size_t vectors =
      static_cast<size_t>(data_.texts()) * static_cast<size_t>(model_->vector_dim()) * sizeof(float);
  return std::max(encoder_bytes(*model_, engine_->batch_tokens()),
                  options_.vector_cache.empty() ? 0 : vectors);
}

// Tokens of a micro-batch that keep the process, or a device with memory of its own, within the memory
// allowed; 0 where every batch fits.
int64_t Trainer::allowed_micro_tokens(bool all_directions) {
  const auto own = static_cast<size_t>(engine_->device_memory());
  const size_t present = own > 0 ? own : machine_memory();
  const size_t allowed = options_.memory > 0 ? options_.memory : present / 4 * 3;
  Workload work = workload(frame_.steps_total, 0, false);
  work.tokens_of_largest = 0;
  const size_t before = own > 0 ? 0 : std::exchange(work.bytes_before, 0);
  const size_t fixed =
      own > 0
          ? estimate_device_bytes(*model_, work)
          : estimate_bytes(*model_, work, data_.bytes() + mask_bytes(all_directions) + evaluation_bytes());
  // The most that a batch can have: its longest rows together.
  std::vector<int64_t> tokens;
  tokens.reserve(static_cast<size_t>(data_.rows()));
  for (uint32_t row = 0; row < data_.rows(); ++row) tokens.push_back(data_.tokens(row));
  const auto size = static_cast<size_t>(std::min(options_.batch_size, data_.rows()));
  std::nth_element(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(size - 1), tokens.end(),
                   std::greater<>());
  const int64_t most =
      std::accumulate(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(size), int64_t{0});
  const int64_t longest = preflight_.longest_tokens;
  const size_t per_token = own > 0 ? device_bytes_per_token(*model_) : bytes_per_token(*model_);
  const int64_t fits = allowed > fixed ? static_cast<int64_t>((allowed - fixed) / per_token) : 0;
  const size_t least = fixed + std::max(static_cast<size_t>(longest) * per_token, before);
  if (fits < longest || allowed < least) {
    fail_usage("memory: ", allowed / 1000000, " MB found, at least ", least / 1000000 + 1,
               " MB expected for this model and data");
  }
  return fits >= most ? 0 : fits;
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
  work.bytes_before = bytes_before();
  if (!eval_) return work;
  work.evaluation_batch_tokens = engine_->batch_tokens();
  const int64_t every = evaluate_every();
  work.evaluations = last / every - done / every + (evaluation_due ? 1 : 0);
  if (work.steps > 0 && last % every != 0) ++work.evaluations;  // after the last step
  work.tokens_per_evaluation = eval_->tokens();
  return work;
}

void Trainer::estimate(Run& run, const TrainCallbacks& callbacks) {
  if (!callbacks.estimate) return;
  const Workload work = workload(frame_.steps_total, run.state.step, run.state.evaluation_due);
  const size_t bytes = data_.bytes() + mask_bytes(run.loss->compares_all()) + evaluation_bytes();
  Speed speed;
  speed.evaluation_seconds = run.base_seconds;
  nn::TokenBatch batch;
  std::vector<int32_t> scratch;
  const std::vector<uint32_t> rows = step_rows(run.state.step).front();
  for (uint32_t row : rows) {
    if (micro_tokens_ > 0 && batch.tokens() + data_.tokens(row) > micro_tokens_ && batch.tokens() > 0) break;
    for (int64_t role = 0; role < data_.roles(); ++role)
      batch.add(data_.ids().read(data_.encoded(role, row), scratch), row, static_cast<uint32_t>(role));
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
  run.estimated = {estimate_seconds(work, speed), engine_->device_memory() > 0
                                                      ? estimate_device_bytes(*model_, work)
                                                      : estimate_bytes(*model_, work, bytes)};
  callbacks.estimate(*run.estimated);
}

}  // namespace hone::train
