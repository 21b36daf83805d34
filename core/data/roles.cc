#include "data/roles.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/spelling.h"

namespace hone::data {

namespace {

// The known role that `name` stands for, as a table writes it.
std::optional<std::string> known_role(std::span<const RoleRequest> known, std::string_view name) {
  for (const RoleRequest& request : known) {
    if (request.role == name) return request.role;
  }
  for (const RoleRequest& request : known) {
    if (!request.numbered) continue;
    if (auto number = number_in_role(request.role, name)) return numbered_role(request.role, *number);
  }
  return std::nullopt;
}

std::string listed(std::span<const RoleRequest> known) {
  std::string roles;
  for (const RoleRequest& request : known) {
    roles += cat(roles.empty() ? "" : ", ", request.role);
    if (request.numbered) roles += cat(", ", request.role, "_1, ", request.role, "_2, ...");
  }
  return roles;
}

// Takes the name of a column off `text`, up to a comma or the end. `piece`: the whole, for messages.
std::string take_name(std::string_view& text, std::string_view piece) {
  if (!text.starts_with('"')) {
    const std::string_view name = text.substr(0, text.find(','));
    if (name.empty()) fail_usage("--columns: found \"", excerpt(piece), "\", expected role=name");
    text.remove_prefix(name.size());
    return std::string(name);
  }
  text.remove_prefix(1);
  std::string name;
  for (;;) {
    const size_t quote = text.find('"');
    if (quote == std::string_view::npos) {
      fail_usage("--columns: ", excerpt(piece),
                 " found, the quote closed expected (role=\"name\", a quote in ", "the name doubled)");
    }
    name += text.substr(0, quote);
    text.remove_prefix(quote + 1);
    if (!text.starts_with('"')) break;
    name += '"';
    text.remove_prefix(1);
  }
  if (!text.empty() && text.front() != ',') {
    fail_usage("--columns: ", excerpt(piece),
               " found, a comma or the end expected after the closing quote (a ",
               "quote in the name is doubled)");
  }
  return name;
}

}  // namespace

RoleRequest anchor_role() {
  return {.role = "anchor", .also_named = {"query", "question"}};
}

RoleRequest positive_role() {
  return {.role = "positive", .also_named = {"passage", "answer"}};
}

RoleRequest id_role() {
  return {.role = "id", .kind = ColumnKind::id, .also_named = {}, .sparse = true};
}

bool NamedColumns::has(const std::string& name) const {
  return std::find(names.begin(), names.end(), name) != names.end() &&
         std::none_of(columns.begin(), columns.end(), [&](const auto& c) { return c.second == name; });
}

bool NamedColumns::serve(const RoleRequest& role) const {
  if (columns.contains(role.role) || has(role.role)) return true;
  if (std::any_of(role.also_named.begin(), role.also_named.end(), [&](const auto& n) { return has(n); }))
    return true;
  if (!role.numbered) return false;
  const auto is_one = [&](const std::string& name) { return number_in_role(role.role, name).has_value(); };
  return std::any_of(names.begin(), names.end(), is_one) ||
         std::any_of(columns.begin(), columns.end(), [&](const auto& c) { return is_one(c.first); });
}

bool NamedColumns::serve_all(std::span<const RoleRequest> roles) const {
  return std::all_of(roles.begin(), roles.end(), [&](const auto& r) { return !r.required || serve(r); });
}

std::optional<uint32_t> number_in_role(std::string_view role, std::string_view name) {
  constexpr size_t kMostDigits = 9;
  if (!name.starts_with(role)) return std::nullopt;
  name.remove_prefix(role.size());
  if (name.starts_with('_')) name.remove_prefix(1);
  if (name.empty() || name.size() > kMostDigits ||
      name.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  uint32_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

std::string numbered_role(std::string_view role, uint32_t number) {
  return cat(role, "_", number);
}

std::map<std::string, std::string> parse_columns(std::string_view text, std::span<const RoleRequest> known) {
  std::map<std::string, std::string> columns;
  while (true) {
    const std::string_view plain = text.substr(0, text.find(','));
    const size_t equals = plain.find('=');
    if (equals == std::string_view::npos || equals == 0)
      fail_usage("--columns: found \"", excerpt(plain), "\", expected role=name");
    const bool quoted = text.substr(equals + 1).starts_with('"');
    const std::string_view name = plain.substr(0, equals), piece = quoted ? text : plain;
    text.remove_prefix(equals + 1);
    std::string column = take_name(text, piece);
    std::optional<std::string> role = known_role(known, name);
    if (!role) {
      fail_usage("--columns: no role \"", excerpt(name), "\" here, the roles are ", listed(known),
                 did_you_mean_of(name, known, [](const RoleRequest& r) { return std::string_view(r.role); }));
    }
    if (!columns.emplace(*role, std::move(column)).second)
      fail_usage("--columns: role \"", *role, "\" is there twice");
    if (text.empty()) return columns;
    text.remove_prefix(1);
  }
}

std::map<std::string, std::string> parse_columns(std::string_view text, std::span<const std::string> known) {
  std::vector<RoleRequest> requests;
  for (const std::string& role : known) requests.push_back({.role = role, .also_named = {}});
  return parse_columns(text, requests);
}

}  // namespace hone::data
