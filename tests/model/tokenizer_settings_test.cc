#include "model/tokenizer_settings.h"

#include "model/json.h"
#include "tests/model/helpers.h"

namespace hone::model {
namespace {

using hone::testing::expect_error;
using hone::testing::ModelFolder;

TokenizerSettings tokenizer(const Json& json) {
  return parse_tokenizer_settings(json.dump(), "t.json");
}

TEST(TokenizerSettingsFile, ReadsTheLength) {
  EXPECT_EQ(tokenizer({{"model_max_length", 512}}).max_length, 512);
  EXPECT_EQ(tokenizer({{"max_len", 128}}).max_length, 128);
  EXPECT_EQ(tokenizer(Json::object()).max_length, std::nullopt);
  EXPECT_EQ(parse_tokenizer_settings(R"({"model_max_length":1000000000000000019884624838656})", "t.json")
                .max_length,
            std::nullopt);
  expect_error([] { tokenizer({{"model_max_length", 0}}); }, {"t.json", "model_max_length is 0"});
  expect_error([] { tokenizer({{"model_max_length", -5}}); }, {"model_max_length"});
  expect_error([] { tokenizer({{"model_max_length", "512"}}); }, {"a number"});
}

TEST(TokenizerSettingsFile, RefusesTruncationOnTheLeft) {
  expect_error([] { tokenizer({{"truncation_side", "left"}}); }, {"t.json", "truncation_side"});
}

void check(const Json& config, const Json& normalizer, const Json& truncation = nullptr,
           const char* pre_tokenizer = "BertPreTokenizer") {
  Json file = {{"model", {{"type", "WordPiece"}, {"vocab", {{"a", 1}}}}},
               {"added_tokens", {{{"content", "[CLS]"}}, {{"content", "[SEP]"}}}},
               {"normalizer", normalizer},
               {"pre_tokenizer", {{"type", pre_tokenizer}}},
               {"truncation", truncation}};
  check_tokenizer(tokenizer(config), file.dump(), "tokenizer.json");
}

TEST(TokenizerSettingsFile, MustAgreeWithTheNormalizer) {
  auto normalizer = [](bool lower, const Json& strip = nullptr, bool chinese = true) {
    return Json{{"type", "BertNormalizer"},
                {"lowercase", lower},
                {"strip_accents", strip},
                {"handle_chinese_chars", chinese}};
  };
  const Json bert_class = {{"tokenizer_class", "BertTokenizer"}};
  EXPECT_NO_THROW(check(bert_class, normalizer(true)));
  EXPECT_NO_THROW(check(bert_class, normalizer(true, true)));
  EXPECT_NO_THROW(check({{"do_lower_case", false}}, normalizer(false)));
  EXPECT_NO_THROW(check({{"do_lower_case", false}, {"strip_accents", true}}, normalizer(false, true)));
  expect_error([&] { check(bert_class, normalizer(false)); },
               {"tokenizer.json", "normalizer.lowercase is false"});
  expect_error([&] { check(Json::object(), normalizer(false)); }, {"normalizer.lowercase"});
  expect_error(
      [&] {
        check({{"do_lower_case", false}}, normalizer(true));
      },
      {"normalizer.lowercase is true"});
  expect_error([&] { check(bert_class, normalizer(true, false)); }, {"normalizer.strip_accents"});
  expect_error(
      [&] {
        check({{"tokenize_chinese_chars", false}}, normalizer(true));
      },
      {"handle_chinese_chars"});
}

TEST(TokenizerSettingsFile, ABertTokenizerHasItsOwnParts) {
  const Json lower = {{"type", "BertNormalizer"}};
  EXPECT_NO_THROW(check(Json::object(), lower));
  expect_error(
      [&] {
        check(Json::object(), {{"type", "NFC"}});
      },
      {"tokenizer.json", "normalizer is", "BertNormalizer"});
  expect_error([&] { check(Json::object(), {{"type", 1}}); }, {"normalizer is"});
  expect_error([&] { check(Json::object(), "BertNormalizer"); }, {"normalizer is"});
  expect_error([&] { check(Json::object(), nullptr); }, {"normalizer is missing"});
  expect_error([&] { check(Json::object(), lower, nullptr, "Whitespace"); },
               {"pre_tokenizer is", "BertPreTokenizer"});
  expect_error(
      [&] {
        check(Json::object(), {{"type", "BertNormalizer"}, {"clean_text", false}});
      },
      {"clean_text"});
}

TEST(TokenizerSettingsFile, OtherClassesAreLeftAlone) {
  const Json other = {{"tokenizer_class", "PreTrainedTokenizerFast"}};
  EXPECT_NO_THROW(check(other, {{"type", "BertNormalizer"}, {"lowercase", false}}));
  EXPECT_NO_THROW(check(other, {{"type", "NFC"}}, nullptr, "Whitespace"));
  EXPECT_NO_THROW(check(other, nullptr));
}

TEST(TokenizerSettingsFile, ATokenizerThatTruncatesOnTheLeftIsRefused) {
  const Json other = {{"tokenizer_class", "PreTrainedTokenizerFast"}};
  EXPECT_NO_THROW(check(other, nullptr, {{"direction", "Right"}}));
  expect_error(
      [&] {
        check(other, nullptr, {{"direction", "Left"}});
      },
      {"tokenizer.json", "truncation.direction"});
}

// --- what a BertTokenizer is built with, beside the normalizer ---

// A folder whose tokenizer.json or settings are changed. Ids are those that transformers 5.24 gives for it.
class BertParts : public ::testing::Test {
 protected:
  static constexpr const char* kFile = "tokenizer.json";
  ModelFolder model_{"mean-gelu"};

  void refuse(const std::string& key, const Json& value, std::initializer_list<std::string_view> words) {
    const std::string before = model_.read(kFile);
    model_.edit(kFile, [&](Json& json) { json[Json::json_pointer(key)] = value; });
    model_.expect_refused(words);
    model_.write(kFile, before);
  }
  // Another class takes the file as it is.
  void be_generic() { model_.set("tokenizer_config.json", "tokenizer_class", "PreTrainedTokenizerFast"); }
  std::vector<int32_t> ids(const char* text) { return model_.load()->tokenizer->encode(text); }
};

const Json kSwapped = {{{"SpecialToken", {{"id", "[SEP]"}, {"type_id", 0}}}},
                       {{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
                       {{"SpecialToken", {{"id", "[CLS]"}, {"type_id", 0}}}}};

TEST_F(BertParts, PostProcessorsThatTheReferenceWouldReplaceAreRefused) {
  EXPECT_EQ(ids("the cat"), (std::vector<int32_t>{2, 280, 140, 3}));
  refuse("/post_processor", nullptr,
         {"tokenizer.json", "post_processor is missing", "\"[CLS]\" before a text", "\"[SEP]\" after"});
  refuse("/post_processor/single", kSwapped, {"tokenizer.json", "post_processor is {", "\"[CLS]\" before"});
  refuse("/post_processor/special_tokens/[CLS]/ids", {10}, {"post_processor is {"});
  refuse("/post_processor/special_tokens/[SEP]/ids", {10}, {"post_processor is {"});
  Json longer = Json::parse(model_.read(kFile))["post_processor"]["single"];
  longer.push_back(longer.back());
  refuse("/post_processor/single", longer, {"post_processor is {"});
}

TEST_F(BertParts, AnotherWordForTheSamePostProcessorIsFine) {
  model_.edit(kFile, [](Json& json) {
    json["post_processor"] = {{"type", "BertProcessing"}, {"sep", {"[SEP]", 3}}, {"cls", {"[CLS]", 2}}};
  });
  EXPECT_EQ(ids("the cat"), (std::vector<int32_t>{2, 280, 140, 3}));
}

TEST_F(BertParts, OtherClassesKeepTheirPostProcessor) {
  be_generic();
  model_.edit(kFile, [](Json& json) { json["post_processor"]["single"] = kSwapped; });
  EXPECT_EQ(ids("the cat"), (std::vector<int32_t>{3, 280, 140, 2}));
  model_.edit(kFile, [](Json& json) { json["post_processor"] = nullptr; });
  EXPECT_EQ(ids("the cat"), (std::vector<int32_t>{280, 140}));
  // The reference fails in the encoder, or gives zeros, or minus infinity, by what else is in the batch.
  expect_error([&] { ids(""); }, {"text \"\" gives no token", "tokenizer.json", "no special tokens"});
}

TEST_F(BertParts, SpecialTokensAreThoseOfTheSettings) {
  model_.set("tokenizer_config.json", "cls_token", "[MASK]");
  model_.expect_refused({"post_processor is {", "\"[MASK]\" before a text"});
  model_.edit(kFile, [](Json& json) {
    json["post_processor"] = {{"type", "BertProcessing"}, {"sep", {"[SEP]", 3}}, {"cls", {"[MASK]", 4}}};
  });
  EXPECT_EQ(ids("the cat"), (std::vector<int32_t>{4, 280, 140, 3}));
  model_.set("tokenizer_config.json", "cls_token", {{"__type", "AddedToken"}, {"content", "[CLS]"}});
  model_.expect_refused({"\"[CLS]\" before a text"});
  model_.set("tokenizer_config.json", "sep_token", "<none>");
  model_.expect_refused({"tokenizer.json", "added_tokens lacks \"<none>\""});
}

TEST_F(BertParts, SpecialTokensMapGoesBeforeTokenizerConfig) {
  model_.write("special_tokens_map.json", R"({"cls_token": {"content": "[MASK]"}})");
  model_.expect_refused({"\"[MASK]\" before a text"});
  Json all;
  for (const char* name : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
    all[std::to_string(all.size())] = {{"content", name}};
  model_.set("tokenizer_config.json", "added_tokens_decoder", all);
  EXPECT_EQ(ids("the cat"), (std::vector<int32_t>{2, 280, 140, 3}));
  model_.write("special_tokens_map.json", "[");
  model_.expect_refused({"special_tokens_map.json"});
}

TEST_F(BertParts, AddedTokensMustBeTheSame) {
  refuse("/added_tokens", Json::array(), {"tokenizer.json", "added_tokens lacks \"[CLS]\""});
  model_.set("tokenizer_config.json", "added_tokens_decoder", {{"280", {{"content", "the"}}}});
  model_.expect_refused({"tokenizer.json", "added_tokens lacks \"the\""});
  be_generic();
  model_.expect_refused({"tokenizer.json", "added_tokens lacks \"the\""});
  model_.set("tokenizer_config.json", "added_tokens_decoder", {{"2", {{"content", "[CLS]"}}}});
  EXPECT_NO_THROW(model_.load());
  model_.set("tokenizer_config.json", "tokenizer_class", "BertTokenizer");
  model_.expect_refused({"tokenizer.json", "added_tokens holds \"[MASK]\"", "added_tokens_decoder"});
}

TEST_F(BertParts, WordPieceIsTheReferences) {
  refuse("/model/unk_token", "[MASK]", {"tokenizer.json", "model.unk_token is \"[MASK]\"", "[UNK]"});
  refuse("/model/continuing_subword_prefix", "@@", {"model.continuing_subword_prefix", "\"##\""});
  refuse("/model/max_input_chars_per_word", 3, {"model.max_input_chars_per_word is 3", "100"});
  Json words = {{"type", "WordLevel"},
                {"vocab", Json::parse(model_.read(kFile))["model"]["vocab"]},
                {"unk_token", "[UNK]"}};
  refuse("/model", words, {"model.type is \"WordLevel\"", "WordPiece"});
  model_.set("tokenizer_config.json", "unk_token", "[MASK]");
  model_.expect_refused({"model.unk_token is \"[UNK]\"", "\"[MASK]\""});
}

}  // namespace
}  // namespace hone::model
