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

std::string append_numbers(std::string_view text, std::vector<float>& values) {
  const size_t before = values.size();
  size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return "nothing";
  text = text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  if (text.front() == '[') {
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
  return {};
}

std::string append_numbers(std::span<const float> numbers, std::vector<float>& values) {
  return append_checked(numbers, values);
}

std::string append_numbers(std::span<const double> numbers, std::vector<float>& values) {
  return append_checked(numbers, values);
}

}  // namespace hone::data
