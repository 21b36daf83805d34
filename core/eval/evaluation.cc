#include "eval/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/spelling.h"
#include "eval/task_columns.h"
#include "eval/tasks.h"

namespace hone::eval {

namespace {

using data::ColumnKind;
using data::RoleRequest;
using Make = std::unique_ptr<Evaluation> (*)(const data::Table&, const model::SentenceModel&,
                                             const std::shared_ptr<compute::Engine>&, const Options&);

struct Task {
  const char* name;
  std::vector<RoleRequest> roles;
  Make make;
};

const std::vector<Task>& tasks() {
  const auto text = [](const char* role) { return RoleRequest{.role = role, .also_named = {}}; };
  const RoleRequest score{.role = "score", .kind = ColumnKind::number, .also_named = {"label"}};
  const RoleRequest vector{
      .role = "vector", .kind = ColumnKind::vector, .also_named = {"embedding", "label"}};
  static const std::vector<Task> all{
      {"sts", {text("sentence1"), text("sentence2"), score}, make_sts},
      {"binary", {text("sentence1"), text("sentence2"), score}, make_binary},
      {"triplet", {data::anchor_role(), data::positive_role(), text("negative")}, make_triplet},
      {"pairs", {data::anchor_role(), data::positive_role()}, make_pairs},
      {"mse", {text("text"), vector}, make_mse}};
  return all;
}

const Task& find_task(std::string_view name) {
  const auto found =
      std::find_if(tasks().begin(), tasks().end(), [&](const Task& task) { return name == task.name; });
  if (found == tasks().end()) {
    fail_usage("task: \"", excerpt(name),
               "\" found, sts, binary, triplet, pairs or mse expected for a table of rows",
               did_you_mean_of(name, tasks(), [](const Task& task) { return task.name; }));
  }
  return *found;
}

bool any_nan(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
}

// What is not finite makes metrics NaN, and has no place in an order.
bool any_list_nan(const Result& result) {
  return std::any_of(result.lists.begin(), result.lists.end(),
                     [](const std::vector<double>& list) { return any_nan(list); });
}

}  // namespace

double Result::at(std::string_view metric) const {
  std::string list;
  for (const auto& [name, value] : metrics) {
    if (name == metric) return value;
    list += cat(list.empty() ? "" : ", ", name);
  }
  fail("metric: \"", excerpt(metric), "\" found, one of ", list, " expected",
       did_you_mean_of(metric, metrics, [](const auto& m) { return std::string_view(m.first); }));
}

Evaluation::Evaluation(const model::SentenceModel& model, int32_t dim, encode::PromptedTexts prompts)
    : dim_(dim), prompts_(std::move(prompts)) {
  model.vector_dim(dim);  // throws
}

nlohmann::ordered_json Evaluation::described() const {
  nlohmann::ordered_json j = counted();
  if (dim_ > 0) j["dim"] = dim_;
  if (encode::any_prompt(prompts_)) j["prompts"] = encode::prompts_json(prompts_);
  j["warnings"] = warnings_;
  return j;
}

void Evaluation::warn(std::string text) {
  if (!text.empty()) warnings_.push_back(std::move(text));
}

nlohmann::ordered_json Evaluation::counted() const {
  nlohmann::ordered_json j;
  j[std::string(unit())] = units();
  return j;
}

std::vector<size_t> Evaluation::places_of(const std::vector<std::string>& names) const {
  std::vector<size_t> places;
  for (const std::string& metric : metric_names())
    places.push_back(static_cast<size_t>(std::find(names.begin(), names.end(), metric) - names.begin()));
  return places;
}

Statistic Evaluation::statistic(const std::vector<double>& units) const {
  return mean_statistic(units);
}

Result Evaluation::run(encode::Encoder& encoder, const RunOptions& options) const {
  Result result = score(encoder, options);
  result.interval = {kNaN, kNaN};
  if (options.intervals) {
    result.intervals = intervals(result);
    result.interval = result.intervals.front();
  } else if (options.interval && !any_nan(result.units)) {
    result.interval = bootstrap_interval(result.units.size(), statistic(result.units));
  }
  return result;
}

Statistics Evaluation::statistics(const Result& result) const {
  return [&lists = result.lists](std::span<const uint32_t> counts, std::span<double> scores) {
    for (size_t m = 0; m < scores.size(); ++m) scores[m] = mean_statistic(lists[m])(counts);
  };
}

std::vector<Interval> Evaluation::intervals(const Result& result, const Tick& tick) const {
  if (any_list_nan(result)) {
    std::vector<Interval> none(result.metrics.size(), Interval{kNaN, kNaN});
    if (!any_nan(result.units)) none.front() = bootstrap_interval(units(), statistic(result.units));
    return none;
  }
  std::vector<double> values;
  for (const auto& [name, value] : result.metrics) values.push_back(value);
  return bootstrap_intervals(values, units(), statistics(result), tick);
}

std::vector<PairedDifference> Evaluation::differences(const Result& a, const Result& b) const {
  difference_of_primary(a, b);
  if (any_list_nan(a) || any_list_nan(b)) {
    std::vector<PairedDifference> none(a.metrics.size(), PairedDifference{kNaN, {kNaN, kNaN}, kNaN});
    none.front() = difference(a, b);
    return none;
  }
  std::vector<double> values;
  for (const auto& [name, value] : a.metrics) values.push_back(b.at(name) - value);
  return bootstrap_differences(values, units(), statistics(a), statistics(b));
}

double Evaluation::difference_of_primary(const Result& a, const Result& b) const {
  if (a.units.size() != b.units.size())
    fail("evaluation: results of ", a.units.size(), " and ", b.units.size(), " ", unit(),
         " cannot be paired");
  if (a.primary() != b.primary()) fail("evaluation: ", a.primary(), " cannot be compared with ", b.primary());
  return any_nan(a.units) || any_nan(b.units) ? kNaN : b.value() - a.value();
}

PairedDifference Evaluation::difference(const Result& a, const Result& b) const {
  const double difference = difference_of_primary(a, b);
  if (std::isnan(difference)) return {difference, {difference, difference}, difference};
  return bootstrap_difference(difference, a.units.size(), statistic(a.units), statistic(b.units));
}

Options evaluation_options(const config::Options& options) {
  return {options.text("eval.similarity"), options.real("eval.margin"), encode::encode_options(options).dim,
          encode::parse_prompt_use(options.text("eval.prompts"))};
}

const std::vector<std::string>& table_tasks() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Task& task : tasks()) all.emplace_back(task.name);
    return all;
  }();
  return names;
}

std::vector<data::RoleRequest> task_roles(std::string_view task) {
  return find_task(task).roles;
}

std::unique_ptr<Evaluation> make_evaluation(std::string_view task, const data::Table& table,
                                            const model::SentenceModel& model,
                                            const std::shared_ptr<compute::Engine>& engine,
                                            const Options& options) {
  const Task& found = find_task(task);
  std::vector<std::string> texts;
  for (const RoleRequest& role : known_roles(task)) {
    if (role.kind == ColumnKind::text && table.texts.contains(role.role)) texts.push_back(role.role);
  }
  auto made = found.make(table, model, engine, options);
  made->warn(data::about_empty_texts(table, texts));
  return made;
}

}  // namespace hone::eval
