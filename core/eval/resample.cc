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

// [scores][resamples that have it]
std::vector<std::vector<double>> all_scores_of(size_t rows, size_t count, const Statistics& scores,
                                               const Tick& tick, uint64_t seed, int resamples) {
  std::vector<uint32_t> counts(rows);
  std::vector<std::vector<double>> values(count);
  std::vector<double> of_one(count);
  for (int r = 0; r < resamples; ++r) {
    if (tick) tick();
    draw(counts, seed, static_cast<uint32_t>(r));
    scores(counts, of_one);
    for (size_t m = 0; m < count; ++m) {
      if (!std::isnan(of_one[m])) values[m].push_back(of_one[m]);
    }
  }
  return values;
}

PairedDifference paired(double difference, std::vector<double> values) {
  PairedDifference result{difference, {kNaN, kNaN}, kNaN};
  if (std::isnan(difference) || values.empty()) return result;
  const auto better = std::count_if(values.begin(), values.end(), [](double v) { return v > 0; });
  result.share_better = static_cast<double>(better) / static_cast<double>(values.size());
  result.interval = percentiles(std::move(values));
  return result;
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
  return paired(difference, scores_of(rows, both, seed, resamples));
}

std::vector<Interval> bootstrap_intervals(std::span<const double> defined, size_t rows,
                                          const Statistics& scores, const Tick& tick, uint64_t seed,
                                          int resamples) {
  std::vector<std::vector<double>> values =
      all_scores_of(rows, defined.size(), scores, tick, seed, resamples);
  std::vector<Interval> intervals;
  for (size_t m = 0; m < defined.size(); ++m) {
    intervals.push_back(std::isnan(defined[m]) ? Interval{kNaN, kNaN} : percentiles(std::move(values[m])));
  }
  return intervals;
}

std::vector<PairedDifference> bootstrap_differences(std::span<const double> differences, size_t rows,
                                                    const Statistics& a, const Statistics& b,
                                                    const Tick& tick, uint64_t seed, int resamples) {
  std::vector<double> of_a(differences.size());
  const Statistics both = [&](std::span<const uint32_t> counts, std::span<double> out) {
    a(counts, of_a);
    b(counts, out);
    for (size_t m = 0; m < out.size(); ++m) out[m] -= of_a[m];
  };
  std::vector<std::vector<double>> values =
      all_scores_of(rows, differences.size(), both, tick, seed, resamples);
  std::vector<PairedDifference> all;
  for (size_t m = 0; m < differences.size(); ++m) all.push_back(paired(differences[m], std::move(values[m])));
  return all;
}

}  // namespace hone::eval
