// Exact nearest vectors by dot product; for cosine the caller normalises first.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hone::search {

struct Hit {
  int64_t index = 0;
  float score = 0;
};

// For each query [Q, dim] its k best rows of corpus [N, dim], best first; equal scores by lower index, NaN
// last. Fewer when N < k. Memory beyond the result does not grow with N.
std::vector<std::vector<Hit>> top_k(std::span<const float> queries, std::span<const float> corpus, int dim,
                                    int64_t k);

}  // namespace hone::search
