// Rows of a run as a test writes them down.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/columns.h"
#include "tests/compute/test_engine.h"
#include "tests/train/small_run.h"
#include "train/data_roles.h"
#include "train/train_data.h"

namespace hone::testing {

// What a loss reads of the text of a file; `columns` as in --columns.
inline data::Table table_of(const std::string& content, const std::string& loss,
                            const std::string& columns = "", const std::string& file = "x.tsv") {
  std::map<std::string, std::string> named;
  if (!columns.empty()) named = data::parse_columns(columns, train::all_roles());
  const auto names = data::parse_column_names(content, file);
  return data::parse_table(content, file, train::roles_of(loss::find_loss(loss), names, named));
}

inline train::TrainData data_of(data::Table table, const std::string& loss, double label_scale = 0) {
  static const auto model = model::load_model(kModels / "mean-gelu");
  static const auto engine = compute::test_engine(1);
  return {std::move(table), loss::find_loss(loss), label_scale, *model, *engine};
}

inline train::TrainData data_of(const std::string& content, const std::string& loss,
                                const std::string& columns = "") {
  return data_of(table_of(content, loss, columns), loss);
}

// Numbers that look random, the same on every machine.
class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed * 2 + 1) {}
  uint32_t below(uint32_t n) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<uint32_t>((state_ >> 33) % n);
  }

 private:
  uint64_t state_;
};

}  // namespace hone::testing
