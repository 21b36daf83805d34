// Two models on the same data: scored alike, and how sure their difference is.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "eval/evaluation.h"

namespace hone::eval {

// What both models are scored by: where no similarity is named, that of the first (sts has one anyway).
Options comparison_options(Options options, std::string_view task, const model::SentenceModel& first);

// Of the first result minus the other, over the same resampled units.
PairedDifference compare(const Evaluation& evaluation, const Result& first, const Result& other);

// {"scores": {...} of the other, "NAME_difference", "difference_95": [low, high], "share_better",
// "differences": {metric: {"difference", "low", "high", "share_better"}}}, and
// "prompts" where the other model has any.
nlohmann::ordered_json comparison_json(const Evaluation& evaluation, const Result& first,
                                       const Evaluation& other_evaluation, const Result& other,
                                       const PairedDifference& difference);

}  // namespace hone::eval
