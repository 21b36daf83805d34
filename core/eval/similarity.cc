#include "eval/similarity.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

Similarity similarity_of(std::string_view name, std::string_view model) {
  if (name == "model") name = model;
  for (size_t i = 0; i < kSimilarities; ++i) {
    if (name == kSimilarityNames[i]) return static_cast<Similarity>(i);
  }
  fail_usage("similarity: \"", excerpt(name),
             "\" found, model, cosine, dot, euclidean or manhattan expected");
}

double larger(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? std::numeric_limits<double>::quiet_NaN() : std::max(a, b);
}

PairSimilarities pair_similarities(size_t rows, size_t dim, const RowAt& a, const RowAt& b) {
  PairSimilarities found;
  for (auto& values : found.values) values.reserve(rows);
  for (size_t row = 0; row < rows; ++row) {
    const float *left = a(row), *right = b(row);
    double dot = 0, aa = 0, bb = 0, square = 0, absolute = 0;
    for (size_t i = 0; i < dim; ++i) {
      const auto u = static_cast<double>(left[i]), v = static_cast<double>(right[i]);
      dot += u * v;
      aa += u * u;
      bb += v * v;
      square += (u - v) * (u - v);
      absolute += std::abs(u - v);
    }
    const double all[kSimilarities] = {cosine(dot, aa, bb), dot, -std::sqrt(square), -absolute};
    for (size_t i = 0; i < kSimilarities; ++i) found.values[i].push_back(all[i]);
  }
  return found;
}

}  // namespace hone::eval
