#include "train/false_negatives.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace hone::train {

using compute::LeftOut;

FalseNegatives::Lists FalseNegatives::pairs_by(const TrainData& data, int64_t role, int64_t other) {
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  pairs.reserve(static_cast<size_t>(data.rows()));
  for (uint32_t row = 0; row < data.rows(); ++row)
    pairs.emplace_back(data.text(role, row), data.text(other, row));
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  Lists lists;
  lists.offsets.assign(data.texts() + size_t{1}, 0);
  lists.values.reserve(pairs.size());
  for (const auto& [text, value] : pairs) {
    ++lists.offsets[text + size_t{1}];
    lists.values.push_back(value);
  }
  for (size_t i = 1; i < lists.offsets.size(); ++i) lists.offsets[i] += lists.offsets[i - 1];
  return lists;
}

FalseNegatives::FalseNegatives(const TrainData& data, compute::Engine& engine, bool duplicates)
    : data_(data), engine_(engine), duplicates_(duplicates) {
  if (!duplicates_) return;
  positives_ = pairs_by(data, 0, 1);
  anchors_ = pairs_by(data, 1, 0);
}

void FalseNegatives::use_vectors(std::vector<float> vectors, int64_t dim, double similarity) {
  vectors_ = std::move(vectors);
  dim_ = dim;
  similarity_ = similarity;
}

// Where each text of a batch stands among the columns, and its rows by their ids.
class FalseNegatives::Known {
 public:
  Known(const FalseNegatives& all, std::span<const uint32_t> rows, int64_t first, int64_t last)
      : all_(all), rows_(rows) {
    int32_t column = 0;
    for (int64_t role = first; role < last; ++role) {
      for (uint32_t row : rows) columns_[all.data_.text(role, row)].push_back(column++);
    }
    const std::vector<uint32_t>& ids = all.data_.groups();
    for (size_t i = 0; !ids.empty() && i < rows.size(); ++i)
      groups_[ids[rows[i]]].push_back(static_cast<int32_t>(i));
  }

  // The columns of row i; some more than once.
  void add(size_t i, std::vector<int32_t>& list) const {
    auto add_all = [&](const std::vector<int32_t>& more) {
      list.insert(list.end(), more.begin(), more.end());
    };
    const uint32_t anchor = all_.data_.text(0, rows_[i]), positive = all_.data_.text(1, rows_[i]);
    // The row's own two texts are among them.
    for (const std::span<const uint32_t> related : {all_.positives_.at(anchor), all_.anchors_.at(positive)}) {
      if (related.size() <= columns_.size()) {
        for (uint32_t text : related) {
          if (const auto at = columns_.find(text); at != columns_.end()) add_all(at->second);
        }
      } else {
        for (const auto& [text, at] : columns_) {
          if (std::binary_search(related.begin(), related.end(), text)) add_all(at);
        }
      }
    }
    // Of documents the first columns are the positives: hard negatives of the same id stay.
    const std::vector<uint32_t>& ids = all_.data_.groups();
    if (!ids.empty()) add_all(groups_.at(ids[rows_[i]]));
  }

 private:
  const FalseNegatives& all_;
  std::span<const uint32_t> rows_;
  std::unordered_map<uint32_t, std::vector<int32_t>> columns_, groups_;
};

std::vector<LeftOut> FalseNegatives::alike(std::span<const uint32_t> rows, int64_t first,
                                           int64_t last) const {
  const auto count = static_cast<int64_t>(rows.size());
  auto gather = [&](int64_t begin, int64_t end) {
    compute::Rows out((end - begin) * count, dim_);
    for (int64_t role = begin; role < end; ++role) {
      for (int64_t i = 0; i < count; ++i) {
        const auto text = static_cast<int64_t>(data_.encoded(role, rows[static_cast<size_t>(i)]));
        std::copy_n(vectors_.begin() + text * dim_, dim_, out.row((role - begin) * count + i));
      }
    }
    return out;
  };
  const compute::Rows columns = gather(first, last);
  std::vector<LeftOut> close;
  for (int64_t own : {0, 1})
    close.push_back(
        compute::similar(engine_, gather(own, own + 1), columns, static_cast<float>(similarity_)));
  return close;
}

LeftOut FalseNegatives::merged(std::span<const uint32_t> rows, int64_t first, int64_t last) const {
  std::optional<Known> known;
  if (duplicates_) known.emplace(*this, rows, first, last);
  std::vector<LeftOut> close;
  if (!vectors_.empty()) close = alike(rows, first, last);
  LeftOut out;
  out.offsets.assign(1, 0);
  std::vector<int32_t> list;
  for (size_t i = 0; i < rows.size(); ++i) {
    list.clear();
    if (known) known->add(i, list);
    for (const LeftOut& one : close)
      list.insert(list.end(), one.index.begin() + one.offsets[i], one.index.begin() + one.offsets[i + 1]);
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    std::erase(list, static_cast<int32_t>(i));  // the row's own pair
    out.index.insert(out.index.end(), list.begin(), list.end());
    out.offsets.push_back(static_cast<int64_t>(out.index.size()));
  }
  return out;
}

loss::FalseNegatives FalseNegatives::of(std::span<const uint32_t> rows, bool all_directions) const {
  loss::FalseNegatives out;
  out.documents = merged(rows, 1, data_.roles());
  if (all_directions) out.queries = merged(rows, 0, 1);
  return out;
}

// The lists, copies of them with the row's own columns (loss/mnr.cc; of documents two where all is compared),
// and the larger of them by the other side (compute/contrast.cc).
size_t FalseNegatives::bytes_of_batch(std::span<const uint32_t> rows, bool all_directions) const {
  const loss::FalseNegatives found = of(rows, all_directions);
  const size_t documents = found.documents.index.size(), queries = found.queries.index.size();
  return ((all_directions ? 3 : 2) * documents + 2 * queries + std::max(documents, queries)) *
         sizeof(int32_t);
}

size_t FalseNegatives::bytes() const {
  return vectors_.capacity() * sizeof(float) + (positives_.offsets.capacity() + positives_.values.capacity() +
                                                anchors_.offsets.capacity() + anchors_.values.capacity()) *
                                                   sizeof(uint32_t);
}

}  // namespace hone::train
