// Every loss by its name: what it is for, which columns it wants, its options. What `hone losses` prints and
// --loss and --loss-options are checked against.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "loss/loss.h"

namespace hone::loss {

// What a loss takes its label to be.
enum class Labels {
  none,
  similarity,      // a score, scaled into [-1, 1]
  order,           // a score of any scale: only which is higher counts
  binary,          // 0 or 1
  classes,         // 0, 1, 2, ...
  teacher_scores,  // of each row: a margin for each negative, or a score for each document
  teacher_vector   // of each row
};

struct LossInfo {
  const char* name;
  // Text roles in their order; one that ends with '*' may be there any number of times ("negative*":
  // negative, negative_1, ...), with '+' at least once.
  std::vector<std::string_view> texts;
  Labels labels;
  bool in_batch;    // the other rows of a batch are negatives
  const char* use;  // when to take it, in one line
  const char* formula;
  const char* source;
  std::vector<config::OptionInfo> options;  // keys LOSS.NAME

  std::string columns() const;  // "anchor, positive, [negative...]": for people
};

std::span<const LossInfo> loss_table();
// All of it as JSON: [{"name", "columns", "use", "formula", "source", "in_batch_negatives", "options":
// [{"name", "default", "range", "help"}]}].
std::string loss_table_json();
// Throws UsageError that lists the names.
const LossInfo& find_loss(std::string_view name);

// Options of a loss, checked.
class LossOptions {
 public:
  // "scale=20,similarity=dot". Throws UsageError naming the piece.
  LossOptions(const LossInfo& info, std::string_view text);
  std::string text() const;  // all that differ from the default, in the table's order: what a run is known by
  bool given(std::string_view name) const;
  int64_t integer(std::string_view name) const { return options_.integer(key(name)); }
  double real(std::string_view name) const { return options_.real(key(name)); }
  std::string word(std::string_view name) const { return options_.text(key(name)); }
  bool flag(std::string_view name) const { return options_.boolean(key(name)); }
  std::vector<double> list(std::string_view name) const;  // of numbers, "384+128"; empty where not given

 private:
  std::string key(std::string_view name) const;
  const LossInfo* info_;
  config::Options options_;
  std::map<std::string, std::string, std::less<>> given_;
};

// What a loss must know of model and data.
struct Setup {
  int64_t dim = 0;            // of the vectors
  int64_t classes = 0;        // softmax: one more than the largest label
  int64_t teacher_width = 0;  // mse
  uint64_t seed = 0;          // of heads
};
// Throws UsageError where options and setup do not go together.
std::unique_ptr<Loss> make_loss(const LossInfo& info, const LossOptions& options, const Setup& setup);

}  // namespace hone::loss
