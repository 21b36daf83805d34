// Which reader a file gets, and what a Table answers.
#include "data/dataset.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/file.h"
#include "data/columns.h"
#include "data/lines.h"

namespace hone::data {

namespace {

// The ending in lower case, and whether ".gz" followed it.
std::string format_of(const std::filesystem::path& path, bool& gzip) {
  auto lower = [](std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
  };
  std::string ending = lower(path.extension().string());
  gzip = ending == ".gz";
  return gzip ? lower(path.stem().extension().string()) : ending;
}

}  // namespace

std::map<std::string, std::string> parse_columns(std::string_view text, std::span<const std::string> known) {
  std::map<std::string, std::string> columns;
  while (true) {
    size_t comma = text.find(',');
    std::string_view piece = text.substr(0, comma);
    size_t equals = piece.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == piece.size()) {
      fail_usage("--columns: found \"", excerpt(piece), "\", expected role=name");
    }
    std::string role(piece.substr(0, equals));
    if (std::find(known.begin(), known.end(), role) == known.end()) {
      std::string roles;
      for (const std::string& name : known) roles += cat(roles.empty() ? "" : ", ", name);
      fail_usage("--columns: no role \"", excerpt(role), "\" here, the roles are ", roles);
    }
    if (!columns.emplace(role, piece.substr(equals + 1)).second)
      fail_usage("--columns: role \"", role, "\" is there twice");
    if (comma == std::string_view::npos) return columns;
    text.remove_prefix(comma + 1);
  }
}

const std::vector<std::string>& Table::text(const std::string& role) const {
  auto found = texts.find(role);
  if (found == texts.end()) fail(path, ": no texts were read for the role \"", role, "\"");
  return found->second;
}

const std::vector<double>& Table::number(const std::string& role) const {
  auto found = numbers.find(role);
  if (found == numbers.end()) fail(path, ": no numbers were read for the role \"", role, "\"");
  return found->second;
}

Table parse_table(std::string_view content, const std::filesystem::path& path, const ReadOptions& options) {
  using Reader = void (*)(LineReader&, Columns&, const std::filesystem::path&);
  bool gzip = false;
  std::string format = format_of(path, gzip);
  Reader read = nullptr;
  if (format == ".jsonl" || format == ".ndjson") read = read_jsonl;
  if (format == ".csv") read = read_csv;
  if (format == ".tsv") read = read_tsv;
  if (format == ".txt") read = read_txt;
  if (read == nullptr) {
    fail(path, ": found the ending \"", format,
         "\", expected .jsonl, .ndjson, .csv, .tsv or .txt, each also with .gz");
  }
  Table table;
  table.path = path;
  Columns columns(table, options);
  if (content.empty()) fail(path, ": is empty");
  LineReader lines(content, path, gzip);
  read(lines, columns, path);
  columns.finish();
  return table;
}

Table read_table(const std::filesystem::path& path, const ReadOptions& options) {
  MappedFile file(path);
  return parse_table(file.text(), path, options);
}

}  // namespace hone::data
