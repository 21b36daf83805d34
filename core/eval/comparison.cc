#include "eval/comparison.h"

#include "eval/scores_json.h"

namespace hone::eval {

Options comparison_options(Options options, std::string_view task, const model::SentenceModel& first) {
  if (options.similarity == "model" && task != "sts") options.similarity = first.similarity;
  return options;
}

PairedDifference compare(const Evaluation& evaluation, const Result& first, const Result& other) {
  return evaluation.difference(other, first);
}

nlohmann::ordered_json comparison_json(const Evaluation& evaluation, const Result& first,
                                       const Evaluation& other_evaluation, const Result& other,
                                       const PairedDifference& difference) {
  nlohmann::ordered_json scores, j;
  add_scores(scores, other);
  if (encode::any_prompt(other_evaluation.prompts()))
    j["prompts"] = encode::prompts_json(other_evaluation.prompts());
  j["scores"] = std::move(scores);
  j[other.primary() + "_difference"] = json_number(difference.difference);
  j["difference_95"] = {json_number(difference.interval.low), json_number(difference.interval.high)};
  j["share_better"] = json_number(difference.share_better);
  const auto differences = evaluation.differences(other, first);
  for (size_t m = 0; m < differences.size(); ++m) {
    const PairedDifference& of = differences[m];
    j["differences"][first.metrics[m].first] = {{"difference", json_number(of.difference)},
                                                {"low", json_number(of.interval.low)},
                                                {"high", json_number(of.interval.high)},
                                                {"share_better", json_number(of.share_better)}};
  }
  return j;
}

}  // namespace hone::eval
