#include "eval_report.h"

#include <algorithm>
#include <iostream>

#include "command.h"
#include "eval/comparison.h"
#include "eval/scores_json.h"

namespace hone::cli {

namespace {

// "300 queries, 5183 passages, 339 relevant": the numbers of what an evaluation says of itself.
std::string counted(const eval::Evaluation& evaluation) {
  std::string text;
  const auto described = evaluation.described();
  for (const auto& [name, value] : described.items()) {
    if (!value.is_number()) continue;
    text += text.empty() ? "" : ", ";
    text += name == "dim" ? cat("the first ", value.get<size_t>(), " numbers of each vector")
                          : cat(value.get<size_t>(), " ", name);
  }
  return text;
}

std::string shown(const eval::Interval& interval) {
  return cat("[", number(interval.low, 4), ", ", number(interval.high, 4), "] 95 % interval");
}

// Where there are many, those of the primary metric's similarity.
void print_metrics(const eval::Result& result) {
  constexpr size_t kMost = 16;
  const std::string front =
      result.metrics.size() > kMost ? result.primary().substr(0, result.primary().find('_') + 1) : "";
  size_t width = 19, left_out = 0;
  for (const auto& [name, value] : result.metrics) {
    if (name.starts_with(front)) width = std::max(width, name.size());
  }
  for (const auto& [name, value] : result.metrics) {
    if (!name.starts_with(front)) {
      ++left_out;
      continue;
    }
    std::cout << "  " << name << std::string(width + 1 - name.size(), ' ') << number(value, 4);
    if (name == result.primary()) std::cout << "  " << shown(result.interval);
    std::cout << '\n';
  }
  if (left_out > 0) std::cout << cat("  and ", left_out, " of other similarities: --json\n");
}

// What was put before texts; of a model without prompts there is nothing to say.
void print_prompts(const Scored& model) {
  if (!encode::has_prompts(*model.model)) return;
  std::cout << cat("  prompts: ", encode::prompts_line(model.evaluation->prompts()), "\n");
}

nlohmann::ordered_json metrics_json(const eval::Result& result) {
  nlohmann::ordered_json j;
  eval::add_scores(j, result);
  return j;
}

}  // namespace

void print_scores(const Scored& first, bool chosen) {
  std::cout << cat(first.folder, " on ", first.evaluation->source(), " (", counted(*first.evaluation), ")\n");
  if (chosen)
    std::cout << cat("task: ", first.evaluation->task(),
                     " (chosen by the data's columns; --task names another)\n");
  const auto described = first.evaluation->described();
  if (described.contains("files")) {
    for (const auto& [name, file] : described.at("files").items())
      std::cout << cat("  ", name, ": ", file.get<std::string>(), "\n");
  }
  print_prompts(first);
  print_metrics(first.result);
}

void print_comparison(const Scored& first, const Scored& other, const eval::PairedDifference& difference) {
  std::cout << cat(other.folder, " on the same ", other.evaluation->unit(), "\n");
  print_prompts(other);
  print_metrics(other.result);
  std::cout << cat("difference of ", first.result.primary(), ", ", first.folder, " minus ", other.folder,
                   ": ", difference.difference >= 0 ? "+" : "", number(difference.difference, 4), "  ",
                   shown(difference.interval), "; better in ", number(100 * difference.share_better, 1),
                   " % of resamples\n");
}

nlohmann::ordered_json scores_json(const Scored& first, const std::string& data) {
  nlohmann::ordered_json j = {
      {"model", first.folder.string()}, {"data", data}, {"task", std::string(first.evaluation->task())}};
  j.update(first.evaluation->described());
  j["primary"] = first.result.primary();
  j["scores"] = metrics_json(first.result);
  return j;
}

nlohmann::ordered_json comparison_json(const Scored& first, const Scored& other,
                                       const eval::PairedDifference& difference) {
  nlohmann::ordered_json j = {{"model", other.folder.string()}};
  j.update(
      eval::comparison_json(*first.evaluation, first.result, *other.evaluation, other.result, difference));
  return j;
}

}  // namespace hone::cli
