#include "eval/scores_json.h"

#include <cmath>

namespace hone::eval {

nlohmann::ordered_json json_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

nlohmann::ordered_json json_interval(const Interval& interval) {
  return {json_number(interval.low), json_number(interval.high)};
}

void add_scores(nlohmann::ordered_json& json, const std::vector<std::pair<std::string, double>>& metrics,
                const Interval& first, const std::vector<Interval>& intervals) {
  for (const auto& [name, value] : metrics) json[name] = json_number(value);
  json[metrics.front().first + "_95"] = json_interval(first);
  for (size_t m = 1; m < intervals.size(); ++m) json[metrics[m].first + "_95"] = json_interval(intervals[m]);
}

void add_scores(nlohmann::ordered_json& json, const Result& result) {
  add_scores(json, result.metrics, result.interval, result.intervals);
}

}  // namespace hone::eval
