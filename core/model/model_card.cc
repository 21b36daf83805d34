// The model card: a YAML header that model hubs read, then Markdown for people.
//
// Rules: whatever comes from outside (names, paths, settings) is escaped, so that no text can break the
// header or a table. Nothing in it depends on the time or the machine (of a path the last name is shown): the
// same model gives the same card.
#include "model/model_card.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "model/json.h"
#include "model/modules.h"

namespace hone::model {

namespace {

namespace fs = std::filesystem;

// A JSON string is a YAML string too.
std::string yaml(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

// Four decimals; a score that does not exist ("nan") is said in a word.
std::string score(double value) {
  if (!std::isfinite(value)) return "none";
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, 4);
  return end.ec == std::errc{} ? std::string(buffer, end.ptr) : cat(value);
}

std::string difference(double before, double after) {
  double change = after - before;
  if (!std::isfinite(change)) return "none";
  return (change < 0 ? "" : "+") + score(change);
}

// "models/base/" is "base". Nothing where the path ends in no name.
std::string base_name(const ModelCard& card) {
  const fs::path path(card.base_model);
  const std::string name = (path.has_filename() ? path : path.parent_path()).filename().string();
  return name == "." || name == ".." || name == "/" ? "" : name;
}

std::string head(const ModelCard& card) {
  std::string text = "---\n";
  const std::string base = base_name(card);
  if (!base.empty()) text += "base_model: " + yaml(base) + "\n";
  text += "library_name: sentence-transformers\npipeline_tag: sentence-similarity\ntags:\n";
  for (const char* tag : {"sentence-transformers", "sentence-similarity", "feature-extraction", "hone"})
    text += cat("- ", tag, "\n");
  return text + "---\n\n";
}

std::string about_model(const SentenceModel& model) {
  std::string modules;
  for (const Module& module : model.modules) {
    if (module.kind == Module::Kind::pooling) modules += pooling_name(module);
    if (module.kind == Module::Kind::dense) modules += cat(", dense layer to ", module.out_features);
    if (module.kind == Module::Kind::normalize) modules += ", unit length";
  }
  std::string text = cat("| | |\n|---|---|\n| Encoder | BERT, ", model.config.layers, " layers of width ",
                         model.config.hidden_size, " |\n| Pooling | ", modules, " |\n| Longest text | ",
                         model.max_seq_length, " tokens |\n| Similarity | ", model.similarity, " |\n");
  if (model.truncate_dim > 0) text += cat("| Vectors cut to | ", model.truncate_dim, " dimensions |\n");
  if (!model.prompt().empty()) text += cat("| Prompt before each text | ", cell(model.prompt()), " |\n");
  return text;
}

std::string about_training(const ModelCard& card) {
  std::string rows;
  auto row = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) rows += cat("| ", cell(name), " | ", cell(value), " |\n");
  };
  row("Base model", base_name(card));
  row("Data", card.data);
  row("Loss", card.loss);
  for (const auto& [name, value] : card.settings) row(name, value);
  if (rows.empty()) return "";
  return "\n## Training\n\n| | |\n|---|---|\n" + rows;
}

std::string about_scores(const ModelCard& card) {
  if (card.scores.empty()) {
    return card.data.empty()
               ? ""
               : "\n## Scores\n\nNot evaluated: whether it is better than the base model is not known.\n";
  }
  std::string text =
      "\n## Scores\n\n| Data | Metric | Before | After | Difference |\n|---|---|---:|---:|---:|\n";
  for (const auto& s : card.scores) {
    text += cat("| ", cell(s.data), " | ", cell(s.metric), " | ", score(s.before), " | ", score(s.after),
                " | ", difference(s.before, s.after), " |\n");
  }
  if (!card.verdict.empty()) text += cat("\nBy these data ", card.verdict, ".\n");
  return text;
}

}  // namespace

std::string model_card_text(const SentenceModel& model, const ModelCard& card) {
  int32_t dim = model.vector_dim();
  return cat(
      head(card), "# Sentence embedding model\n\nIt maps a text to a vector of ", dim,
      " numbers, so that texts which mean the same lie close together.\n\n", about_model(model),
      about_training(card), about_scores(card),
      "\n## Use\n\n```sh\nhone encode --model . --input texts.txt --out vectors.npy\n```\n\n```python\n"
      "from sentence_transformers import SentenceTransformer\n\n"
      "vectors = SentenceTransformer(\".\").encode([\"a text\", \"another text\"])\n```\n\nTrained with "
      "hone ",
      HONE_VERSION, ".\n");
}

}  // namespace hone::model
