// Semantic textual similarity: how well the similarity of two vectors ranks pairs as people do.
// Metric names are the reference's (EmbeddingSimilarityEvaluator): pearson_cosine, spearman_cosine,
// pearson_dot, ..., and the highest of the four, pearson_max and spearman_max. Euclidean and Manhattan
// distances count negated.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eval/metrics.h"

namespace hone::eval {

struct StsScores {
  // {pearson,spearman}_{cosine,dot,euclidean,manhattan,max}
  std::vector<std::pair<std::string, double>> metrics;
  std::vector<double> cosine;                  // [rows] similarity of each pair
  Interval spearman_cosine_interval;           // 95 %
  double at(const std::string& metric) const;  // throws Error listing the valid names
};

// a, b: [rows, dim] row-major vectors of the two sentences; labels [rows]. `with_interval` costs 1000
// resamples.
StsScores sts_scores(std::span<const float> a, std::span<const float> b, int dim,
                     std::span<const double> labels, bool with_interval);

// The names at() accepts.
const std::vector<std::string>& sts_metric_names();

}  // namespace hone::eval
