// What finding nearest vectors stands on: the order of hits, and the k best kept so far.
//
// Rules: the order is total (better score, then lower index, NaN last), so the k best are the same in
// whichever order and on whichever thread candidates come.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "search/topk.h"

namespace hone::search {

// NaN is worse than any score: it would otherwise break the order of the heap.
inline bool better(const Hit& a, const Hit& b) {
  if (std::isnan(a.score) || std::isnan(b.score))
    return std::isnan(a.score) == std::isnan(b.score) ? a.index < b.index : std::isnan(b.score);
  return a.score > b.score || (a.score == b.score && a.index < b.index);
}

// The heap has the worst of the k best on top.
inline void keep(const Hit& hit, int64_t k, std::vector<Hit>& heap) {
  if (static_cast<int64_t>(heap.size()) == k) {
    if (!better(hit, heap.front())) return;
    std::pop_heap(heap.begin(), heap.end(), better);
    heap.pop_back();
  }
  heap.push_back(hit);
  std::push_heap(heap.begin(), heap.end(), better);
}

// The score of two vectors of n numbers, one pair at a time.
float score_of(const float* a, const float* b, int64_t n, Nearness nearness);

}  // namespace hone::search
