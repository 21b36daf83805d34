#include "train/train_data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "encode/encoder.h"
#include "train/data_roles.h"

namespace hone::train {

namespace {

constexpr size_t kAllocation = 16;  // what malloc adds to a piece of memory, rounding included

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

TrainData::TrainData(Rows given, const loss::LossInfo& loss, double label_scale,
                     const model::SentenceModel& model, compute::Engine& engine, encode::PromptUse prompts)
    : table_(given.table().outline()), roles_(text_roles(loss, given.table())) {
  for (const std::string& role : roles_)
    prompts_.emplace_back(role, encode::prompt_for(model, prompted_role(role), prompts));
  read_labels(given, loss, label_scale);
  const data::Table& table = given.table();
  std::vector<std::string_view> distinct;
  {
    std::unordered_map<std::string_view, uint32_t> numbers;
    text_of_.reserve(static_cast<size_t>(roles() * rows()));
    for (const std::string& role : roles_) {
      for (const std::string& text : table.text(role)) {
        const auto [at, fresh] = numbers.try_emplace(text, static_cast<uint32_t>(distinct.size()));
        if (fresh) distinct.push_back(text);
        text_of_.push_back(at->second);
      }
    }
  }
  if (table.texts.contains("id")) {
    std::unordered_map<std::string_view, uint32_t> ids;
    uint32_t next = 0;
    for (const std::string& id : table.text("id")) {
      const uint32_t group = id.empty() ? next : ids.try_emplace(id, next).first->second;
      groups_.push_back(group);
      if (group == next) ++next;
    }
  }
  about_empty_texts_ = data::about_empty_texts(table, roles_);
  texts_ = static_cast<uint32_t>(distinct.size());
  tokenize(distinct, model, engine);
}

// What is encoded is one for each text and prompt that meet, in the order in which they do.
void TrainData::tokenize(const std::vector<std::string_view>& texts, const model::SentenceModel& model,
                         compute::Engine& engine) {
  std::map<std::string_view, std::vector<int64_t>> by_prompt;  // number of a text with it; -1: none so far
  std::vector<encode::PromptedText> encoded;
  for (size_t role = 0; role < roles_.size(); ++role) {
    const std::string& prompt = prompts_[role].second;
    std::vector<int64_t>& numbers = by_prompt[prompt];
    numbers.resize(texts.size(), -1);
    for (uint32_t row = 0; row < rows(); ++row) {
      const uint32_t number = text(static_cast<int64_t>(role), row);
      if (numbers[number] < 0) {
        numbers[number] = static_cast<int64_t>(encoded.size());
        encoded.push_back({prompt, texts[number]});
      }
      encoded_of_.push_back(static_cast<uint32_t>(numbers[number]));
    }
  }
  if (by_prompt.size() == 1) encoded_of_ = {};  // the same numbers in the same order
  ids_ = encode::tokenize(model, engine, std::span<const encode::PromptedText>(encoded));
}

void TrainData::wrong_label(const std::string& role, size_t row, double found,
                            const std::string& expected) const {
  throw RowError(cat(table_.where(row, role), ": found ", found, ", expected ", expected),
                 static_cast<int64_t>(table_.origin(row)));
}

void TrainData::read_labels(Rows& given, const loss::LossInfo& loss, double label_scale) {
  using loss::Labels;
  const data::Table& table = given.table();
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
    labels_ = given.shared != nullptr ? vectors.values : std::move(given.own.vectors.at(role).values);
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
  for (int64_t role = 0; role < roles(); ++role) sum += static_cast<int64_t>(ids_[encoded(role, row)].size());
  return sum;
}

size_t TrainData::bytes() const {
  size_t bytes = table_.lines.capacity() * sizeof table_.lines[0] +
                 (text_of_.capacity() + encoded_of_.capacity()) * sizeof text_of_[0] +
                 labels_.capacity() * sizeof labels_[0] + groups_.capacity() * sizeof(uint32_t);
  for (const auto& ids : ids_) bytes += sizeof ids + ids.capacity() * sizeof ids[0] + kAllocation;
  return bytes;
}

}  // namespace hone::train
