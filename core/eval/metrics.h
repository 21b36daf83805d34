// Correlations and their uncertainty.
//
// Rules: values equal scipy.stats (pearsonr, spearmanr with average ranks for ties) to 1e-12. A constant
// input has no correlation: NaN, as there; so has one with a NaN in it or of fewer than two values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "eval/resample.h"

namespace hone::eval {

double pearson(std::span<const double> x, std::span<const double> y);
double spearman(std::span<const double> x, std::span<const double> y);
// 1-based, ties share the mean; all NaN when any value is.
std::vector<double> average_ranks(std::span<const double> x);

// The Spearman correlation of a resample, without sorting again. Refers to x and y. NaN where either has one.
Statistic spearman_statistic(std::span<const double> x, std::span<const double> y);
// Of a resample, for each list: its Pearson and its Spearman correlation with the labels. Refers to both,
// which hold no NaN.
Statistics correlation_statistics(std::span<const std::vector<double>> lists, std::span<const double> labels);
// 95 % percentile bootstrap over rows of the Spearman correlation.
Interval spearman_interval(std::span<const double> x, std::span<const double> y, uint64_t seed = 42,
                           int resamples = 1000);

// Paired comparison of two score lists against the same labels: b - a.
PairedDifference spearman_difference(std::span<const double> a, std::span<const double> b,
                                     std::span<const double> labels, uint64_t seed = 42,
                                     int resamples = 1000);

}  // namespace hone::eval
