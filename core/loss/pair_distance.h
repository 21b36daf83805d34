// The distance of the two texts of a row, and its gradient: what the contrastive losses share. Inside of
// core/loss only.
#pragma once

#include <span>

#include "loss/loss.h"
#include "loss/scores.h"

namespace hone::loss {

// 1 - cosine, Euclidean or Manhattan.
inline double pair_distance(Score distance, const Batch& batch, int64_t row) {
  const double s = score(distance, batch.vector(0, row), batch.vector(1, row), batch.dim);
  return distance == Score::cosine ? 1 - s : s;
}

// Adds slope * d distance / d vectors of the row to the gradient of the batch.
inline void add_pair_distance_gradient(Score distance, const Batch& batch, int64_t row, double slope,
                                       std::span<float> gradient) {
  add_score_gradient(distance, batch.vector(0, row), batch.vector(1, row), batch.dim,
                     distance == Score::cosine ? -slope : slope, gradient.data() + row * batch.dim,
                     gradient.data() + (batch.rows + row) * batch.dim);
}

}  // namespace hone::loss
