#include "compute/contrast.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "compute/cpu/kernels.h"
#include "compute/cpu/product.h"

namespace hone::compute {

namespace {

using cpu::AlignedFloats;
using cpu::Strips;

constexpr double kNone = -std::numeric_limits<double>::infinity();
constexpr int64_t kPad = 64;         // rows a product may read beyond the last
constexpr int64_t kChunkStrips = 8;  // columns of a block, in strips: a block lies in the second cache

// Rows of a block: high ones read the other side less often, low ones keep more threads busy.
int64_t block_rows(int64_t rows) {
  return rows >= 256 ? 64 : 32;
}

// The other side of products, in chunks of rows: packed transposed for similarities, plain for sums of its
// rows.
enum class Side { transposed, plain, both };
class Packed {
 public:
  Packed(Engine& engine, const Rows& y, Side side)
      : rows_(y.rows()), width_(y.width()), chunk_(kChunkStrips * cpu::strip_columns()) {
    transposed_ = {nullptr, y.width(), y.rows(), cpu::strip_columns()};
    if (side != Side::plain)
      transposed_memory_ = cpu::aligned_floats(static_cast<size_t>(transposed_.size()));
    transposed_.data = transposed_memory_.get();
    const Strips piece{nullptr, chunk_, y.width(), cpu::strip_columns()};
    if (side != Side::transposed) plain_ = cpu::aligned_floats(static_cast<size_t>(chunks() * piece.size()));
    engine.parallel(chunks(), [&](int64_t c) {
      const int64_t first = begin(c), n = columns(c);
      if (transposed_memory_) cpu::pack_transposed(y.row(first), y.width(), n, first, transposed_);
      if (plain_) cpu::pack_rows(y.row(first), y.width(), n, 0, plain(c));
    });
  }
  int64_t chunks() const { return (rows_ + chunk_ - 1) / chunk_; }
  int64_t chunk() const { return chunk_; }
  int64_t begin(int64_t c) const { return c * chunk_; }
  int64_t columns(int64_t c) const { return std::min(chunk_, rows_ - begin(c)); }
  // scores[m, columns(c)] = x[m, width] y^T, `chunk` floats from row to row
  void similarities(const float* x, int64_t m, int64_t c, float* scores) const {
    cpu::multiply({x, width_, false}, transposed_, c * kChunkStrips, m, columns(c), {scores, chunk_});
  }
  // out[m, width] += weights[m, columns(c)] y
  void add_products(const float* weights, int64_t m, int64_t c, float* out) const {
    cpu::multiply({weights, chunk_, false}, plain(c), 0, m, width_, {out, width_, true});
  }

 private:
  // The last piece has fewer rows, and room for a whole one.
  Strips plain(int64_t c) const {
    Strips piece{nullptr, chunk_, width_, cpu::strip_columns()};
    piece.data = plain_.get() + c * piece.size();
    piece.rows = columns(c);
    return piece;
  }
  int64_t rows_, width_, chunk_;
  Strips transposed_;
  AlignedFloats transposed_memory_, plain_;
};

// The same chunks, packed for similarities in double.
class Exact {
 public:
  Exact(Engine& engine, const Vectors& y, const Packed& chunks)
      : y_(y), chunks_(chunks), ld_(up(chunks.chunk(), cpu::exact_columns())) {
    packed_ = cpu::aligned_floats(static_cast<size_t>(chunks.chunks() * ld_ * y.width()));
    engine.parallel(chunks.chunks(), [&](int64_t c) {
      cpu::pack_exact(y.given(chunks.begin(c)), y.width(), chunks.columns(c), y.width(), piece(c));
    });
  }
  using Doubles = std::unique_ptr<double[]>;
  // A block of rows of x, times scale and factor.
  static Doubles block(const Vectors& x, int64_t first, int64_t m, double scale) {
    const int64_t width = x.width(), end = up(m, cpu::exact_rows());
    Doubles rows(new double[static_cast<size_t>(end * width)]);
    for (int64_t r = 0; r < m; ++r) {
      const float* from = x.given(first + r);
      double* to = rows.get() + r * width;
      const double factor = scale * x.factors()[first + r];
      for (int64_t i = 0; i < width; ++i) to[i] = static_cast<double>(from[i]) * factor;
    }
    std::fill_n(rows.get() + m * width, (end - m) * width, 0.0);
    return rows;
  }
  // Room for the similarities of `m` rows with a chunk, ld() from row to row; without y's factors.
  Doubles room(int64_t m) const {
    return Doubles(new double[static_cast<size_t>(up(m, cpu::exact_rows()) * ld_)]);
  }
  int64_t ld() const { return ld_; }
  void similarities(const double* x, int64_t m, int64_t c, double* scores) const {
    cpu::multiply_exact(x, m, y_.width(), piece(c), chunks_.columns(c), scores, ld_);
  }
  const double* factors(int64_t c) const { return y_.factors() + chunks_.begin(c); }

 private:
  static int64_t up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }
  float* piece(int64_t c) const { return packed_.get() + c * ld_ * y_.width(); }
  const Vectors& y_;
  const Packed& chunks_;
  int64_t ld_;
  AlignedFloats packed_;
};

std::span<const int32_t> left_out_of(const LeftOut& left_out, int64_t row) {
  if (left_out.empty()) return {};
  const auto i = static_cast<size_t>(row);
  return std::span(left_out.index)
      .subspan(static_cast<size_t>(left_out.offsets[i]),
               static_cast<size_t>(left_out.offsets[i + 1] - left_out.offsets[i]));
}

// Sets what is left out among columns [first, first + n) of `scores` to `value`.
template <class Number>
void set_left_out(std::span<const int32_t> columns, int64_t first, int64_t n, Number value, Number* scores) {
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

Rows::Rows(int64_t rows, int64_t width) : Rows(rows, width, Unset{}) {
  std::fill_n(data_.get(), rows * width, 0.0F);
}

Rows::Rows(int64_t rows, int64_t width, Unset)
    : rows_(rows), width_(width), data_(cpu::aligned_floats(static_cast<size_t>((rows + kPad) * width))) {}

Rows Rows::copy(std::span<const float> values, int64_t rows, int64_t width) {
  Rows made(rows, width, Unset{});
  std::copy_n(values.begin(), rows * width, made.row(0));
  return made;
}

Vectors::Vectors(std::span<const float> given, int64_t rows, int64_t width, std::vector<double> factors)
    : given_(given), factors_(std::move(factors)), rows_(Rows::copy(given, rows, width)) {
  if (factors_.empty()) {
    factors_.assign(static_cast<size_t>(rows), 1);
    return;
  }
  for (int64_t r = 0; r < rows; ++r) {
    float* x = rows_.row(r);
    const double factor = factors_[static_cast<size_t>(r)];
    for (int64_t i = 0; i < width; ++i) x[i] = static_cast<float>(static_cast<double>(x[i]) * factor);
  }
}

double similarity(const Vectors& x, int64_t i, const Vectors& y, int64_t j) {
  const float *a = x.given(i), *b = y.given(j);
  double sum = 0;
  for (int64_t k = 0; k < x.width(); ++k) sum += static_cast<double>(a[k]) * static_cast<double>(b[k]);
  return sum * x.factors()[i] * y.factors()[j];
}

// A row's exponentials are those of what its logits lack of the highest so far; where a chunk has a higher
// one, what was summed before shrinks.
Sums log_sum_exp(Engine& engine, const Vectors& x, const Vectors& y, double scale, const LeftOut& left_out) {
  Sums sums{std::vector<double>(static_cast<size_t>(x.rows()), kNone), Rows(x.rows(), x.width())};
  if (x.rows() == 0 || y.rows() == 0) return sums;
  const Packed packed(engine, y.scaled(), Side::plain);
  const Exact exact(engine, y, packed);
  const int64_t height = block_rows(x.rows()), width = x.width();
  engine.parallel((x.rows() + height - 1) / height, [&](int64_t block) {
    const int64_t first = block * height, m = std::min(height, x.rows() - first);
    const Exact::Doubles rows = Exact::block(x, first, m, scale), scores = exact.room(m);
    std::vector<double> total(static_cast<size_t>(m));
    const AlignedFloats weights = cpu::aligned_floats(static_cast<size_t>((height + kPad) * packed.chunk()));
    double* most = sums.log.data() + first;  // to become the logarithm
    for (int64_t c = 0; c < packed.chunks(); ++c) {
      const int64_t n = packed.columns(c);
      exact.similarities(rows.get(), m, c, scores.get());
      for (int64_t r = 0; r < m; ++r) {
        double* row = scores.get() + r * exact.ld();
        float* weight = weights.get() + r * packed.chunk();
        set_left_out(left_out_of(left_out, first + r), packed.begin(c), n, kNone, row);
        const double here = cpu::scale_columns(row, n, exact.factors(c));
        if (here == kNone) {
          std::fill_n(weight, n, 0.0F);
          continue;
        }
        if (here > most[r]) {
          const double shrunk = std::exp(most[r] - here);
          float* mean = sums.mean.row(first + r);
          for (int64_t i = 0; c > 0 && i < width; ++i) mean[i] *= static_cast<float>(shrunk);
          total[static_cast<size_t>(r)] *= shrunk;
          most[r] = here;
        }
        total[static_cast<size_t>(r)] += cpu::exp_weights(row, n, most[r], weight);
      }
      packed.add_products(weights.get(), m, c, sums.mean.row(first));
    }
    for (int64_t r = 0; r < m; ++r) {
      if (most[r] == kNone) continue;
      const double sum = total[static_cast<size_t>(r)];
      float* mean = sums.mean.row(first + r);
      for (int64_t i = 0; i < width; ++i) mean[i] *= static_cast<float>(1 / sum);
      most[r] += std::log(sum);
    }
  });
  return sums;
}

void log_sum_exp_gradient(Engine& engine, const Vectors& x, const Vectors& y, double scale,
                          const LeftOut& left_out, const Sums& sums, std::span<const double> slope,
                          Rows& dy) {
  if (x.rows() == 0 || y.rows() == 0) return;
  // A row without columns has no gradient, and no infinity may enter the exponent. What a float leaves out of
  // the logarithm goes into the factor.
  std::vector<float> shift(slope.size()), factor(slope.size());
  for (size_t i = 0; i < slope.size(); ++i) {
    if (sums.log[i] == kNone) continue;
    shift[i] = static_cast<float>(sums.log[i]);
    factor[i] = static_cast<float>(slope[i] * std::exp(static_cast<double>(shift[i]) - sums.log[i]));
  }
  const LeftOut other = transposed(left_out, y.rows());
  const Packed packed(engine, x.scaled(), Side::both);
  for_blocks(engine, y.scaled(), packed, [&](int64_t first, int64_t m, int64_t c, float* scores) {
    const int64_t n = packed.columns(c), begin = packed.begin(c);
    for (int64_t r = 0; r < m; ++r) {
      float* row = scores + r * packed.chunk();
      cpu::exp_columns(row, n, static_cast<float>(scale), shift.data() + begin, factor.data() + begin);
      set_left_out(left_out_of(other, first + r), begin, n, 0.0F, row);
    }
    packed.add_products(scores, m, c, dy.row(first));
  });
}

LeftOut similar(Engine& engine, const Rows& x, const Rows& y, float least) {
  std::vector<std::vector<int32_t>> found(static_cast<size_t>(x.rows()));
  LeftOut result;
  result.offsets.assign(1, 0);
  if (x.rows() > 0 && y.rows() > 0) {
    const Packed packed(engine, y, Side::transposed);
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
