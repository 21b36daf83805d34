#include "train/false_negatives.h"

#include <algorithm>
#include <unordered_map>

namespace hone::train {

using compute::LeftOut;

FalseNegatives::Lists FalseNegatives::pairs_by(const TrainData& data, int64_t role, int64_t other) {
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  for (uint32_t row = 0; row < data.rows(); ++row)
    pairs.emplace_back(data.text(role, row), data.text(other, row));
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  Lists lists;
  lists.offsets.assign(data.texts() + size_t{1}, 0);
  for (const auto& [text, value] : pairs) {
    ++lists.offsets[text + size_t{1}];
    lists.values.push_back(value);
  }
  for (size_t i = 1; i < lists.offsets.size(); ++i) lists.offsets[i] += lists.offsets[i - 1];
  return lists;
}

FalseNegatives::FalseNegatives(const TrainData& data, compute::Engine& engine, bool duplicates,
                               std::vector<float> vectors, int64_t dim, double similarity)
    : data_(data),
      engine_(engine),
      duplicates_(duplicates),
      vectors_(std::move(vectors)),
      dim_(dim),
      similarity_(similarity) {
  if (!duplicates_) return;
  positives_ = pairs_by(data, 0, 1);
  anchors_ = pairs_by(data, 1, 0);
}

void FalseNegatives::add_known(std::span<const uint32_t> rows, int64_t first, int64_t last,
                               Found& found) const {
  // Where each text stands among the columns, and the rows by their ids.
  std::unordered_map<uint32_t, std::vector<int32_t>> columns, groups;
  int32_t column = 0;
  for (int64_t role = first; role < last; ++role) {
    for (uint32_t row : rows) columns[data_.text(role, row)].push_back(column++);
  }
  const std::vector<uint32_t>& ids = data_.groups();
  for (size_t i = 0; !ids.empty() && i < rows.size(); ++i)
    groups[ids[rows[i]]].push_back(static_cast<int32_t>(i));
  for (size_t i = 0; i < rows.size(); ++i) {
    auto add = [&](const std::vector<int32_t>& more) {
      found[i].insert(found[i].end(), more.begin(), more.end());
    };
    auto add_text = [&](uint32_t text) {
      if (const auto at = columns.find(text); at != columns.end()) add(at->second);
    };
    const uint32_t anchor = data_.text(0, rows[i]), positive = data_.text(1, rows[i]);
    // The row's own two texts are among them.
    for (const std::span<const uint32_t> related : {positives_.at(anchor), anchors_.at(positive)}) {
      if (related.size() <= columns.size()) {
        for (uint32_t text : related) add_text(text);
      } else {
        for (const auto& [text, at] : columns) {
          if (std::binary_search(related.begin(), related.end(), text)) add(at);
        }
      }
    }
    // Of documents the first columns are the positives: hard negatives of the same id stay.
    if (!ids.empty()) add(groups.at(ids[rows[i]]));
  }
}

void FalseNegatives::add_similar(std::span<const uint32_t> rows, int64_t first, int64_t last,
                                 Found& found) const {
  const auto count = static_cast<int64_t>(rows.size());
  auto gather = [&](int64_t begin, int64_t end) {
    compute::Rows out((end - begin) * count, dim_);
    for (int64_t role = begin; role < end; ++role) {
      for (int64_t i = 0; i < count; ++i) {
        const auto text = static_cast<int64_t>(data_.text(role, rows[static_cast<size_t>(i)]));
        std::copy_n(vectors_.begin() + text * dim_, dim_, out.row((role - begin) * count + i));
      }
    }
    return out;
  };
  const compute::Rows columns = gather(first, last);
  for (int64_t own : {0, 1}) {
    const LeftOut close =
        compute::similar(engine_, gather(own, own + 1), columns, static_cast<float>(similarity_));
    for (size_t i = 0; i < rows.size(); ++i) {
      found[i].insert(found[i].end(), close.index.begin() + close.offsets[i],
                      close.index.begin() + close.offsets[i + 1]);
    }
  }
}

LeftOut FalseNegatives::merged(std::span<const uint32_t> rows, int64_t first, int64_t last) const {
  Found found(rows.size());
  if (duplicates_) add_known(rows, first, last, found);
  if (!vectors_.empty()) add_similar(rows, first, last, found);
  LeftOut out;
  out.offsets.assign(1, 0);
  for (size_t i = 0; i < found.size(); ++i) {
    std::vector<int32_t>& list = found[i];
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
  out.query_doc = merged(rows, 1, data_.roles());
  if (!all_directions) return out;
  out.query_query = merged(rows, 0, 1);
  out.doc_query = out.query_query;
  out.doc_doc = out.query_doc;
  return out;
}

size_t FalseNegatives::most_bytes(const TrainData& data, int64_t dim) {
  const auto texts = static_cast<size_t>(data.texts()), rows = static_cast<size_t>(data.rows());
  return texts * static_cast<size_t>(dim) * sizeof(float) + 2 * (texts + 1 + rows) * sizeof(uint32_t);
}

size_t FalseNegatives::bytes() const {
  return vectors_.capacity() * sizeof(float) + (positives_.offsets.capacity() + positives_.values.capacity() +
                                                anchors_.offsets.capacity() + anchors_.values.capacity()) *
                                                   sizeof(uint32_t);
}

}  // namespace hone::train
