#include "model/dtype.h"

#include <algorithm>

#include "base/error.h"

namespace hone::model {

namespace {

constexpr DtypeInfo kDtypes[] = {
    {"F32", Dtype::f32, 32},      {"F16", Dtype::f16, 16},      {"BF16", Dtype::bf16, 16},
    {"F64", Dtype::f64, 64},      {"I64", Dtype::i64, 64},      {"I32", Dtype::i32, 32},
    {"I16", Dtype::i16, 16},      {"I8", Dtype::i8, 8},         {"U8", Dtype::u8, 8},
    {"BOOL", Dtype::boolean, 8},  {"U16", Dtype::other, 16},    {"U32", Dtype::other, 32},
    {"U64", Dtype::other, 64},    {"C64", Dtype::other, 64},    {"F8_E4M3", Dtype::other, 8},
    {"F8_E5M2", Dtype::other, 8}, {"F8_E8M0", Dtype::other, 8}, {"F6_E2M3", Dtype::other, 6},
    {"F6_E3M2", Dtype::other, 6}, {"F4", Dtype::other, 4},
};

}  // namespace

const DtypeInfo* find_dtype(std::string_view name) {
  const auto* found = std::find_if(std::begin(kDtypes), std::end(kDtypes),
                                   [&](const DtypeInfo& d) { return d.name == name; });
  return found == std::end(kDtypes) ? nullptr : found;
}

std::optional<uint64_t> byte_size(std::span<const int64_t> shape, const DtypeInfo& info) {
  uint64_t bits = info.bits;
  for (int64_t n : shape) {
    if (n < 0 || __builtin_mul_overflow(bits, static_cast<uint64_t>(n), &bits)) return std::nullopt;
  }
  if (bits % 8 != 0) return std::nullopt;
  return bits / 8;
}

std::string shown_shape(std::span<const int64_t> shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += cat(i > 0 ? ", " : "", shape[i]);
  return out + "]";
}

}  // namespace hone::model
