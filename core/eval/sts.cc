#include "eval/sts.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "eval/pairs.h"
#include "eval/similarity.h"
#include "eval/tasks.h"
#include "eval/texts.h"

namespace hone::eval {

namespace {

std::vector<std::pair<std::string, double>> correlations(const PairSimilarities& similarities,
                                                         std::span<const double> labels) {
  std::vector<std::pair<std::string, double>> metrics;
  double pearsons = -1, spearmans = -1;  // the highest
  for (size_t i = 0; i < kSimilarities; ++i) {
    const double p = pearson(similarities.values[i], labels), s = spearman(similarities.values[i], labels);
    metrics.emplace_back(cat("pearson_", kSimilarityNames[i]), p);
    metrics.emplace_back(cat("spearman_", kSimilarityNames[i]), s);
    pearsons = larger(pearsons, p);
    spearmans = larger(spearmans, s);
  }
  metrics.emplace_back("pearson_max", pearsons);
  metrics.emplace_back("spearman_max", spearmans);
  return metrics;
}

class Sts final : public Evaluation {
 public:
  Sts(const data::Table& table, const model::SentenceModel& model,
      const std::shared_ptr<compute::Engine>& engine, Similarity primary, const Options& options)
      : Evaluation(
            model, options.dim,
            {{"sentence1 and sentence2", encode::prompt_for(model, encode::Role::none, options.prompts)}}),
        texts_({{&table.text("sentence1"), prompt(0)}, {&table.text("sentence2"), prompt(0)}}, model,
               *engine),
        labels_(table.number("score")),
        primary_(primary),
        hash_(table.content_hash),
        source_(table.source()) {}

  std::string_view task() const override { return "sts"; }
  std::string_view unit() const override { return "pairs"; }
  std::vector<std::string> metric_names() const override {
    std::vector<std::string> names = sts_metric_names();
    const auto first = std::find(names.begin(), names.end(), cat("spearman_", name_of(primary_)));
    std::rotate(names.begin(), first, first + 1);
    return names;
  }
  size_t units() const override { return labels_.size(); }
  int64_t tokens() const override { return texts_.tokens(); }
  size_t bytes() const override { return texts_.bytes() + labels_.capacity() * sizeof(double); }
  // For each pair the four similarities; of each list and the labels order, ranks and scaled values; counts.
  size_t run_bytes(int64_t dim) const override { return texts_.vector_bytes(dim) + labels_.size() * 136; }
  uint64_t content_hash() const override { return hash_; }
  std::string source() const override { return source_; }

 protected:
  Result score(encode::Encoder& encoder, const RunOptions& options) const override {
    const Texts::Vectors vectors = texts_.encode(encoder, dim(), options.progress);
    PairSimilarities similarities = pair_similarities(
        labels_.size(), vectors.dim(), [&](size_t row) { return vectors.at(0, row); },
        [&](size_t row) { return vectors.at(1, row); });
    const StsScores scores{correlations(similarities, labels_), {}, {}};
    if (options.each) report_pairs(similarities, labels_, options.each);
    Result result;
    for (const std::string& name : metric_names()) result.metrics.emplace_back(name, scores.at(name));
    result.units = similarities[primary_];
    for (std::vector<double>& list : similarities.values) result.lists.push_back(std::move(list));
    return result;
  }
  size_t lists() const override { return kSimilarities; }
  Statistics statistics(const Result& result) const override {
    return [all = correlation_statistics(result.lists, labels_), order = places_of(sts_metric_names()),
            values = std::vector<double>(2 * kSimilarities + 2)](std::span<const uint32_t> counts,
                                                                 std::span<double> scores) mutable {
      all(counts, std::span(values).first(2 * kSimilarities));
      for (size_t kind = 0; kind < 2; ++kind) {  // pearson, spearman
        double most = -1;
        for (size_t i = 0; i < kSimilarities; ++i) most = larger(most, values[2 * i + kind]);
        values[2 * kSimilarities + kind] = most;
      }
      for (size_t m = 0; m < scores.size(); ++m) scores[m] = values[order[m]];
    };
  }
  Statistic statistic(const std::vector<double>& units) const override {
    return spearman_statistic(units, labels_);
  }

 private:
  Texts texts_;
  std::vector<double> labels_;
  Similarity primary_;
  uint64_t hash_;
  std::string source_;
};

}  // namespace

const std::vector<std::string>& sts_metric_names() {
  static const std::vector<std::string> names{
      "pearson_cosine",     "spearman_cosine",   "pearson_dot",        "spearman_dot", "pearson_euclidean",
      "spearman_euclidean", "pearson_manhattan", "spearman_manhattan", "pearson_max",  "spearman_max"};
  return names;
}

double StsScores::at(const std::string& metric) const {
  for (const auto& [name, value] : metrics) {
    if (name == metric) return value;
  }
  std::string list;
  for (const auto& name : sts_metric_names()) list += cat(list.empty() ? "" : ", ", name);
  fail("metric: \"", excerpt(metric), "\" found, one of ", list, " expected");
}

StsScores sts_scores(std::span<const float> a, std::span<const float> b, int dim,
                     std::span<const double> labels, bool with_interval) {
  const size_t rows = labels.size(), width = static_cast<size_t>(dim);
  if (dim < 1) fail("sts: vectors of ", dim, " numbers");
  if (a.size() != rows * width || b.size() != rows * width) fail("sts: vectors and labels differ in number");
  PairSimilarities similarities = pair_similarities(
      rows, width, [&](size_t row) { return a.data() + row * width; },
      [&](size_t row) { return b.data() + row * width; });
  StsScores scores{correlations(similarities, labels), std::move(similarities.values[0]), {}};
  if (with_interval) scores.spearman_cosine_interval = spearman_interval(scores.cosine, labels);
  return scores;
}

std::unique_ptr<Evaluation> make_sts(const data::Table& table, const model::SentenceModel& model,
                                     const std::shared_ptr<compute::Engine>& engine, const Options& options) {
  return std::make_unique<Sts>(table, model, engine, similarity_of(options.similarity, "cosine"), options);
}

}  // namespace hone::eval
