#include "model/json.h"

#include "tests/model/helpers.h"

namespace hone::model {
namespace {

using hone::testing::expect_error;

Json parse(std::string_view text) {
  return parse_json(text, "f.json");
}

void expect_broken(std::string_view text, std::initializer_list<std::string_view> words) {
  expect_error([&] { parse(text); }, words);
}

TEST(Json, ReadsValues) {
  Json value = parse(R"({"a":[1,-2,2.5,true,null,"x"],"b":{"c":{}},"d":[]})");
  EXPECT_EQ(value.dump(), R"({"a":[1,-2,2.5,true,null,"x"],"b":{"c":{}},"d":[]})");
}

TEST(Json, ReadsNestedArrays) {
  EXPECT_EQ(parse("[[1,[2]],[],[[3]]]").dump(), "[[1,[2]],[],[[3]]]");
}

TEST(Json, ReadsAScalarDocument) {
  EXPECT_EQ(parse(" 7 ").dump(), "7");
}

TEST(Json, NamesLineAndColumn) {
  expect_broken("{\n  \"a\": 1,\n  \"b\": x\n}", {"f.json", "line 3, column 8"});
}

TEST(Json, RefusesWhatIsNotJson) {
  expect_broken("", {"f.json", "empty"});
  expect_broken("{", {"not valid JSON"});
  expect_broken("{}x", {"not valid JSON"});
  expect_broken("{'a':1}", {"not valid JSON"});
  expect_broken("[1,]", {"not valid JSON"});
  expect_broken("NaN", {"not valid JSON"});
  expect_broken("// no\n{}", {"not valid JSON"});
  expect_broken("1e999", {"not valid JSON"});
  expect_broken("\"\xff\"", {"not valid JSON"});
  expect_broken(std::string_view("{}\0", 3), {"not valid JSON"});
}

TEST(Json, RefusesAKeyTwice) {
  expect_broken(R"({"a":1,"b":2,"a":3})", {"f.json", "\"a\"", "twice"});
  expect_broken(R"({"x":[{"k":{},"k":1}]})", {"\"k\"", "twice"});
}

TEST(Json, TheSameKeyInDifferentObjectsIsFine) {
  EXPECT_EQ(parse(R"([{"a":1},{"a":{"a":2}}])").dump(), R"([{"a":1},{"a":{"a":2}}])");
}

TEST(Json, LimitsDepth) {
  auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(parse(nested(kJsonDepth)).size(), 1U);
  expect_broken(nested(kJsonDepth + 1), {"f.json", "deeper than 64"});
  expect_broken(std::string(1'000'000, '['), {"deeper than 64"});
  std::string objects;
  for (int i = 0; i < 1000; ++i) objects += "{\"a\":";
  expect_broken(objects, {"deeper than 64"});
}

TEST(Json, KeepsOnlyWantedKeys) {
  auto only = [](std::string_view text) { return parse_json(text, "f.json", {"want", "too"}).dump(); };
  EXPECT_EQ(only(R"({"a":1,"want":{"a":[1]},"b":{"want":2,"c":[[{}]]},"too":3,"d":[1,{"want":0}]})"),
            R"({"too":3,"want":{"a":[1]}})");
  EXPECT_EQ(only(R"([{"a":1}])"), R"([{"a":1}])");
  EXPECT_EQ(only("{}"), "{}");
}

TEST(Json, LeavesKeysOutOfInnerObjects) {
  auto without = [](std::string_view text) { return parse_json(text, "f.json", {"a", "x"}, {"x"}).dump(); };
  EXPECT_EQ(without(R"({"x":1,"a":{"b":2,"x":{"a":[3]},"c":[{"x":4},{"d":5}]},"e":6})"),
            R"({"a":{"b":2,"c":[{},{"d":5}]},"x":1})");
}

TEST(Json, SkippedValuesAreCheckedToo) {
  expect_error([] { parse_json(R"({"a":[1,}})", "f.json", {"b"}); }, {"not valid JSON"});
  expect_error([] { parse_json("{\"a\":" + std::string(100, '['), "f.json", {"b"}); }, {"deeper"});
}

class Object : public ::testing::Test {
 protected:
  Json document_ = parse(
      R"({"n":3,"big":18446744073709551615,"neg":-4,"f":1.5,"t":true,"s":"text","z":null,"o":{"k":1}})");
  JsonObject object_{document_, "f.json"};
};

TEST_F(Object, ReadsByType) {
  EXPECT_EQ(object_.integer("n", 0, 9), 3);
  EXPECT_EQ(object_.integer("neg", -9, 9), -4);
  EXPECT_EQ(object_.number("f"), 1.5);
  EXPECT_EQ(object_.number("n"), 3.0);
  EXPECT_EQ(object_.boolean("t"), true);
  EXPECT_EQ(object_.text("s"), "text");
}

TEST_F(Object, AbsentAndNullAreTheSame) {
  for (const char* key : {"none", "z"}) {
    EXPECT_FALSE(object_.has(key));
    EXPECT_EQ(object_.integer(key, 0, 9), std::nullopt);
    EXPECT_EQ(object_.text(key), std::nullopt);
    expect_error([&] { object_.required_integer(key, 1, 9); }, {"f.json", key, "missing", "between 1 and 9"});
  }
}

TEST_F(Object, NamesWhatIsWrong) {
  expect_error([&] { object_.integer("n", 4, 9); }, {"f.json: n is 3", "between 4 and 9"});
  expect_error([&] { object_.integer("n", 0, 2); }, {"n is 3"});
  expect_error([&] { object_.integer("f", 0, 9); }, {"f is 1.5", "integer"});
  expect_error([&] { object_.integer("big", 0, 9); }, {"big is 18446744073709551615"});
  expect_error([&] { object_.integer("s", 0, 9); }, {"s is \"text\""});
  expect_error([&] { object_.number("t"); }, {"t is true", "a number"});
  expect_error([&] { object_.boolean("n"); }, {"n is 3", "true or false"});
  expect_error([&] { object_.text("o"); }, {"o is {\"k\":1}", "a string"});
}

TEST_F(Object, NamesTheKeyPath) {
  JsonObject inner(document_["o"], "f.json", "o");
  expect_error([&] { inner.text("k"); }, {"f.json: o.k is 1"});
  expect_error([&] { inner.only({"a"}); }, {"o.k is not a setting"});
}

TEST_F(Object, RefusesUnknownKeys) {
  EXPECT_NO_THROW(object_.only({"n", "big", "neg", "f", "t", "s", "z", "o"}));
  expect_error([&] { object_.only({"n"}); }, {"is not a setting"});
}

TEST(JsonObject, NeedsAnObject) {
  Json list = parse("[1]");
  expect_error([&] { JsonObject(list, "f.json"); }, {"f.json", "[1]", "expected a JSON object"});
  expect_error([&] { JsonObject(list, "f.json", "a.b"); }, {"a.b is [1]", "expected a JSON object"});
}

TEST(JsonObject, LongValuesAreCut) {
  Json value = {{"k", std::string(1000, 'x')}};
  JsonObject object(value, "f.json");
  try {
    object.integer("k", 0, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_LT(std::string_view(error.what()).size(), 200U);
  }
}

}  // namespace
}  // namespace hone::model
