// Vectors into a file, or out of the process.
//
// Rules: a file is written beside its place and renamed when it is whole. After each block but the last what
// is there so far is kept as NAME.partial (base/partial.h), for a later run to go on with. That run must have
// the same settings, and its texts must begin with those whose vectors are there: it is told by their hash,
// whatever file they come from. Else it is refused with one line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/partial.h"
#include "encode/text_source.h"
#include "encode/vector_sink.h"
#include "encode/vectors_format.h"
#include "model/identity.h"

namespace hone::encode {

// What to do where an earlier run was kept. resume begins anew where there is none.
enum class OnPartial { refuse, resume, overwrite };

class VectorsFile final : public VectorSink {
 public:
  // Throws Error where the file cannot be written, and for what is kept and may not be.
  VectorsFile(std::filesystem::path path, VectorsFormat format, OnPartial on_partial = OnPartial::refuse);
  // Before the first vectors: their width, and all they depend on but the texts. Throws Error where what is
  // kept was made otherwise.
  void begin(int32_t dim, model::Identity made_with);
  // Takes the texts from `source` whose vectors are there. Throws Error where they are others.
  void skip_texts(TextSource& source, const std::filesystem::path& name) const;
  int64_t rows() const { return rows_; }  // that are there
  int64_t kept() const { return kept_; }  // of these, what a killed run would leave

  void write(std::span<const float> vectors, uint64_t texts, bool more) override;
  void finish() override;

 private:
  std::filesystem::path path_;
  VectorsFormat format_;
  std::optional<PartialFile> file_;
  int32_t dim_ = 0;
  model::Identity made_with_, kept_with_;
  int64_t rows_ = 0, kept_ = 0;
  std::string kept_texts_;  // hash
  std::string record(uint64_t texts) const;
};

// JSONL to standard output.
class VectorsOutput final : public VectorSink {
 public:
  explicit VectorsOutput(int32_t dim) : dim_(dim) {}
  void write(std::span<const float> vectors, uint64_t texts, bool more) override;
  void finish() override {}
  int64_t rows() const { return rows_; }

 private:
  int32_t dim_;
  int64_t rows_ = 0;
};

}  // namespace hone::encode
