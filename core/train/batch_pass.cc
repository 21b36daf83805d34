#include "train/batch_pass.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace hone::train {

void BatchPass::plan(const TrainData& data, std::span<const uint32_t> rows) {
  struct Sequence {
    int64_t role, index, length;
    uint32_t text;
  };
  std::vector<Sequence> all;
  for (int64_t role = 0; role < data.roles(); ++role) {
    for (size_t i = 0; i < rows.size(); ++i) {
      const uint32_t text = data.encoded(role, rows[i]);
      all.push_back({role, static_cast<int64_t>(i), static_cast<int64_t>(data.ids().length(text)), text});
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Sequence& a, const Sequence& b) { return a.length > b.length; });
  parts_.clear();
  tokens_ = 0;
  std::vector<int32_t> scratch;
  for (const Sequence& s : all) {
    const bool full =
        !parts_.empty() && micro_tokens_ > 0 && parts_.back().batch.tokens() + s.length > micro_tokens_;
    if (parts_.empty() || full) parts_.emplace_back();
    parts_.back().batch.add(data.ids().read(s.text, scratch), rows[static_cast<size_t>(s.index)],
                            static_cast<uint32_t>(s.role));
    parts_.back().place.push_back(s.role * static_cast<int64_t>(rows.size()) + s.index);
    tokens_ += s.length;
  }
}

void BatchPass::compute(const Part& part) {
  graph_.begin(compute::Mode::train, seed_, step_);
  last_ = encoder_.forward(graph_, part.batch);
}

std::span<const float> BatchPass::forward(const TrainData& data, std::span<const uint32_t> rows,
                                          uint64_t seed, uint64_t step) {
  seed_ = seed;
  step_ = step;
  plan(data, rows);
  std::vector<float> packed;
  // The part before is read while the next one is computed.
  std::unique_ptr<compute::Reading> started;
  auto finish = [&](const Part& part) {
    packed.resize(part.place.size() * static_cast<size_t>(dim_));
    started->get(packed);
    for (size_t s = 0; s < part.place.size(); ++s)
      std::copy_n(packed.begin() + static_cast<std::ptrdiff_t>(s) * dim_, dim_,
                  vectors_.begin() + part.place[s] * dim_);
  };
  for (size_t p = 0; p < parts_.size(); ++p) {
    compute(parts_[p]);
    if (p == 0) {
      dim_ = graph_.shape(last_).cols;
      vectors_.resize(static_cast<size_t>(data.roles()) * rows.size() * static_cast<size_t>(dim_));
    }
    auto reading = graph_.read_later(last_);
    if (p > 0) finish(parts_[p - 1]);
    started = std::move(reading);
  }
  finish(parts_.back());
  return vectors_;
}

void BatchPass::backward(std::span<const float> gradient) {
  std::vector<float> packed;
  for (size_t p = parts_.size(); p-- > 0;) {
    const Part& part = parts_[p];
    if (p + 1 < parts_.size()) compute(part);
    packed.resize(part.place.size() * static_cast<size_t>(dim_));
    for (size_t s = 0; s < part.place.size(); ++s)
      std::copy_n(gradient.begin() + part.place[s] * dim_, dim_,
                  packed.begin() + static_cast<std::ptrdiff_t>(s) * dim_);
    graph_.backward(last_, packed);
  }
}

}  // namespace hone::train
