#include "data/columns.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <system_error>

#include "base/error.h"
#include "text/tokenizer.h"

namespace hone::data {

namespace {

constexpr size_t kNamesShown = 20;

std::string listed(std::span<const std::string_view> names) {
  if (names.empty()) return "none";
  std::string out;
  for (size_t i = 0; i < names.size() && i < kNamesShown; ++i) {
    out += cat(i == 0 ? "" : ", ", shown(names[i]));
  }
  if (names.size() > kNamesShown) out += cat(" and ", names.size() - kNamesShown, " more");
  return out;
}

// The names that stand for a role, the preferred first.
std::vector<std::string> candidates(const RoleRequest& request, const ReadOptions& options) {
  if (auto mapped = options.columns.find(request.role); mapped != options.columns.end())
    return {mapped->second};
  std::vector<std::string> names{request.role};
  names.insert(names.end(), request.also_named.begin(), request.also_named.end());
  return names;
}

// The role itself, or one of its numbers as numbered_role() writes it.
bool serves(const RoleRequest& request, std::string_view role) {
  if (role == request.role) return true;
  if (!request.numbered) return false;
  const auto number = number_in_role(request.role, role);
  return number && role == numbered_role(request.role, *number);
}

std::string_view expected_of(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::text:
      return "a text";
    case ColumnKind::number:
      return "a finite number";
    case ColumnKind::vector:
      return "a vector of finite numbers";
    case ColumnKind::id:
      return "a text or a whole number";
  }
  return "";
}

std::string_view trimmed(std::string_view text) {
  size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::string shown(std::string_view name) {
  return text::valid_utf8(name) ? cat("\"", excerpt(name), "\"") : std::string("(not UTF-8)");
}

void check_column_count(size_t count, const std::filesystem::path& path, size_t line) {
  if (count > kMostColumns) fail(path, ":", line, ": found more than ", kMostColumns, " columns");
}

void fail_no_rows(const std::filesystem::path& path) {
  fail(path, ": has no rows");
}

Columns::Columns(Table& table, const ReadOptions& options) : table_(table), options_(options) {
  for (const auto& [role, column] : options.columns) {
    bool known = std::any_of(options.roles.begin(), options.roles.end(),
                             [&role = role](const RoleRequest& request) { return serves(request, role); });
    if (!known)
      fail(table.path, ": column \"", excerpt(column), "\" is given the role \"", role,
           "\", which is not read here");
  }
}

void Columns::choose(std::span<const std::string_view> names, size_t line, bool each_row_names) {
  each_row_names_ = each_row_names;
  check_column_count(names.size(), table_.path, line);
  for (const RoleRequest& request : options_.roles) {
    bool found = choose_own(request, names, line);
    if (request.numbered) found |= choose_numbered(request, names, line);
    if (!found && options_.only_column && names.size() == 1 && !options_.columns.contains(request.role)) {
      add_slot(request, request.role, names[0], 0);
      found = true;
    }
    if (!found && request.required) no_column(request, "", names, line);
  }
}

// The column of the role itself. Remembers the names that were looked for and are not there.
bool Columns::choose_own(const RoleRequest& request, Names names, size_t line) {
  const bool mapped = options_.columns.contains(request.role);
  std::vector<std::string> wanted = candidates(request, options_);
  // The map may have given the name of the family itself to one of its numbers.
  if (request.numbered && !mapped)
    std::erase_if(wanted, [this](const std::string& name) { return is_mapped(name); });
  for (const std::string& name : wanted) {
    size_t index = find(names, name, line);
    if (index == names.size()) continue;
    add_slot(request, request.role, name, index);
    return true;
  }
  if (request.sparse && each_row_names_) {
    add_slot(request, request.role, wanted.front(), names.size());
    return true;
  }
  if (mapped) no_column(request, request.role, names, line);
  for (std::string& name : wanted) absent_.emplace_back(std::move(name), &request);
  return false;
}

bool Columns::choose_numbered(const RoleRequest& request, Names names, size_t line) {
  std::map<uint32_t, size_t> found;
  for (const auto& [role, column] : options_.columns) {
    if (role == request.role || !serves(request, role)) continue;
    size_t index = find(names, column, line);
    if (index == names.size()) no_column(request, role, names, line);
    found[*number_in_role(request.role, role)] = index;
  }
  for (size_t i = 0; i < names.size(); ++i) {
    const auto number = number_in_role(request.role, names[i]);
    if (!number || is_mapped(names[i])) continue;
    const std::string role = numbered_role(request.role, *number);
    if (options_.columns.contains(role)) continue;
    auto [place, fresh] = found.emplace(*number, i);
    if (fresh) continue;
    find(names, names[i], line);  // says so where it is the same name
    fail(table_.path, ":", line, ": columns \"", excerpt(names[place->second]), "\" and \"",
         excerpt(names[i]), "\" are both the role \"", role, "\", expected one of them");
  }
  for (const auto& [number, index] : found)
    add_slot(request, numbered_role(request.role, number), names[index], index);
  return !found.empty();
}

void Columns::add_slot(const RoleRequest& request, std::string role, std::string_view column, size_t index) {
  Slot slot{&request, std::move(role), std::string(column), index};
  table_.columns[slot.role] = slot.column;
  switch (request.kind) {
    case ColumnKind::text:
    case ColumnKind::id:
      slot.texts = &table_.texts[slot.role];
      break;
    case ColumnKind::number:
      slot.numbers = &table_.numbers[slot.role];
      break;
    case ColumnKind::vector:
      slot.vectors = &table_.vectors[slot.role];
  }
  slots_.push_back(std::move(slot));
}

// The place of `name`, the number of names when it is not there.
size_t Columns::find(Names names, std::string_view name, size_t line) const {
  auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end() && std::find(found + 1, names.end(), name) != names.end())
    fail(table_.path, ":", line, ": column \"", excerpt(name), "\" is there twice");
  return static_cast<size_t>(found - names.begin());
}

bool Columns::is_mapped(std::string_view column) const {
  return std::any_of(options_.columns.begin(), options_.columns.end(),
                     [column](const auto& mapped) { return mapped.second == column; });
}

// `mapped_role`: the role whose column the options name; empty when none of the request's names is there.
void Columns::no_column(const RoleRequest& request, const std::string& mapped_role, Names names,
                        size_t line) const {
  if (!mapped_role.empty()) {
    fail(table_.path, ":", line, ": no column \"", excerpt(options_.columns.at(mapped_role)), "\" for \"",
         mapped_role, "\", the columns are ", listed(names));
  }
  const std::string& hint = options_.column_hint;
  fail(table_.path, ":", line, ": no column \"", excerpt(request.role), "\"",
       request.numbered ? cat(", \"", numbered_role(request.role, 1), "\", ...") : "", ", the columns are ",
       listed(names), " (", hint.empty() ? cat("--columns ", request.role, "=NAME names another") : hint,
       ")");
}

const RoleRequest* Columns::missed(std::string_view name) const {
  for (const auto& [absent, request] : absent_) {
    if (absent == name) return request;
  }
  for (const RoleRequest& request : options_.roles) {
    if (!request.numbered) continue;
    const auto number = number_in_role(request.role, name);
    if (!number || is_mapped(name) || options_.columns.contains(numbered_role(request.role, *number)))
      continue;
    if (std::none_of(slots_.begin(), slots_.end(), [name](const Slot& s) { return s.column == name; }))
      return &request;
  }
  return nullptr;
}

void Columns::put_text(const Slot& slot, std::string_view value, size_t line) {
  size_t good = text::valid_utf8_prefix(value);
  if (good != value.size()) wrong_value(slot, cat("bytes that are not UTF-8 (at byte ", good + 1, ")"), line);
  slot.texts->emplace_back(value);
  text_bytes_ += value.size();
}

void Columns::put_number(const Slot& slot, std::string_view value, size_t line) {
  std::string_view number = trimmed(value);
  if (number.empty()) wrong_value(slot, "nothing", line);
  if (number.size() > 1 && number.front() == '+' && number[1] != '-') number.remove_prefix(1);
  double parsed = 0;
  auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), parsed);
  bool whole = end == number.data() + number.size();
  if (code == std::errc::result_out_of_range && whole)
    wrong_value(slot, cat(excerpt(number), " (out of range)"), line);
  if (code != std::errc() || !whole || !std::isfinite(parsed)) {
    wrong_value(slot, shown(value), line);
  }
  slot.numbers->push_back(parsed);
}

void Columns::put_number(const Slot& slot, double value, size_t line) {
  if (!std::isfinite(value)) wrong_value(slot, cat(value), line);
  slot.numbers->push_back(value);
}

// What was appended of a vector that is refused is taken off again.
template <class Value, class... How>
void Columns::put_checked_vector(const Slot& slot, size_t line, Value value, How... how) {
  Vectors& vectors = *slot.vectors;
  const size_t before = vectors.values.size();
  const std::string wrong = append_numbers(value, vectors.values, how...);
  const size_t width = vectors.values.size() - before;
  if (wrong.empty() && vectors.width == 0) vectors.width = width;
  if (wrong.empty() && width > 0 && width == vectors.width) return;
  vectors.values.resize(before);
  if (!wrong.empty()) wrong_value(slot, wrong, line);
  if (width == 0) wrong_value(slot, "an empty vector", line);
  fail(table_.path, ":", line, ": column \"", excerpt(slot.column), "\": found ", width,
       width == 1 ? " number" : " numbers", ", expected ", vectors.width, " as in the first row");
}

void Columns::put_vector(const Slot& slot, std::string_view value, size_t line, Notation notation) {
  put_checked_vector(slot, line, value, notation);
}

void Columns::put_vector(const Slot& slot, std::span<const float> value, size_t line) {
  put_checked_vector(slot, line, value);
}

void Columns::put_vector(const Slot& slot, std::span<const double> value, size_t line) {
  put_checked_vector(slot, line, value);
}

void Columns::put_field(const Slot& slot, std::string_view value, size_t line) {
  if (slot.texts != nullptr) put_text(slot, value, line);
  if (slot.numbers != nullptr) put_number(slot, value, line);
  if (slot.vectors != nullptr) put_vector(slot, value, line);
}

void Columns::take_back() {
  for (const Slot& slot : slots_) {
    if (slot.texts != nullptr) slot.texts->resize(table_.rows);
    if (slot.numbers != nullptr) slot.numbers->resize(table_.rows);
    if (slot.vectors == nullptr) continue;
    slot.vectors->values.resize(table_.rows * slot.vectors->width);
    if (earlier_rows_ + table_.rows == 0) slot.vectors->width = 0;
  }
}

void Columns::clear_rows() {
  for (const Slot& slot : slots_) {
    if (slot.texts != nullptr) slot.texts->clear();
    if (slot.numbers != nullptr) slot.numbers->clear();
    if (slot.vectors != nullptr) slot.vectors->values.clear();
  }
  table_.lines.clear();
  earlier_rows_ += table_.rows;
  table_.rows = hashed_rows_ = text_bytes_ = 0;
}

void Columns::end_row(size_t line) {
  if (line > std::numeric_limits<uint32_t>::max())
    fail(table_.path, ": has more lines than can be counted (2^32)");
  table_.lines.push_back(static_cast<uint32_t>(line));
  ++table_.rows;
}

void Columns::wrong_value(const Slot& slot, std::string_view found, size_t line) const {
  fail(table_.path, ":", line, ": column \"", excerpt(slot.column), "\": found ", found, ", expected ",
       expected_of(slot.request->kind));
}

// Each column has a hash of its own, so that it does not tell how rows were cut into blocks.
void Columns::finish() {
  if (earlier_rows_ + table_.rows == 0) fail_no_rows(table_.path);
  hashes_.resize(slots_.size());
  std::map<std::string_view, uint64_t> by_role;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    for (size_t row = hashed_rows_; row < table_.rows; ++row) {
      if (slot.texts != nullptr) hashes_[i].add(std::string_view((*slot.texts)[row]));
      if (slot.numbers != nullptr) hashes_[i].add((*slot.numbers)[row]);
      if (slot.vectors != nullptr) hashes_[i].add(slot.vectors->row(row));
    }
    by_role[slot.role] = hashes_[i].value();
  }
  hashed_rows_ = table_.rows;
  Hash hash;
  hash.add(static_cast<uint64_t>(earlier_rows_ + table_.rows));
  for (const auto& [role, values] : by_role) {
    hash.add(role);
    hash.add(values);
  }
  table_.content_hash = hash.value();
}

}  // namespace hone::data
