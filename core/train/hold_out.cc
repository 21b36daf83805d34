#include "train/hold_out.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "config/options.h"
#include "eval/evaluation.h"
#include "eval/task_columns.h"
#include "train/data_roles.h"

namespace hone::train {

namespace {

template <class... Parts>
[[noreturn]] void fail_hold_out(const Parts&... parts) {
  throw config::OptionError("train.hold_out", cat("hold-out: ", parts...));
}

// Sets of rows that are merged; the root of a set is its lowest row.
class RowSets {
 public:
  explicit RowSets(size_t rows) : parent_(rows) { std::iota(parent_.begin(), parent_.end(), size_t{0}); }
  size_t root(size_t row) {
    while (parent_[row] != row) row = parent_[row] = parent_[parent_[row]];
    return row;
  }
  void merge(size_t a, size_t b) {
    a = root(a);
    b = root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<size_t> parent_;
};

// [rows]: the text that decides for the row.
std::vector<std::string_view> deciding_texts(const data::Table& table,
                                             const std::vector<std::string>& texts) {
  std::vector<std::string_view> deciding(texts.begin(), texts.end());
  if (!table.texts.contains("id")) return deciding;
  RowSets sets(texts.size());
  const auto connect = [&](const std::vector<std::string>& values, bool empty_too) {
    std::unordered_map<std::string_view, size_t> first;
    for (size_t row = 0; row < values.size(); ++row) {
      if (values[row].empty() && !empty_too) continue;
      sets.merge(row, first.try_emplace(values[row], row).first->second);
    }
  };
  connect(texts, true);
  connect(table.text("id"), false);
  for (size_t row = 0; row < texts.size(); ++row) {
    std::string_view& least = deciding[sets.root(row)];
    least = std::min(least, std::string_view(texts[row]));
  }
  for (size_t row = 0; row < texts.size(); ++row) deciding[row] = deciding[sets.root(row)];
  return deciding;
}

std::string task_of_rows(const data::Table& table, const loss::LossInfo& loss, const TrainOptions& options) {
  if (!options.task.empty()) {
    eval::task_roles(options.task);  // throws where it is no task of rows
    return options.task;
  }
  std::string task = eval::task_for(table);
  if (task != "sts") return task;
  if (loss.labels == loss::Labels::classes) {
    fail_hold_out("no task suits the classes of the loss ", loss.name,
                  "; name one (--task NAME) or give other data to evaluate on");
  }
  const std::vector<double>& scores = table.number("score");
  const bool yes_or_no =
      std::all_of(scores.begin(), scores.end(), [](double score) { return score == 0 || score == 1; });
  return yes_or_no ? "binary" : task;
}

int64_t count_mirrored(const data::Table& held, const data::Table& trained,
                       const std::vector<std::string>& roles) {
  if (roles.size() < 2) return 0;
  std::set<std::pair<std::string_view, std::string_view>> turned;
  const auto &first = trained.text(roles[0]), &second = trained.text(roles[1]);
  const auto &held_first = held.text(roles[0]), &held_second = held.text(roles[1]);
  for (size_t row = 0; row < held.rows; ++row) turned.emplace(held_second[row], held_first[row]);
  std::set<std::pair<std::string_view, std::string_view>> found;
  for (size_t row = 0; row < trained.rows; ++row) {
    if (turned.contains({first[row], second[row]})) found.emplace(second[row], first[row]);
  }
  int64_t count = 0;
  for (size_t row = 0; row < held.rows; ++row)
    count += found.contains({held_first[row], held_second[row]}) ? 1 : 0;
  return count;
}

}  // namespace

double hold_out_place(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdULL;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  hash ^= hash >> 33;
  return static_cast<double>(hash >> 11) * 0x1p-53;
}

std::optional<HeldOut> hold_out(data::Table& table, const loss::LossInfo& loss, const TrainOptions& options) {
  if (!(options.hold_out > 0)) return std::nullopt;
  const std::vector<std::string> roles = text_roles(loss, table);
  HeldOut held;
  held.by = roles.front();
  held.task = task_of_rows(table, loss, options);
  held.of_rows = static_cast<int64_t>(table.rows);
  std::vector<bool> marked;
  for (const std::string_view text : deciding_texts(table, table.text(held.by)))
    marked.push_back(hold_out_place(text) < options.hold_out);
  held.rows = std::count(marked.begin(), marked.end(), true);
  constexpr int64_t kLeast = 2;
  if (held.rows < kLeast || held.of_rows - held.rows < kLeast) {
    fail_hold_out(options.hold_out, " of the ", held.of_rows, " rows of ", table.source(), " leaves ",
                  held.rows, " to evaluate on and ", held.of_rows - held.rows, " to train on",
                  table.texts.contains("id") ? ", as rows of one id stay together" : "", ", at least ",
                  kLeast, " of each expected (another share, or other data to evaluate on)");
  }
  held.table = table.take(marked);
  held.mirrored = count_mirrored(held.table, table, roles);
  return held;
}

}  // namespace hone::train
