// Pairs that belong together are drawn near, others pushed apart.
#include <algorithm>

#include "loss/losses.h"
#include "loss/pair_distance.h"

namespace hone::loss {

namespace {

class Contrastive final : public Loss {
 public:
  Contrastive(Score distance, double margin) : distance_(distance), margin_(margin) {}
  double evaluate(const Batch& batch, compute::Engine&, std::span<float> gradient) override {
    const double weight = 0.5 / static_cast<double>(batch.rows);
    double sum = 0;
    for (int64_t i = 0; i < batch.rows; ++i) {
      const double d = pair_distance(distance_, batch, i);
      const double near = std::max(0.0, margin_ - d);
      const double pull = static_cast<double>(batch.labels[static_cast<size_t>(i)]), push = 1 - pull;
      sum += weight * (pull * d * d + push * near * near);
      add_pair_distance_gradient(distance_, batch, i, 2 * weight * (pull * d - push * near), gradient);
    }
    return sum;
  }

 private:
  Score distance_;
  double margin_;
};

}  // namespace

std::unique_ptr<Loss> contrastive_loss(Score distance, double margin) {
  return std::make_unique<Contrastive>(distance, margin);
}

}  // namespace hone::loss
