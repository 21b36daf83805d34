#include "train/evaluator.h"

#include "base/error.h"
#include "eval/sts.h"

namespace hone::train {

data::ReadOptions eval_roles(std::map<std::string, std::string> columns) {
  data::ReadOptions options;
  options.roles = {{"sentence1", data::ColumnKind::text, true, {}},
                   {"sentence2", data::ColumnKind::text, true, {}},
                   {"score", data::ColumnKind::number, true, {"label"}}};
  options.columns = std::move(columns);
  return options;
}

Evaluator::Evaluator(data::Table table, const model::SentenceModel& model, compute::Engine& engine)
    : table_(std::move(table)),
      first_(encode::tokenize(model, engine, table_.text("sentence1"))),
      second_(encode::tokenize(model, engine, table_.text("sentence2"))) {}

const std::vector<std::string>& Evaluator::metric_names() const {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all{"spearman_cosine"};
    for (const std::string& name : eval::sts_metric_names()) {
      if (name != all[0]) all.push_back(name);
    }
    return all;
  }();
  return names;
}

EvalReport Evaluator::run(encode::Encoder& encoder, int64_t step) const {
  const auto a = encoder.encode_ids(first_), b = encoder.encode_ids(second_);
  const auto scores = eval::sts_scores(a, b, encoder.dim(), table_.number("score"), true);
  std::vector<std::pair<std::string, double>> metrics;
  for (const std::string& name : metric_names()) metrics.emplace_back(name, scores.at(name));
  return {step, std::move(metrics), scores.spearman_cosine_interval.low, scores.spearman_cosine_interval.high,
          false};
}

int64_t Evaluator::tokens() const {
  int64_t sum = 0;
  for (const auto* side : {&first_, &second_}) {
    for (const auto& ids : *side) sum += static_cast<int64_t>(ids.size());
  }
  return sum;
}

size_t Evaluator::bytes() const {
  return static_cast<size_t>(tokens()) * sizeof(int32_t) + table_.rows * 160;
}

std::string Evaluator::identity() const {
  return cat(table_.rows, " rows with hash ", table_.content_hash);
}

std::string Evaluator::source() const {
  return table_.path.filename().string();
}

}  // namespace hone::train
