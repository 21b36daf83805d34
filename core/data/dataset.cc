// Which reader a file gets.
#include "data/dataset.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "data/columns.h"
#include "data/lines.h"
#include "data/table_reader.h"

namespace hone::data {

namespace {

struct Format {
  const char* ending;
  std::unique_ptr<RowReader> (*rows)(LineReader&, const std::filesystem::path&);
  std::vector<std::string> (*names)(LineReader&, const std::filesystem::path&);
};

constexpr Format kFormats[] = {{".jsonl", jsonl_rows, names_of_jsonl},
                               {".ndjson", jsonl_rows, names_of_jsonl},
                               {".csv", csv_rows, names_of_csv},
                               {".tsv", tsv_rows, names_of_tsv},
                               {".txt", txt_rows, names_of_txt}};

// By the ending of the name, or by `given` where that is not empty; `gzip` where ".gz" stands behind it.
const Format& format_of(const std::filesystem::path& path, const std::string& given, bool& gzip) {
  auto lower = [](std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
  };
  const std::filesystem::path name = given.empty() ? path : std::filesystem::path(cat("x.", given));
  std::string ending = lower(name.extension().string());
  gzip = ending == ".gz";
  if (gzip) ending = lower(name.stem().extension().string());
  for (const Format& format : kFormats) {
    if (ending == format.ending) return format;
  }
  fail(path, ": found the ", given.empty() ? "ending" : "format", " \"",
       given.empty() ? ending : excerpt(given),
       "\", expected .jsonl, .ndjson, .csv, .tsv or .txt, each also with .gz");
}

Table read_all(std::unique_ptr<ByteInput> input, const std::filesystem::path& path,
               const ReadOptions& options) {
  TableReader reader(std::move(input), path, options);
  reader.next();
  return std::move(reader.table());
}

std::vector<std::string> names_of(ByteInput& input, const std::filesystem::path& path) {
  bool gzip = false;
  const Format& format = format_of(path, "", gzip);
  LineReader lines(input, path, gzip);
  return format.names(lines, path);
}

}  // namespace

ReadOptions read_roles(std::vector<RoleRequest> roles, std::map<std::string, std::string> columns) {
  std::erase_if(columns, [&](const auto& column) {
    return std::none_of(roles.begin(), roles.end(), [&](const RoleRequest& r) {
      return r.role == column.first || (r.numbered && number_in_role(r.role, column.first));
    });
  });
  return {.roles = std::move(roles), .columns = std::move(columns), .column_hint = {}};
}

ReadOptions read_both(ReadOptions one, const ReadOptions& other) {
  for (const RoleRequest& role : other.roles) {
    const bool there = std::any_of(one.roles.begin(), one.roles.end(),
                                   [&](const RoleRequest& r) { return r.role == role.role; });
    if (!there) one.roles.push_back(role);
  }
  one.columns.insert(other.columns.begin(), other.columns.end());
  return one;
}

TableReader::TableReader(std::unique_ptr<ByteInput> input, std::filesystem::path path, ReadOptions options)
    : input_(std::move(input)), path_(std::move(path)), options_(std::move(options)) {
  bool gzip = false;
  const Format& format = format_of(path_, options_.format, gzip);
  table_.path = path_;
  columns_ = std::make_unique<Columns>(table_, options_);
  lines_ = std::make_unique<LineReader>(*input_, path_, gzip);
  rows_ = format.rows(*lines_, path_);
}

TableReader::TableReader(const std::filesystem::path& path, ReadOptions options)
    : TableReader(std::make_unique<FileInput>(path), path, std::move(options)) {}

TableReader::~TableReader() = default;

bool TableReader::next(size_t most_rows, size_t most_bytes) {
  columns_->clear_rows();
  while (table_.rows < most_rows && columns_->text_bytes() < most_bytes && !columns_->full()) {
    if (!rows_->next(*columns_)) break;
  }
  columns_->finish();
  return table_.rows > 0;
}

Table parse_table(std::string_view content, const std::filesystem::path& path, const ReadOptions& options) {
  return read_all(std::make_unique<MemoryInput>(content), path, options);
}

std::vector<std::string> parse_column_names(std::string_view content, const std::filesystem::path& path) {
  MemoryInput input(content);
  return names_of(input, path);
}

Table read_table(const std::filesystem::path& path, const ReadOptions& options) {
  return read_all(std::make_unique<FileInput>(path), path, options);
}

std::vector<std::string> column_names(const std::filesystem::path& path) {
  FileInput input(path);
  return names_of(input, path);
}

}  // namespace hone::data
