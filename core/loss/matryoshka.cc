// A loss on the first numbers of the vectors, for several counts of them: vectors that may be cut afterwards.
// Which counts a batch is for may be drawn: by its number, so that a run that goes on draws the same.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/philox.h"
#include "loss/losses.h"
#include "loss/scores.h"

namespace hone::loss {

namespace {

class Matryoshka final : public Loss {
 public:
  Matryoshka(std::unique_ptr<Loss> inner, MatryoshkaOptions options)
      : inner_(std::move(inner)), options_(std::move(options)) {}

  bool compares_all() const override { return inner_->compares_all(); }
  double evaluate(const Batch& batch, compute::Engine& engine, std::span<float> gradient) override {
    double sum = 0;
    for (size_t k : drawn(batch.number)) {
      const double weight = options_.weights[k];
      sum += weight * at(batch, engine, options_.dims[k], weight, gradient);
    }
    return sum;
  }

 private:
  // Which of dims.
  std::vector<size_t> drawn(uint64_t batch) const {
    constexpr uint32_t kStream = 0x4D415452;  // keeps these draws apart from others
    std::vector<size_t> all(options_.dims.size());
    std::iota(all.begin(), all.end(), size_t{0});
    if (options_.per_batch == all.size()) return all;
    for (size_t k = 0; k < options_.per_batch; ++k) {
      const auto words =
          philox4x32({static_cast<uint32_t>(batch), static_cast<uint32_t>(batch >> 32),
                      static_cast<uint32_t>(k), kStream},
                     {static_cast<uint32_t>(options_.seed), static_cast<uint32_t>(options_.seed >> 32)});
      std::swap(all[k], all[k + words[0] % (all.size() - k)]);
    }
    all.resize(options_.per_batch);
    return all;
  }
  double at(const Batch& batch, compute::Engine& engine, int64_t dim, double weight,
            std::span<float> gradient) {
    const int64_t all = batch.roles * batch.rows;
    std::vector<float> cut(static_cast<size_t>(all * dim)), inner_gradient(cut.size(), 0), labels;
    std::vector<double> lengths(static_cast<size_t>(all));
    for (int64_t r = 0; r < all; ++r) {
      const float* from = batch.vectors.data() + r * batch.dim;
      double square = 0;
      for (int64_t i = 0; i < dim; ++i) square += static_cast<double>(from[i]) * static_cast<double>(from[i]);
      lengths[static_cast<size_t>(r)] = std::sqrt(square);
      const double inverse = 1 / std::max(lengths[static_cast<size_t>(r)], kNormalizeFloor);
      for (int64_t i = 0; i < dim; ++i)
        cut[static_cast<size_t>(r * dim + i)] = static_cast<float>(static_cast<double>(from[i]) * inverse);
    }
    Batch shorter = batch;
    shorter.dim = dim;
    shorter.vectors = cut;
    if (options_.vector_labels) {
      for (int64_t r = 0; r < batch.rows; ++r) {
        const auto from = batch.labels.begin() + r * batch.label_width;
        labels.insert(labels.end(), from, from + dim);
      }
      shorter.labels = labels;
      shorter.label_width = dim;
    }
    const double value = inner_->evaluate(shorter, engine, inner_gradient);
    for (int64_t r = 0; r < all; ++r) {
      const float *unit = cut.data() + r * dim, *slope = inner_gradient.data() + r * dim;
      const double length = lengths[static_cast<size_t>(r)];
      double along = 0;
      if (length > kNormalizeFloor) {
        for (int64_t i = 0; i < dim; ++i)
          along += static_cast<double>(unit[i]) * static_cast<double>(slope[i]);
      }
      const double inverse = weight / std::max(length, kNormalizeFloor);
      for (int64_t i = 0; i < dim; ++i) {
        gradient[static_cast<size_t>(r * batch.dim + i)] += static_cast<float>(
            (static_cast<double>(slope[i]) - static_cast<double>(unit[i]) * along) * inverse);
      }
    }
    return value;
  }

  std::unique_ptr<Loss> inner_;
  MatryoshkaOptions options_;
};

}  // namespace

std::unique_ptr<Loss> matryoshka_loss(std::unique_ptr<Loss> inner, MatryoshkaOptions options) {
  return std::make_unique<Matryoshka>(std::move(inner), std::move(options));
}

}  // namespace hone::loss
