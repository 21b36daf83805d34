// The nearest vectors of a corpus that comes piece by piece, for many queries at once.
//
// Rules
// - Exact, and the same hits and scores as from one piece, at any number of threads: a dot product is the
//   cpu engine's own matrix product (compute/cpu/product.h), whose elements depend on no other row, and the
//   order of hits is total (hits.h).
// - Memory is that of the queries, of one piece and of the best so far, never queries x corpus.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compute/cpu/arena.h"
#include "compute/graph.h"
#include "search/topk.h"

namespace hone::search {

class Nearest {
 public:
  // queries: [Q, dim] row-major, copied.
  Nearest(std::span<const float> queries, int dim, int64_t k, Nearness nearness = Nearness::dot);
  // The next rows of the corpus [n, dim]; their indices go on where those before ended.
  void add(std::span<const float> rows, compute::Engine& engine);
  // For each query its k best, best first; fewer when the corpus is smaller. Ends the search.
  std::vector<std::vector<Hit>> take();

 private:
  struct Piece;
  void search_block(const Piece& piece, int64_t lane, int64_t block);

  int64_t count_, dim_, k_, rows_ = 0;  // rows_: of the corpus so far
  Nearness nearness_;
  // Tasks are (lane, block of queries). A lane takes its share of each piece and keeps its own best: few
  // queries would keep few threads busy otherwise.
  int64_t blocks_, lanes_;
  compute::cpu::AlignedFloats queries_;  // padded to whole groups of the product
  std::vector<std::vector<Hit>> best_;   // [lanes, Q] heaps
};

}  // namespace hone::search
