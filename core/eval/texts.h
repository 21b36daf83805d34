// The texts of an evaluation: tokenized once, each distinct text, with its prompt, kept and encoded
// once.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "encode/encoder.h"

namespace hone::eval {

class Texts {
 public:
  // A column of a table, and what is put before its texts.
  struct Column {
    const std::vector<std::string>* texts;
    std::string_view prompt;
  };
  // All of as many rows.
  Texts(std::initializer_list<Column> columns, const model::SentenceModel& model, compute::Engine& engine);

  // Vectors of the distinct texts, by column and row.
  class Vectors {
   public:
    const float* at(size_t column, size_t row) const {
      return values_.data() + texts_->place_[column][row] * dim_;
    }
    size_t dim() const { return dim_; }

   private:
    friend class Texts;
    const Texts* texts_ = nullptr;
    std::vector<float> values_;
    size_t dim_ = 0;
  };
  // The first `dim` numbers of each; 0: as many as the model gives.
  Vectors encode(encode::Encoder& encoder, int32_t dim,
                 const std::function<void(size_t done, size_t total)>& progress) const;

  int64_t tokens() const { return ids_.tokens(); }
  size_t bytes() const;                    // of memory
  size_t vector_bytes(int64_t dim) const;  // of what encode() gives

 private:
  encode::TokenIds ids_;                      // of the distinct texts
  std::vector<std::vector<uint32_t>> place_;  // [columns, rows] among them
};

}  // namespace hone::eval
