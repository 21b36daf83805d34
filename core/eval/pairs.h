// What sts and binary share: a line for each labelled pair.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <span>

#include "eval/scores_json.h"
#include "eval/similarity.h"

namespace hone::eval {

// {"row", "cosine", "dot", "euclidean", "manhattan", "score"}; rows count from 0, distances are negated.
inline void report_pairs(const PairSimilarities& similarities, std::span<const double> labels,
                         const std::function<void(const nlohmann::ordered_json&)>& each) {
  for (size_t row = 0; row < labels.size(); ++row) {
    nlohmann::ordered_json line = {{"row", row}};
    for (size_t i = 0; i < kSimilarities; ++i)
      line[kSimilarityNames[i]] = json_number(similarities.values[i][row]);
    line["score"] = labels[row];
    each(line);
  }
}

}  // namespace hone::eval
