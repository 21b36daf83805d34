// CSV, TSV and plain lines.
//
// Rules: the first line of a CSV or TSV names the columns, and every row has as many fields. An empty line is
// skipped, except where it is a row of the only column. CSV is RFC 4180: a field with a comma, a quote or a
// line break is quoted, a quote in it doubled; a quote anywhere else is an error, since what follows could
// only be guessed. TSV knows no quoting at all.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/columns.h"
#include "data/lines.h"

namespace hone::data {

namespace {

void put_row(Columns& columns, const std::vector<std::string_view>& fields, size_t expected, size_t line,
             const std::filesystem::path& path) {
  if (fields.size() != expected) {
    fail(path, ":", line, ": found ", fields.size() > kMostColumns ? "more than " : "",
         std::min(fields.size(), kMostColumns), fields.size() == 1 ? " field" : " fields", ", expected ",
         expected, " as in the first line");
  }
  for (const Slot& slot : columns.slots()) columns.put_field(slot, fields[slot.index], line);
  columns.end_row(line);
}

// Stops after one field too many: a line may be 64 MiB of separators.
void split(std::string_view line, char separator, std::vector<std::string_view>& fields) {
  fields.clear();
  while (fields.size() <= kMostColumns) {
    size_t end = line.find(separator);
    fields.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return;
    line.remove_prefix(end + 1);
  }
}

// Records of a CSV file, which may span lines.
class CsvReader {
 public:
  CsvReader(LineReader& lines, const std::filesystem::path& path) : lines_(lines), path_(path) {}

  // The fields of the next record, valid until the next call. False at the end.
  bool next(std::vector<std::string_view>& fields) {
    fields.clear();
    std::string_view line;
    if (!lines_.next(line)) return false;
    first_line_ = lines_.number();
    if (line.find('"') == std::string_view::npos) {
      split(without_return(line), ',', fields);
    } else {
      split_quoted(line, fields);
    }
    return true;
  }
  size_t line() const { return first_line_; }

 private:
  LineReader& lines_;
  const std::filesystem::path& path_;
  size_t first_line_ = 0;
  std::string record_;  // the lines of a record with quotes, without their outer quotes, quotes undoubled
  std::vector<size_t> ends_;  // of each field in record_

  [[noreturn]] void broken(std::string_view what) const {
    fail(path_, ":", lines_.number(), ": field ", ends_.size() + 1, ": ", what);
  }

  void split_quoted(std::string_view line, std::vector<std::string_view>& fields) {
    record_.clear();
    ends_.clear();
    for (bool more = true; more;) {
      if (line.starts_with('"')) {
        line.remove_prefix(1);
        take_quoted(line);
      } else {
        std::string_view plain = line.substr(0, line.find(','));
        if (plain.find('"') != std::string_view::npos) {
          broken("found a quote inside an unquoted field, expected the field quoted and the quote doubled");
        }
        line.remove_prefix(plain.size());
        record_ += line.empty() ? without_return(plain) : plain;
      }
      ends_.push_back(record_.size());
      more = line.starts_with(',') && ends_.size() <= kMostColumns;
      if (more) line.remove_prefix(1);
    }
    for (size_t begin = 0; size_t end : ends_) {
      fields.push_back(std::string_view(record_).substr(begin, end - begin));
      begin = end;
    }
  }

  // From behind the opening quote to behind the closing one, over as many lines as it takes.
  void take_quoted(std::string_view& line) {
    size_t opened = lines_.number();
    for (;;) {
      size_t quote = line.find('"');
      if (quote == std::string_view::npos) {
        record_ += line;
        record_ += '\n';
        bool too_long = record_.size() > kLongestLine;
        if (too_long || !lines_.next(line)) {
          fail(path_, ":", opened, ": field ", ends_.size() + 1, ": the quote opened here is not closed",
               too_long ? cat(" within ", kLongestLine >> 20, " MiB") : "");
        }
        continue;
      }
      record_ += line.substr(0, quote);
      line.remove_prefix(quote + 1);
      if (!line.starts_with('"')) break;
      record_ += '"';
      line.remove_prefix(1);
    }
    if (line == "\r") line = {};
    if (!line.empty() && line.front() != ',') {
      broken(cat("found \"", excerpt(line, 10),
                 "\" after the closing quote, expected a comma or the end of the line"));
    }
  }
};

class CsvRows final : public RowReader {
 public:
  CsvRows(LineReader& lines, const std::filesystem::path& path) : records_(lines, path), path_(path) {}

  bool next(Columns& columns) override {
    if (width_ == 0) {
      if (!records_.next(fields_)) return false;
      width_ = fields_.size();
      columns.choose(fields_, records_.line());
    }
    while (records_.next(fields_)) {
      const bool empty = fields_.size() == 1 && fields_.front().empty();
      if (empty && width_ != 1) continue;
      put_row(columns, fields_, width_, records_.line(), path_);
      return true;
    }
    return false;
  }

 private:
  CsvReader records_;
  const std::filesystem::path& path_;
  std::vector<std::string_view> fields_;
  size_t width_ = 0;  // 0: the names were not read yet
};

class TsvRows final : public RowReader {
 public:
  TsvRows(LineReader& lines, const std::filesystem::path& path) : lines_(lines), path_(path) {}

  bool next(Columns& columns) override {
    std::string_view line;
    if (width_ == 0) {
      if (!lines_.next(line)) return false;
      split(without_return(line), '\t', fields_);
      width_ = fields_.size();
      columns.choose(fields_, lines_.number());
    }
    while (lines_.next(line)) {
      line = without_return(line);
      if (line.empty() && width_ > 1) continue;
      split(line, '\t', fields_);
      put_row(columns, fields_, width_, lines_.number(), path_);
      return true;
    }
    return false;
  }

 private:
  LineReader& lines_;
  const std::filesystem::path& path_;
  std::vector<std::string_view> fields_;
  size_t width_ = 0;  // 0: the names were not read yet
};

class TxtRows final : public RowReader {
 public:
  TxtRows(LineReader& lines, const std::filesystem::path& path) : lines_(lines), path_(path) {}

  bool next(Columns& columns) override {
    if (fields_.empty()) {
      fields_.emplace_back("text");
      columns.choose(fields_, 1);
    }
    std::string_view line;
    if (!lines_.next(line)) return false;
    fields_.front() = without_return(line);
    put_row(columns, fields_, 1, lines_.number(), path_);
    return true;
  }

 private:
  LineReader& lines_;
  const std::filesystem::path& path_;
  std::vector<std::string_view> fields_;
};

}  // namespace

std::unique_ptr<RowReader> csv_rows(LineReader& lines, const std::filesystem::path& path) {
  return std::make_unique<CsvRows>(lines, path);
}

std::unique_ptr<RowReader> tsv_rows(LineReader& lines, const std::filesystem::path& path) {
  return std::make_unique<TsvRows>(lines, path);
}

std::unique_ptr<RowReader> txt_rows(LineReader& lines, const std::filesystem::path& path) {
  return std::make_unique<TxtRows>(lines, path);
}

std::vector<std::string> names_of_csv(LineReader& reader, const std::filesystem::path& path) {
  CsvReader records(reader, path);
  std::vector<std::string_view> fields;
  if (!records.next(fields)) fail_no_rows(path);
  check_column_count(fields.size(), path, records.line());
  return {fields.begin(), fields.end()};
}

std::vector<std::string> names_of_tsv(LineReader& reader, const std::filesystem::path& path) {
  std::string_view line;
  if (!reader.next(line)) fail_no_rows(path);
  std::vector<std::string_view> fields;
  split(without_return(line), '\t', fields);
  check_column_count(fields.size(), path, reader.number());
  return {fields.begin(), fields.end()};
}

std::vector<std::string> names_of_txt(LineReader& reader, const std::filesystem::path& path) {
  std::string_view line;
  if (!reader.next(line)) fail_no_rows(path);
  return {"text"};
}

}  // namespace hone::data
