#include "train/train_data.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "base/error.h"
#include "encode/encoder.h"
#include "train/data_roles.h"
#include "train/text_numbers.h"

namespace hone::train {

namespace {

// How far a scaled label may lie beyond -1 or 1: what rounding in float32 makes of a cosine of 1.
constexpr double kRounding = 1e-5;

// The labels of one file.
struct FileLabels {
  std::string place;  // the file and its column, for messages
  double low = 0, high = 0;

  std::string range() const { return cat("values from ", low, " to ", high); }
  double scale() const {
    if (low >= -1 - kRounding && high <= 1 + kRounding) return 1;
    if (low >= -5 * kRounding && high <= 5 + 5 * kRounding) return 5;
    fail(place, ": found ", range(), ", expected -1 to 1 or 0 to 5 (--label-scale X divides by another X)");
  }
};

// Each file is looked at alone: rows of 0 to 1 may be those of another scale than 0 to 5, or the low ones of
// the same, and which is right cannot be read off them.
double read_label_scale(const data::Table& table) {
  const auto& scores = table.number("score");
  std::vector<FileLabels> files;
  for (size_t part = 0; part <= table.appended.size(); ++part) {
    const data::Table::Part* further = part == 0 ? nullptr : &table.appended[part - 1];
    const size_t begin = further == nullptr ? 0 : further->first_row;
    const size_t end = part == table.appended.size() ? scores.size() : table.appended[part].first_row;
    const auto [low, high] = std::minmax_element(scores.begin() + static_cast<std::ptrdiff_t>(begin),
                                                 scores.begin() + static_cast<std::ptrdiff_t>(end));
    const std::string& column = (further == nullptr ? table.columns : further->columns).at("score");
    files.push_back(
        {cat(further == nullptr ? table.path : further->path, ": column \"", excerpt(column), "\""), *low,
         *high});
  }
  const double scale = files.front().scale();
  for (const FileLabels& file : files) {
    if (file.scale() == scale) continue;
    fail(files.front().place, ": found ", files.front().range(), ", and in ", file.place, " ", file.range(),
         ", expected one scale (--label-scale X divides all labels by X)");
  }
  return scale;
}

// What a text of training is: sentences stand side by side, and a text for a vector stands alone.
encode::Role prompted_role(std::string_view role) {
  if (role == "anchor") return encode::Role::query;
  if (role.starts_with("positive") || role.starts_with("negative")) return encode::Role::document;
  return encode::Role::none;
}

}  // namespace

struct TrainData::Numbering {
  explicit Numbering(const encode::PromptedTexts& prompts)
      : texts_of_role(prompts.size()), encodings_of_role(prompts.size()) {
    for (const auto& [role, prompt] : prompts) {
      const auto found = std::find(different.begin(), different.end(), prompt);
      prompt_of_role.push_back(static_cast<char>(found - different.begin()));
      if (found == different.end()) different.push_back(prompt);
    }
  }
  // A text with its prompt; only asked where prompts differ.
  uint32_t encoding(size_t role, const std::string& text) {
    key.assign(1, prompt_of_role[role]);
    key += text;
    return encodings.of(key);
  }

  std::vector<std::string> different;  // prompts
  std::vector<char> prompt_of_role;    // its place among them
  TextNumbers texts, encodings, ids;
  std::string key;
  std::vector<std::vector<uint32_t>> texts_of_role, encodings_of_role;  // [roles][rows], by first appearance
  std::vector<uint32_t> group_of_id;
  uint32_t next_group = 0;
};

TrainData::TrainData(TrainRows& rows, const loss::LossInfo& loss, double label_scale,
                     const model::SentenceModel& model, compute::Engine& engine, encode::PromptUse prompts,
                     size_t most_id_bytes)
    : roles_(text_roles(loss, rows.block())), ids_(most_id_bytes) {
  for (const std::string& role : roles_)
    prompts_.emplace_back(role, encode::prompt_for(model, prompted_role(role), prompts));
  Numbering numbering(prompts_);
  data::EmptyTexts empty;
  const data::Table* values = &table_;
  do {
    table_.check_block(rows.block());
    number_block(rows.block(), numbering, model, engine);
    empty.look_at(rows.block(), roles_);
    if (data::Table* own = rows.owned()) {
      for (auto& [role, texts] : own->texts) texts = std::vector<std::string>();
      table_.append_block(*own, rows.another_file());
    } else {
      values = &rows.block();
      table_ = values->outline();
    }
  } while (rows.next());
  about_empty_texts_ = empty.about(table_.rows);
  order_numbers(numbering);
  read_labels(*values, loss, label_scale);
  table_.texts.clear();
  table_.numbers.clear();
  table_.vectors.clear();
}

TrainData::TrainData(data::Table table, const loss::LossInfo& loss, double label_scale,
                     const model::SentenceModel& model, compute::Engine& engine, encode::PromptUse prompts)
    : TrainData(*std::make_unique<TableRows>(std::move(table)), loss, label_scale, model, engine, prompts) {}

void TrainData::number_block(const data::Table& block, Numbering& numbering,
                             const model::SentenceModel& model, compute::Engine& engine) {
  const bool one_prompt = numbering.different.size() == 1;
  std::vector<encode::PromptedText> fresh;
  for (size_t role = 0; role < roles_.size(); ++role) {
    const std::string& prompt = prompts_[role].second;
    for (const std::string& text : block.text(roles_[role])) {
      const uint32_t known = one_prompt ? numbering.texts.size() : numbering.encodings.size();
      uint32_t number = numbering.texts.of(text);
      numbering.texts_of_role[role].push_back(number);
      if (!one_prompt) {
        number = numbering.encoding(role, text);
        numbering.encodings_of_role[role].push_back(number);
      }
      if (number == known) fresh.push_back({prompt, text});
    }
  }
  if (block.texts.contains("id")) {
    for (const std::string& id : block.text("id")) {
      uint32_t group = numbering.next_group;
      if (!id.empty()) {
        const uint32_t number = numbering.ids.of(id);
        if (number == numbering.group_of_id.size()) numbering.group_of_id.push_back(group);
        group = numbering.group_of_id[number];
      }
      groups_.push_back(group);
      if (group == numbering.next_group) ++numbering.next_group;
    }
  }
  encode::tokenize(model, engine, std::span<const encode::PromptedText>(fresh), ids_);
}

namespace {

// Numbers [roles][rows] in the order of blocks, made those of all rows as one: by role, then by row.
// `places`: the former number of each.
std::vector<uint32_t> in_order(std::vector<std::vector<uint32_t>>& of_role, uint32_t count,
                               std::vector<uint32_t>& places) {
  constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  std::vector<uint32_t> number_of(count, kNone), all;
  places.reserve(count);
  all.reserve(of_role.size() * of_role.front().size());
  for (std::vector<uint32_t>& numbers : of_role) {
    for (const uint32_t former : numbers) {
      if (number_of[former] == kNone) {
        number_of[former] = static_cast<uint32_t>(places.size());
        places.push_back(former);
      }
      all.push_back(number_of[former]);
    }
    numbers = std::vector<uint32_t>();
  }
  return all;
}

}  // namespace

void TrainData::order_numbers(Numbering& numbering) {
  texts_ = numbering.texts.size();
  numbering.texts = {};
  std::vector<uint32_t> places;
  text_of_ = in_order(numbering.texts_of_role, texts_, places);
  if (numbering.different.size() > 1) {
    places.clear();
    encoded_of_ = in_order(numbering.encodings_of_role, numbering.encodings.size(), places);
  }
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i] == i) continue;
    ids_.reorder(std::move(places));
    return;
  }
}

void TrainData::wrong_label(const std::string& role, size_t row, double found,
                            const std::string& expected) const {
  throw RowError(cat(table_.where(row, role), ": found ", found, ", expected ", expected),
                 static_cast<int64_t>(table_.origin(row)));
}

void TrainData::read_labels(const data::Table& table, const loss::LossInfo& loss, double label_scale) {
  using loss::Labels;
  if (loss.labels == Labels::none) return;
  if (loss.labels == Labels::teacher_vector || loss.labels == Labels::teacher_scores) {
    const bool vector = loss.labels == Labels::teacher_vector;
    const std::string role = vector ? "vector" : "scores";
    if (!table.vectors.contains(role))
      fail(table.path, ": the loss ", loss.name, " needs ", loss.columns(), ", and no ", role, " was found");
    const data::Vectors& vectors = table.vectors.at(role);
    label_width_ = static_cast<int64_t>(vectors.width);
    const int64_t documents = roles() - 1;
    const bool margins = std::string_view(loss.name) == "margin-mse" && label_width_ == documents - 1;
    if (!vector && label_width_ != documents && !margins) {
      fail(table.where(0), ": column \"", excerpt(table.columns.at(role)), "\": found ", label_width_,
           " scores, expected ", documents, ", one for each document",
           std::string_view(loss.name) == "margin-mse"
               ? cat(", or ", documents - 1, ", one for each negative")
               : "");
    }
    if (&table == &table_) {
      labels_ = std::move(table_.vectors.at(role).values);
    } else {
      labels_ = vectors.values;
    }
    return;
  }
  if (!table.numbers.contains("score"))
    fail(table.path, ": the loss ", loss.name, " needs ", loss.columns(), ", and no score was found");
  label_width_ = 1;
  if (loss.labels == Labels::similarity)
    label_scale_ = label_scale > 0 ? label_scale : read_label_scale(table);
  const auto& scores = table.number("score");
  labels_.reserve(scores.size());
  for (size_t row = 0; row < scores.size(); ++row) {
    const double label = scores[row] / label_scale_;
    switch (loss.labels) {
      case Labels::similarity:
        if (!(std::abs(label) <= 1 + kRounding)) {
          wrong_label("score", row, scores[row],
                      cat(-label_scale_, " to ", label_scale_, ", as labels are divided by ", label_scale_));
        }
        break;
      case Labels::binary:
        if (label != 0 && label != 1) wrong_label("score", row, label, "0 or 1");
        break;
      case Labels::classes:
        if (!(label >= 0) || label != std::floor(label) || label >= 100000)
          wrong_label("score", row, label, "the number of a class: 0 to 99999");
        break;
      case Labels::order:
        if (!std::isfinite(static_cast<float>(label)))
          wrong_label("score", row, scores[row], "a number that float32 holds, below 3.4e38");
        break;
      default:
        break;
    }
    labels_.push_back(static_cast<float>(label));
  }
}

std::pair<float, float> TrainData::label_range() const {
  if (labels_.empty()) return {0.0F, 0.0F};
  const auto [low, high] = std::minmax_element(labels_.begin(), labels_.end());
  return {*low, *high};
}

int64_t TrainData::tokens(uint32_t row) const {
  int64_t sum = 0;
  for (int64_t role = 0; role < roles(); ++role) sum += static_cast<int64_t>(ids_.length(encoded(role, row)));
  return sum;
}

size_t TrainData::bytes() const {
  return table_.lines.capacity() * sizeof table_.lines[0] +
         (text_of_.capacity() + encoded_of_.capacity()) * sizeof text_of_[0] +
         labels_.capacity() * sizeof labels_[0] + groups_.capacity() * sizeof(uint32_t) + ids_.bytes();
}

}  // namespace hone::train
