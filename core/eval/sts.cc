#include "eval/sts.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace hone::eval {

namespace {

// The reference normalises each side with a floor of 1e-12: a zero vector has cosine 0. Above the floor, one
// root of the product: two equal vectors then have cosine 1 exactly, and pairs of them are tied.
double cosine(double dot, double aa, double bb) {
  constexpr double kFloor = 1e-12;
  if (aa < kFloor * kFloor || bb < kFloor * kFloor)
    return dot / (std::max(std::sqrt(aa), kFloor) * std::max(std::sqrt(bb), kFloor));
  return dot / std::sqrt(aa * bb);
}

}  // namespace

const std::vector<std::string>& sts_metric_names() {
  static const std::vector<std::string> names{"pearson_cosine",    "spearman_cosine",   "pearson_dot",
                                              "spearman_dot",      "pearson_euclidean", "spearman_euclidean",
                                              "pearson_manhattan", "spearman_manhattan"};
  return names;
}

double StsScores::at(const std::string& metric) const {
  for (const auto& [name, value] : metrics) {
    if (name == metric) return value;
  }
  std::string list;
  for (const auto& name : sts_metric_names()) list += cat(list.empty() ? "" : ", ", name);
  fail("metric: \"", excerpt(metric), "\" found, one of ", list, " expected");
}

StsScores sts_scores(std::span<const float> a, std::span<const float> b, int dim,
                     std::span<const double> labels, bool with_interval) {
  const size_t rows = labels.size(), width = static_cast<size_t>(dim);
  if (dim < 1) fail("sts: vectors of ", dim, " numbers");
  if (a.size() != rows * width || b.size() != rows * width) fail("sts: vectors and labels differ in number");
  StsScores scores;
  std::vector<double> dots, euclidean, manhattan;
  for (size_t r = 0; r < rows; ++r) {
    double dot = 0, aa = 0, bb = 0, square = 0, absolute = 0;
    for (size_t i = r * width; i < (r + 1) * width; ++i) {
      const auto u = static_cast<double>(a[i]), v = static_cast<double>(b[i]);
      dot += u * v;
      aa += u * u;
      bb += v * v;
      square += (u - v) * (u - v);
      absolute += std::abs(u - v);
    }
    scores.cosine.push_back(cosine(dot, aa, bb));
    dots.push_back(dot);
    euclidean.push_back(-std::sqrt(square));
    manhattan.push_back(-absolute);
  }
  const std::pair<const char*, const std::vector<double>*> kinds[] = {
      {"cosine", &scores.cosine}, {"dot", &dots}, {"euclidean", &euclidean}, {"manhattan", &manhattan}};
  for (const auto& [name, values] : kinds) {
    scores.metrics.emplace_back(cat("pearson_", name), pearson(*values, labels));
    scores.metrics.emplace_back(cat("spearman_", name), spearman(*values, labels));
  }
  if (with_interval) scores.spearman_cosine_interval = spearman_interval(scores.cosine, labels);
  return scores;
}

}  // namespace hone::eval
