// What hone eval prints: scores and their differences, for people and as JSON.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "eval/evaluation.h"

namespace hone::cli {

// A model with its evaluation and what came of it.
struct Scored {
  std::filesystem::path folder;
  std::shared_ptr<const model::SentenceModel> model;
  std::unique_ptr<eval::Evaluation> evaluation;
  eval::Result result;
};

// `chosen`: the task was not asked for but suits the data, which is said.
void print_scores(const Scored& first, bool chosen);
void print_comparison(const Scored& first, const Scored& other, const eval::PairedDifference& difference);
nlohmann::ordered_json scores_json(const Scored& first, const std::string& data);
nlohmann::ordered_json comparison_json(const Scored& first, const Scored& other,
                                       const eval::PairedDifference& difference);

}  // namespace hone::cli
