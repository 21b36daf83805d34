// The rows of a training run: texts tokenized once, labels as the loss wants them.
//
// Rules: equal texts are one text; their number says that they are equal, whatever stands before them. A text
// is tokenized and kept once for each prompt put before it. Numbers go by role, then by row. A label that the
// loss cannot use is found here, with file, row and column. The texts themselves are not kept: they are
// tokenized block by block.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compute/graph.h"
#include "data/dataset.h"
#include "encode/prompts.h"
#include "encode/token_ids.h"
#include "loss/loss_table.h"
#include "model/sentence_model.h"
#include "train/train_rows.h"

namespace hone::train {

class TrainData {
 public:
  // label_scale: what similarity labels are divided by; 0: 1 when all lie in [-1, 1], 5 when all lie in
  // [0, 5], rounding aside; anything else is an Error that asks for --label-scale, and so are files that
  // differ in this.
  // most_id_bytes: of token ids in memory; beyond that they lie in a temporary file.
  TrainData(TrainRows& rows, const loss::LossInfo& loss, double label_scale,
            const model::SentenceModel& model, compute::Engine& engine,
            encode::PromptUse prompts = encode::PromptUse::none, size_t most_id_bytes = SIZE_MAX);
  TrainData(data::Table table, const loss::LossInfo& loss, double label_scale,
            const model::SentenceModel& model, compute::Engine& engine,
            encode::PromptUse prompts = encode::PromptUse::none);

  int64_t rows() const { return static_cast<int64_t>(table_.rows); }
  int64_t roles() const { return static_cast<int64_t>(roles_.size()); }
  const std::vector<std::string>& role_names() const { return roles_; }
  double label_scale() const { return label_scale_; }
  const encode::PromptedTexts& prompts() const {
    return prompts_;
  }                                                     // what stands before the texts of each role
  int64_t label_width() const { return label_width_; }  // 0: none
  const float* labels(uint32_t row) const { return labels_.data() + row * label_width_; }
  std::pair<float, float> label_range() const;

  // Number of the text of a row: equal texts have equal numbers, below texts().
  uint32_t text(int64_t role, uint32_t row) const {
    return text_of_[static_cast<size_t>(role * rows()) + row];
  }
  uint32_t texts() const { return texts_; }
  // Number of what is encoded: the text with its prompt, below encodings(). Where all texts have the same
  // prompt it is that of the text.
  uint32_t encoded(int64_t role, uint32_t row) const {
    return encoded_of_.empty() ? text(role, row) : encoded_of_[static_cast<size_t>(role * rows()) + row];
  }
  uint32_t encodings() const { return static_cast<uint32_t>(ids_.size()); }
  const encode::TokenIds& ids() const { return ids_; }  // by number of what is encoded
  // Number of the row's id (role "id"); rows without one have none in common. Empty: no ids.
  const std::vector<uint32_t>& groups() const { return groups_; }
  int64_t tokens(uint32_t row) const;  // of all its texts
  // What is to be said of rows with an empty text; nothing where there are none.
  const std::string& about_empty_texts() const { return about_empty_texts_; }

  const data::Table& table() const { return table_; }  // without its texts and numbers
  size_t bytes() const;                                // of memory

 private:
  // The texts and ids of a block, numbered; what was not there before is tokenized.
  struct Numbering;
  void number_block(const data::Table& block, Numbering& numbering, const model::SentenceModel& model,
                    compute::Engine& engine);
  void order_numbers(Numbering& numbering);
  // From the values of `table`, which are taken out of it where they are this object's own.
  void read_labels(const data::Table& table, const loss::LossInfo& loss, double label_scale);
  [[noreturn]] void wrong_label(const std::string& role, size_t row, double found,
                                const std::string& expected) const;

  data::Table table_;
  std::vector<std::string> roles_;
  encode::PromptedTexts prompts_;     // by role
  std::vector<uint32_t> text_of_;     // [roles, rows]
  std::vector<uint32_t> encoded_of_;  // the same; empty: as text_of_
  uint32_t texts_ = 0;
  encode::TokenIds ids_;
  std::vector<uint32_t> groups_;
  std::vector<float> labels_;  // [rows, label_width]
  int64_t label_width_ = 0;
  double label_scale_ = 1;
  std::string about_empty_texts_;
};

}  // namespace hone::train
