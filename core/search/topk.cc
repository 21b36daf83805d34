#include "search/topk.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "search/hits.h"

namespace hone::search {

namespace {

constexpr int64_t kCorpusRows =
    64;  // rows of the corpus that stay in cache while every query passes over them

// The sum of term(a[i], b[i]): eight sums side by side, so that the compiler makes vectors of it.
template <class Term>
float sum_of(const float* a, const float* b, int64_t n, Term term) {
  float sums[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int64_t j = 0; j < 8; ++j) sums[j] += term(a[i + j], b[i + j]);
  }
  float rest = 0;
  for (; i < n; ++i) rest += term(a[i], b[i]);
  for (float s : sums) rest += s;
  return rest;
}

}  // namespace

float score_of(const float* a, const float* b, int64_t n, Nearness nearness) {
  switch (nearness) {
    case Nearness::dot:
      return sum_of(a, b, n, [](float x, float y) { return x * y; });
    case Nearness::euclidean:
      return -std::sqrt(sum_of(a, b, n, [](float x, float y) { return (x - y) * (x - y); }));
    case Nearness::manhattan:
      return -sum_of(a, b, n, [](float x, float y) { return std::abs(x - y); });
  }
  return 0;
}

Nearness nearness_of(std::string_view similarity) {
  if (similarity == "cosine" || similarity == "dot") return Nearness::dot;
  if (similarity == "euclidean") return Nearness::euclidean;
  if (similarity == "manhattan") return Nearness::manhattan;
  fail("similarity: \"", excerpt(similarity), "\" found, cosine, dot, euclidean or manhattan expected");
}

std::vector<std::vector<Hit>> top_k(std::span<const float> queries, std::span<const float> corpus, int dim,
                                    int64_t k, Nearness nearness) {
  if (dim <= 0 || queries.size() % static_cast<size_t>(dim) != 0 ||
      corpus.size() % static_cast<size_t>(dim) != 0) {
    fail("search: vectors are not of ", dim, " numbers each");
  }
  if (k < 1) fail("search: ", k, " nearest asked for, 1 or more expected");
  const auto count = static_cast<int64_t>(corpus.size()) / dim,
             asked = static_cast<int64_t>(queries.size()) / dim;
  std::vector<std::vector<Hit>> results(static_cast<size_t>(asked));
  for (int64_t begin = 0; begin < count; begin += kCorpusRows) {
    const int64_t end = std::min(count, begin + kCorpusRows);
    for (int64_t q = 0; q < asked; ++q) {
      for (int64_t row = begin; row < end; ++row) {
        keep({row, score_of(queries.data() + q * dim, corpus.data() + row * dim, dim, nearness)}, k,
             results[static_cast<size_t>(q)]);
      }
    }
  }
  for (auto& heap : results) std::sort_heap(heap.begin(), heap.end(), better);
  return results;
}

}  // namespace hone::search
