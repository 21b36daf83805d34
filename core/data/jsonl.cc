// JSONL: one object a line, its keys the columns.
//
// Rules: the first row decides which key serves a role; a later row that lacks it, or that brings a key an
// optional role would have taken, is an error, since rows would silently mean different things. Keys nobody
// asked for are ignored. Empty lines are skipped. A sparse role may be null, or missing, in any row; asked
// for, it is in one at least.
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/columns.h"
#include "data/json_row.h"
#include "data/lines.h"

namespace hone::data {

namespace {

std::string keys_of(std::span<const JsonField> fields) {
  std::string keys;
  for (const JsonField& field : fields) {
    if (keys.size() > 300) return keys + ", ...";
    keys += cat(keys.empty() ? "" : ", ", shown(field.key));
  }
  return keys.empty() ? std::string("none") : keys;
}

// The field of `slot`; null where a sparse role is missing. Throws Error when it is missing or there twice.
const JsonField* field_of(const Slot& slot, std::span<const JsonField> fields, size_t line,
                          const std::filesystem::path& path) {
  const JsonField* found = nullptr;
  for (const JsonField& field : fields) {
    if (field.key != slot.column) continue;
    if (found != nullptr) fail(path, ":", line, ": column \"", excerpt(slot.column), "\" is there twice");
    found = &field;
  }
  if (found == nullptr && !slot.request->sparse) {
    fail(path, ":", line, ": no column \"", excerpt(slot.column), "\", the columns of this row are ",
         keys_of(fields));
  }
  return found;
}

// JSON's own spelling of whole numbers is one for each but 0 and -0.
bool is_whole(std::string_view number) {
  return number.find_first_of(".eE") == std::string_view::npos && number != "-0";
}

// `seen`, of each slot: whether a row had it.
void put_row(Columns& columns, std::span<const JsonField> fields, size_t line,
             const std::filesystem::path& path, std::string& buffer, std::vector<bool>& seen) {
  for (size_t i = 0; i < columns.slots().size(); ++i) {
    const Slot& slot = columns.slots()[i];
    const JsonField* there = field_of(slot, fields, line, path);
    seen[i] = seen[i] || there != nullptr;
    if (slot.request->sparse && (there == nullptr || there->kind == JsonKind::null)) {
      columns.put_text(slot, {}, line);
      continue;
    }
    const JsonField& field = *there;
    const bool number = field.kind == JsonKind::number, string = field.kind == JsonKind::string;
    if (string && slot.vectors == nullptr) {
      columns.put_field(slot, decode_json_string(field.raw, buffer), line);
    } else if (number && slot.request->kind == ColumnKind::id && is_whole(field.raw)) {
      columns.put_text(slot, field.raw, line);
    } else if (number && slot.numbers != nullptr) {
      columns.put_number(slot, field.raw, line);
    } else if ((number || field.kind == JsonKind::array) && slot.vectors != nullptr) {
      columns.put_vector(slot, field.raw, line, Notation::json);
    } else {
      const bool shows = number && slot.request->kind == ColumnKind::id;
      columns.wrong_value(slot, shows ? excerpt(field.raw) : std::string(json_kind_name(field.kind)), line);
    }
  }
  for (const JsonField& field : fields) {
    if (const RoleRequest* request = columns.missed(field.key)) {
      fail(path, ":", line, ": column \"", excerpt(field.key), "\" (", request->role,
           ") is in this row but not in the first one");
    }
  }
  columns.end_row(line);
}

// The fields of the next row, empty lines skipped. False at the end.
bool next_row(LineReader& reader, JsonRow& row, std::span<const JsonField>& fields,
              const std::filesystem::path& path) {
  std::string_view line;
  while (reader.next(line)) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    try {
      fields = row.parse(line);
    } catch (const Error& error) {
      fail(path, ":", reader.number(), ": ", error.what());
    }
    return true;
  }
  return false;
}

class JsonlRows final : public RowReader {
 public:
  JsonlRows(LineReader& lines, const std::filesystem::path& path) : lines_(lines), path_(path) {}

  bool next(Columns& columns) override {
    std::span<const JsonField> fields;
    if (!next_row(lines_, row_, fields, path_)) {
      check_seen(columns);
      return false;
    }
    if (first_keys_.empty()) {
      std::vector<std::string_view> names;
      for (const JsonField& field : fields) names.push_back(field.key);
      columns.choose(names, lines_.number(), true);
      seen_.resize(columns.slots().size());
      first_keys_ = keys_of(fields);
    }
    put_row(columns, fields, lines_.number(), path_, buffer_, seen_);
    return true;
  }

 private:
  LineReader& lines_;
  const std::filesystem::path& path_;
  JsonRow row_;
  std::string buffer_;
  std::vector<bool> seen_;  // of each slot: whether a row had it
  std::string first_keys_;  // of the first row; empty before it

  void check_seen(const Columns& columns) const {
    for (size_t i = 0; i < seen_.size(); ++i) {
      const Slot& slot = columns.slots()[i];
      if (!seen_[i] && slot.request->required)
        fail(path_, ": no column \"", excerpt(slot.column), "\" for \"", slot.role,
             "\" in any row, the columns of the first are ", first_keys_);
    }
  }
};

}  // namespace

std::unique_ptr<RowReader> jsonl_rows(LineReader& lines, const std::filesystem::path& path) {
  return std::make_unique<JsonlRows>(lines, path);
}

std::vector<std::string> names_of_jsonl(LineReader& reader, const std::filesystem::path& path) {
  JsonRow row;
  std::span<const JsonField> fields;
  if (!next_row(reader, row, fields, path)) fail_no_rows(path);
  std::vector<std::string> names;
  for (const JsonField& field : fields) names.push_back(field.key);
  return names;
}

}  // namespace hone::data
