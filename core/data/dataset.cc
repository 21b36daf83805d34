// Which reader a file gets.
#include "data/dataset.h"

#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "data/columns.h"
#include "data/lines.h"

namespace hone::data {

namespace {

struct Format {
  const char* ending;
  void (*read)(LineReader&, Columns&, const std::filesystem::path&);
  std::vector<std::string> (*names)(LineReader&, const std::filesystem::path&);
};

constexpr Format kFormats[] = {{".jsonl", read_jsonl, names_of_jsonl},
                               {".ndjson", read_jsonl, names_of_jsonl},
                               {".csv", read_csv, names_of_csv},
                               {".tsv", read_tsv, names_of_tsv},
                               {".txt", read_txt, names_of_txt}};

// By the ending, in lower case; `gzip` where ".gz" followed it.
const Format& format_of(const std::filesystem::path& path, bool& gzip) {
  auto lower = [](std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
  };
  std::string ending = lower(path.extension().string());
  gzip = ending == ".gz";
  if (gzip) ending = lower(path.stem().extension().string());
  for (const Format& format : kFormats) {
    if (ending == format.ending) return format;
  }
  fail(path, ": found the ending \"", ending,
       "\", expected .jsonl, .ndjson, .csv, .tsv or .txt, each also with .gz");
}

}  // namespace

Table parse_table(std::string_view content, const std::filesystem::path& path, const ReadOptions& options) {
  bool gzip = false;
  const Format& format = format_of(path, gzip);
  Table table;
  table.path = path;
  Columns columns(table, options);
  if (content.empty()) fail(path, ": is empty");
  LineReader lines(content, path, gzip);
  format.read(lines, columns, path);
  columns.finish();
  return table;
}

std::vector<std::string> parse_column_names(std::string_view content, const std::filesystem::path& path) {
  bool gzip = false;
  const Format& format = format_of(path, gzip);
  if (content.empty()) fail(path, ": is empty");
  LineReader lines(content, path, gzip);
  return format.names(lines, path);
}

Table read_table(const std::filesystem::path& path, const ReadOptions& options) {
  MappedFile file(path);
  return parse_table(file.text(), path, options);
}

std::vector<std::string> column_names(const std::filesystem::path& path) {
  MappedFile file(path);
  return parse_column_names(file.text(), path);
}

}  // namespace hone::data
