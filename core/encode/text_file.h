// The texts of a file, or of standard input.
#pragma once

#include <filesystem>
#include <memory>

#include "data/table_reader.h"
#include "encode/text_source.h"

namespace hone::encode {

// `column` is that of the texts; empty: "text", or the only one. `format` as data::ReadOptions has it.
data::ReadOptions text_options(const std::string& column, const std::string& format = "");

class TextFile final : public TextSource {
 public:
  // "-" is standard input, which needs a format. Throws Error where there is nothing to read.
  TextFile(const std::filesystem::path& path, data::ReadOptions options);

  // Reads the whole file once: a bad row is found before work begins, and count() is known from then on. Does
  // nothing to standard input, which comes only once.
  void check();
  bool next(TextBlock& block, size_t most) override;
  size_t count() const override { return count_; }
  const std::filesystem::path& name() const { return name_; }  // as messages call it

 private:
  bool standard_input_;
  std::filesystem::path name_;
  data::ReadOptions options_;
  std::unique_ptr<data::TableReader> reader_;
  size_t count_ = 0, given_ = 0;
};

}  // namespace hone::encode
