#include <string>
#include <vector>

#include "tests/data/table.h"

using namespace hone::data;
using namespace hone::testing;
using namespace std::string_literals;
using Texts = std::vector<std::string>;
using Numbers = std::vector<double>;

namespace {

std::string one_text(const std::string& value) {
  return parse_table("{\"text\": " + value + "}", "t.jsonl", text_options()).text("text").at(0);
}

double one_number(const std::string& value) {
  return parse_table("{\"score\": " + value + "}", "t.jsonl", number_options()).number("score").at(0);
}

std::string text_error(const std::string& line) {
  return error_of(line, "t.jsonl", text_options());
}

std::string number_error(const std::string& value) {
  return error_of("{\"score\": " + value + "}", "t.jsonl", number_options());
}

}  // namespace

TEST(Jsonl, ReadsColumnsByNameInAnyOrder) {
  Table table = parse_table(
      "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"score\": 1.5}\n"
      "{\"score\": 2, \"extra\": [1, {\"x\": null}], \"sentence2\": \"d\", \"sentence1\": \"c\"}\n",
      "t.jsonl", pair_options());
  EXPECT_EQ(table.rows, 2U);
  EXPECT_EQ(table.text("sentence1"), (Texts{"a", "c"}));
  EXPECT_EQ(table.text("sentence2"), (Texts{"b", "d"}));
  EXPECT_EQ(table.number("score"), (Numbers{1.5, 2}));
  EXPECT_EQ(table.lines, (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(table.path, "t.jsonl");
  EXPECT_TRUE(table.has("score"));
  EXPECT_FALSE(table.has("extra"));
}

TEST(Jsonl, SkipsEmptyLinesAndCountsThem) {
  Table table = parse_table("\n{\"text\":\"a\"}\r\n   \t\r\n\n {\"text\":\"b\"} ", "t.jsonl", text_options());
  EXPECT_EQ(table.text("text"), (Texts{"a", "b"}));
  EXPECT_EQ(table.lines, (std::vector<uint32_t>{2, 5}));
}

TEST(Jsonl, DecodesStrings) {
  EXPECT_EQ(one_text(R"("")"), "");
  EXPECT_EQ(one_text(R"("\" \\ \/ \b \f \n \r \t")"), "\" \\ / \b \f \n \r \t");
  EXPECT_EQ(one_text(R"("\u0041\u00e9\u4e2D\uFFFF")"), "Aé中\xEF\xBF\xBF");
  EXPECT_EQ(one_text(R"("x\ud83d\ude00y\uD800\uDC00\uDBFF\uDFFF")"), "x😀y\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
  EXPECT_EQ(one_text(R"("a\u0000b")"), "a\0b"s);
  EXPECT_EQ(one_text("\"  kept \x7F as it is  \""), "  kept \x7F as it is  ");
  EXPECT_EQ(one_text("\"中文 😀\""), "中文 😀");
}

TEST(Jsonl, FindsKeysThatAreEscaped) {
  Table table = parse_table(R"({"te\u0078t": "a"})", "t.jsonl", text_options());
  EXPECT_EQ(table.text("text"), Texts{"a"});
}

TEST(Jsonl, ReadsNumbers) {
  EXPECT_EQ(one_number("0"), 0);
  EXPECT_EQ(one_number("-0.5"), -0.5);
  EXPECT_EQ(one_number("1e2"), 100);
  EXPECT_EQ(one_number("12.25E-1"), 1.225);
  EXPECT_EQ(one_number("123456789012345678901234567890"), 123456789012345678901234567890.0);
  EXPECT_EQ(one_number("\"4.5\""), 4.5);
  EXPECT_EQ(one_number("\" -3 \""), -3);
  EXPECT_EQ(one_number("\"+2.5\""), 2.5);
}

TEST(Jsonl, RefusesWhatIsNoNumber) {
  EXPECT_EQ(number_error("\"abc\""), "t.jsonl:1: column \"score\": found \"abc\", expected a finite number");
  EXPECT_EQ(number_error("\"\""), "t.jsonl:1: column \"score\": found nothing, expected a finite number");
  EXPECT_EQ(number_error("null"), "t.jsonl:1: column \"score\": found null, expected a finite number");
  EXPECT_EQ(number_error("true"),
            "t.jsonl:1: column \"score\": found true or false, expected a finite number");
  EXPECT_EQ(number_error("[1]"), "t.jsonl:1: column \"score\": found an array, expected a finite number");
  EXPECT_EQ(number_error("1e999"),
            "t.jsonl:1: column \"score\": found 1e999 (out of range), expected a finite number");
  for (const char* value :
       {"\"nan\"", "\"inf\"", "\"-inf\"", "\"+infinity\"", "\"1,5\"", "\"1 2\"", "\"0x10\"", "\"+-1\"",
        "\"+\"", "\"--1\"", "\"1e\"", "\"one\\ntwo\"", "\"\xFF\""}) {
    EXPECT_NE(number_error(value).find("t.jsonl:1: column \"score\": found "), std::string::npos);
  }
  EXPECT_EQ(number_error("NaN"), "t.jsonl:1: column \"score\": at byte 11: found \"NaN\", expected a value");
  for (const char* value :
       {"Infinity", "-Infinity", "+1", "01", ".5", "1.", "1e", "1e+", "--1", "- 1", "0x10", "1_000"}) {
    EXPECT_NE(number_error(value).find("expected"), std::string::npos);
  }
}

TEST(Jsonl, RefusesWhatIsNoText) {
  for (const char* value : {"5", "null", "true", "false", "[]", "{}", "[\"a\"]"}) {
    EXPECT_NE(text_error("{\"text\": "s + value + "}").find("column \"text\": found "), std::string::npos);
  }
  EXPECT_EQ(text_error("{\"text\": \"ok\"}\n{\"text\": 5}"),
            "t.jsonl:2: column \"text\": found a number, expected a text");
}

TEST(Jsonl, RefusesBrokenLines) {
  for (const char* line : {"{",
                           "}",
                           "[",
                           "{}x",
                           "{} {}",
                           "nonsense",
                           "\"text\"",
                           "5",
                           "{\"text\"",
                           "{\"text\":",
                           "{\"text\":\"a\"",
                           "{\"text\":\"a\",",
                           "{\"text\":\"a\",}",
                           "{,\"text\":\"a\"}",
                           "{\"text\" \"a\"}",
                           "{text:\"a\"}",
                           "{'text':'a'}",
                           "{\"text\":\"a\" \"b\":1}",
                           "{\"text\":\"a}",
                           "{\"text\":\"a\\\"}",
                           "{\"text\":\"\\x41\"}",
                           "{\"text\":\"\\u12\"}",
                           "{\"text\":\"\\u12g4\"}",
                           "{\"text\":\"\\",
                           "{\"text\":\"\\u",
                           "{\"text\":\"a\tb\"}",
                           "{\"text\":tru}",
                           "{\"text\":nul}",
                           "{\"text\":[1,]}",
                           "{\"text\":[1 2]}",
                           "{\"text\":{\"a\"}}",
                           "{\"text\":{\"a\":1,}}",
                           "{\"text\":[}",
                           "{\"text\":\"a\"}{",
                           "// comment",
                           "{\"text\":\"a\"} // comment",
                           "[{\"text\":\"a\"}]"}) {
    EXPECT_NE(text_error(line).find("t.jsonl:1: "), std::string::npos);
  }
  EXPECT_EQ(text_error("[\n"), "t.jsonl:1: at byte 1: found \"[\", expected one JSON object a line");
  EXPECT_EQ(text_error("{\"text\":\"a\"}\n{\"text\":\"a\""),
            "t.jsonl:2: at byte 12: found the end of the line, expected a comma or }");
}

TEST(Jsonl, RefusesLoneSurrogates) {
  for (const char* text : {"\\ud83d", "\\ude00", "\\ud83dx", "\\ud83d\\n", "\\ud83d\\u0041", "\\ud83d\\ud83d",
                           "\\ud83d\\u", "\\ude00\\ud83d"}) {
    EXPECT_NE(text_error("{\"text\":\""s + text + "\"}").find("a pair of surrogates"), std::string::npos)
        << text;
  }
}

TEST(Jsonl, RefusesTextThatIsNotUtf8) {
  EXPECT_EQ(text_error("{\"text\": \"ok\"}\n{\"text\": \"ab\xFFz\"}"),
            "t.jsonl:2: column \"text\": found bytes that are not UTF-8 (at byte 3), expected a text");
  text_error("{\"text\": \"\xED\xA0\x80\"}");
  text_error("{\"text\": \"\\n\xC0\x80\"}");
  EXPECT_EQ(text_error("{\"te\xFF\": \"a\"}"),
            "t.jsonl:1: no column \"text\", the columns are (not UTF-8) (--columns text=NAME names another)");
}

TEST(Jsonl, MissingColumnsAreNamedWithThoseFound) {
  EXPECT_EQ(
      error_of("{\"a\":1,\"b\":2}", "t.jsonl", text_options()),
      "t.jsonl:1: no column \"text\", the columns are \"a\", \"b\" (--columns text=NAME names another)");
  EXPECT_EQ(error_of("{}", "t.jsonl", text_options()),
            "t.jsonl:1: no column \"text\", the columns are none (--columns text=NAME names another)");
  EXPECT_EQ(text_error("{\"text\":\"a\"}\n{\"txt\":\"b\",\"n\":1}"),
            "t.jsonl:2: no column \"text\", the columns of this row are \"txt\", \"n\"");
  EXPECT_EQ(text_error("{\"text\":\"a\"}\n{}"),
            "t.jsonl:2: no column \"text\", the columns of this row are none");
}

TEST(Jsonl, RefusesAColumnThatIsThereTwice) {
  EXPECT_EQ(text_error("{\"text\":\"a\",\"text\":\"b\"}"), "t.jsonl:1: column \"text\" is there twice");
  EXPECT_EQ(text_error("{\"text\":\"a\"}\n{\"text\":\"a\",\"text\":\"b\"}"),
            "t.jsonl:2: column \"text\" is there twice");
  EXPECT_EQ(parse_table("{\"text\":\"a\",\"x\":1,\"x\":2}", "t.jsonl", text_options()).rows, 1U)
      << "nobody asked for x";
}

TEST(Jsonl, OptionalColumnsAreThereFromTheFirstRowOrNever) {
  ReadOptions options{{{"anchor"}, {"negative", ColumnKind::text, false, {"hard_negative"}}}, {}};
  Table with = parse_table("{\"anchor\":\"a\",\"hard_negative\":\"n\"}", "t.jsonl", options);
  EXPECT_EQ(with.text("negative"), Texts{"n"});
  EXPECT_FALSE(parse_table("{\"anchor\":\"a\"}", "t.jsonl", options).has("negative"));
  EXPECT_EQ(error_of("{\"anchor\":\"a\"}\n{\"anchor\":\"b\",\"hard_negative\":\"n\"}", "t.jsonl", options),
            "t.jsonl:2: column \"hard_negative\" (negative) is in this row but not in the first one");
  error_of("{\"anchor\":\"a\",\"negative\":\"n\"}\n{\"anchor\":\"b\"}", "t.jsonl", options);
}

TEST(Jsonl, NestingHasALimit) {
  auto nested = [](int depth) {
    return "{\"text\":\"a\",\"x\":" + std::string(static_cast<size_t>(depth), '[') +
           std::string(static_cast<size_t>(depth), ']') + "}";
  };
  EXPECT_EQ(parse_table(nested(63), "t.jsonl", text_options()).rows, 1U);
  EXPECT_EQ(text_error(nested(64)),
            "t.jsonl:1: column \"x\": at byte 80: found nesting deeper than 64 levels");
  text_error("{\"text\":" + std::string(1000000, '['));
  std::string objects = "{\"text\":";
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  text_error(objects);
}

TEST(Jsonl, KeysHaveALimit) {
  std::string line = "{\"text\":\"a\"";
  for (int i = 1; i < 10000; ++i) line += ",\"k\":1";
  EXPECT_EQ(parse_table(line + "}", "t.jsonl", text_options()).rows, 1U);
  EXPECT_EQ(text_error(line + ",\"k\":1}"), "t.jsonl:1: found more than 10000 keys");
}

TEST(Jsonl, TruncatedAnywhereIsAnErrorOrFewerRows) {
  const std::string whole =
      "{\"sentence1\": \"a\\u00e9\", \"sentence2\": \"b\", \"score\": 1.5, \"x\": [{\"y\": true}]}\n"
      "{\"score\": 2e1, \"sentence2\": \"d\", \"sentence1\": \"\\ud83d\\ude00\"}\n";
  size_t first = whole.find('\n');
  for (size_t length = 0; length < whole.size() - 1; ++length) {
    std::string part = whole.substr(0, length);
    if (length == first || length == first + 1) {
      EXPECT_EQ(parse_table(part, "t.jsonl", pair_options()).rows, 1U);
    } else {
      error_of(part, "t.jsonl", pair_options());
    }
  }
}

// 17 and "17" are the same id, so that files of both kinds go together.
TEST(Jsonl, AnIdIsATextOrAWholeNumber) {
  const ReadOptions options{{{"id", ColumnKind::id}}, {}};
  const Table table = parse_table(
      "{\"id\": 17}\n{\"id\": \"17\"}\n{\"id\": -3}\n{\"id\": 123456789012345678901}\n", "t.jsonl", options);
  EXPECT_EQ(table.text("id"), (std::vector<std::string>{"17", "17", "-3", "123456789012345678901"}));
  for (const char* bad : {"1.5", "1e3", "1E3", "-0", "17.0"}) {
    EXPECT_EQ(error_of(std::string("{\"id\": 1}\n{\"id\": ") + bad + "}", "t.jsonl", options),
              std::string("t.jsonl:2: column \"id\": found ") + bad + ", expected a text or a whole number");
  }
  EXPECT_EQ(error_of("{\"id\": null}", "t.jsonl", options),
            "t.jsonl:1: column \"id\": found null, expected a text or a whole number");
  EXPECT_EQ(error_of("{\"text\": 17}", "t.jsonl", text_options()),
            "t.jsonl:1: column \"text\": found a number, expected a text");
}
