// Exact nearest vectors.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace hone::search {

// What makes two vectors near. Distances count negated, as in Sentence Transformers: the larger the nearer.
enum class Nearness { dot, euclidean, manhattan };

// That of a model's similarity_fn_name. Cosine is the dot product of vectors of length 1: there the caller
// normalises first.
Nearness nearness_of(std::string_view similarity);

struct Hit {
  int64_t index = 0;
  float score = 0;
};

// For each query [Q, dim] its k best rows of corpus [N, dim], best first; equal scores by lower index, NaN
// last. Fewer when N < k. Memory beyond the result does not grow with N.
std::vector<std::vector<Hit>> top_k(std::span<const float> queries, std::span<const float> corpus, int dim,
                                    int64_t k, Nearness nearness = Nearness::dot);

}  // namespace hone::search
