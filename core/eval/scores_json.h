// Scores as JSON, for the command line and programs alike.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "eval/evaluation.h"

namespace hone::eval {

nlohmann::ordered_json json_number(double value);  // NaN becomes null

// Adds each metric by its name, and the interval of the first, the primary one, as "NAME_95": [low, high].
void add_scores(nlohmann::ordered_json& json, const std::vector<std::pair<std::string, double>>& metrics,
                const Interval& interval);
void add_scores(nlohmann::ordered_json& json, const Result& result);

}  // namespace hone::eval
