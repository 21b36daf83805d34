// Is the tuned model better than the one it was made from? Said of every run that is evaluated.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "eval/evaluation.h"

namespace hone::train {

// The evaluation of a run, made for the model as it will be trained. Empty: there is none.
using MakeEvaluation = std::function<std::unique_ptr<eval::Evaluation>(const model::SentenceModel&)>;
MakeEvaluation evaluation_of(std::string task, data::Table table, std::shared_ptr<compute::Engine> engine,
                             eval::Options options = {});

// Tuned minus base on the evaluation's primary metric, over the same resampled units.
struct Verdict {
  std::string metric;
  double before = 0, after = 0;
  eval::PairedDifference difference;

  enum class Kind { better, unclear, worse };  // by the interval; worse, too, where only the base has a score
  Kind kind() const;
  bool below() const;        // worse, clearly or not: who gets the model is to be warned
  std::string text() const;  // one line, for people
  nlohmann::ordered_json json() const;
};

}  // namespace hone::train
