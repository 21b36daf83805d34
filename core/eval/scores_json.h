// Scores as JSON, for the command line and programs alike.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "eval/evaluation.h"

namespace hone::eval {

nlohmann::ordered_json json_number(double value);  // NaN becomes null

nlohmann::ordered_json json_interval(const Interval& interval);  // [low, high]

// Adds each metric by its name, and the interval of each as "NAME_95": [low, high]. Where `intervals` is
// empty, `first`, that of the first metric, alone.
void add_scores(nlohmann::ordered_json& json, const std::vector<std::pair<std::string, double>>& metrics,
                const Interval& first, const std::vector<Interval>& intervals);
void add_scores(nlohmann::ordered_json& json, const Result& result);

}  // namespace hone::eval
