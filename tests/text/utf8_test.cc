#include <gtest/gtest.h>

#include <string>

#include "text/tokenizer.h"

using hone::text::valid_utf8;
using hone::text::valid_utf8_prefix;
using namespace std::string_literals;

TEST(Utf8, AcceptsWellFormedText) {
  for (const std::string& text : {""s, "a"s, "\0"s, "plain ASCII text"s, "\x7F"s, "\xC2\x80"s, "\xDF\xBF"s,
                                  "\xE0\xA0\x80"s, "\xED\x9F\xBF"s, "\xEE\x80\x80"s, "\xEF\xBF\xBF"s,
                                  "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s, "Grüße, 世界 😀"s}) {
    EXPECT_TRUE(valid_utf8(text)) << text;
    EXPECT_EQ(valid_utf8_prefix(text), text.size());
  }
}

TEST(Utf8, RefusesIllFormedText) {
  for (const std::string& text : {
           "\x80"s,                                            // continuation alone
           "\xBF"s,                                            //
           "\xC0\x80"s,                                        // overlong
           "\xC1\xBF"s,                                        //
           "\xE0\x9F\xBF"s,                                    //
           "\xF0\x8F\xBF\xBF"s,                                //
           "\xED\xA0\x80"s,                                    // surrogates
           "\xED\xBF\xBF"s,                                    //
           "\xF4\x90\x80\x80"s,                                // above U+10FFFF
           "\xF5\x80\x80\x80"s,                                //
           "\xFF"s, "\xFE"s,                                   //
           "\xC2"s, "\xE0\xA0"s, "\xF0\x90\x80"s,              // cut off
           "\xC2 "s, "\xE1\x80 "s, "\xF1\x80\x80 "s, "\xE1 "s  // broken off
       }) {
    EXPECT_FALSE(valid_utf8(text));
    EXPECT_EQ(valid_utf8_prefix(text), 0U);
  }
}

TEST(Utf8, FindsTheFirstBadByteAtEveryPlace) {
  // Around the eight bytes that are looked at together.
  for (size_t before = 0; before < 40; ++before) {
    for (const char* front : {"a", "\xC3\xA9"}) {
      std::string text;
      while (text.size() < before) text += front;
      size_t bad = text.size();
      text += "\xFFrest of the text";
      EXPECT_EQ(valid_utf8_prefix(text), bad);
      EXPECT_TRUE(valid_utf8(std::string_view(text).substr(0, bad)));
    }
  }
}

TEST(Utf8, RefusesATextCutInsideACharacterAtEveryPlace) {
  for (size_t before = 0; before < 20; ++before) {
    std::string text(before, 'x');
    text += "\xF0\x9F\x98\x80";
    for (size_t missing = 1; missing < 4; ++missing) {
      EXPECT_EQ(valid_utf8_prefix(std::string_view(text).substr(0, text.size() - missing)), before);
    }
  }
}
