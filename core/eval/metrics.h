// Correlations and their uncertainty.
//
// Rules: values equal scipy.stats (pearsonr, spearmanr with average ranks for ties) to 1e-12. A constant
// input has no correlation: NaN, as there; so has one with a NaN in it or of fewer than two values.
// Resampling is Philox-seeded: the same seed gives the same interval on every machine and at any thread
// count. Resample r draws row (word * n) >> 32 for each of its n words, which are Philox of counter
// {word / 4, r, 0x424F4F54, 0} and the seed as key; one without a correlation is left out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hone::eval {

double pearson(std::span<const double> x, std::span<const double> y);
double spearman(std::span<const double> x, std::span<const double> y);
// 1-based, ties share the mean; all NaN when any value is.
std::vector<double> average_ranks(std::span<const double> x);

struct Interval {
  double low = 0, high = 0;
};

// 95 % percentile bootstrap over rows of the Spearman correlation.
Interval spearman_interval(std::span<const double> x, std::span<const double> y, uint64_t seed = 42,
                           int resamples = 1000);

// Paired comparison of two score lists against the same labels: difference b - a of Spearman, its 95 %
// percentile bootstrap interval over the same resampled rows, and the share of resamples in which b > a.
struct PairedDifference {
  double difference = 0;
  Interval interval;
  double share_better = 0;
};
PairedDifference spearman_difference(std::span<const double> a, std::span<const double> b,
                                     std::span<const double> labels, uint64_t seed = 42,
                                     int resamples = 1000);

}  // namespace hone::eval
