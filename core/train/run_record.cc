#include "train/run_record.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "model/json.h"

namespace hone::train {

namespace {

using model::JsonObject;
using nlohmann::ordered_json;

constexpr int64_t kVersion = 1;
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// A correlation of constant values is NaN, which JSON writes as null.
double number_or_nan(const JsonObject& object, const std::string& name) {
  if (!object.value().contains(name)) object.missing(name, "a number");
  return object.number(name).value_or(std::numeric_limits<double>::quiet_NaN());
}

JsonObject object_in(const JsonObject& parent, const char* name, const std::string& where) {
  const model::Json* found = parent.find(name);
  if (found == nullptr) parent.missing(name, "a JSON object");
  return {*found, parent.file(), where};
}

ordered_json report_json(const EvalReport& report) {
  ordered_json metrics = ordered_json::object();
  for (const auto& [name, value] : report.metrics) metrics[name] = value;
  ordered_json j = {{"step", report.step}, {"metrics", metrics}, {"low", report.low}, {"high", report.high}};
  for (size_t m = 0; m < report.intervals.size(); ++m) {
    j["intervals"][report.metrics[m].first] = {{"low", report.intervals[m].low},
                                               {"high", report.intervals[m].high}};
  }
  return j;
}

// Metrics come in the order of their names; read_run_record() puts them into that of this build's reports.
std::optional<EvalReport> read_report(const JsonObject& record, const char* name) {
  if (!record.has(name)) return std::nullopt;
  const JsonObject object = object_in(record, name, name);
  EvalReport report;
  report.step = object.required_integer("step", 0, kMost);
  const JsonObject metrics = object_in(object, "metrics", cat(name, ".metrics"));
  for (const auto& [metric, value] : metrics.value().items())
    report.metrics.emplace_back(metric, number_or_nan(metrics, metric));
  report.low = number_or_nan(object, "low");
  report.high = number_or_nan(object, "high");
  if (!object.has("intervals")) return report;
  const JsonObject intervals = object_in(object, "intervals", cat(name, ".intervals"));
  for (const auto& [metric, value] : report.metrics) {
    if (!intervals.has(metric)) {
      report.intervals.push_back({eval::kNaN, eval::kNaN});
      continue;
    }
    const JsonObject interval = object_in(intervals, metric.c_str(), cat(name, ".intervals.", metric));
    report.intervals.push_back({number_or_nan(interval, "low"), number_or_nan(interval, "high")});
  }
  return report;
}

std::optional<Verdict> read_verdict(const JsonObject& record) {
  if (!record.has("verdict")) return std::nullopt;
  const JsonObject object = object_in(record, "verdict", "verdict");
  const model::Json* metric = object.find("metric");
  if (metric == nullptr || !metric->is_string()) object.missing("metric", "a text");
  return Verdict{metric->get<std::string>(),
                 number_or_nan(object, "before"),
                 number_or_nan(object, "after"),
                 {number_or_nan(object, "difference"),
                  {number_or_nan(object, "low"), number_or_nan(object, "high")},
                  number_or_nan(object, "share_better")}};
}

// Another build may know more or fewer. What decides has to be there: the metric that tells the best step,
// and the first one, which the interval is of.
void order_metrics(EvalReport& report, const fs::path& file, const RunFrame& frame) {
  std::vector<std::pair<std::string, double>> ordered;
  std::vector<eval::Interval> intervals;
  for (const std::string& name : frame.metrics) {
    const auto found = std::find_if(report.metrics.begin(), report.metrics.end(),
                                    [&](const auto& metric) { return metric.first == name; });
    if (found != report.metrics.end()) {
      ordered.push_back(*found);
      if (!report.intervals.empty())
        intervals.push_back(report.intervals[static_cast<size_t>(found - report.metrics.begin())]);
    } else if (name == frame.metrics.front() || name == frame.metric) {
      fail(file, ": metric ", name, " is missing, expected a number");
    }
  }
  report.metrics = std::move(ordered);
  report.intervals = std::move(intervals);
}

void check_frame(const RunRecord& record, const fs::path& file, const RunFrame& frame) {
  if (record.step < 1 || record.step > frame.steps_total)
    fail(file, ": step is ", record.step, ", expected 1 to ", frame.steps_total, ", the steps of this run");
  if (!frame.evaluates && (record.before || record.best || record.evaluation_due))
    fail(file, ": an evaluation is there, expected none without eval data");
  if (!frame.evaluates) return;
  if (!record.before) fail(file, ": before is missing, expected the evaluation of the base model");
  if (record.before->step != 0) fail(file, ": before.step is ", record.before->step, ", expected 0");
  if (record.best && (record.best->step < 1 || record.best->step > record.step))
    fail(file, ": best.step is ", record.best->step, ", expected 1 to ", record.step, ", the steps done");
}

}  // namespace

std::string run_record_json(const RunRecord& record) {
  ordered_json settings = ordered_json::object();
  for (const auto& [name, value] : record.identity) settings[name] = value;
  ordered_json j = {{"version", kVersion}, {"step", record.step}, {"settings", settings}};
  if (record.evaluation_due) j["evaluation_due"] = true;
  if (record.since_best > 0) j["since_best"] = record.since_best;
  if (!record.ended_early.empty()) j["ended_early"] = record.ended_early;
  if (!record.files.empty()) j["files"] = record.files;
  if (record.before) j["before"] = report_json(*record.before);
  if (record.best) j["best"] = report_json(*record.best);
  if (record.verdict) j["verdict"] = record.verdict->json();
  return j.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

RunRecord read_run_record(const fs::path& file) {
  const model::Json json = model::parse_json(read_text_file(file, model::kJsonFileSize), file);
  const JsonObject object(json, file);
  const int64_t version = object.required_integer("version", 0, kMost);
  if (version != kVersion) fail(file, ": version ", version, " found, ", kVersion, " expected");
  RunRecord record;
  record.step = object.required_integer("step", 0, kMost);
  const JsonObject settings = object_in(object, "settings", "settings");
  for (const auto& [name, value] : settings.value().items()) {
    if (!value.is_string()) settings.wrong(name, "a text");
    record.identity.emplace_back(name, value.get<std::string>());
  }
  record.evaluation_due = object.boolean("evaluation_due").value_or(false);
  if (object.has("since_best")) record.since_best = object.required_integer("since_best", 0, kMost);
  record.ended_early = object.text("ended_early").value_or("");
  if (const model::Json* files = object.find("files")) {
    if (!files->is_array()) object.wrong("files", "a list of names");
    for (const auto& name : *files) {
      if (!name.is_string()) object.wrong("files", "a list of names");
      record.files.push_back(name.get<std::string>());
    }
  }
  record.before = read_report(object, "before");
  record.best = read_report(object, "best");
  record.verdict = read_verdict(object);
  return record;
}

RunRecord read_run_record(const fs::path& file, const fs::path& place, const RunFrame& frame) {
  RunRecord record = read_run_record(file);
  for (auto& [name, value] : record.identity) {
    if (name == "loss-options" && value == "as usual") value = "default";  // its name in earlier records
  }
  for (const auto& [name, value] : frame.implied) {
    if (std::none_of(record.identity.begin(), record.identity.end(),
                     [&name = name](const auto& known) { return known.first == name; }))
      record.identity.emplace_back(name, value);
  }
  model::require_same(record.identity, frame.identity, place);
  check_frame(record, file, frame);
  for (auto* report : {&record.before, &record.best}) {
    if (*report) order_metrics(**report, file, frame);
  }
  record.identity = frame.identity;  // in this run's order
  return record;
}

}  // namespace hone::train
