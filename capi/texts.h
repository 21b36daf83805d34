// Texts of the caller's.
#pragma once

#include <string>
#include <vector>

#include "handle.h"

namespace hone::capi {

// Of a text: no memory holds more.
inline constexpr size_t kMostBytes = PTRDIFF_MAX;

// Checked UTF-8 of the argument `name`. Throws StatusError with the row.
std::vector<std::string> copy_texts(const hone_str* texts, size_t count, const char* name);

}  // namespace hone::capi
