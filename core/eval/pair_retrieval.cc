#include "eval/pair_retrieval.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "eval/retrieval.h"
#include "eval/tasks.h"

namespace hone::eval {

namespace {

// The distinct texts of a column, in the order of their first rows.
struct Distinct {
  explicit Distinct(const std::vector<std::string>& column) {
    for (const std::string& text : column) {
      const auto [at, fresh] = places.try_emplace(text, static_cast<uint32_t>(first.size()));
      if (fresh) first.push_back(of.size());
      of.push_back(at->second);
    }
  }
  std::unordered_map<std::string_view, uint32_t> places;
  std::vector<size_t> first;  // [texts]: the row it is in first
  std::vector<uint32_t> of;   // [rows]: the place of its text
};

void sort_unique(std::vector<uint32_t>& places) {
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
}

// The positives of the rows of each id.
std::unordered_map<std::string_view, std::vector<uint32_t>> positives_of_ids(
    const std::vector<std::string>& ids, const Distinct& positives) {
  std::unordered_map<std::string_view, std::vector<uint32_t>> of;
  for (size_t row = 0; row < ids.size(); ++row) {
    if (!ids[row].empty()) of[ids[row]].push_back(positives.of[row]);
  }
  for (auto& [id, places] : of) sort_unique(places);
  return of;
}

}  // namespace

RetrievalData retrieval_of_pairs(const data::Table& table) {
  const bool sentences = !table.texts.contains("anchor") && table.texts.contains("sentence1");
  const std::vector<std::string>& anchor_texts = table.text(sentences ? "sentence1" : "anchor");
  const std::vector<std::string>& positive_texts = table.text(sentences ? "sentence2" : "positive");
  const Distinct anchors(anchor_texts), positives(positive_texts);
  if (positives.first.size() < 2) {
    fail(table.source(), ": all rows have the same positive, at least two different ones expected to find ",
         "the right one among");
  }
  RetrievalData data;
  data.task = "pairs";
  data.source = table.source();
  for (const size_t row : positives.first) {
    data.passage_ids.push_back(cat(row));
    data.passages.push_back(positive_texts[row]);
  }
  for (const size_t row : anchors.first) {
    data.query_ids.push_back(cat(row));
    data.queries.push_back(anchor_texts[row]);
  }
  data.relevant.resize(data.queries.size());
  for (size_t row = 0; row < table.rows; ++row) data.relevant[anchors.of[row]].push_back(positives.of[row]);
  if (table.texts.contains("id")) {
    const std::vector<std::string>& ids = table.text("id");
    const auto of_ids = positives_of_ids(ids, positives);
    std::vector<std::vector<std::string_view>> ids_of(data.queries.size());
    for (size_t row = 0; row < table.rows; ++row) {
      if (!ids[row].empty()) ids_of[anchors.of[row]].push_back(ids[row]);
    }
    for (size_t q = 0; q < ids_of.size(); ++q) {
      std::sort(ids_of[q].begin(), ids_of[q].end());
      ids_of[q].erase(std::unique(ids_of[q].begin(), ids_of[q].end()), ids_of[q].end());
      for (const std::string_view id : ids_of[q]) {
        const std::vector<uint32_t>& places = of_ids.at(id);
        data.relevant[q].insert(data.relevant[q].end(), places.begin(), places.end());
      }
    }
  }
  for (auto& places : data.relevant) sort_unique(places);
  for (size_t q = 0; q < data.queries.size(); ++q) {
    const auto own = positives.places.find(data.queries[q]);
    if (own == positives.places.end()) continue;
    // A row that pairs a text with itself says that it is relevant.
    if (std::binary_search(data.relevant[q].begin(), data.relevant[q].end(), own->second)) continue;
    data.left_out.resize(data.queries.size(), kNoPlace);
    data.left_out[q] = own->second;
  }
  data.content_hash = hash_of(data);
  return data;
}

std::unique_ptr<Evaluation> make_pairs(const data::Table& table, const model::SentenceModel& model,
                                       const std::shared_ptr<compute::Engine>& engine,
                                       const Options& options) {
  return make_retrieval(retrieval_of_pairs(table), model, engine, options);
}

}  // namespace hone::eval
