#include "eval/retrieval.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/hash.h"
#include "eval/scores_json.h"
#include "eval/similarity.h"
#include "eval/texts.h"
#include "search/nearest.h"

namespace hone::eval {

namespace {

constexpr int kCuts[] = {1, 3, 5, 10};
constexpr int kRank = 10;                         // of nDCG and MRR
constexpr size_t kChunkFloats = size_t{4} << 20;  // of vectors of the corpus held at once
constexpr const char* kPrimary = "ndcg@10";

bool finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

search::Nearness nearness_of(Similarity similarity) {
  switch (similarity) {
    case Similarity::euclidean:
      return search::Nearness::euclidean;
    case Similarity::manhattan:
      return search::Nearness::manhattan;
    default:
      return search::Nearness::dot;  // of vectors of length 1 for cosine
  }
}

size_t bytes_of_texts(const std::vector<std::string>& texts) {
  size_t bytes = 0;
  for (const std::string& text : texts) bytes += sizeof text + text.capacity();
  return bytes;
}

class Retrieval final : public Evaluation {
 public:
  Retrieval(const RetrievalData& data, const model::SentenceModel& model,
            const std::shared_ptr<compute::Engine>& engine, Similarity similarity, const Options& options)
      : Evaluation(model, options.dim,
                   {{"queries", encode::prompt_for(model, encode::Role::query, options.prompts)},
                    {"passages", encode::prompt_for(model, encode::Role::document, options.prompts)}}),
        engine_(engine),
        similarity_(similarity),
        task_(data.task),
        source_(data.source),
        files_(data.files),
        passage_ids_(data.passage_ids),
        query_ids_(data.query_ids),
        query_texts_(data.queries),
        relevant_(data.relevant),
        left_out_(data.left_out),
        passages_(encode::tokenize(model, *engine, data.passages, std::string(prompt(1)))),
        queries_(encode::tokenize(model, *engine, data.queries, std::string(prompt(0)))) {
    Hash hash;
    hash.add(data.content_hash);
    hash.add(static_cast<uint64_t>(similarity));
    hash_ = hash.value();
  }

  std::string_view task() const override { return task_; }
  std::string_view unit() const override { return "queries"; }
  std::vector<std::string> metric_names() const override {
    std::vector<std::string> names{named(kPrimary)};
    for (const std::string& metric : ranking_metric_names()) {
      if (metric != kPrimary) names.push_back(named(metric));
    }
    return names;
  }
  size_t units() const override { return queries_.size(); }
  int64_t tokens() const override { return queries_.tokens() + passages_.tokens(); }
  size_t bytes() const override {
    size_t bytes = passages_.bytes() + queries_.bytes() + bytes_of_texts(passage_ids_) +
                   bytes_of_texts(query_ids_) + bytes_of_texts(query_texts_);
    bytes += left_out_.capacity() * sizeof left_out_[0];
    for (const auto& places : relevant_) bytes += sizeof places + places.capacity() * sizeof places[0];
    return bytes;
  }
  // Vectors of the queries and of a chunk of passages, both once more packed (on tile units half as large
  // again), and the hits of each query, twice, and of the lanes of few queries (search/nearest.cc).
  size_t run_bytes(int64_t dim) const override {
    const size_t width = static_cast<size_t>(dim) * sizeof(float);
    const size_t chunk = std::min(passages_.size() * width, kChunkFloats * sizeof(float));
    constexpr size_t kLaneLists = 1024, kHits = 128 * sizeof(search::Hit);
    return 2 * queries_.size() * width + 5 * chunk / 2 + (2 * queries_.size() + kLaneLists) * kHits;
  }
  uint64_t content_hash() const override { return hash_; }
  std::string source() const override { return source_; }

 protected:
  nlohmann::ordered_json counted() const override {
    size_t judgements = 0;
    for (const auto& places : relevant_) judgements += places.size();
    nlohmann::ordered_json j = {
        {"queries", queries_.size()}, {"passages", passages_.size()}, {"relevant", judgements}};
    if (!files_.qrels.empty()) {
      j["files"] = {{"corpus", files_.corpus.string()},
                    {"queries", files_.queries.string()},
                    {"qrels", files_.qrels.string()}};
    }
    return j;
  }
  Result score(encode::Encoder& encoder, const RunOptions& options) const override {
    bool defined = true;
    const auto hits = find(encoder, options, defined);
    const std::vector<std::string>& names = ranking_metric_names();
    const auto primary = std::find(names.begin(), names.end(), kPrimary) - names.begin();
    std::vector<double> sums(names.size(), 0.0);
    Result result;
    result.lists.resize(names.size());  // the primary one first
    for (size_t q = 0; q < hits.size(); ++q) {
      std::vector<double> scores = ranking_scores(hits[q], relevant_[q]);
      if (!defined) std::fill(scores.begin(), scores.end(), kNaN);
      for (size_t m = 0; m < scores.size(); ++m) sums[m] += scores[m];
      std::rotate(scores.begin(), scores.begin() + primary, scores.begin() + primary + 1);
      result.units.push_back(scores.front());
      for (size_t m = 0; m < scores.size(); ++m) result.lists[m].push_back(scores[m]);
      std::rotate(scores.begin(), scores.begin() + 1, scores.begin() + primary + 1);
      if (options.each) options.each(line_of(q, scores, hits[q]));
    }
    Result all;
    for (size_t m = 0; m < names.size(); ++m)
      all.metrics.emplace_back(named(names[m]), sums[m] / static_cast<double>(hits.size()));
    for (const std::string& name : metric_names()) result.metrics.emplace_back(name, all.at(name));
    return result;
  }

  size_t lists() const override { return ranking_metric_names().size(); }

 private:
  std::string named(std::string_view metric) const { return cat(name_of(similarity_), "_", metric); }

  // The best passages of each query; `defined` turns false where a vector is not finite.
  std::vector<std::vector<search::Hit>> find(encode::Encoder& encoder, const RunOptions& options,
                                             bool& defined) const {
    const size_t total = queries_.size() + passages_.size();
    size_t before = 0;
    encode::EncodeOptions encoding;
    encoding.dim = dim();
    encoding.normalize = similarity_ == Similarity::cosine;
    encoding.progress = [&](size_t done, size_t) {
      if (options.progress) options.progress(before + done, total);
    };
    const std::vector<float> asked = encoder.encode_ids(queries_, encoding);
    defined = finite(asked);
    const int32_t width = encoder.dim(encoding);
    search::Nearest nearest(asked, width, kRetrievalDepth + (left_out_.empty() ? 0 : 1),
                            nearness_of(similarity_));
    before = queries_.size();
    const size_t chunk = std::max<size_t>(1, kChunkFloats / static_cast<size_t>(width));
    for (size_t begin = 0; begin < passages_.size(); begin += chunk) {
      const size_t count = std::min(chunk, passages_.size() - begin);
      const std::vector<float> vectors = encoder.encode_ids(passages_, begin, count, encoding);
      defined = defined && finite(vectors);
      nearest.add(vectors, *engine_);
      before += count;
    }
    std::vector<std::vector<search::Hit>> hits = nearest.take();
    for (size_t q = 0; q < left_out_.size(); ++q) {
      std::erase_if(hits[q], [&](const search::Hit& hit) { return hit.index == left_out_[q]; });
      if (hits[q].size() > kRetrievalDepth) hits[q].resize(kRetrievalDepth);
    }
    return hits;
  }

  nlohmann::ordered_json line_of(size_t q, const std::vector<double>& scores,
                                 const std::vector<search::Hit>& hits) const {
    nlohmann::ordered_json line = {{"query_id", query_ids_[q]}, {"query", query_texts_[q]}};
    const std::vector<std::string>& names = ranking_metric_names();
    for (size_t m = 0; m < names.size(); ++m) line[named(names[m])] = json_number(scores[m]);
    auto& results = line["results"] = nlohmann::ordered_json::array();
    for (const search::Hit& hit : hits) {
      const auto place = static_cast<uint32_t>(hit.index);
      results.push_back({{"corpus_id", passage_ids_[place]},
                         {"score", json_number(static_cast<double>(hit.score))},
                         {"relevant", std::binary_search(relevant_[q].begin(), relevant_[q].end(), place)}});
    }
    return line;
  }

  std::shared_ptr<compute::Engine> engine_;
  Similarity similarity_;
  const char* task_;
  std::string source_;
  RetrievalFiles files_;
  std::vector<std::string> passage_ids_, query_ids_, query_texts_;
  std::vector<std::vector<uint32_t>> relevant_;
  std::vector<uint32_t> left_out_;
  encode::TokenIds passages_, queries_;
  uint64_t hash_ = 0;
};

}  // namespace

const std::vector<std::string>& ranking_metric_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const int cut : kCuts) all.push_back(cat("accuracy@", cut));
    for (const int cut : kCuts) all.push_back(cat("precision@", cut));
    for (const int cut : kCuts) all.push_back(cat("recall@", cut));
    all.insert(all.end(), {kPrimary, cat("mrr@", kRank), cat("map@", kRetrievalDepth)});
    return all;
  }();
  return names;
}

std::vector<double> ranking_scores(std::span<const search::Hit> hits, std::span<const uint32_t> relevant) {
  const auto judged = static_cast<double>(relevant.size());
  double found[std::size(kCuts)] = {};  // relevant hits down to each cut
  double dcg = 0, ideal = 0, reciprocal = 0, precisions = 0, right = 0;
  for (size_t rank = 0; rank < std::min<size_t>(hits.size(), kRetrievalDepth); ++rank) {
    if (!std::binary_search(relevant.begin(), relevant.end(), static_cast<uint32_t>(hits[rank].index)))
      continue;
    const auto place = static_cast<double>(rank + 1);
    right += 1;
    precisions += right / place;
    if (rank < kRank) {
      dcg += 1 / std::log2(place + 1);
      if (reciprocal == 0) reciprocal = 1 / place;
    }
    for (size_t c = 0; c < std::size(kCuts); ++c) {
      if (rank < static_cast<size_t>(kCuts[c])) found[c] += 1;
    }
  }
  for (size_t rank = 0; rank < std::min<size_t>(relevant.size(), kRank); ++rank)
    ideal += 1 / std::log2(static_cast<double>(rank + 2));
  std::vector<double> scores;
  for (const double n : found) scores.push_back(n > 0 ? 1 : 0);
  for (size_t c = 0; c < std::size(kCuts); ++c) scores.push_back(found[c] / kCuts[c]);
  for (const double n : found) scores.push_back(n / judged);
  const double all = std::min(judged, static_cast<double>(kRetrievalDepth));
  scores.insert(scores.end(), {dcg / ideal, reciprocal, precisions / all});
  return scores;
}

std::unique_ptr<Evaluation> make_retrieval(const RetrievalData& data, const model::SentenceModel& model,
                                           const std::shared_ptr<compute::Engine>& engine,
                                           const Options& options) {
  auto made = std::make_unique<Retrieval>(data, model, engine,
                                          similarity_of(options.similarity, model.similarity), options);
  for (const std::string& warning : data.warnings) made->warn(warning);
  return made;
}

}  // namespace hone::eval
