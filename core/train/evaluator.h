// What a run is evaluated on, tokenized once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "encode/encoder.h"
#include "train/options.h"

namespace hone::train {

data::ReadOptions eval_roles(std::map<std::string, std::string> columns);

class Evaluator {
 public:
  Evaluator(data::Table table, const model::SentenceModel& model, compute::Engine& engine);
  EvalReport run(encode::Encoder& encoder, int64_t step) const;
  const std::vector<std::string>& metric_names() const;  // the first is the one that matters most
  int64_t tokens() const;
  size_t bytes() const;          // of memory
  std::string identity() const;  // what a resumed run must agree on
  std::string source() const;

 private:
  data::Table table_;
  std::vector<std::vector<int32_t>> first_, second_;
};

}  // namespace hone::train
