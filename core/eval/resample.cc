#include "eval/resample.h"

#include <algorithm>
#include <cmath>

#include "base/philox.h"

namespace hone::eval {

namespace {

// How often each of n rows is drawn in resample r.
void draw(std::vector<uint32_t>& counts, uint64_t seed, uint32_t r) {
  std::fill(counts.begin(), counts.end(), 0U);
  const auto n = static_cast<uint64_t>(counts.size());
  for (uint32_t i = 0; i < counts.size(); i += 4) {
    const auto words = philox4x32({i / 4, r, 0x424F4F54, 0},
                                  {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
    for (uint32_t k = 0; k < 4 && i + k < counts.size(); ++k) ++counts[(words[k] * n) >> 32];
  }
}

// Of the resamples that have a score.
std::vector<double> scores_of(size_t rows, const Statistic& score, uint64_t seed, int resamples) {
  std::vector<uint32_t> counts(rows);
  std::vector<double> values;
  for (int r = 0; r < resamples; ++r) {
    draw(counts, seed, static_cast<uint32_t>(r));
    const double value = score(counts);
    if (!std::isnan(value)) values.push_back(value);
  }
  return values;
}

Interval percentiles(std::vector<double> values) {
  if (values.empty()) return {kNaN, kNaN};
  std::sort(values.begin(), values.end());
  auto at = [&](double share) {  // linear interpolation, as numpy.percentile
    const double place = share * static_cast<double>(values.size() - 1);
    const auto low = static_cast<size_t>(place);
    const size_t high = std::min(low + 1, values.size() - 1);
    return values[low] + (place - static_cast<double>(low)) * (values[high] - values[low]);
  };
  return {at(0.025), at(0.975)};
}

}  // namespace

Statistic mean_statistic(std::span<const double> values) {
  return [values](std::span<const uint32_t> counts) {
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += counts[i] * values[i];
    return values.empty() ? kNaN : sum / static_cast<double>(values.size());
  };
}

Interval bootstrap_interval(size_t rows, const Statistic& score, uint64_t seed, int resamples) {
  return percentiles(scores_of(rows, score, seed, resamples));
}

PairedDifference bootstrap_difference(double difference, size_t rows, const Statistic& a, const Statistic& b,
                                      uint64_t seed, int resamples) {
  PairedDifference result{difference, {kNaN, kNaN}, kNaN};
  if (std::isnan(difference)) return result;
  const Statistic both = [&](std::span<const uint32_t> counts) { return b(counts) - a(counts); };
  std::vector<double> values = scores_of(rows, both, seed, resamples);
  if (values.empty()) return result;
  const auto better = std::count_if(values.begin(), values.end(), [](double v) { return v > 0; });
  result.share_better = static_cast<double>(better) / static_cast<double>(values.size());
  result.interval = percentiles(std::move(values));
  return result;
}

}  // namespace hone::eval
