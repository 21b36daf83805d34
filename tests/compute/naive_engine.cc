#include "tests/compute/naive_engine.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace hone::compute {

Parameter NaiveParameters::add(std::string name, Shape shape, std::span<const float> values,
                               std::shared_ptr<const void>, ParameterOptions) {
  matrices.push_back({std::move(name), shape, {values.begin(), values.end()}});
  return {static_cast<int32_t>(matrices.size()) - 1};
}
void NaiveParameters::read(Parameter p, State, std::span<float> out) {
  std::transform(matrices[p.id].values.begin(), matrices[p.id].values.end(), out.begin(),
                 [](double x) { return static_cast<float>(x); });
}
void NaiveParameters::write(Parameter, State, std::span<const float>) {
  fail("the naive engine only goes forward");
}
void NaiveParameters::read_gradient(Parameter, std::span<float>) {
  fail("the naive engine only goes forward");
}
double NaiveParameters::gradient_norm() {
  fail("the naive engine only goes forward");
}
void NaiveParameters::step(const AdamW&) {
  fail("the naive engine only goes forward");
}
void NaiveGraph::backward(Tensor, std::span<const float>) {
  fail("the naive engine only goes forward");
}

void NaiveGraph::begin(Mode mode, uint64_t seed, uint64_t step) {
  mode_ = mode;
  key_ = DropoutKey::of(seed, step);
  matrices_.clear();
}

Tensor NaiveGraph::make(Shape shape, std::vector<double> values) {
  matrices_.push_back({"", shape, std::move(values)});
  return {static_cast<int32_t>(matrices_.size()) - 1};
}

Tensor NaiveGraph::input(std::span<const float> values, Shape shape) {
  return make(shape, {values.begin(), values.end()});
}

void NaiveGraph::read(Tensor x, std::span<float> out) {
  std::transform(at(x).values.begin(), at(x).values.end(), out.begin(),
                 [](double v) { return static_cast<float>(v); });
}

Tensor NaiveGraph::embed(std::span<const Parameter> tables, std::span<const std::span<const int32_t>> ids) {
  const int64_t width = at(tables[0]).shape.cols, count = static_cast<int64_t>(ids[0].size());
  std::vector<double> y(count * width, 0.0);
  for (size_t i = 0; i < tables.size(); ++i) {
    for (int64_t t = 0; t < count; ++t) {
      for (int64_t c = 0; c < width; ++c) y[t * width + c] += at(tables[i]).values[ids[i][t] * width + c];
    }
  }
  return make({count, width}, std::move(y));
}

Tensor NaiveGraph::linear(Tensor x, const Linear& layer, Activation activation) {
  const Matrix in = at(x);
  const Matrix& w = at(layer.weight);
  std::vector<double> y(in.shape.rows * w.shape.rows);
  for (int64_t t = 0; t < in.shape.rows; ++t) {
    for (int64_t n = 0; n < w.shape.rows; ++n) {
      double z = layer.bias ? at(layer.bias).values[n] : 0;
      for (int64_t k = 0; k < w.shape.cols; ++k)
        z += in.values[t * w.shape.cols + k] * w.values[n * w.shape.cols + k];
      switch (activation) {
        case Activation::none:
          break;
        case Activation::gelu:
          z = 0.5 * z * (1 + std::erf(z / std::sqrt(2.0)));
          break;
        case Activation::gelu_tanh:
          z = 0.5 * z * (1 + std::tanh(std::sqrt(2 / M_PI) * (z + 0.044715 * z * z * z)));
          break;
        case Activation::relu:
          z = std::max(z, 0.0);
          break;
        case Activation::tanh:
          z = std::tanh(z);
          break;
      }
      y[t * w.shape.rows + n] = z;
    }
  }
  return make({in.shape.rows, w.shape.rows}, std::move(y));
}

Tensor NaiveGraph::attention(Tensor q, Tensor k, Tensor v, const Segments& segments,
                             const AttentionOptions& options) {
  const Matrix qm = at(q), km = at(k), vm = at(v);
  const int64_t width = qm.shape.cols, d = width / options.heads;
  const uint32_t threshold = mode_ == Mode::train ? dropout_threshold(options.dropout.p) : 0;
  std::vector<double> y(qm.values.size(), 0.0);
  for (int64_t s = 0; s < segments.count(); ++s) {
    const int64_t first = segments.offsets[s], n = segments.length(s);
    for (int64_t h = 0; h < options.heads; ++h) {
      for (int64_t i = 0; i < n; ++i) {
        std::vector<double> p(n);
        double top = -1e300, sum = 0;
        for (int64_t j = 0; j < n; ++j) {
          double score = 0;
          for (int64_t c = h * d; c < (h + 1) * d; ++c) {
            score += qm.values[(first + i) * width + c] * km.values[(first + j) * width + c];
          }
          p[j] = score * static_cast<double>(options.scale);
          top = std::max(top, p[j]);
        }
        for (double& value : p) sum += value = std::exp(value - top);
        for (int64_t j = 0; j < n; ++j) {
          double keep = 1;
          if (threshold != 0) {
            const bool kept = keeps_probability(
                key_, threshold, segments.row[s], segments.role[s] << 24 | options.dropout.site,
                static_cast<uint32_t>(h), static_cast<uint32_t>(i), static_cast<uint32_t>(j));
            keep = kept ? 65536.0 / (65536.0 - threshold) : 0;
          }
          for (int64_t c = h * d; c < (h + 1) * d; ++c) {
            y[(first + i) * width + c] += p[j] / sum * keep * vm.values[(first + j) * width + c];
          }
        }
      }
    }
  }
  return make(qm.shape, std::move(y));
}

Tensor NaiveGraph::norm(Tensor x, const LayerNorm& norm) {
  return add_norm(x, {}, {}, {}, norm);
}

Tensor NaiveGraph::dropout(Tensor x, const Segments& segments, Dropout dropout) {
  const Matrix in = at(x);
  const uint32_t threshold = mode_ == Mode::train ? dropout_threshold(dropout.p) : 0;
  if (threshold == 0) return x;
  std::vector<double> y = in.values;
  for (int64_t s = 0; s < segments.count(); ++s) {
    for (int64_t t = 0; t < segments.length(s); ++t) {
      for (int64_t c = 0; c < in.shape.cols; ++c) {
        const bool kept =
            keeps_feature(key_, threshold, segments.row[s], segments.role[s] << 24 | dropout.site,
                          static_cast<uint32_t>(t), static_cast<uint32_t>(c));
        y[(segments.offsets[s] + t) * in.shape.cols + c] *= kept ? 65536.0 / (65536.0 - threshold) : 0;
      }
    }
  }
  return make(in.shape, std::move(y));
}

Tensor NaiveGraph::add_norm(Tensor x, Tensor residual, const Segments& segments, Dropout dropout_,
                            const LayerNorm& norm) {
  Matrix sum = at(dropout_.p > 0 ? dropout(x, segments, dropout_) : x);
  if (residual) {
    for (size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += at(residual).values[i];
  }
  const int64_t width = sum.shape.cols;
  for (int64_t t = 0; t < sum.shape.rows; ++t) {
    double* row = sum.values.data() + t * width;
    double mean = 0, variance = 0;
    for (int64_t c = 0; c < width; ++c) mean += row[c] / static_cast<double>(width);
    for (int64_t c = 0; c < width; ++c)
      variance += (row[c] - mean) * (row[c] - mean) / static_cast<double>(width);
    for (int64_t c = 0; c < width; ++c) {
      row[c] =
          (row[c] - mean) / std::sqrt(variance + static_cast<double>(norm.eps)) * at(norm.gamma).values[c] +
          at(norm.beta).values[c];
    }
  }
  return make(sum.shape, std::move(sum.values));
}

Tensor NaiveGraph::pool(Tensor x, const Segments& segments, PoolKind kind) {
  const Matrix in = at(x);
  const int64_t width = in.shape.cols;
  std::vector<double> y(segments.count() * width, 0.0);
  for (int64_t s = 0; s < segments.count(); ++s) {
    const int64_t n = segments.length(s);
    for (int64_t c = 0; c < width; ++c) {
      double sum = 0, weighted = 0, weights = 0, top = -1e300, first = 0, last = 0;
      for (int64_t i = 0; i < n; ++i) {
        const double v = in.values[(segments.offsets[s] + i) * width + c];
        sum += v;
        weighted += static_cast<double>(i + 1) * v;
        weights += static_cast<double>(i + 1);
        top = std::max(top, v);
        if (i == 0) first = v;
        last = v;
      }
      double& out = y[s * width + c];
      switch (kind) {
        case PoolKind::cls:
          out = first;
          break;
        case PoolKind::last_token:
          out = last;
          break;
        case PoolKind::mean:
          out = sum / static_cast<double>(n);
          break;
        case PoolKind::mean_sqrt_len:
          out = sum / std::sqrt(static_cast<double>(n));
          break;
        case PoolKind::weighted_mean:
          out = weighted / weights;
          break;
        case PoolKind::max:
          out = top;
          break;
      }
    }
  }
  return make({segments.count(), width}, std::move(y));
}

Tensor NaiveGraph::concat(std::span<const Tensor> parts) {
  const int64_t rows = at(parts[0]).shape.rows;
  int64_t width = 0;
  for (Tensor p : parts) width += at(p).shape.cols;
  std::vector<double> y;
  for (int64_t r = 0; r < rows; ++r) {
    for (Tensor p : parts) {
      const auto from = at(p).values.begin() + r * at(p).shape.cols;
      y.insert(y.end(), from, from + at(p).shape.cols);
    }
  }
  return make({rows, width}, std::move(y));
}

Tensor NaiveGraph::l2_normalize(Tensor x) {
  Matrix m = at(x);
  for (int64_t r = 0; r < m.shape.rows; ++r) {
    double square = 0;
    for (int64_t c = 0; c < m.shape.cols; ++c)
      square += m.values[r * m.shape.cols + c] * m.values[r * m.shape.cols + c];
    for (int64_t c = 0; c < m.shape.cols; ++c)
      m.values[r * m.shape.cols + c] /= std::max(std::sqrt(square), 1e-12);
  }
  return make(m.shape, std::move(m.values));
}

}  // namespace hone::compute
