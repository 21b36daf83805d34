#include "eval/scores_json.h"

#include <cmath>

namespace hone::eval {

nlohmann::ordered_json json_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

void add_scores(nlohmann::ordered_json& json, const std::vector<std::pair<std::string, double>>& metrics,
                const Interval& interval) {
  for (const auto& [name, value] : metrics) json[name] = json_number(value);
  json[metrics.front().first + "_95"] = {json_number(interval.low), json_number(interval.high)};
}

void add_scores(nlohmann::ordered_json& json, const Result& result) {
  add_scores(json, result.metrics, result.interval);
}

}  // namespace hone::eval
