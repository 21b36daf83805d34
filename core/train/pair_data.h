// Labelled sentence pairs, tokenized once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "compute/graph.h"
#include "data/dataset.h"
#include "model/sentence_model.h"
#include "nn/token_batch.h"

namespace hone::train {

// Roles sentence1, sentence2, score (also named label) of a file.
data::ReadOptions pair_roles(std::map<std::string, std::string> columns);
const std::vector<std::string>& pair_role_names();

// What labels are divided by: 1 when all lie in [-1, 1], 5 when all lie in [0, 5]; anything else is an Error
// that asks for --label-scale.
double read_label_scale(const data::Table& table);

class PairData {
 public:
  // Throws Error naming the row of a label that leaves [-1, 1] after scaling.
  PairData(data::Table table, const model::SentenceModel& model, compute::Engine& engine, double label_scale);

  size_t rows() const { return labels_.size(); }
  const std::vector<float>& labels() const { return labels_; }  // scaled
  uint32_t line(size_t row) const { return table_.lines[row]; }
  const data::Table& table() const { return table_; }
  // Both sentences of a row, one after the other: roles 0 and 1.
  void append(nn::TokenBatch& batch, uint32_t row) const;
  size_t bytes() const;  // of memory
  int64_t tokens(size_t row) const { return static_cast<int64_t>(first_[row].size() + second_[row].size()); }

 private:
  data::Table table_;
  std::vector<std::vector<int32_t>> first_, second_;
  std::vector<float> labels_;
};

// Pairs to evaluate on, tokenized once; their labels may have any scale.
struct EvalPairs {
  EvalPairs(data::Table table, const model::SentenceModel& model, compute::Engine& engine);
  size_t bytes() const;  // of memory
  data::Table table;
  std::vector<std::vector<int32_t>> first, second;
};

}  // namespace hone::train
