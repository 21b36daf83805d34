// A share of the training data that is kept to evaluate on, chosen by what a row asks.
//
// Rules
// - The first text of a row (its anchor or first sentence) decides, by a hash that never changes: not the
//   order of the rows, the files they are in, the seed or the machine. A larger share holds all of a smaller.
// - No such text is on both sides. Where rows have ids, no id is either: rows that are connected by texts and
//   ids go together, by the first of their texts in the order of bytes.
// - Nothing is promised of the other texts: a positive that is held out may be trained on with another
// anchor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "data/table.h"
#include "loss/loss_table.h"
#include "train/options.h"

namespace hone::train {

struct HeldOut {
  data::Table table;
  std::string task;      // that it is scored by
  std::string by;        // "anchor": the role that decides
  int64_t rows = 0;      // of `table`
  int64_t of_rows = 0;   // of all
  int64_t mirrored = 0;  // rows of `table` whose two texts are also trained on, the other way round
};

// In [0, 1), evenly spread: FNV-1a of 64 bits, mixed by the end of MurmurHash3. Below the share: held out.
double hold_out_place(std::string_view text);

// Takes options.hold_out of the rows, with options.task or the task that suits them. Nothing where no share
// is asked for. Throws UsageError where either side would have less than two rows, or no task suits.
std::optional<HeldOut> hold_out(data::Table& table, const loss::LossInfo& loss, const TrainOptions& options);

}  // namespace hone::train
