// The training loop: cosine-similarity loss on labelled pairs (Reimers & Gurevych 2019; CosineSimilarityLoss
// of the reference): MSE of cosine(u, v) and label.
//
// Rules
// - The model given is never changed; run() gives a new one and writes it to OUT where one is named. Until it
//   is whole, a run adds nothing to OUT but OUT/checkpoint (out_folder.h).
// - step(), forward() and backward() are for hosts that own the loop: the same steps, one at a time, without
//   evaluation, checkpoints or OUT. They and run() do not know of each other.
// - The same options, data and model give the same bits at any thread count, interrupted and resumed or not.
// - Everything that can be checked is checked in the constructor, before step 1.
// - Order of a step as in transformers' Trainer: forward, backward, clip by max / (norm + 1e-6), AdamW with
//   the rate of this step, next rate.
#pragma once

#include <memory>
#include <optional>

#include "compute/graph.h"
#include "data/dataset.h"
#include "encode/encoder.h"
#include "model/sentence_model.h"
#include "train/checkpoint.h"
#include "train/estimate.h"
#include "train/options.h"
#include "train/out_folder.h"
#include "train/pair_data.h"

namespace hone::train {

// The vectors of a batch of pairs, until the trainer's next call.
struct HostBatch {
  int64_t step = 0;  // from 0
  int64_t rows = 0, roles = 2, dim = 0;
  std::vector<float> vectors;     // [roles, rows, dim]: sentence1, then sentence2
  std::vector<double> labels;     // [rows], divided by the label scale
  std::vector<uint64_t> indices;  // [rows] of the data
};

class Trainer {
 public:
  Trainer(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine,
          data::Table train, std::optional<data::Table> eval, TrainOptions options);
  ~Trainer();

  // Trains and saves to `out`. Throws Error; what was saved before stays. Resuming a run that is already
  // finished does nothing and says so.
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

  double label_scale() const { return label_scale_; }
  int64_t steps_per_epoch() const { return steps_per_epoch_; }
  int64_t steps_total() const { return frame_.steps_total; }
  const Identity& identity() const { return frame_.identity; }

 private:
  struct Run;  // the parts that live as long as one run(), or as the host's own loop
  TrainResult run_to(const std::filesystem::path* out, OnExisting existing, const TrainCallbacks& callbacks);
  void begin(Run& run) const;  // makes what run.start is trained with
  Run& hosted();               // the host's own loop, begun
  EvalReport evaluate(encode::Encoder& encoder, int64_t step) const;
  void start_step(Run& run, int64_t index);
  void report_steps(Run& run, size_t may_stay, const TrainCallbacks& callbacks) const;
  Workload workload(Run& run) const;
  void estimate(Run& run, double evaluation_seconds, const TrainCallbacks& callbacks) const;
  int64_t evaluate_every() const;  // steps
  bool evaluation_follows(int64_t step) const;
  void consider(Run& run, EvalReport report, const TrainCallbacks& callbacks);
  std::shared_ptr<const model::SentenceModel> finish(Run& run, const std::filesystem::path* out);
  std::unique_ptr<compute::Reading> update(Run& run, int64_t index) const;
  StepReport report_of(int64_t index, int64_t tokens, size_t pairs) const;
  std::vector<uint32_t> batch_rows(Run& run, int64_t index) const;
  std::string row_list(std::span<const uint32_t> rows) const;

  std::shared_ptr<const model::SentenceModel> model_;
  std::shared_ptr<compute::Engine> engine_;
  TrainOptions options_;
  double label_scale_;
  PairData data_;
  std::optional<EvalPairs> eval_;
  int64_t steps_per_epoch_ = 0;
  Schedule schedule_;
  RunFrame frame_;
  std::unique_ptr<Run> hosted_;
};

}  // namespace hone::train
