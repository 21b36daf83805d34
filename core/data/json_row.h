// One line of JSONL: an object whose strings and numbers are wanted, everything else only checked.
//
// Rules: strict JSON (RFC 8259), nothing added. Nesting deeper than 64 and more than kMostColumns keys are
// refused. Nothing is decoded until asked for: a field is a view of the line.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone::data {

enum class JsonKind { string, number, boolean, null, array, object };

struct JsonField {
  std::string key;       // decoded
  std::string_view raw;  // the value as written; a string without its quotes
  JsonKind kind = JsonKind::null;
};

class JsonRow {
 public:
  // The fields of the object in `line`, valid until the next call. Throws Error without a place: "at byte 7:
  // found ..., expected ...".
  std::span<const JsonField> parse(std::string_view line);

 private:
  std::vector<JsonField> fields_;  // kept between rows, so that keys need no new memory
};

// The text of a string that parse() accepted; `raw` itself when nothing in it is escaped, else built in
// `buffer`.
std::string_view decode_json_string(std::string_view raw, std::string& buffer);

// "a string", "null", ... for messages.
std::string_view json_kind_name(JsonKind kind);

}  // namespace hone::data
