#include "train/pair_data.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "encode/encoder.h"

namespace hone::train {

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
  fail(table.path, ": column score runs from ", *low, " to ", *high,
       "; scales 0-1 and 0-5 are recognised, give another with --label-scale");
}

PairData::PairData(data::Table table, const model::SentenceModel& model, compute::Engine& engine,
                   double label_scale)
    : table_(std::move(table)) {
  const auto& scores = table_.number("score");
  for (size_t row = 0; row < scores.size(); ++row) {
    const double label = scores[row] / label_scale;
    if (!(std::abs(label) <= 1)) {
      fail(table_.path, ": line ", table_.lines[row], ", column score: ", scores[row],
           " divided by the label scale ", label_scale, " is outside -1 to 1");
    }
    labels_.push_back(static_cast<float>(label));
  }
  first_ = encode::tokenize(model, engine, table_.text("sentence1"));
  second_ = encode::tokenize(model, engine, table_.text("sentence2"));
}

void PairData::append(nn::TokenBatch& batch, uint32_t row) const {
  batch.add(first_[row], row, 0);
  batch.add(second_[row], row, 1);
}

}  // namespace hone::train
