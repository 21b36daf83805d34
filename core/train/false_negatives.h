// False negatives: documents of a batch that must not count as negatives of a row.
//
// Rules
// - Known from the data: the texts of the row itself, every positive of its anchor and every anchor of its
//   positive anywhere in the data, rows of the same id. Found through numbers of texts, in time that grows
//   with what is found, not with the square of the batch.
// - Known from vectors of the base model, where asked for: what is at or above a similarity to one of the
//   row's two texts.
// - The two texts of a row say the same thing, so both directions from a row leave out the same columns.
// - A row's own positive always counts. A negative that the data name counts like any other document: not
//   where it is a known positive of the anchor or, where asked for, as near as that; hard negatives of rows
//   of the same id stay.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "compute/contrast.h"
#include "loss/loss.h"
#include "train/train_data.h"

namespace hone::train {

class FalseNegatives {
 public:
  FalseNegatives(const TrainData& data, compute::Engine& engine, bool duplicates);
  // From here on also what is alike: `vectors` [texts, dim], of length 1.
  void use_vectors(std::vector<float> vectors, int64_t dim, double similarity);
  bool has_vectors() const { return !vectors_.empty(); }
  // all_directions: also which queries, for losses that compare with them.
  loss::FalseNegatives of(std::span<const uint32_t> rows, bool all_directions) const;
  size_t bytes() const;  // of memory
  // At the most, while a loss has what of() gives for these rows. It grows with the square of the rows that
  // share a text or an id.
  size_t bytes_of_batch(std::span<const uint32_t> rows, bool all_directions) const;

 private:
  class Known;  // of one batch, from the data
  // Which columns of the roles [first, last) are no negatives of each row, [last - first, rows].
  compute::LeftOut merged(std::span<const uint32_t> rows, int64_t first, int64_t last) const;
  // By vectors, of each of a row's two texts.
  std::vector<compute::LeftOut> alike(std::span<const uint32_t> rows, int64_t first, int64_t last) const;

  const TrainData& data_;
  compute::Engine& engine_;
  bool duplicates_;
  std::vector<float> vectors_;
  int64_t dim_ = 0;
  double similarity_ = 2;
  // By number of a text, as lists cut by offsets: the positives of an anchor, the anchors of a positive.
  struct Lists {
    std::vector<uint32_t> offsets, values;
    std::span<const uint32_t> at(uint32_t i) const {
      return std::span(values).subspan(offsets[i], offsets[i + 1] - offsets[i]);
    }
  };
  static Lists pairs_by(const TrainData& data, int64_t role, int64_t other);
  Lists positives_, anchors_;
};

}  // namespace hone::train
