#include "train/preflight.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "base/hash.h"

namespace hone::train {

namespace {

// Labels of few whole numbers look like classes, not like similarities. Empty: they do not.
std::string about_classes(const TrainData& data, float highest) {
  const double scale = data.label_scale();
  const auto all = std::span(data.labels(0), static_cast<size_t>(data.rows()));
  const bool whole = std::all_of(all.begin(), all.end(), [&](float x) {
    const double label = static_cast<double>(x) * scale;
    return label > -0.5 && std::abs(label - std::round(label)) < 1e-6;
  });
  const auto largest = static_cast<int64_t>(std::lround(static_cast<double>(highest) * scale));
  if (!whole || largest > 3) return "";
  if (largest == 1) return "all labels are 0 or 1: the loss online-contrastive is made for such";
  return cat("all labels are whole numbers from 0 to ", largest,
             ": if they are classes, the loss softmax is made for such; cosine takes them for similarities, "
             "divided by ",
             scale);
}

}  // namespace

Preflight look_at(const TrainData& data, const loss::LossInfo& loss, int64_t batch_size, int32_t max_tokens) {
  Preflight p;
  p.rows = data.rows();
  p.texts = data.texts();
  p.max_tokens = max_tokens;
  std::vector<uint64_t> rows;
  rows.reserve(static_cast<size_t>(data.rows()));
  std::vector<bool> anchors(data.texts()), positives(data.texts());
  int64_t same = 0;
  for (uint32_t row = 0; row < data.rows(); ++row) {
    Hash hash;
    for (int64_t role = 0; role < data.roles(); ++role) hash.add(uint64_t{data.text(role, row)});
    rows.push_back(hash.value());
    if (data.roles() < 2) continue;
    anchors[data.text(0, row)] = true;
    positives[data.text(1, row)] = true;
    if (data.text(0, row) == data.text(1, row)) ++same;
  }
  std::sort(rows.begin(), rows.end());
  p.repeated_rows = p.rows - (std::unique(rows.begin(), rows.end()) - rows.begin());
  p.distinct_anchors = std::count(anchors.begin(), anchors.end(), true);
  p.distinct_positives = std::count(positives.begin(), positives.end(), true);
  std::vector<uint32_t> lengths;
  lengths.reserve(data.encodings());
  for (uint32_t text = 0; text < data.encodings(); ++text) {
    lengths.push_back(static_cast<uint32_t>(data.ids().length(text)));
    if (lengths.back() >= static_cast<uint32_t>(max_tokens)) ++p.cut_texts;
  }
  p.longest_tokens = *std::max_element(lengths.begin(), lengths.end());
  const auto median = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
  std::nth_element(lengths.begin(), median, lengths.end());
  p.median_tokens = *median;
  p.in_batch = loss.in_batch;
  p.labelled = data.label_width() == 1 || loss.labels == loss::Labels::teacher_scores;
  if (p.labelled) std::tie(p.lowest_label, p.highest_label) = data.label_range();

  auto warn = [&](auto... parts) { p.warnings.push_back(cat(parts...)); };
  const int64_t batch = std::min(batch_size, p.rows);
  if (loss.in_batch && p.distinct_positives < batch) {
    warn("the batch of ", batch, " has more rows than there are different positives (", p.distinct_positives,
         "): many rows of a batch then share a positive, and such rows are not each other's negatives");
  }
  const std::vector<uint32_t>& groups = data.groups();
  const bool one_id = !groups.empty() && std::all_of(groups.begin(), groups.end(),
                                                     [&](uint32_t group) { return group == groups[0]; });
  if (loss.in_batch && data.roles() == 2 && (batch == 1 || one_id)) {
    warn(batch == 1 ? "a batch of one row" : "a batch of rows that all have the same id",
         " has no negatives: the loss ", loss.name, " learns nothing from it");
  }
  if (!loss.in_batch && !data.groups().empty()) {
    warn("ids of rows are read (id=NAME in --columns), but do nothing: the loss ", loss.name,
         " does not compare rows with each other");
  }
  if (loss.labels == loss::Labels::classes) {
    const auto all = std::span(data.labels(0), static_cast<size_t>(data.rows()));
    const size_t found = std::set<float>(all.begin(), all.end()).size();
    if (p.highest_label >= 2 * static_cast<float>(found)) {
      warn("the largest label is ", p.highest_label, ", but only ", found,
           " different ones are there: each number up to it is a class with weights of its own");
    }
  }
  if (!data.about_empty_texts().empty()) warn(data.about_empty_texts());
  if (p.repeated_rows > p.rows / 20) warn(p.repeated_rows, " of ", p.rows, " rows repeat an earlier one");
  if (same > 0) warn(same, " rows have the same text twice");
  if (p.cut_texts > p.texts / 20) {
    warn(p.cut_texts, " of ", p.texts, " texts reach ", max_tokens,
         " tokens, where they are cut (--max-seq-length sets another length)");
  }
  if (p.labelled && p.lowest_label == p.highest_label) {
    warn("all labels are ", p.lowest_label, ": there is nothing to tell apart");
  } else if (std::string_view(loss.name) == "cosine") {
    const std::string advice = about_classes(data, p.highest_label);
    if (!advice.empty()) warn(advice);
  }
  return p;
}

std::vector<std::string> Preflight::lines() const {
  std::vector<std::string> out;
  out.push_back(cat(
      "data: ", rows, " rows, ", repeated_rows, " of them repeated",
      in_batch ? cat(", ", distinct_positives, " different positives of ", distinct_anchors, " anchors") : "",
      "; ", texts, " different texts of ", median_tokens, " tokens (median), the longest ", longest_tokens,
      ", ", cut_texts, " reach the limit of ", max_tokens));
  if (labelled) out.push_back(cat("labels: from ", lowest_label, " to ", highest_label));
  for (const std::string& warning : warnings) out.push_back("warning: " + warning);
  return out;
}

nlohmann::ordered_json Preflight::json() const {
  nlohmann::ordered_json j = {{"rows", rows},
                              {"repeated_rows", repeated_rows},
                              {"texts", texts},
                              {"median_tokens", median_tokens},
                              {"longest_tokens", longest_tokens},
                              {"max_tokens", max_tokens},
                              {"cut_texts", cut_texts}};
  if (in_batch) {
    j["different_anchors"] = distinct_anchors;
    j["different_positives"] = distinct_positives;
  }
  if (labelled) j["labels"] = {lowest_label, highest_label};
  return j;
}

}  // namespace hone::train
