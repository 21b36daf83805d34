#include "search/topk.h"

#include <algorithm>

#include "base/error.h"

namespace hone::search {

namespace {

bool better(const Hit& a, const Hit& b) {
  return a.score > b.score || (a.score == b.score && a.index < b.index);
}

// Eight sums side by side, so that the compiler makes vectors of it.
float dot(const float* a, const float* b, int64_t n) {
  float sums[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int64_t j = 0; j < 8; ++j) sums[j] += a[i + j] * b[i + j];
  }
  float rest = 0;
  for (; i < n; ++i) rest += a[i] * b[i];
  for (float s : sums) rest += s;
  return rest;
}

}  // namespace

std::vector<std::vector<Hit>> top_k(std::span<const float> queries, std::span<const float> corpus, int dim,
                                    int64_t k) {
  if (dim <= 0 || queries.size() % static_cast<size_t>(dim) != 0 ||
      corpus.size() % static_cast<size_t>(dim) != 0) {
    fail("search: vectors are not of ", dim, " numbers each");
  }
  if (k < 1) fail("search: ", k, " nearest asked for, 1 or more expected");
  const auto count = static_cast<int64_t>(corpus.size()) / dim,
             asked = static_cast<int64_t>(queries.size()) / dim;
  std::vector<std::vector<Hit>> results(static_cast<size_t>(asked));
  // Corpus rows outside, so that each is read once; a heap per query keeps the worst of its best on top.
  for (int64_t row = 0; row < count; ++row) {
    for (int64_t q = 0; q < asked; ++q) {
      const Hit hit{row, dot(queries.data() + q * dim, corpus.data() + row * dim, dim)};
      auto& heap = results[static_cast<size_t>(q)];
      if (static_cast<int64_t>(heap.size()) < k) {
        heap.push_back(hit);
        std::push_heap(heap.begin(), heap.end(), better);
      } else if (better(hit, heap.front())) {
        std::pop_heap(heap.begin(), heap.end(), better);
        heap.back() = hit;
        std::push_heap(heap.begin(), heap.end(), better);
      }
    }
  }
  for (auto& heap : results) std::sort_heap(heap.begin(), heap.end(), better);
  return results;
}

}  // namespace hone::search
