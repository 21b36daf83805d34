// Which tensors are trained, and how fast: --freeze and --rates.
//
// Rules: patterns are regular expressions (ECMAScript without back references, searched in polynomial time)
// found anywhere in the name of a tensor of the model or of a head of the loss; of several rates the first
// that fits holds. A pattern that fits neither is a mistake and refused, and so is a model frozen as a whole:
// its loss's head is not saved with it.
#pragma once

#include <regex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compute/graph.h"
#include "loss/loss.h"
#include "model/sentence_model.h"

namespace hone::train {

class TensorRules {
 public:
  TensorRules() = default;  // all are trained, at one rate
  // `rates`: "REGEX=RATE;REGEX=RATE"; each is a peak rate beside `learning_rate`, with the same schedule.
  // Throws UsageError.
  TensorRules(const std::string& freeze, const std::string& rates, double learning_rate,
              const model::SentenceModel& model, std::span<const loss::Head> heads);
  void apply(const std::string& name, compute::ParameterOptions& options) const;

 private:
  std::vector<std::regex> frozen_;                     // none or one
  std::vector<std::pair<std::regex, float>> factors_;  // of the learning rate
};

}  // namespace hone::train
