// The columns of a table under construction: found by role, filled value by value.
//
// Rules: every value that enters a Table comes through here, so this is where UTF-8, numbers and widths are
// checked and where messages get their file, line and column.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "data/dataset.h"

namespace hone::data {

// One role and where its values go: one of texts, numbers and vectors. Several roles may read the same
// column.
struct Slot {
  const RoleRequest* request = nullptr;
  std::string role;    // that of the request, or one of its numbers
  std::string column;  // name in the file
  size_t index = 0;    // place among the names given to Columns::choose
  std::vector<std::string>* texts = nullptr;
  std::vector<double>* numbers = nullptr;
  Vectors* vectors = nullptr;
};

class Columns {
 public:
  // Checks that every key of options.columns is a requested role.
  Columns(Table& table, const ReadOptions& options);

  // Finds the column of each role among the names of the file (`line` is where they stand). Throws Error
  // listing the names when a required role has none, when a chosen name is there twice, when two names are
  // the same number of a role or when there are more than kMostColumns.
  // `each_row_names`: these are the names of the first row alone, so that a sparse role is read even where
  // none of them is its column.
  void choose(std::span<const std::string_view> names, size_t line, bool each_row_names = false);
  std::span<const Slot> slots() const { return slots_; }
  // The optional role that would have read `name` had the first row had it; null otherwise.
  const RoleRequest* missed(std::string_view name) const;

  void put_text(const Slot& slot, std::string_view value, size_t line);
  // The text of a number; blanks around it are allowed.
  void put_number(const Slot& slot, std::string_view value, size_t line);
  void put_number(const Slot& slot, double value, size_t line);
  // The text of a vector, or its numbers.
  void put_vector(const Slot& slot, std::string_view value, size_t line, Notation notation = Notation::text);
  void put_vector(const Slot& slot, std::span<const float> value, size_t line);
  void put_vector(const Slot& slot, std::span<const double> value, size_t line);
  // A field of a file without types, as what the slot is.
  void put_field(const Slot& slot, std::string_view value, size_t line);
  void end_row(size_t line);
  void take_back();  // the values put since the last end_row: a row that is refused leaves nothing behind
  bool full() const { return earlier_rows_ + table_.rows >= options_.max_rows; }
  // The rows of the table make place for the next ones. What was found out of them stays: the columns, the
  // width of vectors, that there were rows.
  void clear_rows();
  size_t text_bytes() const { return text_bytes_; }  // of the rows in the table

  // "FILE:LINE: column "NAME": found FOUND, expected a number": what a value of the wrong kind is told.
  [[noreturn]] void wrong_value(const Slot& slot, std::string_view found, size_t line) const;
  // Throws Error when no row came. The table's hash is then that of all rows so far, those cleared too.
  void finish();

 private:
  Table& table_;
  const ReadOptions& options_;
  std::vector<Slot> slots_;
  bool each_row_names_ = false;
  uint64_t earlier_rows_ = 0;  // that were cleared
  size_t text_bytes_ = 0;
  std::vector<Hash> hashes_;  // [slots], of the rows so far but for those behind `hashed_rows_` of the table
  size_t hashed_rows_ = 0;
  std::vector<std::pair<std::string, const RoleRequest*>> absent_;  // names that optional roles did not find

  using Names = std::span<const std::string_view>;
  bool choose_own(const RoleRequest& request, Names names, size_t line);
  bool choose_numbered(const RoleRequest& request, Names names, size_t line);
  void add_slot(const RoleRequest& request, std::string role, std::string_view column, size_t index);
  size_t find(Names names, std::string_view name, size_t line) const;
  bool is_mapped(std::string_view column) const;
  [[noreturn]] void no_column(const RoleRequest& request, const std::string& mapped_role, Names names,
                              size_t line) const;
  template <class Value, class... How>
  void put_checked_vector(const Slot& slot, size_t line, Value value, How... how);
};

constexpr size_t kMostColumns = 10000;

// A name of a column as a message shows it.
std::string shown(std::string_view name);

// Throws Error when a file has more than kMostColumns.
void check_column_count(size_t count, const std::filesystem::path& path, size_t line);
[[noreturn]] void fail_no_rows(const std::filesystem::path& path);

// Puts the rows of a file into columns.
class RowReader {
 public:
  virtual ~RowReader() = default;
  // One row; false at the end. The first call finds the columns.
  virtual bool next(Columns& columns) = 0;
};

// Those of each format, and the names of its columns alone. `lines` stands at the first line; it and `path`
// must outlive the reader.
class LineReader;
std::unique_ptr<RowReader> jsonl_rows(LineReader& lines, const std::filesystem::path& path);
std::unique_ptr<RowReader> csv_rows(LineReader& lines, const std::filesystem::path& path);
std::unique_ptr<RowReader> tsv_rows(LineReader& lines, const std::filesystem::path& path);
std::unique_ptr<RowReader> txt_rows(LineReader& lines, const std::filesystem::path& path);
std::vector<std::string> names_of_jsonl(LineReader& reader, const std::filesystem::path& path);
std::vector<std::string> names_of_csv(LineReader& reader, const std::filesystem::path& path);
std::vector<std::string> names_of_tsv(LineReader& reader, const std::filesystem::path& path);
std::vector<std::string> names_of_txt(LineReader& reader, const std::filesystem::path& path);

}  // namespace hone::data
