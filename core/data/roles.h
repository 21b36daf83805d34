// What a reader is asked for: roles, and which columns of a file serve them.
//
// Rules: a role ("sentence1", "score") names what a column is for; the column's name is the role unless a map
// says otherwise. A numbered role stands for a family: "negative" also reads the columns negative_1,
// negative_2, ... (or negative1, ...; numbers may have gaps), each as a role of its own named "negative_1",
// "negative_2", ..., whichever way the column is written.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone::data {

// An id is kept as text; where values have types, a whole number is one too: 17 and "17" are the same id.
enum class ColumnKind { text, number, vector, id };

struct RoleRequest {
  std::string role;
  ColumnKind kind = ColumnKind::text;
  bool required = true;  // of a numbered role: at least one of the family
  // Other column names tried, in order, when the role's own is absent ("label").
  std::vector<std::string> also_named;
  bool numbered = false;
  // Of a text or id: a row may lack it (null, no such key in JSONL) and has an empty text then.
  bool sparse = false;
};

// Two texts that belong together, and what tells that rows are about the same thing: an id is only read where
// --columns names it, as many files have an id that means nothing here.
RoleRequest anchor_role();
RoleRequest positive_role();
RoleRequest id_role();

// The columns of a file as seen through a map role -> column. Refers to both.
struct NamedColumns {
  std::span<const std::string> names;
  const std::map<std::string, std::string>& columns;

  // A column that was given a role serves no other.
  bool has(const std::string& name) const;
  bool serve(const RoleRequest& role) const;
  bool serve_all(std::span<const RoleRequest> roles) const;  // that are required
};

// N where `name` is ROLE_N or ROLEN (at most nine digits).
std::optional<uint32_t> number_in_role(std::string_view role, std::string_view name);

// The role of that number: "negative_2".
std::string numbered_role(std::string_view role, uint32_t number);

// Parses "role=name,role=name"; throws Error naming the piece that is wrong, or a role not in `known`. A name
// with a comma in it, or one that begins with a quote, is put in quotes, a quote inside them doubled:
// role="last, first". A number of a numbered role is known, and comes back as numbered_role() writes it.
std::map<std::string, std::string> parse_columns(std::string_view text, std::span<const RoleRequest> known);
std::map<std::string, std::string> parse_columns(std::string_view text, std::span<const std::string> known);

}  // namespace hone::data
