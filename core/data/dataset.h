// Files of texts, numbers and vectors into tables, columns found by role.
//
// Rules: order of columns never matters. A bad row stops the reading with one line: file, line (1-based,
// header included), column, what was found, what was expected. Texts are kept as read (UTF-8 checked, a
// leading BOM removed). Formats by ending: .jsonl/.ndjson, .csv (RFC 4180 quoting), .tsv (no quoting: a `"`
// is a character), .txt (one text a line, role "text"), each also with .gz. A vector is an array of numbers
// in JSONL (or one number: a vector of that), elsewhere a text of numbers, see vectors.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/roles.h"
#include "data/table.h"

namespace hone::data {

struct ReadOptions {
  std::vector<RoleRequest> roles;
  // role -> column name in the file (--columns role=name,...). A column that is named here serves no numbered
  // role besides.
  std::map<std::string, std::string> columns;
  uint64_t max_rows = UINT64_MAX;
  bool only_column = false;  // a role that finds no column takes the file's only one, whatever its name
  // What messages say of a column that is missing; empty: "--columns ROLE=NAME names another".
  std::string column_hint;
  // The format as an ending ("jsonl", "csv.gz"); empty: that of the file's name.
  std::string format;
};

// Reads these roles. What they do not read may be named in `columns` all the same: one --columns serves
// several files, losses and tasks.
ReadOptions read_roles(std::vector<RoleRequest> roles, std::map<std::string, std::string> columns);
// What either reads.
ReadOptions read_both(ReadOptions one, const ReadOptions& other);

Table read_table(const std::filesystem::path& path, const ReadOptions& options);

// The names of a file's columns: its header, or the keys of the first row of JSONL; "text" of plain lines. No
// more than that is read, so that a program can choose what to read by what is there. A name may be there
// twice.
std::vector<std::string> column_names(const std::filesystem::path& path);

// The same from memory, for tests and fuzzing; `path` gives the format by its ending and stands in messages.
Table parse_table(std::string_view content, const std::filesystem::path& path, const ReadOptions& options);
std::vector<std::string> parse_column_names(std::string_view content, const std::filesystem::path& path);

}  // namespace hone::data
