// Which documents of a batch are no negatives of a row although they are not its positive.
//
// Rules
// - Known from the data: what is a positive of the same anchor text anywhere in the data, the same text as
//   the anchor or the positive, rows of the same id. Found through numbers of texts, in time that grows with
//   what is found, not with the square of the batch.
// - Known from vectors of the base model, where asked for: a pair at or above a similarity.
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

 private:
  struct Columns;
  std::vector<std::vector<int32_t>> by_text(std::span<const uint32_t> rows, bool from_query, bool to_query,
                                            const Columns& columns) const;
  compute::LeftOut merged(std::span<const uint32_t> rows, bool from_query, bool to_query,
                          const Columns& columns) const;
  void add_similar(std::span<const uint32_t> rows, bool from_query, bool to_query,
                   std::vector<std::vector<int32_t>>& lists) const;

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
