// The training loop: batches through the encoder, a loss on their vectors, AdamW.
//
// Rules
// - The model given is never changed; run() gives a new one and writes it to OUT where one is named. Until it
//   is whole, a run adds nothing to OUT but OUT/checkpoint (out_folder.h).
// - step(), forward() and backward() are for hosts that own the loop: the same steps, one at a time, without
//   evaluation, checkpoints or OUT. They and run() do not know of each other.
// - The same options, data and model give the same bits at any thread count, interrupted and resumed or not.
// - Everything that can be checked is checked in the constructor, before step 1.
// - Order of a step as in transformers' Trainer: forward, backward (of each accumulated batch, its loss
//   divided by their number), clip by max / (norm + 1e-6), AdamW with the rate of this step, next rate.
#pragma once

#include <memory>
#include <optional>

#include "compute/graph.h"
#include "data/dataset.h"
#include "encode/encoder.h"
#include "loss/loss_table.h"
#include "model/sentence_model.h"
#include "train/batches.h"
#include "train/checkpoint.h"
#include "train/estimate.h"
#include "train/false_negatives.h"
#include "train/hold_out.h"
#include "train/options.h"
#include "train/out_folder.h"
#include "train/preflight.h"
#include "train/tensor_rules.h"
#include "train/train_data.h"
#include "train/verdict.h"

namespace hone::train {

// The vectors of a batch, until the trainer's next call.
struct HostBatch {
  int64_t step = 0;  // from 0
  int64_t rows = 0, roles = 0, dim = 0, label_width = 0;
  std::vector<float> vectors;     // [roles, rows, dim], roles in the order of the loss's columns
  std::vector<double> labels;     // [rows, label_width], similarity labels divided by the label scale
  std::vector<uint64_t> indices;  // [rows] of the data
};

class Trainer {
 public:
  Trainer(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine,
          data::Table train, MakeEvaluation evaluation, TrainOptions options);
  // The same with rows that come by blocks: their texts are not in memory all at once.
  Trainer(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine,
          TrainRows&& train, MakeEvaluation evaluation, TrainOptions options);
  ~Trainer();

  // Trains and saves to `out`. Throws Error; what was saved before stays. Resuming a run that is already
  // finished does nothing and says so. One that a limit ended (max_minutes, patience) keeps its checkpoint
  // beside the model: resumed with a larger one it ends with the bits of a run that had that from the start.
  TrainResult run(const std::filesystem::path& out, OnExisting existing, const TrainCallbacks& callbacks);
  // The same without a folder: no checkpoints, and interrupted it leaves nothing.
  TrainResult run(const TrainCallbacks& callbacks);

  // The next step. Throws UsageError after the last.
  StepReport step();
  // The vectors of the next batch, for a loss of the host's. Until backward() it gives the same batch again.
  const HostBatch& forward();
  // Backward from the gradient of the vectors, laid out as they are, clipping and update.
  StepReport backward(std::span<const float> gradient, double loss);
  size_t forwarded_floats() const;  // that backward() expects; 0: forward() comes first
  // As trained by step() and backward() so far.
  std::shared_ptr<const model::SentenceModel> tuned() const;

  // Engine, loss, data and what looks wrong with them, in lines for people; warnings begin with "warning: ".
  std::vector<std::string> introduction() const;
  const loss::LossInfo& loss() const { return loss_; }
  const Preflight& preflight() const { return preflight_; }
  const std::optional<HeldOut>& held_out() const { return held_out_; }
  const std::string& metric() const { return options_.metric; }
  double label_scale() const { return data_.label_scale(); }
  int64_t steps_per_epoch() const { return steps_per_epoch_; }
  int64_t steps_total() const { return frame_.steps_total; }
  const model::Identity& identity() const { return frame_.identity; }

 private:
  struct Run;  // the parts that live as long as one run(), or as the host's own loop
  TrainResult run_to(const std::filesystem::path* out, OnExisting existing, const TrainCallbacks& callbacks);
  // Makes what run.start is trained with. `progress`: of texts encoded, where some are.
  void begin(Run& run, const std::function<void(size_t, size_t)>& progress = {});
  void prepare(Run& run, const std::optional<LoadedCheckpoint>& loaded, const TrainCallbacks& callbacks);
  void train(Run& run, const std::filesystem::path* out, const TrainCallbacks& callbacks,
             TrainResult& result);
  Run& hosted();  // the host's own loop, begun
  loss::Setup setup() const;
  void start_step(Run& run, int64_t index);
  double add_batch(Run& run, std::span<const uint32_t> rows, uint64_t batch, double share);
  void report_steps(Run& run, size_t may_stay, const TrainCallbacks& callbacks) const;
  using Progress = std::function<void(size_t done, size_t total)>;
  static Progress until_stopped(const TrainCallbacks& callbacks);  // throws Stopped
  // The present weights, for consider(). False where a stop was asked for meanwhile.
  bool evaluate(Run& run, const TrainCallbacks& callbacks) const;
  EvalReport report_of(const eval::Result& result, int64_t step) const;
  // The verdict. False where a stop was asked for meanwhile.
  bool judge(Run& run, const TrainCallbacks& callbacks) const;
  void save(Run& run, const std::filesystem::path& out) const;  // the checkpoint
  bool patience_is_spent(const RunRecord& state) const;
  std::optional<RunRecord> finished_run(const std::filesystem::path& out,
                                        const std::optional<LoadedCheckpoint>& checkpoint) const;
  Workload workload(int64_t last, int64_t done, bool evaluation_due);
  void estimate(Run& run, const TrainCallbacks& callbacks);
  int64_t evaluate_every() const;  // steps
  bool evaluation_follows(int64_t step) const;
  bool evaluation_is_dear(const Run& run) const;
  void consider(Run& run, EvalReport report, const TrainCallbacks& callbacks) const;
  std::shared_ptr<const model::SentenceModel> finish(Run& run, const std::filesystem::path* out) const;
  std::unique_ptr<compute::Reading> update(Run& run, int64_t index) const;
  StepReport report_of(int64_t index, int64_t tokens, size_t rows) const;
  std::vector<std::vector<uint32_t>> step_rows(int64_t index);  // of each batch of a step
  std::string row_list(std::span<const uint32_t> rows) const;
  int64_t allowed_micro_tokens(bool all_directions);
  // Of memory that false negatives take, those of a batch included.
  size_t mask_bytes(bool all_directions);
  size_t evaluation_bytes() const;
  size_t bytes_before() const;

  std::shared_ptr<const model::SentenceModel> model_;
  std::shared_ptr<compute::Engine> engine_;
  TrainOptions options_;
  const loss::LossInfo& loss_;
  loss::LossOptions loss_options_;
  TensorRules rules_;
  std::optional<HeldOut> held_out_;  // its rows are the evaluation's once that is made
  TrainData data_;
  Batches batches_;
  std::unique_ptr<eval::Evaluation> eval_;
  Preflight preflight_;
  std::unique_ptr<FalseNegatives> false_negatives_;  // null: nothing is masked
  int64_t steps_per_epoch_ = 0;
  int64_t head_floats_ = 0;   // of the loss
  int64_t micro_tokens_ = 0;  // 0: batches are not cut
  Schedule schedule_;
  RunFrame frame_;
  std::unique_ptr<Run> hosted_;
};

}  // namespace hone::train
