#include "search/nearest.h"

#include <algorithm>

#include "base/error.h"
#include "compute/cpu/product.h"
#include "search/hits.h"

namespace hone::search {

namespace {

constexpr int64_t kQueries = 64;    // queries of a task
constexpr int64_t kTileStrips = 8;  // strips of the corpus whose scores a task makes at once
constexpr int64_t kTasks = 16;      // at least so many, where the queries alone make fewer
constexpr int64_t kPadding = 16;    // rows; a multiple of the product's groups

int64_t ceiling(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

struct Nearest::Piece {
  std::span<const float> rows;
  int64_t count = 0;
  compute::cpu::Strips strips;  // the rows packed, where scores are products
};

Nearest::Nearest(std::span<const float> queries, int dim, int64_t k, Nearness nearness)
    : count_(0), dim_(dim), k_(k), nearness_(nearness), blocks_(0), lanes_(1) {
  if (dim <= 0 || queries.size() % static_cast<size_t>(dim) != 0)
    fail("search: vectors are not of ", dim, " numbers each");
  if (k < 1) fail("search: ", k, " nearest asked for, 1 or more expected");
  count_ = static_cast<int64_t>(queries.size()) / dim_;
  blocks_ = ceiling(count_, kQueries);
  lanes_ = blocks_ == 0 ? 1 : ceiling(kTasks, blocks_);
  const auto padded = static_cast<size_t>(ceiling(count_, kPadding) * kPadding * dim_);
  queries_ = compute::cpu::aligned_floats(padded);
  std::fill(std::copy(queries.begin(), queries.end(), queries_.get()), queries_.get() + padded, 0.0F);
  best_.resize(static_cast<size_t>(lanes_ * count_));
}

void Nearest::add(std::span<const float> rows, compute::Engine& engine) {
  if (rows.size() % static_cast<size_t>(dim_) != 0)
    fail("search: vectors are not of ", dim_, " numbers each");
  Piece piece{rows, static_cast<int64_t>(rows.size()) / dim_, {}};
  compute::cpu::AlignedFloats packed;
  if (nearness_ == Nearness::dot && blocks_ > 0) {
    const int64_t width = compute::cpu::strip_columns();
    piece.strips = {nullptr, dim_, piece.count, width};
    packed = compute::cpu::aligned_floats(static_cast<size_t>(piece.strips.size()));
    piece.strips.data = packed.get();
    const int64_t step = width * kTileStrips;
    engine.parallel(ceiling(piece.count, step), [&](int64_t i) {
      compute::cpu::pack_transposed(rows.data() + i * step * dim_, dim_,
                                    std::min(step, piece.count - i * step), i * step, piece.strips);
    });
  }
  engine.parallel(lanes_ * blocks_,
                  [&](int64_t task) { search_block(piece, task / blocks_, task % blocks_); });
  rows_ += piece.count;
}

void Nearest::search_block(const Piece& piece, int64_t lane, int64_t block) {
  const int64_t width = compute::cpu::strip_columns(), tile = width * kTileStrips;
  const int64_t tiles = ceiling(piece.count, tile), share = ceiling(tiles, lanes_);
  const int64_t first = block * kQueries, queries = std::min(kQueries, count_ - first);
  const int64_t end = std::min(piece.count, (lane + 1) * share * tile);
  std::vector<float> scores(static_cast<size_t>(queries * tile));
  for (int64_t row = lane * share * tile; row < end; row += tile) {
    const int64_t n = std::min(tile, end - row);
    if (nearness_ == Nearness::dot) {
      compute::cpu::multiply({queries_.get() + first * dim_, dim_}, piece.strips, row / width, queries, n,
                             {scores.data(), tile});
    }
    for (int64_t q = 0; q < queries; ++q) {
      std::vector<Hit>& heap = best_[static_cast<size_t>(lane * count_ + first + q)];
      const float* line = scores.data() + q * tile;
      for (int64_t i = 0; i < n; ++i) {
        const float score = nearness_ == Nearness::dot
                                ? line[i]
                                : score_of(queries_.get() + (first + q) * dim_,
                                           piece.rows.data() + (row + i) * dim_, dim_, nearness_);
        // Most are worse than the worst that is kept; NaN is never below it and takes the long way.
        if (static_cast<int64_t>(heap.size()) == k_ && score < heap.front().score) continue;
        keep({rows_ + row + i, score}, k_, heap);
      }
    }
  }
}

std::vector<std::vector<Hit>> Nearest::take() {
  std::vector<std::vector<Hit>> results(best_.begin(), best_.begin() + static_cast<std::ptrdiff_t>(count_));
  for (int64_t q = 0; q < count_; ++q) {
    std::vector<Hit>& heap = results[static_cast<size_t>(q)];
    for (int64_t lane = 1; lane < lanes_; ++lane) {
      for (const Hit& hit : best_[static_cast<size_t>(lane * count_ + q)]) keep(hit, k_, heap);
    }
    std::sort_heap(heap.begin(), heap.end(), better);
  }
  best_.clear();
  count_ = blocks_ = 0;
  return results;
}

}  // namespace hone::search
