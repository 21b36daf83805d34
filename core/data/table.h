// What was read: the values of each role, row by row.
//
// Rules: every role has a value in every row. Several files may make one table; a message about a row names
// the file it came from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/vectors.h"

namespace hone::data {

struct Table {
  // Where a further file's rows begin.
  struct Part {
    std::filesystem::path path;
    size_t first_row = 0;
    std::map<std::string, std::string> columns;  // role -> its column's name in this file
  };

  std::filesystem::path path;  // of the first file
  size_t rows = 0;
  std::map<std::string, std::vector<std::string>> texts;  // role -> [rows]
  std::map<std::string, std::vector<double>> numbers;     // role -> [rows], all finite
  std::map<std::string, Vectors> vectors;                 // role -> [rows, width], all finite
  std::map<std::string, std::string> columns;             // role -> its column's name in the first file
  std::vector<uint32_t> lines;                            // [rows] line of each row in its file, for messages
  std::vector<Part> appended;                             // the files after the first, in order
  std::vector<uint32_t> origins;                          // [rows] of a half of a table; empty: it is whole
  uint64_t content_hash = 0;                              // of all roles' values, for checking a resume

  bool has(const std::string& role) const {
    return texts.contains(role) || numbers.contains(role) || vectors.contains(role);
  }
  Table outline() const;  // without values: what is left are rows, columns and where they are, for messages
  const std::vector<std::string>& text(const std::string& role) const;  // throws Error when absent
  const std::vector<double>& number(const std::string& role) const;     // throws Error when absent
  const Vectors& vector(const std::string& role) const;                 // throws Error when absent
  // Those of a numbered role that are here: the role itself, then ROLE_N by number.
  std::vector<std::string> numbered(const std::string& role) const;

  // The rows of `other` after those that are here. Throws Error, and changes nothing, where the roles, their
  // kinds or the widths of vectors differ.
  void append(Table other);
  // The rows of a block of a file, behind those that are here; `another_file`: its first one. Numbers,
  // vectors and lines are taken out of it, texts are left to it. Throws Error as append() does.
  void append_block(Table& block, bool another_file);
  void check_block(const Table& block) const;  // throws as append_block() would

  // Takes the rows that are marked out of this table, into one of the same columns. Either half knows where
  // its rows come from; neither is appended to.
  Table take(const std::vector<bool>& marked);
  // The place of a row in the table that rows were taken from.
  size_t origin(size_t row) const { return origins.empty() ? row : origins.at(row); }

  std::string where(size_t row) const;                           // "FILE:LINE"
  std::string where(size_t row, const std::string& role) const;  // "FILE:LINE: column "NAME""
  std::string source() const;  // "a.tsv", "a.tsv and b.tsv", "3 files (a.tsv, ...)"

 private:
  const Part* part_of(size_t row) const;  // null: of the first file
  uint64_t earlier_hash_ = 0;             // of the files before the one whose blocks are appended
};

// Rows with an empty text among those with these roles, of a table that comes by blocks; blanks alone are
// empty, too.
class EmptyTexts {
 public:
  void look_at(const Table& block, std::span<const std::string> roles);
  // "3 of 60 rows have an empty text, the first: pairs.tsv:17: column "positive""; nothing where none has.
  std::string about(size_t rows) const;

 private:
  size_t count_ = 0;
  std::string first_;
};

// The same of a whole table.
std::string about_empty_texts(const Table& table, std::span<const std::string> roles);

}  // namespace hone::data
