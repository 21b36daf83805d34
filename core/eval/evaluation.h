// One interface for every task: a task bound to its data, which scores whatever encoder it is given.
//
// Rules
// - What can be wrong with data or options is found when an Evaluation is made, before anything is encoded.
// - Texts are tokenized once, by the tokenizer of the model it is made for; run() may be called again and
//   again, with any encoder of that model's tokenizer. It is immutable: threads may share it.
// - Metrics have the reference's names and values. A vector that is not finite makes every metric NaN.
// - A higher primary metric is better.
// - The primary metric is a function of one number a pair, triplet or query (`units`), the others of a few
//   (`lists`): intervals, and the difference of two models, come from drawing among pairs, triplets or
//   queries.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/options.h"
#include "data/dataset.h"
#include "encode/encoder.h"
#include "encode/prompts.h"
#include "eval/resample.h"

namespace hone::eval {

struct RunOptions {
  std::function<void(size_t done, size_t total)> progress;  // of texts encoded; a repeated text counts once
  bool interval = true;                                     // of the primary metric; costs 1000 resamples
  bool intervals = false;  // of every metric: the same resamples, each scored by all of them
  // One object for each pair, triplet or query, in order, once all are scored.
  std::function<void(const nlohmann::ordered_json&)> each;
};

struct Result {
  std::vector<std::pair<std::string, double>> metrics;  // as metric_names()
  Interval interval;                                    // 95 %, of the primary metric
  std::vector<Interval> intervals;                      // of each metric; empty where not asked for
  // What the primary metric is made from: its values where it is a mean of them (triplet, retrieval, mse),
  // the similarities of the pairs elsewhere (sts, binary).
  std::vector<double> units;
  // The same of all metrics: a list each, in their order, where they are means; else one of each similarity.
  std::vector<std::vector<double>> lists;

  const std::string& primary() const { return metrics.front().first; }
  double value() const { return metrics.front().second; }  // of the primary metric
  double at(std::string_view metric) const;                // throws Error listing the names
};

class Evaluation {
 public:
  virtual ~Evaluation() = default;
  virtual std::string_view task() const = 0;                  // "sts"
  virtual std::string_view unit() const = 0;                  // "pairs": what units are one number of
  virtual std::vector<std::string> metric_names() const = 0;  // the primary one first
  virtual size_t units() const = 0;                           // how many
  virtual int64_t tokens() const = 0;                         // that a run encodes
  virtual size_t bytes() const = 0;                           // of memory held
  // Of memory that a run takes besides, with vectors of `dim` numbers; the encoder's own not included.
  virtual size_t run_bytes(int64_t dim) const = 0;
  size_t result_bytes() const { return (lists() + 1) * units() * sizeof(double); }  // of memory, of a Result
  virtual uint64_t content_hash() const = 0;  // of data and options but dim()
  virtual std::string source() const = 0;     // the files, for messages and model cards
  int32_t dim() const { return dim_; }        // as in Options
  // What is put before which texts, by the model it is made for.
  const encode::PromptedTexts& prompts() const { return prompts_; }
  // {unit: how many}, what else there is, "dim" and "prompts" where there are any, and "warnings": [lines for
  // people].
  nlohmann::ordered_json described() const;
  // What looks wrong with the data.
  const std::vector<std::string>& warnings() const { return warnings_; }
  void warn(std::string text);  // while it is made; an empty one is none

  Result run(encode::Encoder& encoder, const RunOptions& options = {}) const;
  // b - a of the primary metric, over the same resampled units.
  PairedDifference difference(const Result& a, const Result& b) const;
  // The same of every metric, in their order.
  std::vector<PairedDifference> differences(const Result& a, const Result& b) const;
  // 95 %, of every metric of a result. The primary one's is that of run().
  std::vector<Interval> intervals(const Result& result, const Tick& tick = {}) const;

 protected:
  // `dim` as in Options. Throws UsageError where the model's vectors are narrower.
  Evaluation(const model::SentenceModel& model, int32_t dim, encode::PromptedTexts prompts);
  std::string_view prompt(size_t index) const { return prompts_.at(index).second; }
  virtual nlohmann::ordered_json counted()
      const;  // described() but for "dim" and "prompts"; by default {unit: how many}
  std::vector<size_t> places_of(const std::vector<std::string>& names) const;  // of each metric among them
  // Everything but intervals.
  virtual Result score(encode::Encoder& encoder, const RunOptions& options) const = 0;
  // The primary metric of resampled units, none of which is NaN; by default their mean.
  virtual Statistic statistic(const std::vector<double>& units) const;
  // Every metric of resampled units; by default the means of the lists. Refers to the result.
  virtual Statistics statistics(const Result& result) const;
  virtual size_t lists() const = 0;  // how many a result has

 private:
  // NaN where there is none. Throws Error where the two are not of the same units and metric.
  double difference_of_primary(const Result& a, const Result& b) const;

  int32_t dim_;
  encode::PromptedTexts prompts_;
  std::vector<std::string> warnings_;
};

// What the tasks can be told.
struct Options {
  // Which one the primary metric is of: cosine, dot, euclidean, manhattan, or model: the model's own. Where
  // that is asked for, sts takes cosine all the same: spearman_cosine is what its scores are known by.
  std::string similarity = "model";
  double margin = 0;  // triplet
  int32_t dim = 0;    // how many numbers of each vector are used, from the first; 0: as the model has it
  // triplet: an anchor is a query, retrieval: as it says; other texts have no role.
  encode::PromptUse prompts = encode::PromptUse::roles;
};
// From eval.* and encode.dim of named options.
Options evaluation_options(const config::Options& options);

// The tasks whose data is one table: sts, binary, triplet, pairs, mse.
const std::vector<std::string>& table_tasks();
// What the task reads (task_columns.h: by other names, too). Throws UsageError for another task.
std::vector<data::RoleRequest> task_roles(std::string_view task);
std::unique_ptr<Evaluation> make_evaluation(std::string_view task, const data::Table& table,
                                            const model::SentenceModel& model,
                                            const std::shared_ptr<compute::Engine>& engine,
                                            const Options& options = {});

}  // namespace hone::eval
