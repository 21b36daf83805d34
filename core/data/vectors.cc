#include "data/vectors.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

#include "base/error.h"
#include "data/columns.h"

namespace hone::data {

namespace {

// Of an array printed over several lines, quoted in a CSV, line breaks are blanks too.
constexpr std::string_view kBlanks = " \t\r\n";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

const char* skip_blanks(const char* at, const char* end) {
  while (at != end && is_blank(*at)) ++at;
  return at;
}

// The number at [begin, end) that float's from_chars called out of range: too large for any float, or so
// small that it is 0 as one.
bool tiny_as_float(const char* begin, const char* end, float& value) {
  double wide = 0;
  auto [stop, code] = std::from_chars(begin, end, wide);
  if (code != std::errc() || stop != end || std::abs(wide) > 1) return false;
  value = static_cast<float>(wide);
  return true;
}

bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}

// A comma between two digits.
bool is_tight_comma(std::string_view text, size_t at) {
  return text[at] == ',' && at > 0 && is_decimal(text[at - 1]) && at + 1 < text.size() &&
         is_decimal(text[at + 1]);
}

// Whether the digits of `whole` are cut into groups of three by `mark`, as in 1.234.567.
bool has_thousands(std::string_view whole, char mark) {
  const size_t first = whole.find(mark);
  if (first == std::string_view::npos || first == 0 || first > 3 || whole.front() == '0') return false;
  for (size_t i = 0; i < whole.size(); ++i) {
    const bool between = i >= first && (i - first) % 4 == 0;
    if (between ? whole[i] != mark : !is_decimal(whole[i])) return false;
  }
  return (whole.size() - first) % 4 == 0;
}

// Whether `word`, which has a comma between two digits and no blank, may be anything but numbers with decimal
// points and commas between them.
bool may_be_read_otherwise(std::string_view word) {
  if (word.find('.') == std::string_view::npos) return true;
  if (word.front() == '-' || word.front() == '+') word.remove_prefix(1);
  word = word.substr(0, word.find_first_of("eE"));
  const size_t last_comma = word.rfind(','), last_point = word.rfind('.');
  return last_point < last_comma ? has_thousands(word.substr(0, last_comma), '.')   // 1.234,5
                                 : has_thousands(word.substr(0, last_point), ',');  // 1,234.5
}

// What is between blanks (or a comma that is no decimal one) and cannot be understood for certain; empty:
// nothing. `array`: it stood in [ ].
std::string_view unclear(std::string_view text, bool array) {
  bool alone = true;  // the first word is the only one
  std::string_view found;
  for (size_t begin = text.find_first_not_of(kBlanks); begin < text.size();) {
    size_t end = begin;
    bool tight = false;
    for (; end < text.size() && !is_blank(text[end]); ++end) {
      if (is_tight_comma(text, end)) tight = true;
    }
    std::string_view word = text.substr(begin, end - begin);
    while (word.ends_with(',')) word.remove_suffix(1);
    while (word.starts_with(',')) word.remove_prefix(1);
    if (found.empty() && tight && may_be_read_otherwise(word)) found = word;
    begin = text.find_first_not_of(kBlanks, end);
    if (begin != std::string_view::npos) alone = false;
  }
  return array && alone ? std::string_view() : found;
}

template <class N>
std::string append_checked(std::span<const N> numbers, std::vector<float>& values) {
  for (size_t i = 0; i < numbers.size(); ++i) {
    const N number = numbers[i];
    if (!(std::abs(number) <= std::numeric_limits<float>::max())) {
      return cat(number, std::isfinite(number) ? " (out of range)" : "", " as number ", i + 1);
    }
    values.push_back(static_cast<float>(number));
  }
  return {};
}

}  // namespace

std::string append_numbers(std::string_view text, std::vector<float>& values, Notation notation) {
  const size_t before = values.size();
  size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return "nothing";
  text = text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  const bool array = text.front() == '[';
  if (array) {
    if (text.size() == 1 || text.back() != ']') return "a [ without its ] at the end";
    text = text.substr(1, text.size() - 2);
  }
  const char* const end = text.data() + text.size();
  const char* at = skip_blanks(text.data(), end);
  const auto wrong = [&](const char* from, std::string_view note = {}) {
    const char* to = from;
    while (to != end && *to != ',' && !is_blank(*to)) ++to;
    return cat(to == from ? std::string("nothing") : shown(std::string_view(from, to)), note, " as number ",
               values.size() - before + 1);
  };
  bool after_comma = false;
  while (at != end || after_comma) {
    const char* begin = at;
    if (end - at > 1 && *at == '+' && at[1] != '-') ++at;
    float value = 0;
    auto [stop, code] = std::from_chars(at, end, value);
    const bool whole = stop == end || *stop == ',' || is_blank(*stop);
    if (code == std::errc::result_out_of_range && whole) {
      if (!tiny_as_float(at, stop, value)) return wrong(begin, " (out of range)");
    } else if (code != std::errc() || !whole || !std::isfinite(value)) {
      return wrong(begin);
    }
    values.push_back(value);
    at = skip_blanks(stop, end);
    after_comma = at != end && *at == ',';
    if (after_comma) at = skip_blanks(at + 1, end);
  }
  if (notation == Notation::text && text.find(',') != std::string_view::npos) {
    const std::string_view word = unclear(text, array);
    if (!word.empty()) {
      return cat(shown(word),
                 " with commas that may be decimal ones or stand between numbers (1.5 2.5 and "
                 "[1,2] are clear)");
    }
  }
  return {};
}

std::string append_numbers(std::span<const float> numbers, std::vector<float>& values) {
  return append_checked(numbers, values);
}

std::string append_numbers(std::span<const double> numbers, std::vector<float>& values) {
  return append_checked(numbers, values);
}

}  // namespace hone::data
