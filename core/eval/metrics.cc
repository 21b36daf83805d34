#include "eval/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace hone::eval {

namespace {

void check_sizes(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size()) fail("correlation: ", x.size(), " values against ", y.size());
}

bool any_nan(std::span<const double> x) {
  return std::any_of(x.begin(), x.end(), [](double v) { return std::isnan(v); });
}

std::vector<uint32_t> sorted_order(std::span<const double> x) {
  std::vector<uint32_t> order(x.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return x[a] < x[b]; });
  return order;
}

// Spearman of a resample, where row i occurs counts[i] times, without sorting again: ranks follow from
// walking the rows in the order of the full data and counting. Rows of equal value share the mean rank of all
// their copies. NaN has no place in an order: callers keep it out.
class Resampled {
 public:
  explicit Resampled(std::span<const double> x) : x_(x), order_(sorted_order(x)), rank_(x.size()) {}
  const std::vector<double>& ranks(std::span<const uint32_t> counts) {
    double before = 0;
    for (size_t i = 0; i < order_.size();) {
      size_t end = i;
      double copies = 0;
      for (; end < order_.size() && x_[order_[end]] == x_[order_[i]]; ++end) copies += counts[order_[end]];
      for (; i < end; ++i) rank_[order_[i]] = before + (copies + 1) / 2;
      before += copies;
    }
    return rank_;
  }

 private:
  std::span<const double> x_;
  std::vector<uint32_t> order_;
  std::vector<double> rank_;
};

// Distances from the mean, in units of the largest, so that their squares neither overflow nor vanish.
class Deviations {
 public:
  explicit Deviations(std::span<const double> x)
      : mean_(std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size())) {
    for (double v : x) largest_ = std::max(largest_, std::abs(v - mean_));
  }
  double scaled(double v) const { return (v - mean_) / largest_; }

 private:
  double mean_, largest_ = 0;
};

// Of the ranks of as many draws as there are rows: their mean is (n + 1) / 2 exactly, and they are small.
double weighted_pearson(const std::vector<double>& x, const std::vector<double>& y,
                        std::span<const uint32_t> counts) {
  const double mean = (static_cast<double>(counts.size()) + 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double weighted = counts[i] * (x[i] - mean);
    xy += weighted * (y[i] - mean);
    xx += weighted * (x[i] - mean);
    yy += counts[i] * (y[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : kNaN;
}

// Shifted and scaled, which no correlation feels: of values that may lie far from 0 or be huge.
std::vector<double> scaled_values(std::span<const double> x) {
  const Deviations deviations(x);
  std::vector<double> scaled;
  scaled.reserve(x.size());
  for (double v : x) scaled.push_back(deviations.scaled(v));
  return scaled;
}

// Of the rows that were drawn; NaN where all their values are the same, whatever rounding makes of the mean.
double resampled_pearson(const std::vector<double>& x, const std::vector<double>& y,
                         std::span<const uint32_t> counts) {
  double sum_x = 0, sum_y = 0;
  size_t first = counts.size();
  bool x_differs = false, y_differs = false;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    if (first == counts.size()) first = i;
    x_differs = x_differs || x[i] != x[first];
    y_differs = y_differs || y[i] != y[first];
    sum_x += counts[i] * x[i];
    sum_y += counts[i] * y[i];
  }
  if (!x_differs || !y_differs) return kNaN;
  const auto n = static_cast<double>(counts.size());
  const double mean_x = sum_x / n, mean_y = sum_y / n;
  double xy = 0, xx = 0, yy = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double u = x[i] - mean_x, v = y[i] - mean_y, weighted = counts[i] * u;
    xy += weighted * v;
    xx += weighted * u;
    yy += counts[i] * v * v;
  }
  return std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
}

}  // namespace

double pearson(std::span<const double> x, std::span<const double> y) {
  check_sizes(x, y);
  // A constant list has no correlation; rounding may leave it a variance of a few ulp.
  const auto constant = [](std::span<const double> v) {
    return std::all_of(v.begin(), v.end(), [&](double e) { return e == v[0]; });
  };
  if (x.size() < 2 || constant(x) || constant(y)) return kNaN;
  const Deviations dx(x), dy(y);
  double xy = 0, xx = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double u = dx.scaled(x[i]), v = dy.scaled(y[i]);
    xy += u * v;
    xx += u * u;
    yy += v * v;
  }
  const double r = std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
  return x.size() == 2 ? std::round(r) : r;  // two points lie on a line
}

std::vector<double> average_ranks(std::span<const double> x) {
  if (any_nan(x)) return std::vector<double>(x.size(), kNaN);
  const std::vector<uint32_t> counts(x.size(), 1);
  return Resampled(x).ranks(counts);
}

double spearman(std::span<const double> x, std::span<const double> y) {
  check_sizes(x, y);
  return pearson(average_ranks(x), average_ranks(y));
}

Statistic spearman_statistic(std::span<const double> x, std::span<const double> y) {
  check_sizes(x, y);
  if (x.size() < 2 || any_nan(x) || any_nan(y)) return [](std::span<const uint32_t>) { return kNaN; };
  return [rx = Resampled(x), ry = Resampled(y)](std::span<const uint32_t> counts) mutable {
    return weighted_pearson(rx.ranks(counts), ry.ranks(counts), counts);
  };
}

Statistics correlation_statistics(std::span<const std::vector<double>> lists,
                                  std::span<const double> labels) {
  std::vector<Resampled> ranks;
  std::vector<std::vector<double>> scaled;
  for (const std::vector<double>& list : lists) {
    check_sizes(list, labels);
    ranks.emplace_back(list);
    scaled.push_back(scaled_values(list));
  }
  return [ranks, scaled, of_labels = Resampled(labels), scaled_labels = scaled_values(labels)](
             std::span<const uint32_t> counts, std::span<double> scores) mutable {
    const std::vector<double>& label_ranks = of_labels.ranks(counts);
    for (size_t i = 0; i < ranks.size(); ++i) {
      const bool enough = counts.size() > 1;
      scores[2 * i] = enough ? resampled_pearson(scaled[i], scaled_labels, counts) : kNaN;
      scores[2 * i + 1] = enough ? weighted_pearson(ranks[i].ranks(counts), label_ranks, counts) : kNaN;
    }
  };
}

Interval spearman_interval(std::span<const double> x, std::span<const double> y, uint64_t seed,
                           int resamples) {
  return bootstrap_interval(x.size(), spearman_statistic(x, y), seed, resamples);
}

PairedDifference spearman_difference(std::span<const double> a, std::span<const double> b,
                                     std::span<const double> labels, uint64_t seed, int resamples) {
  return bootstrap_difference(spearman(b, labels) - spearman(a, labels), labels.size(),
                              spearman_statistic(a, labels), spearman_statistic(b, labels), seed, resamples);
}

}  // namespace hone::eval
