#include "eval/triplet.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "base/hash.h"
#include "eval/scores_json.h"
#include "eval/similarity.h"
#include "eval/tasks.h"
#include "eval/texts.h"

namespace hone::eval {

namespace {

class Triplet final : public Evaluation {
 public:
  Triplet(const data::Table& table, const model::SentenceModel& model,
          const std::shared_ptr<compute::Engine>& engine, Similarity primary, const Options& options)
      : Evaluation(
            model, options.dim,
            {{"anchor", encode::prompt_for(model, encode::Role::query, options.prompts)},
             {"positive and negative", encode::prompt_for(model, encode::Role::document, options.prompts)}}),
        rows_(table.rows),
        texts_({{&table.text("anchor"), prompt(0)},
                {&table.text("positive"), prompt(1)},
                {&table.text("negative"), prompt(1)}},
               model, *engine),
        primary_(primary),
        margin_(options.margin),
        source_(table.source()) {
    Hash hash;
    hash.add(table.content_hash);
    hash.add(margin_);
    hash_ = hash.value();
  }

  std::string_view task() const override { return "triplet"; }
  std::string_view unit() const override { return "triplets"; }
  std::vector<std::string> metric_names() const override {
    std::vector<std::string> names{cat(name_of(primary_), "_accuracy")};
    for (const char* similarity : kSimilarityNames) {
      std::string name = cat(similarity, "_accuracy");
      if (name != names.front()) names.push_back(std::move(name));
    }
    names.emplace_back("max_accuracy");
    return names;
  }
  size_t units() const override { return rows_; }
  int64_t tokens() const override { return texts_.tokens(); }
  size_t bytes() const override { return texts_.bytes(); }
  // For each row twice four similarities, hits and counts.
  size_t run_bytes(int64_t dim) const override { return texts_.vector_bytes(dim) + rows_ * 96; }
  uint64_t content_hash() const override { return hash_; }
  std::string source() const override { return source_; }

 protected:
  Result score(encode::Encoder& encoder, const RunOptions& options) const override {
    const Texts::Vectors vectors = texts_.encode(encoder, dim(), options.progress);
    auto against_anchor = [&](size_t column) {
      return pair_similarities(
          rows_, vectors.dim(), [&](size_t row) { return vectors.at(0, row); },
          [&](size_t row) { return vectors.at(column, row); });
    };
    const PairSimilarities positive = against_anchor(1), negative = against_anchor(2);
    Result all, result;
    double best = 0;
    for (size_t i = 0; i < kSimilarities; ++i) {
      std::vector<double> hits = triplet_hits(positive.values[i], negative.values[i], margin_);
      const double accuracy =
          std::accumulate(hits.begin(), hits.end(), 0.0) / static_cast<double>(std::max<size_t>(rows_, 1));
      all.metrics.emplace_back(cat(kSimilarityNames[i], "_accuracy"), accuracy);
      best = std::isnan(accuracy) || std::isnan(best) ? std::numeric_limits<double>::quiet_NaN()
                                                      : std::max(best, accuracy);
      if (static_cast<Similarity>(i) == primary_) {
        result.units = hits;
        result.lists.insert(result.lists.begin(), std::move(hits));
      } else {
        result.lists.push_back(std::move(hits));
      }
    }
    all.metrics.emplace_back("max_accuracy", best);
    for (const std::string& name : metric_names()) result.metrics.emplace_back(name, all.at(name));
    if (options.each) report(positive, negative, options);
    return result;
  }

  size_t lists() const override { return kSimilarities; }
  Statistics statistics(const Result& result) const override {
    return
        [means = Evaluation::statistics(result)](std::span<const uint32_t> counts, std::span<double> scores) {
          means(counts, scores.first(kSimilarities));
          scores.back() = *std::max_element(scores.begin(), scores.end() - 1);
        };
  }

 private:
  static void report(const PairSimilarities& positive, const PairSimilarities& negative,
                     const RunOptions& options) {
    for (size_t row = 0; row < positive.values[0].size(); ++row) {
      nlohmann::ordered_json line = {{"row", row}};
      for (size_t i = 0; i < kSimilarities; ++i) {
        line[cat(kSimilarityNames[i], "_positive")] = json_number(positive.values[i][row]);
        line[cat(kSimilarityNames[i], "_negative")] = json_number(negative.values[i][row]);
      }
      options.each(line);
    }
  }

  size_t rows_;
  Texts texts_;
  Similarity primary_;
  double margin_;
  uint64_t hash_ = 0;
  std::string source_;
};

}  // namespace

std::vector<double> triplet_hits(std::span<const double> positive, std::span<const double> negative,
                                 double margin) {
  if (positive.size() != negative.size())
    fail("triplet: ", positive.size(), " similarities against ", negative.size());
  std::vector<double> hits;
  hits.reserve(positive.size());
  for (size_t row = 0; row < positive.size(); ++row) {
    const bool defined = !std::isnan(positive[row]) && !std::isnan(negative[row]);
    const bool hit = positive[row] > negative[row] + margin;
    hits.push_back(!defined ? std::numeric_limits<double>::quiet_NaN() : hit ? 1 : 0);
  }
  return hits;
}

std::unique_ptr<Evaluation> make_triplet(const data::Table& table, const model::SentenceModel& model,
                                         const std::shared_ptr<compute::Engine>& engine,
                                         const Options& options) {
  if (!std::isfinite(options.margin))
    fail_usage("margin: ", options.margin, " found, a finite number expected");
  return std::make_unique<Triplet>(table, model, engine, similarity_of(options.similarity, model.similarity),
                                   options);
}

}  // namespace hone::eval
