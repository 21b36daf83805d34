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
  if (rows > std::numeric_limits<uint32_t>::max() - other.rows)
    fail(source(), " and ", other.source(), ": have more rows than can be counted (2^32)");
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
  Hash hash;
  hash.add(content_hash);
  hash.add(other.content_hash);
  content_hash = hash.value();
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

std::string about_empty_texts(const Table& table, std::span<const std::string> roles) {
  size_t count = 0;
  std::string first;
  for (size_t row = 0; row < table.rows; ++row) {
    const auto empty = std::find_if(roles.begin(), roles.end(), [&](const std::string& role) {
      return text::only_blanks(table.text(role)[row]);
    });
    if (empty == roles.end()) continue;
    if (count++ == 0) first = table.where(row, *empty);
  }
  if (count == 0) return {};
  return cat(count, " of ", table.rows, count == 1 ? " rows has" : " rows have", " an empty text, ",
             count == 1 ? "" : "the first: ", first);
}

}  // namespace hone::data
