#include "eval/scores_json.h"

#include <cmath>

namespace hone::eval {

nlohmann::ordered_json json_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

void add_scores(nlohmann::ordered_json& json, const std::vector<std::pair<std::string, double>>& metrics,
                const Interval& spearman_cosine) {
  for (const auto& [name, value] : metrics) json[name] = json_number(value);
  json["spearman_cosine_95"] = {json_number(spearman_cosine.low), json_number(spearman_cosine.high)};
}

void add_scores(nlohmann::ordered_json& json, const Result& result) {
  for (const auto& [name, value] : result.metrics) json[name] = json_number(value);
  json[result.primary() + "_95"] = {json_number(result.interval.low), json_number(result.interval.high)};
}

}  // namespace hone::eval
