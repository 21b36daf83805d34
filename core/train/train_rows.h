// Where the rows of a run come from: a block at a time, so that their texts are never in memory all at once.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/table_reader.h"

namespace hone::train {

class TrainRows {
 public:
  virtual ~TrainRows() = default;
  // The present block; there is one from the start.
  virtual const data::Table& block() const = 0;
  // The same, where its values may be taken out of it; null where others use them, too.
  virtual data::Table* owned() = 0;
  // Goes on to the next one; false where there is none, and none is present then.
  virtual bool next() = 0;
  // The present block is the first of another file than the block before it.
  virtual bool another_file() const = 0;
};

// A table that is there, as one block.
class TableRows final : public TrainRows {
 public:
  explicit TableRows(data::Table table) : table_(std::move(table)) {}
  const data::Table& block() const override { return table_; }
  data::Table* owned() override { return &table_; }
  bool next() override { return false; }
  bool another_file() const override { return false; }

 private:
  data::Table table_;
};

// The same of a table that stays as it is: it is read, and neither copied nor kept.
class SharedRows final : public TrainRows {
 public:
  explicit SharedRows(const data::Table& table) : table_(table) {}
  const data::Table& block() const override { return table_; }
  data::Table* owned() override { return nullptr; }
  bool next() override { return false; }
  bool another_file() const override { return false; }

 private:
  const data::Table& table_;
};

// All blocks as one table, texts included.
data::Table whole_table(TrainRows& rows);

// All files as one table, with the columns that a loss wants: the one asked for, or where that is empty the
// one that suits the first file. And with those of the evaluation task `task`, where one is named.
class FileRows final : public TrainRows {
 public:
  FileRows(std::vector<std::filesystem::path> files, const std::string& loss,
           std::map<std::string, std::string> columns, std::string task = "");
  const data::Table& block() const override { return reader_->table(); }
  data::Table* owned() override { return &reader_->table(); }
  bool next() override;
  bool another_file() const override { return another_file_; }

 private:
  void open();

  std::vector<std::filesystem::path> files_;
  std::string loss_, task_;
  std::map<std::string, std::string> columns_;
  size_t file_ = 0;
  bool another_file_ = false;
  std::unique_ptr<data::TableReader> reader_;
};

}  // namespace hone::train
