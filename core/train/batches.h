// Which rows make a batch: a pure function of seed, epoch and place, so a resumed run needs no state for it.
#pragma once

#include <cstdint>
#include <vector>

#include "train/options.h"
#include "train/train_data.h"

namespace hone::train {

class Batches {
 public:
  Batches(const TrainData& data, const TrainOptions& options);
  // Batches of every epoch. Without duplicates an epoch may come out a batch longer or shorter than the
  // first: then its last batch is left out, or its first comes again.
  int64_t per_epoch() const { return per_epoch_; }
  std::vector<uint32_t> rows(int64_t epoch, int64_t batch);

 private:
  void prepare(int64_t epoch);

  const TrainData& data_;
  uint64_t seed_;
  bool shuffle_, distinct_;
  int64_t batch_size_, per_epoch_ = 0, epoch_ = -1;
  std::vector<uint32_t> order_;
  std::vector<std::vector<uint32_t>> batches_;  // without duplicates
};

}  // namespace hone::train
