// A linear layer of a loss's own: y = W x + b, with its gradient. Small: a row at a time, in double.
#pragma once

#include <cmath>
#include <vector>

#include "base/philox.h"
#include "loss/loss.h"

namespace hone::loss {

// As torch.nn.Linear begins: uniform in +-1 / sqrt(inputs), from the seed.
inline std::vector<Head> linear_head(int64_t outputs, int64_t inputs, uint64_t seed) {
  constexpr uint32_t kStream = 0x48454144;  // keeps these draws apart from others
  const double bound = 1 / std::sqrt(static_cast<double>(inputs));
  std::vector<Head> heads{{"head.weight", {outputs, inputs}, {}, true, {}},
                          {"head.bias", {1, outputs}, {}, false, {}}};
  uint32_t counter = 0;
  for (Head& head : heads) {
    const int64_t n = head.shape.rows * head.shape.cols;
    head.gradient.assign(static_cast<size_t>(n), 0);
    for (int64_t i = 0; i < n; i += 4, ++counter) {
      const auto words = philox4x32({counter, 0, 0, kStream},
                                    {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
      for (int64_t k = 0; k < 4 && i + k < n; ++k) {
        const double draw = (static_cast<double>(words[static_cast<size_t>(k)]) + 0.5) / 4294967296.0;
        head.values.push_back(static_cast<float>(bound * (2 * draw - 1)));
      }
    }
  }
  return heads;
}

inline std::vector<double> linear(const std::vector<Head>& heads, std::span<const double> x) {
  std::vector<double> y(static_cast<size_t>(heads[0].shape.rows));
  for (size_t o = 0; o < y.size(); ++o) {
    y[o] = static_cast<double>(heads[1].values[o]);
    const float* weight = heads[0].values.data() + o * x.size();
    for (size_t i = 0; i < x.size(); ++i) y[o] += static_cast<double>(weight[i]) * x[i];
  }
  return y;
}

// Adds to the heads' gradients; returns dx.
inline std::vector<double> linear_gradient(std::vector<Head>& heads, std::span<const double> x,
                                           std::span<const double> dy) {
  std::vector<double> dx(x.size(), 0);
  for (size_t o = 0; o < dy.size(); ++o) {
    const float* weight = heads[0].values.data() + o * x.size();
    float* dw = heads[0].gradient.data() + o * x.size();
    heads[1].gradient[o] += static_cast<float>(dy[o]);
    for (size_t i = 0; i < x.size(); ++i) {
      dw[i] += static_cast<float>(dy[o] * x[i]);
      dx[i] += dy[o] * static_cast<double>(weight[i]);
    }
  }
  return dx;
}

inline void clear_gradients(std::vector<Head>& heads) {
  for (Head& head : heads) std::fill(head.gradient.begin(), head.gradient.end(), 0.0F);
}

}  // namespace hone::loss
