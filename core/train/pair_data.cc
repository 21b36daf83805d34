#include "train/pair_data.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "encode/encoder.h"

namespace hone::train {

namespace {

constexpr size_t kAllocation = 16;  // what malloc adds to a piece of memory, rounding included

size_t bytes_of(const std::vector<std::vector<int32_t>>& texts) {
  size_t bytes = 0;
  for (const auto& ids : texts) bytes += sizeof ids + ids.capacity() * sizeof ids[0] + kAllocation;
  return bytes;
}

size_t bytes_of(const data::Table& table) {
  size_t bytes = table.lines.capacity() * sizeof table.lines[0];
  for (const auto& [role, texts] : table.texts) {
    for (const std::string& text : texts) {
      const bool inside = text.capacity() <= std::string().capacity();  // short: in the object itself
      bytes += sizeof text + (inside ? 0 : text.capacity() + kAllocation);
    }
  }
  for (const auto& [role, numbers] : table.numbers) bytes += numbers.capacity() * sizeof numbers[0];
  return bytes;
}

}  // namespace

const std::vector<std::string>& pair_role_names() {
  static const std::vector<std::string> names{"sentence1", "sentence2", "score"};
  return names;
}

data::ReadOptions pair_roles(std::map<std::string, std::string> columns) {
  data::ReadOptions options;
  options.roles = {{"sentence1", data::ColumnKind::text, true, {}},
                   {"sentence2", data::ColumnKind::text, true, {}},
                   {"score", data::ColumnKind::number, true, {"label"}}};
  options.columns = std::move(columns);
  return options;
}

double read_label_scale(const data::Table& table) {
  const auto& scores = table.number("score");
  const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
  if (*low >= -1 && *high <= 1) return 1;
  if (*low >= 0 && *high <= 5) return 5;
  fail(table.path, ": column \"", excerpt(table.columns.at("score")), "\": found values from ", *low, " to ",
       *high, ", expected -1 to 1 or 0 to 5 (--label-scale X divides by another X)");
}

PairData::PairData(data::Table table, const model::SentenceModel& model, compute::Engine& engine,
                   double label_scale)
    : table_(std::move(table)) {
  const auto& scores = table_.number("score");
  for (size_t row = 0; row < scores.size(); ++row) {
    const double label = scores[row] / label_scale;
    if (!(std::abs(label) <= 1)) {
      throw RowError(cat(table_.path, ":", table_.lines[row], ": column \"",
                         excerpt(table_.columns.at("score")), "\": found ", scores[row], ", expected ",
                         -label_scale, " to ", label_scale, ", as labels are divided by ", label_scale),
                     static_cast<int64_t>(row));
    }
    labels_.push_back(static_cast<float>(label));
  }
  first_ = encode::tokenize(model, engine, table_.text("sentence1"));
  second_ = encode::tokenize(model, engine, table_.text("sentence2"));
}

EvalPairs::EvalPairs(data::Table from, const model::SentenceModel& model, compute::Engine& engine)
    : table(std::move(from)),
      first(encode::tokenize(model, engine, table.text("sentence1"))),
      second(encode::tokenize(model, engine, table.text("sentence2"))) {}

size_t PairData::bytes() const {
  return bytes_of(table_) + bytes_of(first_) + bytes_of(second_) + labels_.capacity() * sizeof labels_[0];
}

size_t EvalPairs::bytes() const {
  return bytes_of(table) + bytes_of(first) + bytes_of(second);
}

void PairData::append(nn::TokenBatch& batch, uint32_t row) const {
  batch.add(first_[row], row, 0);
  batch.add(second_[row], row, 1);
}

}  // namespace hone::train
