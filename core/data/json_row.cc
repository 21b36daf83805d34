#include "data/json_row.h"

#include "base/error.h"
#include "data/columns.h"

namespace hone::data {

namespace {

constexpr int kDeepest = 64;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The value of four hexadecimal digits, or -1.
int hex4(std::string_view digits) {
  if (digits.size() < 4) return -1;
  int value = 0;
  for (char c : digits.substr(0, 4)) {
    int digit = is_digit(c)            ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

bool is_high_surrogate(int unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low_surrogate(int unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

void append_utf8(std::string& out, int code) {
  auto put = [&out](int byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

// A cursor over the line. Each function stands at the first character of what it takes.
class Scanner {
 public:
  explicit Scanner(std::string_view line) : line_(line) {}

  [[noreturn]] void unexpected(std::string_view expected) const {
    std::string found = at_ < line_.size() ? cat("\"", word(), "\"") : std::string("the end of the line");
    fail("at byte ", at_ + 1, ": found ", found, ", expected ", expected);
  }

  char peek() const { return at_ < line_.size() ? line_[at_] : '\0'; }
  bool at_end() const { return at_ >= line_.size(); }

  void skip_blanks() {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t' || line_[at_] == '\r')) ++at_;
  }

  void take(char c, std::string_view expected) {
    if (peek() != c || at_end()) unexpected(expected);
    ++at_;
  }

  // A string, quotes included; the view is what stands between them.
  std::string_view string() {
    take('"', "a key in quotes");
    size_t begin = at_;
    for (;;) {
      if (at_end()) unexpected("the closing quote of a string");
      unsigned char c = static_cast<unsigned char>(line_[at_]);
      if (c == '"') break;
      if (c < 0x20) unexpected("no control character inside a string");
      if (c == '\\') {
        escape();
      } else {
        ++at_;
      }
    }
    return line_.substr(begin, at_++ - begin);
  }

  std::string_view value(JsonKind& kind, int depth) {
    size_t begin = at_;
    switch (peek()) {
      case '"':
        kind = JsonKind::string;
        return string();
      case '{':
      case '[':
        kind = peek() == '{' ? JsonKind::object : JsonKind::array;
        container(depth + 1);
        break;
      case 't':
        kind = JsonKind::boolean;
        literal("true");
        break;
      case 'f':
        kind = JsonKind::boolean;
        literal("false");
        break;
      case 'n':
        kind = JsonKind::null;
        literal("null");
        break;
      default:
        kind = JsonKind::number;
        number();
    }
    return line_.substr(begin, at_ - begin);
  }

 private:
  std::string_view line_;
  size_t at_ = 0;

  // What stands here, for a message: a word, or one character.
  std::string word() const {
    size_t end = at_;
    auto in_word = [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    };
    while (end < line_.size() && end - at_ < 20 && in_word(line_[end])) ++end;
    if (end > at_) return std::string(line_.substr(at_, end - at_));
    return static_cast<unsigned char>(line_[at_]) < 0x80 ? excerpt(line_.substr(at_, 1)) : std::string("?");
  }

  void literal(std::string_view name) {
    if (line_.substr(at_, name.size()) != name) unexpected("a value");
    at_ += name.size();
  }

  void escape() {
    std::string_view rest = line_.substr(at_ + 1);
    if (rest.empty()) unexpected("a whole escape sequence");
    if (std::string_view("\"\\/bfnrt").find(rest.front()) != std::string_view::npos) {
      at_ += 2;
      return;
    }
    int unit = rest.front() == 'u' ? hex4(rest.substr(1)) : -1;
    if (unit < 0) unexpected("an escape sequence of JSON");
    if (is_high_surrogate(unit)) {
      std::string_view second = rest.substr(5);
      if (!second.starts_with("\\u") || !is_low_surrogate(hex4(second.substr(2))))
        unexpected("a pair of surrogates");
      at_ += 12;
      return;
    }
    if (is_low_surrogate(unit)) unexpected("a pair of surrogates");
    at_ += 6;
  }

  void digits() {
    if (!is_digit(peek())) unexpected("a value");
    while (is_digit(peek())) ++at_;
  }

  void number() {
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
    } else {
      digits();
    }
    if (peek() == '.') {
      ++at_;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      digits();
    }
  }

  // An array or object whose content nobody wants.
  void container(int depth) {
    if (depth > kDeepest) fail("at byte ", at_ + 1, ": found nesting deeper than ", kDeepest, " levels");
    bool object = peek() == '{';
    char close = object ? '}' : ']';
    ++at_;
    skip_blanks();
    if (peek() == close) {
      ++at_;
      return;
    }
    for (;;) {
      skip_blanks();
      if (object) {
        string();
        skip_blanks();
        take(':', "a colon");
        skip_blanks();
      }
      JsonKind ignored{};
      value(ignored, depth);
      skip_blanks();
      if (peek() == close) break;
      take(',', object ? "a comma or }" : "a comma or ]");
    }
    ++at_;
  }
};

}  // namespace

std::span<const JsonField> JsonRow::parse(std::string_view line) {
  Scanner scanner(line);
  std::string buffer;
  size_t count = 0;
  scanner.skip_blanks();
  scanner.take('{', "one JSON object a line");
  scanner.skip_blanks();
  while (scanner.peek() != '}') {
    if (count == kMostColumns) fail("found more than ", kMostColumns, " keys");
    if (fields_.size() == count) fields_.emplace_back();
    JsonField& field = fields_[count++];
    field.key = decode_json_string(scanner.string(), buffer);
    scanner.skip_blanks();
    scanner.take(':', "a colon");
    scanner.skip_blanks();
    try {
      field.raw = scanner.value(field.kind, 1);
    } catch (const Error& error) {
      fail("column ", shown(field.key), ": ", error.what());
    }
    scanner.skip_blanks();
    if (scanner.peek() == '}') break;
    scanner.take(',', "a comma or }");
    scanner.skip_blanks();
    if (scanner.peek() == '}') scanner.unexpected("a key in quotes");
  }
  scanner.take('}', "a comma or }");
  scanner.skip_blanks();
  if (!scanner.at_end()) scanner.unexpected("the end of the line after the object");
  return std::span(fields_).first(count);
}

std::string_view decode_json_string(std::string_view raw, std::string& buffer) {
  size_t escape = raw.find('\\');
  if (escape == std::string_view::npos) return raw;
  buffer.clear();
  for (; escape != std::string_view::npos; escape = raw.find('\\')) {
    buffer += raw.substr(0, escape);
    raw.remove_prefix(escape + 1);
    size_t used = 1;
    switch (raw.front()) {
      case 'b':
        buffer += '\b';
        break;
      case 'f':
        buffer += '\f';
        break;
      case 'n':
        buffer += '\n';
        break;
      case 'r':
        buffer += '\r';
        break;
      case 't':
        buffer += '\t';
        break;
      case 'u': {
        int code = hex4(raw.substr(1));
        used = 5;
        if (is_high_surrogate(code)) {
          code = 0x10000 + ((code - 0xD800) << 10) + (hex4(raw.substr(7)) - 0xDC00);
          used = 11;
        }
        append_utf8(buffer, code);
        break;
      }
      default:
        buffer += raw.front();
    }
    raw.remove_prefix(used);
  }
  buffer += raw;
  return buffer;
}

std::string_view json_kind_name(JsonKind kind) {
  switch (kind) {
    case JsonKind::string:
      return "a string";
    case JsonKind::number:
      return "a number";
    case JsonKind::boolean:
      return "true or false";
    case JsonKind::null:
      return "null";
    case JsonKind::array:
      return "an array";
    case JsonKind::object:
      return "an object";
  }
  return "";
}

}  // namespace hone::data
