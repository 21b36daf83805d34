// What an Error says, for tests: always one line.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace hone::testing {

// What `f` throws; "no error" where it throws nothing.
template <class E = Error, class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const E& e) {
    const std::string text = e.what();
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    return text;
  }
  return "no error";
}

inline void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "\"" << part << "\" is not in: " << text;
}

}  // namespace hone::testing
