#include "arrow_vector.h"

#include <charconv>
#include <string_view>

#include "arrow.h"
#include "base/error.h"

namespace hone::capi {

namespace {

constexpr std::string_view kFixed = "+w:";

// The width of "+w:N", -1 where that is no number.
int64_t fixed_width(std::string_view format) {
  format.remove_prefix(kFixed.size());
  int64_t width = 0;
  const char* end = format.data() + format.size();
  auto [stop, code] = std::from_chars(format.data(), end, width);
  return code == std::errc() && stop == end && width >= 0 ? width : -1;
}

bool is_list(std::string_view format) {
  return format == "+l" || format == "+L" || (format.starts_with(kFixed) && fixed_width(format) >= 0);
}

const ArrowSchema* items_of(const ArrowSchema& field) {
  if (field.n_children != 1 || field.children == nullptr || field.children[0] == nullptr ||
      field.children[0]->format == nullptr)
    return nullptr;
  return field.children[0];
}

template <class Offset>
void read_offsets(const ArrowArray& list, int64_t at, int64_t& begin, int64_t& end) {
  const auto* offsets = static_cast<const Offset*>(list.buffers[1]);
  begin = offsets[at];
  end = offsets[at + 1];
}

// The first item of [begin, end) that is null, or `end`.
int64_t first_null(const ArrowArray& items, int64_t begin, int64_t end) {
  if (items.null_count == 0 || items.n_buffers < 1 || items.buffers[0] == nullptr) return end;
  const auto* bits = static_cast<const uint8_t*>(items.buffers[0]);
  for (int64_t i = begin; i < end; ++i) {
    const int64_t bit = items.offset + i;
    if ((bits[bit / 8] >> (bit % 8) & 1) == 0) return i;
  }
  return end;
}

}  // namespace

bool is_vector(const ArrowSchema& field) {
  const ArrowSchema* items = items_of(field);
  if (!is_list(field.format) || items == nullptr) return false;
  const std::string_view format = items->format;
  return field.dictionary == nullptr && items->dictionary == nullptr && (format == "f" || format == "g");
}

std::string shown_type(const ArrowSchema& field) {
  const ArrowSchema* items = items_of(field);
  return cat("\"", excerpt(field.format),
             is_list(field.format) && items != nullptr ? cat(" of ", excerpt(items->format)) : "", "\"",
             field.dictionary != nullptr || (items != nullptr && items->dictionary != nullptr)
                 ? " with a dictionary"
                 : "");
}

std::string vector_at(const ArrowArray& batch, int64_t column, const ArrowSchema& field, int64_t row,
                      VectorView& out) {
  const ArrowArray& list = *batch.children[column];
  const std::string_view format = field.format;
  const int64_t at = list.offset + batch.offset + row;
  if (list.n_children != 1 || list.children == nullptr || list.children[0] == nullptr)
    return "a list without its items";
  const ArrowArray& items = *list.children[0];
  if (items.length < 0 || items.offset < 0 || items.length > INT64_MAX - items.offset)
    return cat("a list of ", items.length, " items from item ", items.offset);
  int64_t begin = 0, end = 0;
  if (format.starts_with(kFixed)) {
    const int64_t width = fixed_width(format);
    if (width > 0 && at >= items.length / width)
      return cat("a list that ends at item ", items.length, " before it is complete");
    begin = at * width;
    end = begin + width;
  } else if (list.n_buffers < 2 || list.buffers == nullptr || list.buffers[1] == nullptr) {
    return "a list without its offsets";
  } else {
    format == "+l" ? read_offsets<int32_t>(list, at, begin, end)
                   : read_offsets<int64_t>(list, at, begin, end);
  }
  if (begin < 0 || end < begin) return "a list that ends before it begins";
  if (end > items.length) return cat("a list up to item ", end, " of ", items.length);
  out = {};
  out.is_double = std::string_view(field.children[0]->format) == "g";
  if (begin == end) return {};
  if (items.n_buffers < 2 || items.buffers == nullptr || items.buffers[1] == nullptr)
    return "a list without its numbers";
  if (const int64_t null = first_null(items, begin, end); null != end)
    return cat("null as number ", null - begin + 1);
  const auto size = static_cast<size_t>(end - begin);
  if (out.is_double) {
    out.doubles = {static_cast<const double*>(items.buffers[1]) + items.offset + begin, size};
  } else {
    out.floats = {static_cast<const float*>(items.buffers[1]) + items.offset + begin, size};
  }
  return {};
}

}  // namespace hone::capi
