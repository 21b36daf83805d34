#include "encode/text_file.h"

#include <algorithm>
#include <utility>

namespace hone::encode {

namespace {

constexpr size_t kBlockBytes = size_t{16} << 20;  // of texts: long ones come in blocks of fewer
constexpr const char* kRole = "text";

std::unique_ptr<data::TableReader> open_texts(bool standard_input, const std::filesystem::path& name,
                                              const data::ReadOptions& options) {
  if (!standard_input) return std::make_unique<data::TableReader>(name, options);
  return std::make_unique<data::TableReader>(FileInput::standard_input(), name, options);
}

}  // namespace

data::ReadOptions text_options(const std::string& column, const std::string& format) {
  data::ReadOptions options;
  options.roles = {{kRole, data::ColumnKind::text, true, {}}};
  options.only_column = true;
  options.column_hint = "--column NAME names another";
  options.format = format;
  if (!column.empty()) options.columns[kRole] = column;
  return options;
}

TextFile::TextFile(const std::filesystem::path& path, data::ReadOptions options)
    : standard_input_(path == "-"),
      name_(standard_input_ ? std::filesystem::path("standard input") : path),
      options_(std::move(options)),
      reader_(open_texts(standard_input_, name_, options_)) {}

void TextFile::check() {
  if (standard_input_) return;
  data::TableReader reader(name_, options_);
  size_t rows = 0;
  while (reader.next(SIZE_MAX, kBlockBytes)) rows += reader.table().rows;
  count_ = rows;
}

bool TextFile::next(TextBlock& block, size_t most) {
  block.texts.clear();
  if (!reader_->next(most, kBlockBytes)) return false;
  data::Table& table = reader_->table();
  block.first = std::exchange(given_, given_ + table.rows);
  std::swap(block.texts, table.texts.at(kRole));
  block.hash = table.content_hash;
  return true;
}

}  // namespace hone::encode
