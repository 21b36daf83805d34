// Vectors in Arrow's C structs: columns of lists of floats.
//
// Rules: those of arrow.h. FixedSizeList, List and LargeList of float32 or float64; which of them is the
// schema's word, where a row begins and ends is checked against the length of the items before any is read.
#pragma once

#include <hone.h>

#include <span>
#include <string>

namespace hone::capi {

// Of a column: a list of one of the three kinds, of float32 or float64, no dictionary anywhere.
bool is_vector(const ArrowSchema& field);
// "+l of i": the type of a column as messages show it.
std::string shown_type(const ArrowSchema& field);

// One of the two, as the items' type is.
struct VectorView {
  std::span<const float> floats;
  std::span<const double> doubles;
  bool is_double = false;
};

// Row `row` of child `column` of a batch, of which `field` is the schema. Returns what was found instead of a
// vector ("null as number 2"), empty when nothing is wrong.
std::string vector_at(const ArrowArray& batch, int64_t column, const ArrowSchema& field, int64_t row,
                      VectorView& out);

}  // namespace hone::capi
