// The hard pairs of a batch alone are drawn near or pushed apart.
#include <algorithm>
#include <limits>

#include "loss/losses.h"
#include "loss/pair_distance.h"

namespace hone::loss {

namespace {

class OnlineContrastive final : public Loss {
 public:
  OnlineContrastive(Score distance, double margin) : distance_(distance), margin_(margin) {}
  double evaluate(const Batch& batch, compute::Engine&, std::span<float> gradient) override {
    std::vector<double> distances;
    for (int64_t i = 0; i < batch.rows; ++i) distances.push_back(pair_distance(distance_, batch, i));
    const Hard hard = hard_ones(distances, batch.labels);
    double sum = 0;
    for (int64_t i = 0; i < batch.rows; ++i) {
      const double d = distances[static_cast<size_t>(i)], near = std::max(0.0, margin_ - d);
      const bool positive = batch.labels[static_cast<size_t>(i)] == 1;
      if (positive && d > hard.closest_negative) {
        sum += d * d;
        add_pair_distance_gradient(distance_, batch, i, 2 * d, gradient);
      } else if (!positive && d < hard.furthest_positive) {
        sum += near * near;
        add_pair_distance_gradient(distance_, batch, i, -2 * near, gradient);
      }
    }
    return sum;
  }

 private:
  struct Hard {
    double closest_negative = 0, furthest_positive = 0;
  };
  // Where a kind is missing, the mean of the other stands for it, as in the reference.
  static Hard hard_ones(const std::vector<double>& distances, std::span<const float> labels) {
    double nearest = std::numeric_limits<double>::infinity(), furthest = -nearest;
    double sums[2] = {0, 0};
    double counts[2] = {0, 0};
    for (size_t i = 0; i < distances.size(); ++i) {
      const int kind = labels[i] == 1 ? 1 : 0;
      sums[kind] += distances[i];
      counts[kind] += 1;
      if (kind == 1) furthest = std::max(furthest, distances[i]);
      if (kind == 0) nearest = std::min(nearest, distances[i]);
    }
    return {counts[0] > 0 ? nearest : sums[1] / std::max(counts[1], 1.0),
            counts[1] > 0 ? furthest : sums[0] / std::max(counts[0], 1.0)};
  }
  Score distance_;
  double margin_;
};

}  // namespace

std::unique_ptr<Loss> online_contrastive_loss(Score distance, double margin) {
  return std::make_unique<OnlineContrastive>(distance, margin);
}

}  // namespace hone::loss
