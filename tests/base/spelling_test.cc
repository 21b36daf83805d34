// What is suggested for a name that is not known: by counts of letters made by hand.
#include "base/spelling.h"

#include <gtest/gtest.h>

namespace hone {
namespace {

TEST(Spelling, distances_count_letters_changed_inserted_left_out_and_swapped) {
  EXPECT_EQ(spelling_distance("", ""), 0U);
  EXPECT_EQ(spelling_distance("", "abc"), 3U);
  EXPECT_EQ(spelling_distance("abc", ""), 3U);
  EXPECT_EQ(spelling_distance("loss", "los"), 1U);
  EXPECT_EQ(spelling_distance("train", "trian"), 1U) << "neighbours swapped";
  EXPECT_EQ(spelling_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(spelling_distance("Cosine", "cosine"), 0U) << "case does not count";
  EXPECT_EQ(spelling_distance("ab", "ba"), 1U);
}

TEST(Spelling, the_nearest_name_is_suggested_and_none_where_all_are_far) {
  const std::vector<std::string_view> options{"log", "loss", "loss-options", "lr", "batch-size"};
  EXPECT_EQ(nearest_name("los", options), "loss") << "of two as near the one that begins so";
  EXPECT_EQ(nearest_name("lgo", options), "log");
  EXPECT_EQ(nearest_name("batchsize", options), "batch-size");
  EXPECT_EQ(nearest_name("batch", options), "batch-size") << "the only one that begins so";
  EXPECT_EQ(nearest_name("LOSS", options), "loss");
  EXPECT_EQ(nearest_name("poetry", options), "");
  EXPECT_EQ(nearest_name("x", options), "") << "every letter changed";
  EXPECT_EQ(nearest_name("", options), "");
  EXPECT_EQ(nearest_name(std::string(1 << 20, 'l'), options), "");
  EXPECT_EQ(nearest_name("loss", {}), "");
}

TEST(Spelling, suggestions_are_a_question_behind_the_message) {
  EXPECT_EQ(did_you_mean("lniear", choices_of("linear|constant|cosine")), "; did you mean linear?");
  EXPECT_EQ(did_you_mean("steep", choices_of("linear|constant|cosine")), "");
  EXPECT_EQ(
      did_you_mean_of(
          "los", std::vector<std::string>{"loss"}, [](const auto& s) { return std::string_view(s); }, "--"),
      "; did you mean --loss?");
  EXPECT_TRUE(choices_of("").empty());
  EXPECT_EQ(choices_of("a|b"), (std::vector<std::string_view>{"a", "b"}));
}

}  // namespace
}  // namespace hone
