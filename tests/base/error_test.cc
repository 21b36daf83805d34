#include "base/error.h"

#include <gtest/gtest.h>

#include <clocale>
#include <string>

using hone::cat;
using hone::Error;
using hone::excerpt;
using hone::fail;

TEST(Cat, JoinsEveryKind) {
  EXPECT_EQ(cat(), "");
  EXPECT_EQ(cat("a", std::string("b"), std::string_view("c"), 'd'), "abcd");
  EXPECT_EQ(cat(1, " ", -2, " ", size_t{3}, " ", int64_t{-4}, " ", uint8_t{5}), "1 -2 3 -4 5");
  EXPECT_EQ(cat(true, false), "truefalse");
  EXPECT_EQ(cat(std::filesystem::path("x") / "y"), "x/y");
  EXPECT_EQ(cat(0.5, " ", 0.1F, " ", 1e300, " ", 3.0), "0.5 0.1 1e+300 3");
}

TEST(Cat, DoesNotFollowTheLocale) {
  const char* before = std::setlocale(LC_ALL, nullptr);
  std::string kept = before;
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"}) std::setlocale(LC_ALL, name);
  EXPECT_EQ(cat(1234567.5), "1234567.5");
  std::setlocale(LC_ALL, kept.c_str());
}

TEST(Fail, ThrowsTheMessage) {
  try {
    fail("row ", 7, ": found ", 'x');
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "row 7: found x");
  }
}

TEST(Excerpt, IsOneLineOfReadableText) {
  EXPECT_EQ(excerpt(""), "");
  EXPECT_EQ(excerpt("plain"), "plain");
  EXPECT_EQ(excerpt("a\nb\tc\x7F\x01"), "a?b?c??");
  EXPECT_EQ(excerpt("äöü"), "äöü");
}

TEST(Excerpt, CutsBetweenCharacters) {
  EXPECT_EQ(excerpt("abcdef", 3), "abc...");
  EXPECT_EQ(excerpt("abc", 3), "abc");
  EXPECT_EQ(excerpt("aäb", 2), "a...");
  EXPECT_EQ(excerpt("aäb", 3), "aä...");
  EXPECT_EQ(excerpt("😀😀", 7), "😀...");
  EXPECT_EQ(excerpt("abc", 0), "...");
}
