// Cosine similarity as regression.
#include "loss/losses.h"

namespace hone::loss {

namespace {

class Cosine final : public Loss {
 public:
  double evaluate(const Batch& batch, compute::Engine&, std::span<float> gradient) override {
    const double rows = static_cast<double>(batch.rows);
    double sum = 0;
    for (int64_t i = 0; i < batch.rows; ++i) {
      const float *u = batch.vector(0, i), *v = batch.vector(1, i);
      const double error =
          score(Score::cosine, u, v, batch.dim) - static_cast<double>(batch.labels[static_cast<size_t>(i)]);
      sum += error * error;
      add_score_gradient(Score::cosine, u, v, batch.dim, 2 * error / rows, gradient.data() + i * batch.dim,
                         gradient.data() + (batch.rows + i) * batch.dim);
    }
    return sum / rows;
  }
};

}  // namespace

std::unique_ptr<Loss> cosine_loss() {
  return std::make_unique<Cosine>();
}

}  // namespace hone::loss
