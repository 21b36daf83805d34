// The tokenizer against the reference's ids (fixtures/make_tokenizer.py), and its errors.
#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "tests/base/temp_folder.h"
#include "tests/places.h"
#include "tests/reference_data.h"

namespace fs = std::filesystem;
using hone::Error;
using hone::text::Tokenizer;
using hone::text::TokenizerOptions;
using Json = nlohmann::json;

namespace {

const fs::path kFolder = fs::path(hone::testing::kFixtures) / "tokenizer";

struct Case {
  std::string name, folder, text;
  TokenizerOptions options;
  std::vector<int32_t> ids;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  std::ifstream file(kFolder / "cases.jsonl");
  for (std::string line; std::getline(file, line);) {
    Json json = Json::parse(line);
    Case c{json["name"], json["folder"], "", {json["max_length"], json["lower"]}, json["ids"]};
    if (json.contains("text")) {
      c.text = json["text"];
    } else {
      for (int i = 0; i < json["repeat"][1].get<int>(); ++i) c.text += json["repeat"][0].get<std::string>();
    }
    all.push_back(std::move(c));
  }
  return all;
}

// A folder with a tokenizer.json of this content.
class Folder {
 public:
  explicit Folder(const std::string& json) { temp_.write("tokenizer.json", json); }
  const fs::path& path() const { return temp_.path(); }

 private:
  hone::testing::TempFolder temp_;
};

Json small_json() {
  std::ifstream file(kFolder / "tokenizer.json");
  return Json::parse(file);
}

// The message of the Error that loading this json gives.
std::string load_error(const std::string& json, TokenizerOptions options = {}) {
  Folder folder(json);
  try {
    Tokenizer::load(folder.path(), options);
  } catch (const Error& error) {
    std::string message = error.what();
    EXPECT_NE(message.find("tokenizer.json"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  }
  ADD_FAILURE() << "no error";
  return "";
}

}  // namespace

TEST(Tokenizer, GivesTheIdsOfTheReference) {
  std::vector<Case> all = cases();
  ASSERT_GT(all.size(), 400U);
  std::map<std::string, std::shared_ptr<const Tokenizer>> loaded;
  for (const Case& c : all) {
    std::string key = hone::cat(c.folder, c.options.do_lower_case, c.options.max_length);
    auto& tokenizer = loaded[key];
    if (!tokenizer) tokenizer = Tokenizer::load(kFolder / c.folder, c.options);
    EXPECT_EQ(tokenizer->encode(c.text), c.ids) << c.name;
  }
}

TEST(Tokenizer, WithOptionsEqualsLoading) {
  auto base = Tokenizer::load(kFolder / "cased", {});
  for (const Case& c : cases()) {
    if (c.folder == "cased" && c.name.starts_with("random 1")) {
      EXPECT_EQ(base->with_options(c.options)->encode(c.text), c.ids) << c.name;
    }
  }
  EXPECT_EQ(base->with_options({7, true})->options().max_length, 7);
  EXPECT_EQ(base->with_options({7, true})->json(), base->json());
}

// Only the beginning of a long text is tokenized: the ids must be those of the whole text, cut. A tokenizer
// whose max_length is larger than the text needs looks at all of it.
TEST(Tokenizer, CuttingALongTextEarlyChangesNothing) {
  auto whole = Tokenizer::load(kFolder, {1 << 30, false});
  std::vector<std::string> units;
  for (const Case& c : cases()) {
    if (c.folder == "." && !c.text.empty() && c.text.size() < 400 && c.options.max_length == 64)
      units.push_back(c.text);
  }
  ASSERT_GT(units.size(), 100U);
  for (int max_length : {3, 10, 50}) {
    auto cut = whole->with_options({max_length, false});
    for (size_t i = 0; i < units.size(); ++i) {
      std::string text;
      for (size_t j = i; text.size() < 3000; ++j) text += units[j % units.size()];
      std::vector<int32_t> all = whole->encode(text);
      std::vector<int32_t> expected = all;
      if (all.size() > static_cast<size_t>(max_length)) {
        expected.assign(all.begin(), all.begin() + max_length - 1);
        expected.push_back(all.back());
      }
      EXPECT_EQ(cut->encode(text), expected) << i << " " << max_length;
    }
  }
}

// Added tokens that could reach across a cut, or that look at what follows them.
TEST(Tokenizer, CuttingEarlyRespectsAddedTokens) {
  for (const char* content : {"two words", "stop.", "Ünused", "中"}) {
    for (bool single_word : {false, true}) {
      Json json = small_json();
      json["added_tokens"].push_back({{"id", 5000},
                                      {"content", content},
                                      {"single_word", single_word},
                                      {"lstrip", false},
                                      {"rstrip", false},
                                      {"normalized", true},
                                      {"special", false}});
      Folder folder(json.dump());
      auto whole = Tokenizer::load(folder.path(), {1 << 30, false});
      auto cut = whole->with_options({12, false});
      for (size_t shift = 0; shift < 60; ++shift) {
        std::string text(shift, 'x');
        text += ' ';
        while (text.size() < 4000) text += "two words stop.stop. Ünused 中a ";
        std::vector<int32_t> all = whole->encode(text);
        std::vector<int32_t> expected(all.begin(), all.begin() + 11);
        expected.push_back(all.back());
        ASSERT_EQ(cut->encode(text), expected) << content << " " << shift;
      }
    }
  }
}

// The ids of the whole text, cut.
namespace {

std::vector<int32_t> cut_to(std::vector<int32_t> ids, size_t max_length) {
  if (ids.size() <= max_length) return ids;
  ids[max_length - 1] = ids.back();
  ids.resize(max_length);
  return ids;
}

std::string repeated(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

struct Random {
  uint64_t state;
  size_t below(size_t n) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<size_t>(state >> 33) % n;
  }
};

// Pieces whose neighbours matter: marks that combine, what is taken away, what is split, parts of added
// tokens.
const std::vector<std::string> kPieces{"a",
                                       "the",
                                       "xyz",
                                       "Ab",
                                       "\u00e9",
                                       "e\u0301",
                                       "\u0301",
                                       "\u0327\u0301",
                                       "\u0334",
                                       "\u200b",
                                       "\ufeff",
                                       "\u00ad",
                                       "\a",
                                       "\x7f",
                                       " ",
                                       "  ",
                                       "\t",
                                       "\n",
                                       "\u00a0",
                                       "\u3000",
                                       "\u2028",
                                       ".",
                                       ",",
                                       "-",
                                       "--",
                                       "/",
                                       "[",
                                       "]",
                                       "[MASK]",
                                       "[MA",
                                       "SK]",
                                       "MASK",
                                       "[CLS][SEP]",
                                       "[PAD",
                                       "[M\u200bASK]",
                                       "\u4e2d",
                                       "\u4e2d\u56fd",
                                       "\u3042",
                                       "\u30ab\u3099",
                                       "\ud55c",
                                       "\u1112\u1161",
                                       "\u0e01\u0e34",
                                       "\u0e31",
                                       "\u0915\u093f",
                                       "\u302e",
                                       "\u3099",
                                       "\U0001d165",
                                       "\U0001d15e",
                                       "\U0001f600",
                                       "\u2764\ufe0f",
                                       "\u200d",
                                       "\u2260",
                                       "\u037e",
                                       "\u212a",
                                       "\u0130",
                                       "\u00df",
                                       "\u03a3",
                                       "\ufffd",
                                       "\u0345",
                                       "\u3002",
                                       "\uff0c",
                                       "\u2014",
                                       "\uac00",
                                       "5",
                                       "_",
                                       "$",
                                       "+"};

}  // namespace

// Long texts of one kind, of which most is left out or never looked at, on every tokenizer that there is.
TEST(Tokenizer, LongTextsOfEveryKindGiveTheIdsOfTheWhole) {
  const std::vector<std::pair<std::string, bool>> folders{{".", false}, {"cased", false}, {"cased", true}};
  for (const auto& [folder, lower] : folders) {
    auto whole = Tokenizer::load(kFolder / folder, {1 << 30, lower});
    for (const int max_length : {3, 12}) {
      auto cut = whole->with_options({max_length, lower});
      for (const std::string& piece : kPieces) {
        for (const char* joint : {"", " ", "-", "\u0301", "\u200b", "\u3000", "\u302e"}) {
          for (const char* front : {"", "the ", "[MASK]", "ab "}) {
            const std::string text = front + repeated(piece + joint, 220) + " end [SEP] .";
            ASSERT_EQ(cut->encode(text), cut_to(whole->encode(text), static_cast<size_t>(max_length)))
                << folder << " " << max_length << " \"" << front << "\" \"" << piece << "\" \"" << joint
                << "\"";
          }
        }
      }
    }
  }
}

TEST(Tokenizer, LongTextsOfMixedPiecesGiveTheIdsOfTheWhole) {
  Random random{7};
  for (const bool lower : {false, true}) {
    auto whole = Tokenizer::load(kFolder / (lower ? "cased" : "."), {1 << 30, lower});
    for (const int max_length : {3, 9, 33}) {
      auto cut = whole->with_options({max_length, lower});
      for (int i = 0; i < 300; ++i) {
        // Few kinds at once, in runs around the length from which a word is unknown.
        std::vector<std::string> few;
        for (size_t k = 0; k < 1 + random.below(4); ++k) few.push_back(kPieces[random.below(kPieces.size())]);
        std::string text;
        while (text.size() < 1500) {
          const std::string& piece = few[random.below(few.size())];
          text += repeated(piece, random.below(6) == 0 ? 80 + random.below(60) : 1);
          if (random.below(8) == 0) text += ' ';
        }
        ASSERT_EQ(cut->encode(text), cut_to(whole->encode(text), static_cast<size_t>(max_length)))
            << lower << " " << max_length << " " << i;
      }
    }
  }
}

// Words about as long as the model looks at, an added token at either end or inside.
TEST(Tokenizer, LongWordsAndAddedTokensGiveTheIdsOfTheWhole) {
  for (const char* content : {"[MASK]", "q[", "]q", "<long-added-token>", "stop", "xx"}) {
    for (const bool normalized : {false, true}) {
      Json json = small_json();
      json["added_tokens"].push_back({{"id", 5000},
                                      {"content", content},
                                      {"single_word", false},
                                      {"lstrip", normalized},
                                      {"rstrip", !normalized},
                                      {"normalized", normalized},
                                      {"special", false}});
      Folder folder(json.dump());
      auto whole = Tokenizer::load(folder.path(), {1 << 30, false});
      auto cut = whole->with_options({6, false});
      for (const size_t length : {99, 100, 101, 102, 110, 130, 160, 600}) {
        const std::string word = repeated("x", length), token(content);
        for (const std::string& text :
             {word, token + word, word + token, word + token + word, word + " " + token, "q" + word + "q",
              "Q" + word + "Q" + token, word + "\u200b" + token,
              token.substr(0, 3) + word + token.substr(1)}) {
          const std::string long_text = text + " a b " + repeated("c ", 300);
          ASSERT_EQ(cut->encode(long_text), cut_to(whole->encode(long_text), 6))
              << content << " " << normalized << " " << length << " " << text.substr(0, 20);
          ASSERT_EQ(cut->encode(text), cut_to(whole->encode(text), 6));
        }
      }
    }
  }
}

// Words that are looked up whole, by tokenizers with another splitter: cut at blanks only.
TEST(Tokenizer, OtherTokenizersGiveTheIdsOfTheWholeToo) {
  const Json unigram = {
      {"type", "Unigram"},
      {"unk_id", 0},
      {"vocab", Json::array({Json::array({"<unk>", 0.0}), Json::array({"\u2581", -2.0}),
                             Json::array({"\u2581the", -3.0}), Json::array({"\u2581t", -4.0}),
                             Json::array({"he", -4.5}), Json::array({"a", -5.0}), Json::array({"t", -5.5}),
                             Json::array({".", -6.0}), Json::array({"\u0434\u0430", -6.5})})}};
  const Json metaspace = {
      {"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "always"}, {"split", true}};
  const Json split = {{"type", "WhitespaceSplit"}};
  const Json blanks = {{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}};
  const Json nfkc = {{"type", "NFKC"}};
  for (const Json& splitter :
       {metaspace, Json{{"type", "Sequence"}, {"pretokenizers", {split, metaspace}}}}) {
    for (const Json& normalizer :
         {Json(), nfkc, Json{{"type", "Sequence"}, {"normalizers", {nfkc, blanks}}}}) {
      Json json = small_json();
      json["model"] = unigram;
      json["pre_tokenizer"] = splitter;
      json["normalizer"] = normalizer;
      json["added_tokens"] = Json::array();
      Folder folder(json.dump());
      auto whole = Tokenizer::load(folder.path(), {1 << 30, false});
      auto cut = whole->with_options({9, false});
      Random random{3};
      for (int i = 0; i < 200; ++i) {
        std::string text;
        while (text.size() < 3000) {
          const std::vector<std::string> pieces{"the", "a",       "tea.",         " ",
                                                "  ",  " \u0301", "\u0434\u0430", " \u00a0"};
          text += pieces[random.below(pieces.size())];
          if (random.below(2) == 0) text += ' ';
        }
        ASSERT_EQ(cut->encode(text), cut_to(whole->encode(text), 9)) << i << normalizer << splitter;
      }
    }
  }
}

// What has no blanks in it, or nothing else: neither its time nor its memory may grow with the text.
TEST(Tokenizer, TakesMegabytesOfAnything) {
  auto tokenizer = Tokenizer::load(kFolder, {128, false});
  for (const char* piece : {"x", " ", "\u200b", "\u0301", "a\u0301", "\u0434", "\u4e2d", "-", "/a", "\u3042",
                            "\n\u200b ", "\U0001f600", "[MASK]", "[MASK"}) {
    const std::string text = repeated(piece, (size_t{4} << 20) / std::string_view(piece).size());
    const size_t ids = tokenizer->encode(text).size();
    EXPECT_GE(ids, 2U) << piece;
    EXPECT_LE(ids, 128U) << piece;
  }
}

TEST(Tokenizer, CutsMegabytesWithoutReadingThemAll) {
  auto tokenizer = Tokenizer::load(kFolder, {128, false});
  std::string text;
  while (text.size() < (size_t{64} << 20)) text += "the quick brown fox jumps over the lazy dog and ";
  EXPECT_EQ(tokenizer->encode(text).size(), 128U);
}

TEST(Tokenizer, IgnoresThePaddingAndTruncationOfTheFile) {
  ASSERT_FALSE(small_json()["padding"].is_null());
  ASSERT_EQ(small_json()["truncation"]["max_length"], 16);
  auto tokenizer = Tokenizer::load(kFolder, {});
  EXPECT_EQ(tokenizer->encode("").size(), 2U);
  EXPECT_EQ(tokenizer->encode("a a a a a a a a a a a a a a a a a a a a").size(), 22U);
  EXPECT_EQ(tokenizer->options().max_length, 512);
}

TEST(Tokenizer, EncodesFromManyThreads) {
  std::vector<Case> all = cases();
  std::erase_if(all, [](const Case& c) { return c.folder != "." || c.options.max_length != 64; });
  auto tokenizer = Tokenizer::load(kFolder, {64, false});
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        for (const Case& c : all) wrong += tokenizer->encode(c.text) != c.ids;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Tokenizer, OutlivesItsOrigin) {
  std::shared_ptr<const Tokenizer> copy;
  {
    auto tokenizer = Tokenizer::load(kFolder, {64, false});
    copy = tokenizer->with_options({8, false});
  }
  EXPECT_EQ(copy->encode("").size(), 2U);
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
  auto tokenizer = Tokenizer::load(kFolder, {});
  for (std::string_view text : {"a\xFF", "\xC3", "\xED\xA0\x80"})
    EXPECT_THROW(tokenizer->encode(text), Error);
  try {
    tokenizer->encode("abc\xFFzzz");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "text is not valid UTF-8 (byte 4)");
  }
  EXPECT_EQ(tokenizer->encode("a").size(), 3U) << "still works afterwards";
}

// Every sequence has at least one token: what follows relies on it.
TEST(Tokenizer, RefusesTextWithoutATokenWhereNoneAreAdded) {
  Json json = small_json();
  json["post_processor"] = nullptr;
  auto tokenizer = Tokenizer::load(Folder(json.dump()).path(), {});
  EXPECT_EQ(tokenizer->encode("a").size(), 1U);
  for (const char* text : {"", "  ", "\u200b\a"}) {
    try {
      tokenizer->encode(text);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      const std::string message = error.what();
      for (const char* part :
           {"gives no token, expected at least one", "tokenizer.json", "no special tokens"})
        EXPECT_NE(message.find(part), std::string::npos) << message;
    }
  }
}

TEST(Tokenizer, KnowsTheSizeOfItsVocabulary) {
  Json json = small_json();
  size_t size = json["model"]["vocab"].size();
  EXPECT_EQ(Tokenizer::load(kFolder, {})->vocab_size(), static_cast<int32_t>(size));

  json["added_tokens"].push_back({{"id", size},
                                  {"content", "<new>"},
                                  {"single_word", false},
                                  {"lstrip", false},
                                  {"rstrip", false},
                                  {"normalized", false},
                                  {"special", true}});
  auto more = Tokenizer::load(Folder(json.dump()).path(), {});
  EXPECT_EQ(more->vocab_size(), static_cast<int32_t>(size) + 1);
  EXPECT_EQ(more->encode("<new>")[1], static_cast<int32_t>(size));

  json["model"]["vocab"]["gap"] = 70000;
  EXPECT_EQ(Tokenizer::load(Folder(json.dump()).path(), {})->vocab_size(), 70001);

  json["post_processor"]["special_tokens"]["[SEP]"]["ids"] = {90000};
  EXPECT_EQ(Tokenizer::load(Folder(json.dump()).path(), {})->vocab_size(), 90001);
}

TEST(Tokenizer, KeepsTheFileAsRead) {
  std::ifstream file(kFolder / "tokenizer.json", std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(Tokenizer::load(kFolder, {})->json(), content);
}

TEST(TokenizerErrors, MissingFile) {
  try {
    Tokenizer::load("/nonexistent/model", {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot read /nonexistent/model/tokenizer.json: No such file or directory");
  }
}

TEST(TokenizerErrors, BrokenJson) {
  std::string whole = small_json().dump();
  load_error("");
  load_error("{}");
  load_error("[]");
  load_error("null");
  load_error("not json");
  load_error(std::string("\xFF\xFE", 2));
  load_error(whole + "x");
  for (size_t length : {size_t{1}, whole.size() / 4, whole.size() / 2, whole.size() - 1})
    load_error(whole.substr(0, length));
  load_error(std::string(100000, '['));
  load_error("{\"model\":" + std::string(100000, '{'));
}

TEST(TokenizerErrors, WrongContent) {
  auto changed = [](auto change) {
    Json json = small_json();
    change(json);
    return load_error(json.dump());
  };
  changed([](Json& j) { j["version"] = "2.0"; });
  changed([](Json& j) { j.erase("model"); });
  changed([](Json& j) { j["model"].erase("vocab"); });
  changed([](Json& j) { j["model"].erase("unk_token"); });
  changed([](Json& j) { j["model"]["type"] = "Nonsense"; });
  changed([](Json& j) { j["model"]["type"] = "Unigram"; });
  changed([](Json& j) { j["model"]["vocab"] = Json::array({1, 2}); });
  changed([](Json& j) { j["model"]["vocab"]["a"] = "x"; });
  changed([](Json& j) { j["model"]["vocab"]["a"] = -1; });
  changed([](Json& j) { j["model"]["vocab"]["a"] = 1e30; });
  changed([](Json& j) { j["model"]["vocab"]["a"] = uint64_t{5} << 32; });
  changed([](Json& j) { j["model"]["max_input_chars_per_word"] = -1; });
  changed([](Json& j) { j["normalizer"] = {{"type", "Nonsense"}}; });
  changed([](Json& j) { j["normalizer"] = 5; });
  changed([](Json& j) { j["pre_tokenizer"] = {{"type", "Nonsense"}}; });
  changed([](Json& j) { j["post_processor"] = {{"type", "Nonsense"}}; });
  changed([](Json& j) { j["added_tokens"][0].erase("content"); });
  std::string huge = changed([](Json& j) { j["model"]["vocab"]["a"] = 4294967295U; });
  EXPECT_NE(huge.find("larger than any vocabulary"), std::string::npos) << huge;
  std::string unknown = changed([](Json& j) { j["model"]["unk_token"] = "<none>"; });
  EXPECT_NE(unknown.find("\"<none>\""), std::string::npos) << unknown;
}

// A template that names a token it does not define makes the crate panic.
TEST(TokenizerErrors, PanicsAreErrorsAndPrintNothing) {
  Json json = small_json();
  json["post_processor"]["single"][0]["SpecialToken"]["id"] = "[NONE]";
  ::testing::internal::CaptureStderr();
  std::string message = load_error(json.dump());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_NE(message.find("tokenizer.json: the tokenizer failed"), std::string::npos) << message;
}

TEST(TokenizerErrors, NoRoomForText) {
  std::string json = small_json().dump();
  EXPECT_NE(load_error(json, {2, false}).find("2 special tokens"), std::string::npos);
  load_error(json, {1, false});
  load_error(json, {0, false});
  load_error(json, {-5, false});
}

// The real model, where the machine has one: its vocabulary is too large to keep here.
TEST(TokenizerMiniLM, GivesTheIdsOfTheReference) {
  const fs::path model = hone::testing::minilm();
  if (model.empty()) GTEST_SKIP() << hone::testing::kNoMiniLm << "its tokenizer is NOT checked";
  auto tokenizer = Tokenizer::load(model, {256, false});
  EXPECT_EQ(tokenizer->vocab_size(), 30522);
  using Ids = std::vector<int32_t>;
  using namespace std::string_view_literals;
  const std::vector<std::pair<std::string_view, Ids>> expected{
      {"", {101, 102}},
      {"This is a sentence.", {101, 2023, 2003, 1037, 6251, 1012, 102}},
      {" A man is playing a flute. ", {101, 1037, 2158, 2003, 2652, 1037, 8928, 1012, 102}},
      {"Café naïve résumé", {101, 7668, 15743, 13746, 102}},
      {"東京に行きます。", {101, 1879, 1755, 1668, 1945, 1652, 30203, 30184, 1636, 102}},
      {"I ❤️ 🤖 and 👍🏽", {101, 1045, 100, 100, 1998, 100, 102}},
      {"unbelievably tokenizable", {101, 4895, 8671, 2666, 3567, 6321, 19204, 21335, 3468, 102}},
      {"مرحبا بالعالم",
       {101, 1295, 17149, 29820, 29816, 25573, 1271, 25573, 23673, 29830, 25573, 23673, 22192, 102}},
      {"[MASK] a [SEP]", {101, 103, 1037, 102, 102}},
      {"x\0y\u200bz"sv, {101, 1060, 2100, 2480, 102}},
      {"#5 e-mail: a.b@c.de",
       {101, 1001, 1019, 1041, 1011, 5653, 1024, 1037, 1012, 1038, 1030, 1039, 1012, 2139, 102}},
  };
  for (const auto& [text, ids] : expected) EXPECT_EQ(tokenizer->encode(text), ids) << text;
  std::string long_text;
  for (int i = 0; i < 5000; ++i) long_text += "word ";
  std::vector<int32_t> ids = tokenizer->encode(long_text);
  ASSERT_EQ(ids.size(), 256U);
  EXPECT_EQ(ids[1], 2773);
  EXPECT_EQ(ids[254], 2773);
  EXPECT_EQ(ids[255], 102);
}
