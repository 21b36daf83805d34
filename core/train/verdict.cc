#include "train/verdict.h"

#include <charconv>
#include <cmath>

#include "base/error.h"

namespace hone::train {

namespace {

std::string fixed(double value, bool sign = false) {
  if (!std::isfinite(value)) return "none";  // as in the model card
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, 4).ptr;
  return (sign && value >= 0 ? "+" : "") + std::string(buffer, end);
}

}  // namespace

MakeEvaluation evaluation_of(std::string task, data::Table table, std::shared_ptr<compute::Engine> engine,
                             eval::Options options) {
  return [task = std::move(task), table = std::make_shared<const data::Table>(std::move(table)),
          engine = std::move(engine), options = std::move(options)](const model::SentenceModel& model) {
    return eval::make_evaluation(task, *table, model, engine, options);
  };
}

Verdict::Kind Verdict::kind() const {
  if (std::isfinite(before) && !std::isfinite(after)) return Kind::worse;
  if (difference.interval.low > 0) return Kind::better;
  return difference.interval.high < 0 ? Kind::worse : Kind::unclear;
}

bool Verdict::below() const {
  return kind() == Kind::worse || difference.difference < 0;
}

nlohmann::ordered_json Verdict::json() const {
  return {{"metric", metric},
          {"before", before},
          {"after", after},
          {"difference", difference.difference},
          {"low", difference.interval.low},
          {"high", difference.interval.high},
          {"share_better", difference.share_better}};
}

std::string Verdict::text() const {
  const char* words = kind() == Kind::better  ? "better than the base model"
                      : kind() == Kind::worse ? "WORSE than the base model"
                      : below()               ? "below the base model, but not clearly so"
                                              : "not clearly better than the base model";
  const std::string scores =
      cat("the tuned model is ", words, ": ", metric, " ", fixed(before), " -> ", fixed(after));
  if (!std::isfinite(difference.difference)) return scores;
  return cat(scores, ", ", fixed(difference.difference, true), " [", fixed(difference.interval.low, true),
             ", ", fixed(difference.interval.high, true), "] with 95 % confidence");
}

}  // namespace hone::train
