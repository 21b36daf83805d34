#include "data/table.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "data/roles.h"
#include "text/tokenizer.h"

namespace hone::data {

namespace {

template <class Values>
const Values& values_of(const Table& table, const std::map<std::string, Values>& all, const std::string& role,
                        const char* kind) {
  auto found = all.find(role);
  if (found == all.end()) fail(table.source(), ": no ", kind, " were read for the role \"", role, "\"");
  return found->second;
}

// The roles of one table that the other lacks, or has of another kind.
template <class Values>
void list_missing(const std::map<std::string, Values>& all, const std::map<std::string, Values>& other,
                  const char* kind, std::string& out) {
  for (const auto& [role, values] : all) {
    if (!other.contains(role)) out += cat(out.empty() ? "" : ", ", "\"", role, "\" (", kind, ")");
  }
}

std::string missing(const Table& table, const Table& other) {
  std::string roles;
  list_missing(table.texts, other.texts, "text", roles);
  list_missing(table.numbers, other.numbers, "number", roles);
  list_missing(table.vectors, other.vectors, "vector", roles);
  return roles;
}

void check_alike(const Table& table, const Table& other) {
  const std::string here = missing(table, other), there = missing(other, table);
  if (!here.empty() || !there.empty()) {
    fail(table.source(), " and ", other.source(), ": found other columns, expected the same roles: ",
         here.empty() ? "" : cat("only ", table.source(), " has ", here),
         here.empty() || there.empty() ? "" : ", ",
         there.empty() ? "" : cat("only ", other.source(), " has ", there));
  }
  for (const auto& [role, values] : table.vectors) {
    const size_t width = other.vectors.at(role).width;
    if (width == values.width) continue;
    fail(other.source(), ": column \"", excerpt(other.columns.at(role)), "\": found vectors of ", width,
         " numbers, expected ", values.width, " as in ", table.source());
  }
}

template <class T>
void reserve_for(std::vector<T>& values, const std::vector<T>& more) {
  const size_t needed = values.size() + more.size();
  // At least twice as large, so that a table of many files is not copied for each of them.
  if (needed > values.capacity()) values.reserve(std::max(needed, 2 * values.capacity()));
}

template <class T>
void move_behind(std::vector<T>& values, std::vector<T>& more) {
  values.insert(values.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// What is there may be large and is not copied where nothing stands before it.
template <class T>
void take_behind(std::vector<T>& values, std::vector<T>& more) {
  if (values.empty()) {
    std::swap(values, more);
  } else {
    values.insert(values.end(), more.begin(), more.end());
  }
}

// Of files one after the other.
uint64_t joined_hash(uint64_t first, uint64_t second) {
  Hash hash;
  hash.add(first);
  hash.add(second);
  return hash.value();
}

void check_row_count(const Table& table, const Table& more) {
  if (table.rows > std::numeric_limits<uint32_t>::max() - more.rows)
    fail(table.source(), " and ", more.source(), ": have more rows than can be counted (2^32)");
}

}  // namespace

Table Table::outline() const {
  Table t;
  t.path = path;
  t.rows = rows;
  t.columns = columns;
  t.lines = lines;
  t.origins = origins;
  t.appended = appended;
  t.content_hash = content_hash;
  return t;
}

const std::vector<std::string>& Table::text(const std::string& role) const {
  return values_of(*this, texts, role, "texts");
}

const std::vector<double>& Table::number(const std::string& role) const {
  return values_of(*this, numbers, role, "numbers");
}

const Vectors& Table::vector(const std::string& role) const {
  return values_of(*this, vectors, role, "vectors");
}

std::vector<std::string> Table::numbered(const std::string& role) const {
  std::vector<std::pair<uint32_t, std::string>> found;
  const auto add = [&](const auto& values_of_role) {
    const std::string& name = values_of_role.first;
    const auto number = number_in_role(role, name);
    if (number && name == numbered_role(role, *number)) found.emplace_back(*number, name);
  };
  std::for_each(texts.begin(), texts.end(), add);
  std::for_each(numbers.begin(), numbers.end(), add);
  std::for_each(vectors.begin(), vectors.end(), add);
  std::sort(found.begin(), found.end());
  std::vector<std::string> roles;
  if (has(role)) roles.push_back(role);
  for (auto& [number, name] : found) roles.push_back(std::move(name));
  return roles;
}

void Table::append(Table other) {
  check_alike(*this, other);
  check_row_count(*this, other);
  // All memory first: what follows cannot fail half-way.
  for (auto& [role, values] : texts) reserve_for(values, other.texts.at(role));
  for (auto& [role, values] : numbers) reserve_for(values, other.numbers.at(role));
  for (auto& [role, values] : vectors) reserve_for(values.values, other.vectors.at(role).values);
  reserve_for(lines, other.lines);
  std::vector<Part> parts{{other.path, rows, std::move(other.columns)}};
  for (Part& part : other.appended)
    parts.push_back({std::move(part.path), rows + part.first_row, std::move(part.columns)});
  reserve_for(appended, parts);
  for (auto& [role, values] : texts) move_behind(values, other.texts.at(role));
  for (auto& [role, values] : numbers) move_behind(values, other.numbers.at(role));
  for (auto& [role, values] : vectors) move_behind(values.values, other.vectors.at(role).values);
  move_behind(lines, other.lines);
  move_behind(appended, parts);
  rows += other.rows;
  content_hash = joined_hash(content_hash, other.content_hash);
}

void Table::append_block(Table& block, bool another_file) {
  if (rows == 0) {
    path = block.path;
    columns = block.columns;
    appended = block.appended;
    origins = std::move(block.origins);
    for (const auto& [role, values] : block.texts) texts[role];
    for (const auto& [role, values] : block.numbers) numbers[role];
    for (const auto& [role, values] : block.vectors) vectors[role].width = values.width;
  } else {
    check_block(block);
  }
  if (another_file) {
    appended.push_back({block.path, rows, block.columns});
    earlier_hash_ = content_hash;
  }
  const bool first_file = appended.size() == block.appended.size();
  for (auto& [role, values] : numbers) take_behind(values, block.numbers.at(role));
  for (auto& [role, values] : vectors) take_behind(values.values, block.vectors.at(role).values);
  take_behind(lines, block.lines);
  rows += block.rows;
  content_hash = first_file ? block.content_hash : joined_hash(earlier_hash_, block.content_hash);
}

void Table::check_block(const Table& block) const {
  if (rows == 0) return;
  check_alike(*this, block);
  check_row_count(*this, block);
}

Table Table::take(const std::vector<bool>& marked) {
  Table taken;
  taken.path = path;
  taken.columns = columns;
  const auto split = [&](auto& values, auto& out) {
    size_t kept = 0;
    for (size_t row = 0; row < rows; ++row) {
      if (marked[row]) {
        out.push_back(std::move(values[row]));
      } else if (kept++ != row) {
        values[kept - 1] = std::move(values[row]);
      }
    }
    values.resize(kept);
  };
  for (auto& [role, values] : texts) split(values, taken.texts[role]);
  for (auto& [role, values] : numbers) split(values, taken.numbers[role]);
  for (auto& [role, values] : vectors) {
    Vectors all = std::move(values);
    Vectors& out = taken.vectors[role];
    values = {};
    values.width = out.width = all.width;
    for (size_t row = 0; row < rows; ++row) {
      const auto numbers_of_row = all.row(row);
      Vectors& side = marked[row] ? out : values;
      side.values.insert(side.values.end(), numbers_of_row.begin(), numbers_of_row.end());
    }
  }
  if (origins.empty()) {
    origins.resize(rows);
    std::iota(origins.begin(), origins.end(), 0U);
  }
  split(origins, taken.origins);
  split(lines, taken.lines);
  taken.appended = appended;
  for (size_t part = 0; part < appended.size(); ++part) {
    const auto begin = static_cast<std::ptrdiff_t>(appended[part].first_row);
    const auto before = static_cast<size_t>(std::count(marked.begin(), marked.begin() + begin, true));
    appended[part].first_row -= before;
    taken.appended[part].first_row = before;
  }
  const uint64_t whole = content_hash;
  for (Table* half : {this, &taken}) {
    half->rows = half->lines.size();
    Hash hash;
    hash.add(whole);
    for (const uint32_t row : half->origins) hash.add(static_cast<uint64_t>(row));
    half->content_hash = hash.value();
  }
  return taken;
}

const Table::Part* Table::part_of(size_t row) const {
  auto after = std::upper_bound(appended.begin(), appended.end(), row,
                                [](size_t at, const Part& part) { return at < part.first_row; });
  return after == appended.begin() ? nullptr : &*std::prev(after);
}

std::string Table::where(size_t row) const {
  const Part* part = part_of(row);
  return cat(part == nullptr ? path : part->path, ":", lines.at(row));
}

std::string Table::where(size_t row, const std::string& role) const {
  const Part* part = part_of(row);
  return cat(where(row), ": column \"", excerpt((part == nullptr ? columns : part->columns).at(role)), "\"");
}

std::string Table::source() const {
  if (appended.empty()) return path.string();
  if (appended.size() == 1) return cat(path, " and ", appended.front().path);
  return cat(appended.size() + 1, " files (", path, ", ...)");
}

void EmptyTexts::look_at(const Table& block, std::span<const std::string> roles) {
  std::vector<const std::vector<std::string>*> columns;
  for (const std::string& role : roles) columns.push_back(&block.text(role));
  for (size_t row = 0; row < block.rows; ++row) {
    const auto empty = std::find_if(columns.begin(), columns.end(),
                                    [&](const auto* column) { return text::only_blanks((*column)[row]); });
    if (empty == columns.end()) continue;
    if (count_++ == 0) first_ = block.where(row, roles[static_cast<size_t>(empty - columns.begin())]);
  }
}

std::string EmptyTexts::about(size_t rows) const {
  if (count_ == 0) return {};
  return cat(count_, " of ", rows, count_ == 1 ? " rows has" : " rows have", " an empty text, ",
             count_ == 1 ? "" : "the first: ", first_);
}

std::string about_empty_texts(const Table& table, std::span<const std::string> roles) {
  EmptyTexts empty;
  empty.look_at(table, roles);
  return empty.about(table.rows);
}

}  // namespace hone::data
