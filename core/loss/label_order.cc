#include "loss/label_order.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace hone::loss {

namespace {

// log(e^a + e^b)
double log_add(double a, double b) {
  const double most = std::max(a, b), least = std::min(a, b);
  return std::isinf(most) ? most : most + std::log1p(std::exp(least - most));
}

// The derivative of the loss L by s_k is (e^(s_k) sum over higher labels of e^(-s_j) - e^(-s_k) sum over
// lower ones of e^(s_i)) / e^L. Sorted by label both sums are running ones: linear after sorting, never
// [B,B].
class LabelOrder final : public Loss {
 public:
  LabelOrder(Score similarity, double scale) : similarity_(similarity), scale_(scale) {}
  double evaluate(const Batch& batch, compute::Engine&, std::span<float> gradient) override {
    constexpr double kNone = -std::numeric_limits<double>::infinity();
    const auto rows = static_cast<size_t>(batch.rows);
    std::vector<size_t> order(rows);
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return batch.labels[a] < batch.labels[b]; });
    std::vector<double> s(rows), above(rows), below(rows);
    for (size_t i = 0; i < rows; ++i) {
      const auto row = static_cast<int64_t>(order[i]);
      s[i] = scale_ * score(similarity_, batch.vector(0, row), batch.vector(1, row), batch.dim);
    }
    // Logarithms of the sums over strictly higher and strictly lower labels: whole groups of equal labels.
    auto sums = [&](bool higher, std::vector<double>& out) {
      double running = kNone;
      for (size_t done = 0; done < rows;) {
        auto at = [&](size_t k) { return higher ? rows - 1 - k : k; };
        size_t end = done;
        double group = running;
        for (; end < rows && batch.labels[order[at(end)]] == batch.labels[order[at(done)]]; ++end) {
          out[at(end)] = running;
          group = log_add(group, higher ? -s[at(end)] : s[at(end)]);
        }
        running = group;
        done = end;
      }
    };
    sums(true, above);
    sums(false, below);
    double loss = 0;  // log of e^0
    for (size_t i = 0; i < rows; ++i) loss = log_add(loss, s[i] + above[i]);
    for (size_t i = 0; i < rows; ++i) {
      const double slope = std::exp(s[i] + above[i] - loss) - std::exp(below[i] - s[i] - loss);
      const auto row = static_cast<int64_t>(order[i]);
      add_score_gradient(similarity_, batch.vector(0, row), batch.vector(1, row), batch.dim, scale_ * slope,
                         gradient.data() + row * batch.dim, gradient.data() + (batch.rows + row) * batch.dim);
    }
    return loss;
  }

 private:
  Score similarity_;
  double scale_;
};

}  // namespace

std::unique_ptr<Loss> label_order_loss(Score similarity, double scale) {
  return std::make_unique<LabelOrder>(similarity, scale);
}

}  // namespace hone::loss
