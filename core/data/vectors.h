// A column of vectors, and the texts they are read from.
//
// Rules: one width for all rows, all numbers finite, kept as float32 in one piece of memory. A text holds
// numbers separated by blanks or a comma, in [ ] or not: what a JSON array is, and what programs print. A
// comma with a digit on both sides may also be a decimal one, or one of thousands: what can be read so is
// refused ("3,7"), but for [3,7] with such commas alone, which is an array. "0.3,0.7" can only be two.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone::data {

struct Vectors {
  size_t width = 0;
  std::vector<float> values;  // [rows, width]

  std::span<const float> row(size_t row) const { return std::span(values).subspan(row * width, width); }
};

// Appends the numbers of `text`. Returns what is wrong ("\"x\" as number 3"), empty when nothing is; then
// `values` may have grown nevertheless. In JSON a comma is never part of a number.
enum class Notation { text, json };
std::string append_numbers(std::string_view text, std::vector<float>& values,
                           Notation notation = Notation::text);

// The same with numbers as they are.
std::string append_numbers(std::span<const float> numbers, std::vector<float>& values);
std::string append_numbers(std::span<const double> numbers, std::vector<float>& values);

}  // namespace hone::data
