// Operations on sentence matrices: pool, concat, l2_normalize. They touch S rows where the encoder touches T,
// so they are plain loops; sums are in double where the reference's order cannot be kept.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "compute/cpu/cpu_graph.h"

namespace hone::compute::cpu {

namespace {

constexpr double kNormalizeFloor = 1e-12;  // torch.nn.functional.normalize

// What token i (from 0) of n weighs in a pooled vector; max pooling is apart.
float pool_weight(PoolKind kind, int64_t i, int64_t n) {
  const float count = static_cast<float>(n);
  switch (kind) {
    case PoolKind::cls:
      return i == 0 ? 1.0F : 0.0F;
    case PoolKind::last_token:
      return i == n - 1 ? 1.0F : 0.0F;
    case PoolKind::mean:
      return 1.0F / count;
    case PoolKind::mean_sqrt_len:
      return 1.0F / std::sqrt(count);
    case PoolKind::weighted_mean:
      return static_cast<float>(i + 1) / (count * (count + 1) / 2);
    case PoolKind::max:
      break;
  }
  return 0;
}

double dot(const float* a, const float* b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

}  // namespace

Tensor CpuGraph::pool(Tensor x, const Segments& segments, PoolKind kind) {
  check_segments(x, segments);
  const int64_t width = at(x).shape.cols, count = segments.count();
  Tensor y = make({count, width}, at(x).needs_gradient);
  const float* in = at(x).data;
  float* out = at(y).data;
  // Max pooling: the token each feature came from.
  int32_t* winner = nullptr;
  if (kind == PoolKind::max) {
    winner = static_cast<int32_t*>(arena_.allocate(static_cast<size_t>(count * width) * sizeof(int32_t)));
  }
  runtime_.parallel(count, [&](int64_t s, int) {
    const int64_t first = segments.offsets[static_cast<size_t>(s)], n = segments.length(s);
    float* to = out + s * width;
    if (kind == PoolKind::max) {
      for (int64_t c = 0; c < width; ++c) {
        int32_t best = 0;
        for (int32_t i = 1; i < n; ++i) {
          if (in[(first + i) * width + c] > in[(first + best) * width + c]) best = i;
        }
        winner[s * width + c] = best;
        to[c] = in[(first + best) * width + c];
      }
      return;
    }
    std::fill_n(to, width, 0.0F);
    for (int64_t i = 0; i < n; ++i) {
      const float weight = pool_weight(kind, i, n);
      if (weight == 0) continue;
      const float* from = in + (first + i) * width;
      for (int64_t c = 0; c < width; ++c) to[c] += weight * from[c];
    }
  });
  if (!at(y).needs_gradient) return y;
  record([this, x, y, kind, width, winner, parts = &segments] {
    if (!at(y).has_gradient) return;
    bool accumulate = false;
    float* dx = gradient(x, accumulate);
    const float* dy = at(y).gradient;
    runtime_.parallel(parts->count(), [&](int64_t s, int) {
      const int64_t first = parts->offsets[static_cast<size_t>(s)], n = parts->length(s);
      const float* from = dy + s * width;
      if (!accumulate) std::fill_n(dx + first * width, n * width, 0.0F);
      if (kind == PoolKind::max) {
        for (int64_t c = 0; c < width; ++c) dx[(first + winner[s * width + c]) * width + c] += from[c];
        return;
      }
      for (int64_t i = 0; i < n; ++i) {
        const float weight = pool_weight(kind, i, n);
        if (weight == 0) continue;
        float* to = dx + (first + i) * width;
        for (int64_t c = 0; c < width; ++c) to[c] += weight * from[c];
      }
    });
  });
  return y;
}

Tensor CpuGraph::concat(std::span<const Tensor> parts) {
  check(!parts.empty(), "concat: nothing to put side by side");
  int64_t width = 0;
  bool train = false;
  const int64_t rows = at(parts[0]).shape.rows;
  for (Tensor part : parts) {
    check(at(part).shape.rows == rows, "concat: parts differ in rows");
    width += at(part).shape.cols;
    train = train || at(part).needs_gradient;
  }
  Tensor y = make({rows, width}, train);
  int64_t column = 0;
  for (Tensor part : parts) {
    const int64_t w = at(part).shape.cols;
    for (int64_t r = 0; r < rows; ++r) std::copy_n(at(part).data + r * w, w, at(y).data + r * width + column);
    column += w;
  }
  if (!at(y).needs_gradient) return y;
  record([this, y, own = std::vector<Tensor>(parts.begin(), parts.end()), rows, width] {
    if (!at(y).has_gradient) return;
    int64_t from = 0;
    for (Tensor part : own) {
      const int64_t w = at(part).shape.cols;
      std::vector<float> piece(static_cast<size_t>(rows * w));
      for (int64_t r = 0; r < rows; ++r)
        std::copy_n(at(y).gradient + r * width + from, w, piece.data() + r * w);
      add_gradient(part, piece.data());
      from += w;
    }
  });
  return y;
}

Tensor CpuGraph::l2_normalize(Tensor x) {
  const Shape s = at(x).shape;
  Tensor y = make(s, at(x).needs_gradient);
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* from = at(x).data + r * s.cols;
    const double inverse = 1 / std::max(std::sqrt(dot(from, from, s.cols)), kNormalizeFloor);
    for (int64_t c = 0; c < s.cols; ++c) at(y).data[r * s.cols + c] = static_cast<float>(from[c] * inverse);
  }
  if (!at(y).needs_gradient) return y;
  record([this, x, y, s] {
    if (!at(y).has_gradient) return;
    std::vector<float> dx(static_cast<size_t>(s.rows * s.cols));
    for (int64_t r = 0; r < s.rows; ++r) {
      const float *from = at(x).data + r * s.cols, *to = at(y).data + r * s.cols,
                  *dy = at(y).gradient + r * s.cols;
      const double length = std::sqrt(dot(from, from, s.cols));
      const double inverse = 1 / std::max(length, kNormalizeFloor),
                   along = length > kNormalizeFloor ? dot(to, dy, s.cols) : 0;
      for (int64_t c = 0; c < s.cols; ++c)
        dx[static_cast<size_t>(r * s.cols + c)] = static_cast<float>((dy[c] - to[c] * along) * inverse);
    }
    add_gradient(x, dx.data());
  });
  return y;
}

}  // namespace hone::compute::cpu
