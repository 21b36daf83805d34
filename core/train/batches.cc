#include "train/batches.h"

#include <algorithm>

#include "train/sampler.h"

namespace hone::train {

Batches::Batches(const TrainData& data, const TrainOptions& options)
    : data_(data),
      seed_(options.seed),
      shuffle_(options.shuffle),
      distinct_(options.sampler == "no-duplicates"),
      batch_size_(options.batch_size) {
  per_epoch_ = (data.rows() + batch_size_ - 1) / batch_size_;
  if (!distinct_) return;
  prepare(0);
  per_epoch_ = static_cast<int64_t>(batches_.size());
}

void Batches::prepare(int64_t epoch) {
  if (epoch_ == epoch) return;
  epoch_ = epoch;
  order_ = epoch_order(seed_, static_cast<uint64_t>(epoch), static_cast<uint32_t>(data_.rows()), shuffle_);
  if (!distinct_) return;
  std::vector<std::vector<uint32_t>> texts(order_.size());
  for (uint32_t row = 0; row < texts.size(); ++row) {
    for (int64_t role = 0; role < data_.roles(); ++role) texts[row].push_back(data_.text(role, row));
  }
  batches_ = batches_without_duplicates(order_, texts, static_cast<size_t>(batch_size_));
}

std::vector<uint32_t> Batches::rows(int64_t epoch, int64_t batch) {
  prepare(epoch);
  if (distinct_) return batches_[static_cast<size_t>(batch) % batches_.size()];
  const auto begin = order_.begin() + batch * batch_size_;
  return {begin, begin + std::min<int64_t>(batch_size_, order_.end() - begin)};
}

}  // namespace hone::train
