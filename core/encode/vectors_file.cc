#include "encode/vectors_file.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/staging.h"
#include "model/json.h"

namespace hone::encode {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kRecordVersion = 1, kMostRecorded = int64_t{1} << 53;
constexpr size_t kSkipped = size_t{1} << 15;  // texts read at once

}  // namespace

VectorsFile::VectorsFile(fs::path path, VectorsFormat format, OnPartial on_partial)
    : path_(std::move(path)), format_(format) {
  const std::optional<std::string> kept = PartialFile::record_of(path_);
  if (!kept || on_partial == OnPartial::overwrite) {
    file_.emplace(path_);
    return;
  }
  const fs::path file = PartialFile::record_path(path_);
  const model::Json json = model::parse_json(*kept, file);
  const model::JsonObject record(json, file);
  record.required_integer("version", kRecordVersion, kRecordVersion);
  rows_ = kept_ = record.required_integer("rows", 1, kMostRecorded);
  const int64_t bytes = record.required_integer("bytes", 1, kMostRecorded);
  kept_texts_ = record.text("texts").value_or("");
  if (!record.has("settings")) record.missing("settings", "an object");
  const model::JsonObject settings(*record.find("settings"), file, "settings");
  for (const auto& [name, value] : settings.value().items()) {
    if (!value.is_string()) settings.wrong(name, "a text");
    kept_with_.emplace_back(name, value.get<std::string>());
  }
  if (on_partial == OnPartial::refuse) {
    fail(PartialFile::partial_path(path_), ": holds the vectors of ", rows_,
         " texts of a run that did not end; --resume goes on with them, --overwrite begins anew");
  }
  file_.emplace(path_, static_cast<uint64_t>(bytes));
}

void VectorsFile::begin(int32_t dim, model::Identity made_with) {
  dim_ = dim;
  made_with_ = std::move(made_with);
  made_with_.insert(made_with_.begin(), {{"format", std::string(name_of(format_))}, {"width", cat(dim)}});
  if (kept_ > 0) {
    model::require_same(kept_with_, made_with_, path_);
  } else {
    file_->write(vectors_header(format_, 0, dim_));
  }
}

void VectorsFile::skip_texts(TextSource& source, const fs::path& name) const {
  TextBlock block;
  for (int64_t left = rows_; left > 0; left -= static_cast<int64_t>(block.texts.size())) {
    if (!source.next(block, std::min(kSkipped, static_cast<size_t>(left)))) {
      fail("cannot resume ", path_, ": the vectors of ", rows_, " texts are there, and ", name,
           " has no more than ", rows_ - left);
    }
  }
  if (rows_ > 0 && cat(block.hash) != kept_texts_) {
    fail("cannot resume ", path_, ": the first ", rows_, " texts of ", name,
         " are not those whose vectors are there");
  }
}

void VectorsFile::write(std::span<const float> vectors, uint64_t texts, bool more) {
  put_vectors(format_, vectors, dim_, rows_, path_, [&](std::string_view bytes) { file_->write(bytes); });
  rows_ += static_cast<int64_t>(vectors.size()) / dim_;
  if (!more) return;
  file_->keep(record(texts));
  kept_ = rows_;
}

std::string VectorsFile::record(uint64_t texts) const {
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();
  for (const auto& [name, value] : made_with_) settings[name] = value;
  const nlohmann::ordered_json j = {{"version", kRecordVersion},
                                    {"rows", rows_},
                                    {"bytes", file_->bytes()},
                                    {"texts", cat(texts)},
                                    {"settings", std::move(settings)}};
  return j.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void VectorsFile::finish() {
  file_->write_front(vectors_header(format_, rows_, dim_));
  file_->commit();
}

void VectorsOutput::write(std::span<const float> vectors, uint64_t /*texts*/, bool /*more*/) {
  const fs::path name = "standard output";
  put_vectors(VectorsFormat::jsonl, vectors, dim_, rows_, name,
              [&](std::string_view bytes) { staging::write_all(STDOUT_FILENO, bytes, name); });
  rows_ += static_cast<int64_t>(vectors.size()) / dim_;
}

}  // namespace hone::encode
