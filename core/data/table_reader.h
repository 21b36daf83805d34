// The rows of a file, a block at a time: memory for one block, however many rows there are.
//
// Rules: the same formats, checks and messages as read_table(), which is one block without bounds. A table
// stands for the rows of its block alone, its lines are those of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "data/dataset.h"

namespace hone::data {

class Columns;
class LineReader;
class RowReader;

class TableReader {
 public:
  TableReader(const std::filesystem::path& path, ReadOptions options);
  // `path` is how messages call the input, and gives its format where the options do not.
  TableReader(std::unique_ptr<ByteInput> input, std::filesystem::path path, ReadOptions options);
  ~TableReader();
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;

  // The next rows in place of those in table(): no more than `most_rows`, and none after those whose texts
  // reach `most_bytes`. False at the end. Throws Error at a bad row, and where there is no row at all.
  bool next(size_t most_rows = SIZE_MAX, size_t most_bytes = SIZE_MAX);
  // Values may be taken out of it.
  Table& table() { return table_; }
  const ByteInput& input() const { return *input_; }

 private:
  std::unique_ptr<ByteInput> input_;
  std::filesystem::path path_;
  ReadOptions options_;
  Table table_;
  std::unique_ptr<Columns> columns_;
  std::unique_ptr<LineReader> lines_;
  std::unique_ptr<RowReader> rows_;
};

}  // namespace hone::data
