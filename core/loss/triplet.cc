// The positive nearer to the anchor than the negative, by a margin.
#include "loss/losses.h"

namespace hone::loss {

namespace {

class Triplet final : public Loss {
 public:
  Triplet(Score distance, double margin) : distance_(distance), margin_(margin) {}
  double evaluate(const Batch& batch, compute::Engine&, std::span<float> gradient) override {
    const double rows = static_cast<double>(batch.rows);
    const double sign = distance_ == Score::cosine ? -1 : 1;  // of the score in the distance
    double sum = 0;
    for (int64_t i = 0; i < batch.rows; ++i) {
      const float *a = batch.vector(0, i), *p = batch.vector(1, i), *n = batch.vector(2, i);
      const double excess =
          sign * (score(distance_, a, p, batch.dim) - score(distance_, a, n, batch.dim)) + margin_;
      if (!(excess > 0)) continue;
      sum += excess;
      float* da = gradient.data() + i * batch.dim;
      add_score_gradient(distance_, a, p, batch.dim, sign / rows, da,
                         gradient.data() + (batch.rows + i) * batch.dim);
      add_score_gradient(distance_, a, n, batch.dim, -sign / rows, da,
                         gradient.data() + (2 * batch.rows + i) * batch.dim);
    }
    return sum / rows;
  }

 private:
  Score distance_;
  double margin_;
};

}  // namespace

std::unique_ptr<Loss> triplet_loss(Score distance, double margin) {
  return std::make_unique<Triplet>(distance, margin);
}

}  // namespace hone::loss
