// Pairs that belong together are drawn near, others pushed apart; all of them, or the hard ones alone.
#include <algorithm>
#include <cmath>
#include <limits>

#include "loss/losses.h"

namespace hone::loss {

namespace {

class Contrastive final : public Loss {
 public:
  Contrastive(Score distance, double margin, bool online)
      : distance_(distance), margin_(margin), online_(online) {}
  double evaluate(const Batch& batch, compute::Engine&, std::span<float> gradient) override {
    const auto rows = static_cast<size_t>(batch.rows);
    std::vector<double> distances(rows);
    for (size_t i = 0; i < rows; ++i) {
      const auto row = static_cast<int64_t>(i);
      const double s = score(distance_, batch.vector(0, row), batch.vector(1, row), batch.dim);
      distances[i] = distance_ == Score::cosine ? 1 - s : s;
    }
    const Hard hard = online_ ? hard_ones(distances, batch.labels) : Hard();
    const double weight = online_ ? 1 : 0.5 / static_cast<double>(rows);
    double sum = 0;
    for (size_t i = 0; i < rows; ++i) {
      const double d = distances[i], label = static_cast<double>(batch.labels[i]);
      const double near = std::max(0.0, margin_ - d);
      double pull = label, push = 1 - label;  // weights of the two terms
      if (online_) {
        pull = label == 1 && d > hard.closest_negative ? 1 : 0;
        push = label == 0 && d < hard.furthest_positive ? 1 : 0;
      }
      sum += weight * (pull * d * d + push * near * near);
      const double slope = 2 * weight * (pull * d - push * near);
      const auto row = static_cast<int64_t>(i);
      add_score_gradient(distance_, batch.vector(0, row), batch.vector(1, row), batch.dim,
                         distance_ == Score::cosine ? -slope : slope, gradient.data() + row * batch.dim,
                         gradient.data() + (batch.rows + row) * batch.dim);
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
  bool online_;
};

}  // namespace

std::unique_ptr<Loss> contrastive_loss(Score distance, double margin) {
  return std::make_unique<Contrastive>(distance, margin, false);
}
std::unique_ptr<Loss> online_contrastive_loss(Score distance, double margin) {
  return std::make_unique<Contrastive>(distance, margin, true);
}

}  // namespace hone::loss
