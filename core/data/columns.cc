#include "data/columns.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

#include "base/error.h"
#include "base/hash.h"
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

std::string_view trimmed(std::string_view text) {
  size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::string shown(std::string_view name) {
  return text::valid_utf8(name) ? cat("\"", excerpt(name), "\"") : std::string("(not UTF-8)");
}

Columns::Columns(Table& table, const ReadOptions& options) : table_(table), options_(options) {
  for (const auto& [role, column] : options.columns) {
    bool known = std::any_of(options.roles.begin(), options.roles.end(),
                             [&role = role](const RoleRequest& request) { return request.role == role; });
    if (!known)
      fail(table.path, ": column \"", excerpt(column), "\" is given the role \"", role,
           "\", which is not read here");
  }
}

void Columns::choose(std::span<const std::string_view> names, size_t line) {
  if (names.size() > kMostColumns)
    fail(table_.path, ":", line, ": found more than ", kMostColumns, " columns");
  for (const RoleRequest& request : options_.roles) {
    std::vector<std::string> wanted = candidates(request, options_);
    auto found = names.end();
    for (const std::string& name : wanted) {
      found = std::find(names.begin(), names.end(), name);
      if (found == names.end()) continue;
      if (std::find(found + 1, names.end(), name) != names.end()) {
        fail(table_.path, ":", line, ": column \"", excerpt(name), "\" is there twice");
      }
      break;
    }
    bool mapped = options_.columns.contains(request.role);
    if (found == names.end() && options_.only_column && !mapped && names.size() == 1) found = names.begin();
    if (found == names.end() && (request.required || mapped)) {
      const std::string& option = options_.column_option;
      fail(table_.path, ":", line, ": no column \"", excerpt(wanted.front()), "\"",
           mapped ? cat(" for \"", request.role, "\"") : "", ", the columns are ", listed(names),
           mapped ? ""
                  : cat(" (", option.empty() ? cat("--columns ", request.role, "=NAME") : option,
                        " names another)"));
    }
    if (found == names.end()) {
      for (std::string& name : wanted) absent_.emplace_back(std::move(name), &request);
      continue;
    }
    Slot slot{&request, std::string(*found), static_cast<size_t>(found - names.begin())};
    table_.columns[request.role] = slot.column;
    if (request.kind == ColumnKind::text) {
      slot.texts = &table_.texts[request.role];
    } else {
      slot.numbers = &table_.numbers[request.role];
    }
    slots_.push_back(std::move(slot));
  }
}

const RoleRequest* Columns::missed(std::string_view name) const {
  for (const auto& [absent, request] : absent_) {
    if (absent == name) return request;
  }
  return nullptr;
}

void Columns::put_text(const Slot& slot, std::string_view value, size_t line) {
  size_t good = text::valid_utf8_prefix(value);
  if (good != value.size()) wrong_value(slot, cat("bytes that are not UTF-8 (at byte ", good + 1, ")"), line);
  slot.texts->emplace_back(value);
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

void Columns::end_row(size_t line) {
  if (line > std::numeric_limits<uint32_t>::max())
    fail(table_.path, ": has more lines than can be counted (2^32)");
  table_.lines.push_back(static_cast<uint32_t>(line));
  ++table_.rows;
}

void Columns::wrong_value(const Slot& slot, std::string_view found, size_t line) const {
  fail(table_.path, ":", line, ": column \"", excerpt(slot.column), "\": found ", found, ", expected ",
       slot.request->kind == ColumnKind::text ? "a text" : "a finite number");
}

void Columns::finish() {
  if (table_.rows == 0) fail(table_.path, ": has no rows");
  Hash hash;
  hash.add(static_cast<uint64_t>(table_.rows));
  for (const auto& [role, values] : table_.texts) {
    hash.add(std::string_view(role));
    for (const std::string& value : values) hash.add(std::string_view(value));
  }
  for (const auto& [role, values] : table_.numbers) {
    hash.add(std::string_view(role));
    for (double value : values) hash.add(value);
  }
  table_.content_hash = hash.value();
}

}  // namespace hone::data
