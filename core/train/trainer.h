// The training loop: cosine-similarity loss on labelled pairs (Reimers & Gurevych 2019; CosineSimilarityLoss
// of the reference): MSE of cosine(u, v) and label.
//
// Rules
// - The model given is never changed; run() writes a new one to OUT. Until it is whole, a run adds nothing to
//   OUT but OUT/checkpoint (out_folder.h).
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

class Trainer {
 public:
  Trainer(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine,
          data::Table train, std::optional<data::Table> eval, TrainOptions options);

  // Trains and saves to `out`. Throws Error; what was saved before stays. Resuming a run that is already
  // finished does nothing and says so.
  TrainResult run(const std::filesystem::path& out, OnExisting existing, const TrainCallbacks& callbacks);

  double label_scale() const { return label_scale_; }
  int64_t steps_per_epoch() const { return steps_per_epoch_; }
  int64_t steps_total() const { return frame_.steps_total; }
  const Identity& identity() const { return frame_.identity; }

 private:
  struct Run;  // the parts that live as long as one run()
  EvalReport evaluate(encode::Encoder& encoder, int64_t step) const;
  void start_step(Run& run, int64_t index);
  void report_steps(Run& run, size_t may_stay, const TrainCallbacks& callbacks) const;
  Workload workload(Run& run) const;
  void estimate(Run& run, double evaluation_seconds, const TrainCallbacks& callbacks) const;
  int64_t evaluate_every() const;  // steps
  bool evaluation_follows(int64_t step) const;
  void consider(Run& run, EvalReport report, const TrainCallbacks& callbacks);
  void finish(Run& run, const std::filesystem::path& out);
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
};

}  // namespace hone::train
