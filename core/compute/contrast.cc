#include "compute/contrast.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "compute/cpu/kernels.h"
#include "compute/cpu/product.h"

namespace hone::compute {

namespace {

using cpu::AlignedFloats;
using cpu::Strips;

constexpr float kNone = -std::numeric_limits<float>::infinity();
constexpr int64_t kPad = 64;         // rows a product may read beyond the last
constexpr int64_t kChunkStrips = 8;  // columns of a block, in strips: a block lies in the second cache

// Rows of a block: high ones read the other side less often, low ones keep more threads busy.
int64_t block_rows(int64_t rows) {
  return rows >= 256 ? 64 : 32;
}

// The other side of a product, packed: transposed for similarities and, where gradients are asked, plain in
// pieces of one chunk of rows each.
class Packed {
 public:
  Packed(Engine& engine, const Rows& y, bool with_plain)
      : rows_(y.rows()), chunk_(kChunkStrips * cpu::strip_columns()) {
    transposed_ = {nullptr, y.width(), y.rows(), cpu::strip_columns()};
    transposed_memory_ = cpu::aligned_floats(static_cast<size_t>(transposed_.size()));
    transposed_.data = transposed_memory_.get();
    Strips piece{nullptr, chunk_, y.width(), cpu::strip_columns()};
    if (with_plain) plain_ = cpu::aligned_floats(static_cast<size_t>(chunks() * piece.size()));
    engine.parallel(chunks(), [&](int64_t c) {
      const int64_t first = begin(c), n = columns(c);
      cpu::pack_transposed(y.row(first), y.width(), n, first, transposed_);
      if (with_plain) cpu::pack_rows(y.row(first), y.width(), n, 0, plain(c, y.width()));
    });
  }
  int64_t chunks() const { return (rows_ + chunk_ - 1) / chunk_; }
  int64_t chunk() const { return chunk_; }
  int64_t begin(int64_t c) const { return c * chunk_; }
  int64_t columns(int64_t c) const { return std::min(chunk_, rows_ - begin(c)); }
  // scores[m, columns(c)] = x[m, width] y^T, `chunk` floats from row to row
  void similarities(const float* x, int64_t m, int64_t c, float* scores) const {
    cpu::multiply({x, transposed_.rows, false}, transposed_, c * kChunkStrips, m, columns(c),
                  {scores, chunk_});
  }
  // out[m, width] += weights[m, columns(c)] y
  void add_products(const float* weights, int64_t m, int64_t c, float* out) const {
    const Strips piece = plain(c, transposed_.rows);
    cpu::multiply({weights, chunk_, false}, piece, 0, m, piece.columns, {out, piece.columns, true});
  }

 private:
  // The last piece has fewer rows, and room for a whole one.
  Strips plain(int64_t c, int64_t width) const {
    Strips piece{nullptr, chunk_, width, cpu::strip_columns()};
    piece.data = plain_.get() + c * piece.size();
    piece.rows = columns(c);
    return piece;
  }
  int64_t rows_, chunk_;
  Strips transposed_;
  AlignedFloats transposed_memory_, plain_;
};

std::span<const int32_t> left_out_of(const LeftOut& left_out, int64_t row) {
  if (left_out.empty()) return {};
  const auto i = static_cast<size_t>(row);
  return std::span(left_out.index)
      .subspan(static_cast<size_t>(left_out.offsets[i]),
               static_cast<size_t>(left_out.offsets[i + 1] - left_out.offsets[i]));
}

// Sets what is left out among columns [first, first + n) of `scores` to `value`.
void set_left_out(std::span<const int32_t> columns, int64_t first, int64_t n, float value, float* scores) {
  auto at = std::lower_bound(columns.begin(), columns.end(), first);
  for (; at != columns.end() && *at < first + n; ++at) scores[*at - first] = value;
}

// body(first row, rows, chunk, scores) for each block of similarities; blocks of the same rows come one after
// the other on one thread.
template <class Body>
void for_blocks(Engine& engine, const Rows& x, const Packed& y, const Body& body) {
  const int64_t height = block_rows(x.rows());
  engine.parallel((x.rows() + height - 1) / height, [&](int64_t block) {
    const int64_t first = block * height, m = std::min(height, x.rows() - first);
    const AlignedFloats scores = cpu::aligned_floats(static_cast<size_t>((height + kPad) * y.chunk()));
    for (int64_t c = 0; c < y.chunks(); ++c) {
      y.similarities(x.row(first), m, c, scores.get());
      body(first, m, c, scores.get());
    }
  });
}

}  // namespace

LeftOut transposed(const LeftOut& left_out, int64_t columns) {
  LeftOut result;
  if (left_out.empty()) return result;
  result.offsets.assign(static_cast<size_t>(columns) + 1, 0);
  for (int32_t c : left_out.index) ++result.offsets[static_cast<size_t>(c) + 1];
  for (size_t c = 1; c < result.offsets.size(); ++c) result.offsets[c] += result.offsets[c - 1];
  result.index.resize(left_out.index.size());
  std::vector<int64_t> next(result.offsets.begin(), result.offsets.end() - 1);
  for (size_t row = 0; row + 1 < left_out.offsets.size(); ++row) {
    for (int32_t c : left_out_of(left_out, static_cast<int64_t>(row)))
      result.index[static_cast<size_t>(next[static_cast<size_t>(c)]++)] = static_cast<int32_t>(row);
  }
  return result;
}

Rows::Rows(int64_t rows, int64_t width)
    : rows_(rows), width_(width), data_(cpu::aligned_floats(static_cast<size_t>((rows + kPad) * width))) {
  std::fill_n(data_.get(), (rows + kPad) * width, 0.0F);
}

Rows Rows::copy(std::span<const float> values, int64_t rows, int64_t width) {
  Rows made(rows, width);
  std::copy_n(values.begin(), rows * width, made.row(0));
  return made;
}

void log_sum_exp(Engine& engine, const Rows& x, const Rows& y, float scale, const LeftOut& left_out,
                 std::span<float> lse) {
  std::fill(lse.begin(), lse.end(), kNone);
  if (x.rows() == 0 || y.rows() == 0) return;
  const Packed packed(engine, y, false);
  std::vector<double> sums(lse.size());
  std::vector<float> most(lse.size(), kNone);
  for_blocks(engine, x, packed, [&](int64_t first, int64_t m, int64_t c, float* scores) {
    const int64_t n = packed.columns(c);
    for (int64_t r = 0; r < m; ++r) {
      const auto i = static_cast<size_t>(first + r);
      float* row = scores + r * packed.chunk();
      set_left_out(left_out_of(left_out, first + r), packed.begin(c), n, kNone, row);
      const float here = scale * cpu::largest(row, n);
      if (here == kNone) continue;
      if (here > most[i]) {
        sums[i] *= std::exp(static_cast<double>(most[i]) - static_cast<double>(here));
        most[i] = here;
      }
      sums[i] += cpu::exp_sum(row, n, scale, most[i]);
    }
  });
  for (size_t i = 0; i < lse.size(); ++i) {
    if (most[i] != kNone) lse[i] = static_cast<float>(static_cast<double>(most[i]) + std::log(sums[i]));
  }
}

void log_sum_exp_gradient(Engine& engine, const Rows& x, const Rows& y, float scale, const LeftOut& left_out,
                          std::span<const float> lse, std::span<const float> weight, Rows& dx, Rows& dy) {
  if (x.rows() == 0 || y.rows() == 0) return;
  // A row without columns has no gradient, and no infinity may enter the exponent.
  std::vector<float> shift(lse.begin(), lse.end()), factor(weight.begin(), weight.end());
  for (size_t i = 0; i < shift.size(); ++i) {
    factor[i] *= scale;
    if (shift[i] == kNone) shift[i] = factor[i] = 0;
  }
  {
    const Packed packed(engine, y, true);
    for_blocks(engine, x, packed, [&](int64_t first, int64_t m, int64_t c, float* scores) {
      const int64_t n = packed.columns(c);
      for (int64_t r = 0; r < m; ++r) {
        const auto i = static_cast<size_t>(first + r);
        float* row = scores + r * packed.chunk();
        cpu::exp_row(row, n, scale, shift[i], factor[i]);
        set_left_out(left_out_of(left_out, first + r), packed.begin(c), n, 0, row);
      }
      packed.add_products(scores, m, c, dx.row(first));
    });
  }
  const LeftOut other = transposed(left_out, y.rows());
  const Packed packed(engine, x, true);
  for_blocks(engine, y, packed, [&](int64_t first, int64_t m, int64_t c, float* scores) {
    const int64_t n = packed.columns(c), begin = packed.begin(c);
    for (int64_t r = 0; r < m; ++r) {
      float* row = scores + r * packed.chunk();
      cpu::exp_columns(row, n, scale, shift.data() + begin, factor.data() + begin);
      set_left_out(left_out_of(other, first + r), begin, n, 0, row);
    }
    packed.add_products(scores, m, c, dy.row(first));
  });
}

LeftOut similar(Engine& engine, const Rows& x, const Rows& y, float least) {
  std::vector<std::vector<int32_t>> found(static_cast<size_t>(x.rows()));
  LeftOut result;
  result.offsets.assign(1, 0);
  if (x.rows() > 0 && y.rows() > 0) {
    const Packed packed(engine, y, false);
    for_blocks(engine, x, packed, [&](int64_t first, int64_t m, int64_t c, float* scores) {
      for (int64_t r = 0; r < m; ++r) {
        const float* row = scores + r * packed.chunk();
        if (cpu::largest(row, packed.columns(c)) < least) continue;
        for (int64_t j = 0; j < packed.columns(c); ++j) {
          if (row[j] >= least)
            found[static_cast<size_t>(first + r)].push_back(static_cast<int32_t>(packed.begin(c) + j));
        }
      }
    });
  }
  for (const auto& row : found) {
    result.index.insert(result.index.end(), row.begin(), row.end());
    result.offsets.push_back(static_cast<int64_t>(result.index.size()));
  }
  return result;
}

}  // namespace hone::compute
