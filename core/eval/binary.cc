#include "eval/binary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "eval/pairs.h"
#include "eval/similarity.h"
#include "eval/tasks.h"
#include "eval/texts.h"

namespace hone::eval {

namespace {

constexpr const char* kNames[] = {
    "accuracy", "accuracy_threshold", "f1", "f1_threshold", "precision", "recall", "ap", "mcc"};

// Pairs from the most similar down, cut into groups of equal similarity.
struct Descending {
  std::vector<uint32_t> order;
  std::vector<uint32_t> ends;  // of each group
};

Descending descending(std::span<const double> similarities) {
  Descending d;
  d.order.resize(similarities.size());
  std::iota(d.order.begin(), d.order.end(), 0U);
  std::stable_sort(d.order.begin(), d.order.end(),
                   [&](uint32_t a, uint32_t b) { return similarities[a] > similarities[b]; });
  for (uint32_t i = 1; i <= d.order.size(); ++i) {
    if (i == d.order.size() || similarities[d.order[i]] != similarities[d.order[i - 1]]) d.ends.push_back(i);
  }
  return d;
}

// Where the pairs of the first groups end and others follow.
struct Cut {
  double pairs = 0, right = 0;  // above the cut, and those of label 1 among them
  double threshold = 0;
};

// Of pairs of which pair i occurs counts[i] times; no counts: each once. Groups that do not occur are not
// there.
void find_cuts(const Descending& d, std::span<const double> similarities, std::span<const double> labels,
               std::span<const uint32_t> counts, std::vector<Cut>& cuts) {
  cuts.clear();
  Cut cut;
  uint32_t begin = 0;
  for (const uint32_t end : d.ends) {
    double pairs = 0;
    for (uint32_t i = begin; i < end; ++i) {
      const double copies = counts.empty() ? 1 : counts[d.order[i]];
      pairs += copies;
      cut.right += copies * labels[d.order[i]];
    }
    begin = end;
    if (pairs == 0) continue;
    const double next = similarities[d.order[end - 1]];
    if (!cuts.empty()) {
      const double middle = (cuts.back().threshold + next) / 2;
      if (middle != next) cuts.back().threshold = middle;  // rounding must not let the next group in
    }
    cut.pairs += pairs;
    cut.threshold = next;
    cuts.push_back(cut);
  }
}

// Of the prediction "similar above the cut"; 0 where one side is empty.
double matthews(const Cut& cut, double pairs, double positives) {
  const double tp = cut.right, fp = cut.pairs - cut.right, fn = positives - cut.right,
               tn = pairs - positives - fp;
  const double under = std::sqrt((tp + fp) * (tp + fn)) * std::sqrt((tn + fp) * (tn + fn));
  return under > 0 ? (tp * tn - fp * fn) / under : 0;
}

constexpr size_t kScores = std::size(kNames), kAveragePrecision = 6;
using Scores = std::array<double, kScores>;

// Of what occurs: `pairs`, `positives` of them of label 1, the highest similarity `top`.
Scores scores_of_cuts(const std::vector<Cut>& cuts, double top, double pairs, double positives,
                      bool negated) {
  double accuracy = 0, accuracy_threshold = -1, f1 = 0, precision = 0, recall = 0, f1_threshold = 0, ap = 0;
  Cut f1_cut;
  if (!cuts.empty()) {
    accuracy = (pairs - positives) / pairs;
    // In float, as vectors are: whoever computes similarities in float finds none that reaches it.
    accuracy_threshold =
        static_cast<double>(std::nextafter(static_cast<float>(top), std::numeric_limits<float>::infinity()));
  }
  double recall_before = 0;
  for (const Cut& cut : cuts) {
    const double negatives_below = pairs - positives - (cut.pairs - cut.right);
    if (const double share = (cut.right + negatives_below) / pairs; share > accuracy) {
      accuracy = share;
      accuracy_threshold = cut.threshold;
    }
    if (cut.right == 0) continue;
    const double p = cut.right / cut.pairs, r = cut.right / positives;
    ap += (r - recall_before) * p;
    recall_before = r;
    if (const double f = 2 * p * r / (p + r); f > f1) {
      f1 = f, precision = p, recall = r;
      f1_threshold = cut.threshold;
      f1_cut = cut;
    }
  }
  const double mcc = matthews(f1_cut, pairs, positives);
  auto told = [&](double threshold) { return negated && threshold != 0 ? -threshold : threshold; };
  // Without pairs the reference's thresholds are no similarities, and keep their sign.
  if (!cuts.empty()) accuracy_threshold = told(accuracy_threshold);
  return {accuracy, accuracy_threshold, f1, told(f1_threshold), precision, recall, ap, mcc};
}

class Binary final : public Evaluation {
 public:
  Binary(const data::Table& table, const model::SentenceModel& model,
         const std::shared_ptr<compute::Engine>& engine, Similarity primary, const Options& options)
      : Evaluation(
            model, options.dim,
            {{"sentence1 and sentence2", encode::prompt_for(model, encode::Role::none, options.prompts)}}),
        labels_(checked(table)),
        texts_({{&table.text("sentence1"), prompt(0)}, {&table.text("sentence2"), prompt(0)}}, model,
               *engine),
        primary_(primary),
        hash_(table.content_hash),
        source_(table.source()) {}

  std::string_view task() const override { return "binary"; }
  std::string_view unit() const override { return "pairs"; }
  std::vector<std::string> metric_names() const override {
    std::vector<std::string> names{cat(name_of(primary_), "_ap")};
    for (size_t i = 0; i <= kSimilarities; ++i) {
      for (const char* metric : kNames) {
        std::string name = cat(i < kSimilarities ? kSimilarityNames[i] : "max", "_", metric);
        if (name != names.front()) names.push_back(std::move(name));
      }
    }
    return names;
  }
  size_t units() const override { return labels_.size(); }
  int64_t tokens() const override { return texts_.tokens(); }
  size_t bytes() const override { return texts_.bytes() + labels_.capacity() * sizeof(double); }
  // For each pair the four similarities, and of each its order and cuts, at most one a pair; counts.
  size_t run_bytes(int64_t dim) const override { return texts_.vector_bytes(dim) + labels_.size() * 164; }
  uint64_t content_hash() const override { return hash_; }
  std::string source() const override { return source_; }

 protected:
  Result score(encode::Encoder& encoder, const RunOptions& options) const override {
    const Texts::Vectors vectors = texts_.encode(encoder, dim(), options.progress);
    PairSimilarities similarities = pair_similarities(
        labels_.size(), vectors.dim(), [&](size_t row) { return vectors.at(0, row); },
        [&](size_t row) { return vectors.at(1, row); });
    Result all;
    std::vector<double> best(std::size(kNames), -std::numeric_limits<double>::infinity());
    for (size_t i = 0; i < kSimilarities; ++i) {
      const bool negated = static_cast<Similarity>(i) >= Similarity::euclidean;
      const auto scores = binary_scores(similarities.values[i], labels_, negated);
      for (size_t m = 0; m < scores.size(); ++m) {
        const auto& [name, value] = scores[m];
        all.metrics.emplace_back(cat(kSimilarityNames[i], "_", name), value);
        best[m] = larger(best[m], value);
      }
    }
    for (size_t m = 0; m < best.size(); ++m) all.metrics.emplace_back(cat("max_", kNames[m]), best[m]);
    if (options.each) report_pairs(similarities, labels_, options.each);
    Result result;
    for (const std::string& name : metric_names()) result.metrics.emplace_back(name, all.at(name));
    result.units = similarities[primary_];
    for (std::vector<double>& list : similarities.values) result.lists.push_back(std::move(list));
    return result;
  }
  size_t lists() const override { return kSimilarities; }
  Statistics statistics(const Result& result) const override {
    std::vector<Statistics> each;
    std::vector<std::string> names;
    for (size_t i = 0; i <= kSimilarities; ++i) {
      for (const char* metric : kNames)
        names.push_back(cat(i < kSimilarities ? kSimilarityNames[i] : "max", "_", metric));
      if (i < kSimilarities)
        each.push_back(
            binary_statistics(result.lists[i], labels_, static_cast<Similarity>(i) >= Similarity::euclidean));
    }
    return [each, order = places_of(names), values = std::vector<double>(names.size())](
               std::span<const uint32_t> counts, std::span<double> scores) mutable {
      const std::span<double> all(values);
      for (size_t i = 0; i < kSimilarities; ++i) each[i](counts, all.subspan(i * kScores, kScores));
      for (size_t k = 0; k < kScores; ++k) {
        double most = all[k];
        for (size_t i = 1; i < kSimilarities; ++i) most = larger(most, all[i * kScores + k]);
        all[kSimilarities * kScores + k] = most;
      }
      for (size_t m = 0; m < scores.size(); ++m) scores[m] = values[order[m]];
    };
  }
  Statistic statistic(const std::vector<double>& units) const override {
    return average_precision_statistic(units, labels_);
  }

 private:
  static std::vector<double> checked(const data::Table& table) {
    const std::vector<double>& labels = table.number("score");
    for (size_t row = 0; row < labels.size(); ++row) {
      if (labels[row] == 0 || labels[row] == 1) continue;
      throw RowError(cat(table.where(row, "score"), ": found ", labels[row], ", expected 0 or 1"),
                     static_cast<int64_t>(table.origin(row)));
    }
    return labels;
  }

  std::vector<double> labels_;
  Texts texts_;
  Similarity primary_;
  uint64_t hash_;
  std::string source_;
};

}  // namespace

std::vector<std::pair<std::string, double>> binary_scores(std::span<const double> similarities,
                                                          std::span<const double> labels, bool negated) {
  if (similarities.size() != labels.size())
    fail("binary: ", similarities.size(), " similarities against ", labels.size(), " labels");
  const bool defined =
      std::none_of(similarities.begin(), similarities.end(), [](double v) { return std::isnan(v); });
  std::vector<Cut> cuts;
  if (defined) find_cuts(descending(similarities), similarities, labels, {}, cuts);
  const double top = cuts.empty() ? 0 : *std::max_element(similarities.begin(), similarities.end());
  const Scores values = scores_of_cuts(cuts, top, static_cast<double>(labels.size()),
                                       std::accumulate(labels.begin(), labels.end(), 0.0), negated);
  std::vector<std::pair<std::string, double>> scores;
  for (size_t i = 0; i < kScores; ++i) scores.emplace_back(kNames[i], defined ? values[i] : kNaN);
  return scores;
}

Statistics binary_statistics(std::span<const double> similarities, std::span<const double> labels,
                             bool negated) {
  return [d = descending(similarities), similarities, labels, negated, cuts = std::vector<Cut>()](
             std::span<const uint32_t> counts, std::span<double> scores) mutable {
    find_cuts(d, similarities, labels, counts, cuts);
    if (cuts.empty()) return std::fill(scores.begin(), scores.end(), kNaN);
    const double pairs = cuts.back().pairs, positives = cuts.back().right;
    const auto top = std::find_if(d.order.begin(), d.order.end(), [&](uint32_t i) { return counts[i] > 0; });
    const Scores values = scores_of_cuts(cuts, similarities[*top], pairs, positives, negated);
    std::copy(values.begin(), values.end(), scores.begin());
    if (positives == 0) return std::fill(scores.begin() + 2, scores.end(), kNaN);
    double sum = 0, before = 0;  // in the order of average_precision_statistic
    for (const Cut& cut : cuts) {
      if (cut.right > before) sum += (cut.right - before) * (cut.right / cut.pairs);
      before = cut.right;
    }
    scores[kAveragePrecision] = sum / positives;
  };
}

Statistic average_precision_statistic(std::span<const double> similarities, std::span<const double> labels) {
  return [d = descending(similarities), labels](std::span<const uint32_t> counts) {
    double pairs = 0, right = 0, sum = 0;
    uint32_t begin = 0;
    for (const uint32_t end : d.ends) {
      const double before = right;
      for (uint32_t i = begin; i < end; ++i) {
        const uint32_t row = d.order[i];
        pairs += counts[row];
        right += counts[row] * labels[row];
      }
      if (right > before) sum += (right - before) * (right / pairs);
      begin = end;
    }
    return right > 0 ? sum / right : kNaN;
  };
}

std::unique_ptr<Evaluation> make_binary(const data::Table& table, const model::SentenceModel& model,
                                        const std::shared_ptr<compute::Engine>& engine,
                                        const Options& options) {
  return std::make_unique<Binary>(table, model, engine, similarity_of(options.similarity, model.similarity),
                                  options);
}

}  // namespace hone::eval
