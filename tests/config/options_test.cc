#include "config/options.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace hone::config {
namespace {

template <class F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const OptionError& e) {
    return e.what();
  }
  return "none";
}

TEST(OptionTable, has_one_well_formed_entry_a_key) {
  std::set<std::string> keys;
  for (const OptionInfo& info : option_table()) {
    const std::string key = info.key;
    EXPECT_TRUE(keys.insert(key).second) << key;
    EXPECT_EQ(find_option(key), &info);
    EXPECT_NE(key.find('.'), key.npos) << key;
    EXPECT_EQ(key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_."), key.npos) << key;
    EXPECT_STRNE(info.help, "") << key;
    EXPECT_STRNE(info.range, "") << key;
    EXPECT_EQ(info.value == nullptr, info.type == Type::boolean) << key;
    EXPECT_EQ(std::string(info.help).find('\n'), std::string::npos) << key;
  }
  EXPECT_EQ(find_option("train.batchsize"), nullptr);
  EXPECT_EQ(find_option(""), nullptr);
}

TEST(OptionTable, default_values_are_accepted_and_taken) {
  const Options defaults;
  for (const OptionInfo& info : option_table()) {
    if (*info.default_value == '\0') continue;
    Options set;
    set.parse(info, info.default_value, info.key);
    switch (info.type) {
      case Type::text:
        EXPECT_EQ(set.text(info.key), defaults.text(info.key));
        break;
      case Type::integer:
        EXPECT_EQ(set.integer(info.key), defaults.integer(info.key));
        break;
      case Type::real:
        EXPECT_EQ(set.real(info.key), defaults.real(info.key));
        break;
      case Type::boolean:
        EXPECT_EQ(set.boolean(info.key), defaults.boolean(info.key));
        break;
    }
    EXPECT_TRUE(set.given(info.key));
    EXPECT_FALSE(defaults.given(info.key));
  }
  EXPECT_EQ(defaults.integer("train.batch_size"), 32);
  EXPECT_EQ(defaults.real("train.lr"), 5e-5);
  EXPECT_THROW(defaults.real("train.dropout"), std::logic_error);
}

TEST(Options, of_unknown_keys_name_the_nearest) {
  Options o;
  EXPECT_EQ(error_of([&] { o.set("train.batchsize", int64_t{1}); }),
            "train.batchsize: no such option, the nearest is train.batch_size");
  EXPECT_EQ(error_of([&] { o.set("batch_size", int64_t{1}); }),
            "batch_size: no such option, the nearest is train.batch_size");
  EXPECT_NE(error_of([&] { o.set("", "x"); }), "none");
  EXPECT_NE(error_of([&] { o.set(std::string(1 << 20, 'x'), "x"); }), "none");
}

TEST(Options, of_another_type_are_refused_but_whole_numbers_are_real) {
  Options o;
  EXPECT_EQ(error_of([&] { o.set("train.batch_size", 32.0); }),
            "train.batch_size: a number with a fraction found, a whole number expected");
  EXPECT_EQ(error_of([&] { o.set("train.lr", "fast"); }), "train.lr: a text found, a number expected");
  EXPECT_EQ(error_of([&] { o.set("train.schedule", int64_t{3}); }),
            "train.schedule: a whole number found, a text expected");
  EXPECT_EQ(error_of([&] { o.set("encode.normalize", int64_t{1}); }),
            "encode.normalize: a whole number found, true or false expected");
  EXPECT_EQ(error_of([&] { o.set("train.seed", true); }),
            "train.seed: true or false found, a whole number expected");
  o.set("train.epochs", int64_t{2});
  EXPECT_EQ(o.real("train.epochs"), 2);
}

TEST(Options, out_of_range_are_refused_and_leave_the_old_value) {
  Options o;
  o.set("train.batch_size", int64_t{64});
  EXPECT_EQ(error_of([&] { o.set("train.batch_size", int64_t{0}); }),
            "train.batch_size: 0 found, 1 to 65536 expected");
  EXPECT_EQ(error_of([&] { o.set("train.batch_size", INT64_MAX); }),
            "train.batch_size: 9223372036854775807 found, 1 to 65536 expected");
  EXPECT_EQ(o.integer("train.batch_size"), 64);
  EXPECT_EQ(error_of([&] { o.set("train.epochs", 0.0); }),
            "train.epochs: 0 found, a number above 0, at most 1000000 expected");
  EXPECT_EQ(error_of([&] { o.set("train.dropout", 1.0); }), "train.dropout: 1 found, 0 to below 1 expected");
  EXPECT_EQ(error_of([&] { o.set("train.lr", std::stod("nan")); }),
            "train.lr: nan found, a finite number expected");
  EXPECT_EQ(error_of([&] { o.set("train.lr", HUGE_VAL); }), "train.lr: inf found, a finite number expected");
  EXPECT_EQ(error_of([&] { o.set("train.schedule", "Linear"); }),
            "train.schedule: \"Linear\" found, linear, constant or cosine expected; did you mean linear?");
  EXPECT_EQ(error_of([&] { o.set("train.schedule", "linear|constant"); }),
            "train.schedule: \"linear|constant\" found, linear, constant or cosine expected");
  EXPECT_EQ(error_of([&] { o.set("train.schedule", ""); }),
            "train.schedule: \"\" found, linear, constant or cosine expected");
  o.set("train.seed", INT64_MAX);
  EXPECT_EQ(o.integer("train.seed"), INT64_MAX);
}

TEST(Options, typed_are_read_whole_under_their_label) {
  Options o;
  const OptionInfo& size = *find_option("train.batch_size");
  EXPECT_EQ(error_of([&] { o.parse(size, "32 ", "batch-size"); }),
            "batch-size: \"32 \" found, a whole number expected");
  EXPECT_EQ(error_of([&] { o.parse(size, "99999999999999999999", "batch-size"); }),
            "batch-size: \"99999999999999999999\" found, 1 to 65536 expected");
  o.parse(size, "16", "batch-size");
  EXPECT_EQ(o.integer("train.batch_size"), 16);
  EXPECT_EQ(error_of([&] { o.parse(*find_option("encode.normalize"), "yes", "normalize"); }),
            "normalize: \"yes\" found, true or false expected");
}

}  // namespace
}  // namespace hone::config
