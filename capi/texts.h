// Texts of the caller's.
#pragma once

#include <string>
#include <vector>

#include "handle.h"

namespace hone::capi {

// Checked UTF-8. Throws StatusError with the row.
std::vector<std::string> copy_texts(const hone_str* texts, size_t count);

}  // namespace hone::capi
