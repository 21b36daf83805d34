// Whether the similarity of two texts tells pairs that belong together (label 1) from others (label 0).
// Metrics are those of the reference's BinaryClassificationEvaluator.
//
// Rules: a threshold is only ever set between two different similarities, half way. Of several best ones the
// strictest counts, the one that takes no pair for similar included (accuracy). Average precision is the sum
// of precisions weighted by the gain of recall, as scikit-learn's; 0 without a pair of label 1.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eval/resample.h"

namespace hone::eval {

// accuracy, accuracy_threshold, f1, f1_threshold, precision, recall, ap, mcc: in the reference's order.
// similarities: more is nearer; `negated`: they are negated distances, and thresholds are told as distances.
// labels: 0 or 1.
std::vector<std::pair<std::string, double>> binary_scores(std::span<const double> similarities,
                                                          std::span<const double> labels, bool negated);

// The eight of a resample, in that order; all but the accuracy and its threshold NaN without a pair of
// label 1. Refers to both, which hold no NaN.
Statistics binary_statistics(std::span<const double> similarities, std::span<const double> labels,
                             bool negated);

// The average precision of a resample, without sorting again; NaN without a pair of label 1. Refers to
// `labels`, not to `similarities`, which hold no NaN.
Statistic average_precision_statistic(std::span<const double> similarities, std::span<const double> labels);

}  // namespace hone::eval
