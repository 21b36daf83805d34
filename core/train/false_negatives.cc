#include "train/false_negatives.h"

#include <algorithm>
#include <unordered_map>

namespace hone::train {

using compute::LeftOut;

// Where the texts of a batch stand among the columns of a comparison, and its rows by their ids.
struct FalseNegatives::Columns {
  std::unordered_map<uint32_t, std::vector<int32_t>> queries, documents, groups;
};

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

// Of each row the columns with a text that the data knows to belong to it.
std::vector<std::vector<int32_t>> FalseNegatives::by_text(std::span<const uint32_t> rows, bool from_query,
                                                          bool to_query, const Columns& columns) const {
  std::vector<std::vector<int32_t>> lists(rows.size());
  const auto& found = to_query ? columns.queries : columns.documents;
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint32_t anchor = data_.text(0, rows[i]), positive = data_.text(1, rows[i]);
    auto add = [&](uint32_t text) {
      if (const auto at = found.find(text); at != found.end())
        lists[i].insert(lists[i].end(), at->second.begin(), at->second.end());
    };
    // What belongs to the row: other anchors of its positive, or other positives of its anchor.
    const std::span<const uint32_t> related = to_query ? anchors_.at(positive) : positives_.at(anchor);
    if (related.size() <= found.size()) {
      for (uint32_t text : related) add(text);
    } else {
      for (const auto& [text, at] : found) {
        if (std::binary_search(related.begin(), related.end(), text))
          lists[i].insert(lists[i].end(), at.begin(), at.end());
      }
    }
    add(from_query ? anchor : positive);
    if (!data_.groups().empty()) {
      const auto& same = columns.groups.at(data_.groups()[rows[i]]);
      lists[i].insert(lists[i].end(), same.begin(), same.end());
    }
  }
  return lists;
}

void FalseNegatives::add_similar(std::span<const uint32_t> rows, bool from_query, bool to_query,
                                 std::vector<std::vector<int32_t>>& lists) const {
  const auto count = static_cast<int64_t>(rows.size());
  auto gather = [&](int64_t first_role, int64_t last_role) {
    compute::Rows out((last_role - first_role) * count, dim_);
    for (int64_t role = first_role; role < last_role; ++role) {
      for (int64_t i = 0; i < count; ++i) {
        const auto text = static_cast<int64_t>(data_.text(role, rows[static_cast<size_t>(i)]));
        std::copy_n(vectors_.begin() + text * dim_, dim_, out.row((role - first_role) * count + i));
      }
    }
    return out;
  };
  const compute::Rows y = to_query ? gather(0, 1) : gather(1, data_.roles());
  auto add = [&](const compute::Rows& x) {
    const LeftOut close = compute::similar(engine_, x, y, static_cast<float>(similarity_));
    for (size_t i = 0; i < rows.size(); ++i) {
      lists[i].insert(lists[i].end(), close.index.begin() + close.offsets[i],
                      close.index.begin() + close.offsets[i + 1]);
    }
  };
  // What is close to a row's positive is as good an answer to its anchor.
  if (from_query) add(gather(0, 1));
  if (!from_query || !to_query) add(gather(1, 2));
}

LeftOut FalseNegatives::merged(std::span<const uint32_t> rows, bool from_query, bool to_query,
                               const Columns& columns) const {
  std::vector<std::vector<int32_t>> lists(rows.size());
  if (duplicates_) lists = by_text(rows, from_query, to_query, columns);
  if (!vectors_.empty()) add_similar(rows, from_query, to_query, lists);
  LeftOut out;
  out.offsets.assign(1, 0);
  for (size_t i = 0; i < lists.size(); ++i) {
    std::vector<int32_t>& list = lists[i];
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    std::erase(list, static_cast<int32_t>(i));  // the row's own pair
    out.index.insert(out.index.end(), list.begin(), list.end());
    out.offsets.push_back(static_cast<int64_t>(out.index.size()));
  }
  return out;
}

loss::FalseNegatives FalseNegatives::of(std::span<const uint32_t> rows, bool all_directions) const {
  Columns columns;
  if (duplicates_) {
    for (size_t i = 0; i < rows.size(); ++i) {
      columns.queries[data_.text(0, rows[i])].push_back(static_cast<int32_t>(i));
      if (!data_.groups().empty()) columns.groups[data_.groups()[rows[i]]].push_back(static_cast<int32_t>(i));
    }
    for (int64_t role = 1; role < data_.roles(); ++role) {
      for (size_t i = 0; i < rows.size(); ++i) {
        columns.documents[data_.text(role, rows[i])].push_back(
            static_cast<int32_t>((role - 1) * static_cast<int64_t>(rows.size()) + static_cast<int64_t>(i)));
      }
    }
  }
  loss::FalseNegatives out;
  out.query_doc = merged(rows, true, false, columns);
  if (!all_directions) return out;
  out.query_query = merged(rows, true, true, columns);
  out.doc_query = merged(rows, false, true, columns);
  out.doc_doc = merged(rows, false, false, columns);
  return out;
}

size_t FalseNegatives::bytes() const {
  return vectors_.capacity() * sizeof(float) + (positives_.offsets.capacity() + positives_.values.capacity() +
                                                anchors_.offsets.capacity() + anchors_.values.capacity()) *
                                                   sizeof(uint32_t);
}

}  // namespace hone::train
