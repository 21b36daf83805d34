// Tables of texts and numbers, columns found by role.
//
// Rules: a role ("sentence1", "score") names what a column is for; a file's own column name is the role
// unless `columns` maps it. Order of columns never matters. A bad row stops the reading with one line: file,
// line (1-based, header included), column, what was found, what was expected. Texts are kept as read (UTF-8
// checked, a leading BOM removed). Formats by ending: .jsonl/.ndjson, .csv (RFC 4180 quoting), .tsv (no
// quoting: a `"` is a character), .txt (one text a line, role "text"), each also with .gz.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone::data {

enum class ColumnKind { text, number };

struct RoleRequest {
  std::string role;
  ColumnKind kind = ColumnKind::text;
  bool required = true;
  // Other column names tried, in order, when the role's own is absent ("label").
  std::vector<std::string> also_named;
};

struct ReadOptions {
  std::vector<RoleRequest> roles;
  std::map<std::string, std::string> columns;  // role -> column name in the file (--columns role=name,...)
  uint64_t max_rows = UINT64_MAX;
  bool only_column = false;   // a role that finds no column takes the file's only one, whatever its name
  std::string column_option;  // what messages say names another column; empty: "--columns ROLE=NAME"
};

// Parses "role=name,role=name"; throws Error naming the piece that is wrong, or a role not in `known`.
std::map<std::string, std::string> parse_columns(std::string_view text, std::span<const std::string> known);

struct Table {
  std::filesystem::path path;
  size_t rows = 0;
  std::map<std::string, std::vector<std::string>> texts;  // role -> [rows]
  std::map<std::string, std::vector<double>> numbers;     // role -> [rows], all finite
  std::map<std::string, std::string> columns;             // role -> its column's name in the file
  std::vector<uint32_t> lines;                            // [rows] line of each row in the file, for messages
  uint64_t content_hash = 0;                              // of all roles' values, for checking a resume

  bool has(const std::string& role) const { return texts.contains(role) || numbers.contains(role); }
  const std::vector<std::string>& text(const std::string& role) const;  // throws Error when absent
  const std::vector<double>& number(const std::string& role) const;     // throws Error when absent
};

Table read_table(const std::filesystem::path& path, const ReadOptions& options);

// The same from memory, for tests and fuzzing; `path` gives the format by its ending and stands in messages.
Table parse_table(std::string_view content, const std::filesystem::path& path, const ReadOptions& options);

}  // namespace hone::data
