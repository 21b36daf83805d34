// Which documents of a batch are no negatives of a row although they are not its positive.
//
// Rules
// - Known from the data: the texts of the row itself, every positive of its anchor and every anchor of its
//   positive anywhere in the data, rows of the same id. Found through numbers of texts, in time that grows
//   with what is found, not with the square of the batch.
// - Known from vectors of the base model, where asked for: what is at or above a similarity to one of the
//   row's two texts.
// - The two texts of a row say the same thing, so both directions from a row leave out the same columns.
// - A row's own positive always counts. Hard negatives of the same anchor stay negatives.
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
  // `vectors` [texts, dim], of length 1, or empty: then `similarity` means nothing.
  FalseNegatives(const TrainData& data, compute::Engine& engine, bool duplicates, std::vector<float> vectors,
                 int64_t dim, double similarity);
  // all_directions: also what only query-query, doc-query and doc-doc comparisons ask for.
  loss::FalseNegatives of(std::span<const uint32_t> rows, bool all_directions) const;
  size_t bytes() const;
  // What it may take for such data; dim 0: without vectors.
  static size_t most_bytes(const TrainData& data, int64_t dim);

 private:
  // Which columns of the roles [first, last) are no negatives of each row, [last - first, rows].
  compute::LeftOut merged(std::span<const uint32_t> rows, int64_t first, int64_t last) const;
  using Found = std::vector<std::vector<int32_t>>;  // by row of the batch
  void add_known(std::span<const uint32_t> rows, int64_t first, int64_t last, Found& found) const;
  void add_similar(std::span<const uint32_t> rows, int64_t first, int64_t last, Found& found) const;

  const TrainData& data_;
  compute::Engine& engine_;
  bool duplicates_;
  std::vector<float> vectors_;
  int64_t dim_;
  double similarity_;
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
