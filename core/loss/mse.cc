// A teacher's vectors imitated, number by number. Every text of a row has the same teacher vector: so a
// translation learns the vector of its original.
#include "loss/head.h"
#include "loss/losses.h"

namespace hone::loss {

namespace {

class Mse final : public Loss {
 public:
  Mse(int64_t dim, int64_t projection, uint64_t seed) {
    if (projection > 0) heads_ = linear_head(projection, dim, seed);
  }
  double evaluate(const Batch& batch, compute::Engine&, std::span<float> gradient) override {
    clear_gradients(heads_);
    const auto width = static_cast<size_t>(batch.label_width);
    const double all = static_cast<double>(batch.rows * batch.roles) * static_cast<double>(width);
    std::vector<double> x(static_cast<size_t>(batch.dim)), slope(width);
    double sum = 0;
    for (int64_t role = 0; role < batch.roles; ++role) {
      for (int64_t i = 0; i < batch.rows; ++i) {
        const float* vector = batch.vector(role, i);
        const float* teacher = batch.labels.data() + i * batch.label_width;
        std::copy_n(vector, batch.dim, x.begin());
        const std::vector<double> y = heads_.empty() ? x : linear(heads_, x);
        for (size_t k = 0; k < width; ++k) {
          const double error = y[k] - static_cast<double>(teacher[k]);
          sum += error * error;
          slope[k] = 2 * error / all;
        }
        const std::vector<double> dx = heads_.empty() ? slope : linear_gradient(heads_, x, slope);
        float* to = gradient.data() + (role * batch.rows + i) * batch.dim;
        for (size_t k = 0; k < dx.size(); ++k) to[k] += static_cast<float>(dx[k]);
      }
    }
    return sum / all;
  }
};

}  // namespace

std::unique_ptr<Loss> mse_loss(int64_t dim, int64_t projection, uint64_t seed) {
  return std::make_unique<Mse>(dim, projection, seed);
}

}  // namespace hone::loss
