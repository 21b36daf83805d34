// A column of vectors, and the texts they are read from.
//
// Rules: one width for all rows, all numbers finite, kept as float32 in one piece of memory. A text holds
// numbers separated by blanks or a comma, in [ ] or not: what a JSON array is, and what programs print.
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
// `values` may have grown nevertheless.
std::string append_numbers(std::string_view text, std::vector<float>& values);

// The same with numbers as they are.
std::string append_numbers(std::span<const float> numbers, std::vector<float>& values);
std::string append_numbers(std::span<const double> numbers, std::vector<float>& values);

}  // namespace hone::data
