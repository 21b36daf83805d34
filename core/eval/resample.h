// How sure a score is: 95 % percentile bootstrap intervals, and the paired difference of two models.
//
// Rules: a resample draws as many rows as there are, with replacement; a score is computed from how often
// each row was drawn, so nothing is copied and what is sorted once stays sorted. Philox-seeded: the same seed
// gives the same interval on every machine and at any thread count. Resample r draws row (word * n) >> 32 for
// each of its n words, which are Philox of counter {word / 4, r, 0x424F4F54, 0} and the seed as key; one
// without a score is left out.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace hone::eval {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();  // a score that does not exist

struct Interval {
  double low = 0, high = 0;  // NaN where there is no score
};

// b - a over the same resampled rows.
struct PairedDifference {
  double difference = 0;
  Interval interval;
  double share_better = 0;  // of the resamples: where b > a
};

// A score of rows of which row i occurs counts[i] times; NaN where they have none.
using Statistic = std::function<double(std::span<const uint32_t> counts)>;

Statistic mean_statistic(std::span<const double> values);  // values: NaN nowhere, and alive as long as it is

// The same of several scores, one for each metric: fills `scores`.
using Statistics = std::function<void(std::span<const uint32_t> counts, std::span<double> scores)>;
using Tick = std::function<void()>;  // called before each resample; what it throws ends the work

Interval bootstrap_interval(size_t rows, const Statistic& score, uint64_t seed = 42, int resamples = 1000);
// `difference` is that of the rows as they are; NaN makes everything NaN.
PairedDifference bootstrap_difference(double difference, size_t rows, const Statistic& a, const Statistic& b,
                                      uint64_t seed = 42, int resamples = 1000);

// Of each score, from one draw for all. `defined`: the scores of the rows as they are; NaN has no interval.
std::vector<Interval> bootstrap_intervals(std::span<const double> defined, size_t rows,
                                          const Statistics& scores, const Tick& tick = {}, uint64_t seed = 42,
                                          int resamples = 1000);
std::vector<PairedDifference> bootstrap_differences(std::span<const double> differences, size_t rows,
                                                    const Statistics& a, const Statistics& b,
                                                    const Tick& tick = {}, uint64_t seed = 42,
                                                    int resamples = 1000);

}  // namespace hone::eval
