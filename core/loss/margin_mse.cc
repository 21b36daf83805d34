// A teacher's margins between a positive and its negatives imitated. The teacher's scores are raw logits: a
// sigmoid would flatten the margins.
#include "loss/losses.h"

namespace hone::loss {

namespace {

class MarginMse final : public Loss {
 public:
  explicit MarginMse(Score similarity) : similarity_(similarity) {}
  double evaluate(const Batch& batch, compute::Engine&, std::span<float> gradient) override {
    const int64_t negatives = batch.roles - 2;
    const bool scores = batch.label_width == negatives + 1;  // of all documents, not margins
    const double all = static_cast<double>(batch.rows * negatives);
    double sum = 0;
    for (int64_t i = 0; i < batch.rows; ++i) {
      const float *q = batch.vector(0, i), *p = batch.vector(1, i);
      const float* labels = batch.labels.data() + i * batch.label_width;
      const double positive = score(similarity_, q, p, batch.dim);
      double pull = 0;  // slope of the positive's score
      for (int64_t k = 0; k < negatives; ++k) {
        const float* n = batch.vector(2 + k, i);
        const double margin = scores ? static_cast<double>(labels[0]) - static_cast<double>(labels[k + 1])
                                     : static_cast<double>(labels[k]);
        const double error = positive - score(similarity_, q, n, batch.dim) - margin;
        sum += error * error;
        pull += 2 * error / all;
        add_score_gradient(similarity_, q, n, batch.dim, -2 * error / all, gradient.data() + i * batch.dim,
                           gradient.data() + ((2 + k) * batch.rows + i) * batch.dim);
      }
      add_score_gradient(similarity_, q, p, batch.dim, pull, gradient.data() + i * batch.dim,
                         gradient.data() + (batch.rows + i) * batch.dim);
    }
    return sum / all;
  }

 private:
  Score similarity_;
};

}  // namespace

std::unique_ptr<Loss> margin_mse_loss(Score similarity) {
  return std::make_unique<MarginMse>(similarity);
}

}  // namespace hone::loss
