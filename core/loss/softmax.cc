// A classifier on pairs: (u, v, |u - v|) through a linear layer. The layer is a head: trained with the model,
// kept in checkpoints, of no use afterwards.
#include <cmath>

#include "loss/head.h"
#include "loss/log_partition.h"
#include "loss/losses.h"

namespace hone::loss {

namespace {

class Softmax final : public Loss {
 public:
  Softmax(int64_t dim, int64_t classes, uint64_t seed) { heads_ = linear_head(classes, 3 * dim, seed); }
  double evaluate(const Batch& batch, compute::Engine&, std::span<float> gradient) override {
    const auto dim = static_cast<size_t>(batch.dim);
    const double rows = static_cast<double>(batch.rows);
    clear_gradients(heads_);
    std::vector<double> features(3 * dim);
    double sum = 0;
    for (int64_t i = 0; i < batch.rows; ++i) {
      const float *u = batch.vector(0, i), *v = batch.vector(1, i);
      for (size_t k = 0; k < dim; ++k) {
        features[k] = static_cast<double>(u[k]);
        features[dim + k] = static_cast<double>(v[k]);
        features[2 * dim + k] = std::abs(features[k] - features[dim + k]);
      }
      std::vector<double> y = linear(heads_, features);
      const auto wanted = static_cast<size_t>(batch.labels[static_cast<size_t>(i)]);
      std::vector<double> others;  // relative to what is wanted
      for (size_t c = 0; c < y.size(); ++c) {
        if (c != wanted) others.push_back(y[c] - y[wanted]);
      }
      sum += log_partition(1, others);
      double all = 0;
      for (double slope : others) all += slope;
      for (size_t c = 0, k = 0; c < y.size(); ++c) y[c] = (c == wanted ? -all : others[k++]) / rows;
      const std::vector<double> dx = linear_gradient(heads_, features, y);
      float *du = gradient.data() + i * batch.dim, *dv = gradient.data() + (batch.rows + i) * batch.dim;
      for (size_t k = 0; k < dim; ++k) {
        const double difference = u[k] > v[k] ? dx[2 * dim + k] : u[k] < v[k] ? -dx[2 * dim + k] : 0;
        du[k] += static_cast<float>(dx[k] + difference);
        dv[k] += static_cast<float>(dx[dim + k] - difference);
      }
    }
    return sum / rows;
  }
};

}  // namespace

std::unique_ptr<Loss> softmax_loss(int64_t dim, int64_t classes, uint64_t seed) {
  return std::make_unique<Softmax>(dim, classes, seed);
}

}  // namespace hone::loss
