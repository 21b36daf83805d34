// What can be said of data and settings before the first step, and what usually goes wrong with such.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "loss/loss_table.h"
#include "train/train_data.h"

namespace hone::train {

struct Preflight {
  int64_t rows = 0;
  int64_t repeated_rows = 0;  // equal to an earlier one in all texts
  bool in_batch = false;      // the loss compares rows with each other
  int64_t distinct_anchors = 0, distinct_positives = 0;
  bool labelled = false;  // one number a row, or several of a teacher's
  float lowest_label = 0, highest_label = 0;
  int64_t texts = 0;                              // distinct
  int64_t median_tokens = 0, longest_tokens = 0;  // of a text
  int64_t cut_texts = 0;                          // that reach the most tokens a text may have
  int32_t max_tokens = 0;
  std::vector<std::string> warnings;
  std::vector<std::string> lines() const;  // for people
  nlohmann::ordered_json json() const;
};

Preflight look_at(const TrainData& data, const loss::LossInfo& loss, int64_t batch_size, int32_t max_tokens);

}  // namespace hone::train
