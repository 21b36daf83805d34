// The four similarities of two vectors, computed in double from float vectors.
//
// Rules: distances count negated, so that more is always nearer. As in the reference, a side shorter than
// 1e-12 is divided by that: a zero vector has cosine 0.
#pragma once

#include <array>
#include <functional>
#include <string_view>
#include <vector>

namespace hone::eval {

enum class Similarity { cosine, dot, euclidean, manhattan };
inline constexpr size_t kSimilarities = 4;
inline constexpr const char* kSimilarityNames[kSimilarities] = {"cosine", "dot", "euclidean", "manhattan"};

// "model" gives that of the model. Throws UsageError for a name that is none.
Similarity similarity_of(std::string_view name, std::string_view model);
inline const char* name_of(Similarity kind) {
  return kSimilarityNames[static_cast<size_t>(kind)];
}

// What "max" of a score adds one more similarity to: the larger, not a number where one of the two is none.
double larger(double a, double b);

// Of each pair of rows, by Similarity.
struct PairSimilarities {
  std::array<std::vector<double>, kSimilarities> values;
  const std::vector<double>& operator[](Similarity kind) const { return values[static_cast<size_t>(kind)]; }
};
using RowAt = std::function<const float*(size_t row)>;
PairSimilarities pair_similarities(size_t rows, size_t dim, const RowAt& a, const RowAt& b);

}  // namespace hone::eval
