// --memory is kept: what the process takes at its peak, with much besides activations. Sanitizers take memory
// of their own, so that there these tests tell nothing and are skipped.
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"
#include "tests/places.h"

namespace hone::cli {
namespace {

using Json = nlohmann::json;

// Its vectors are the widest of the small models: 128 numbers.
const std::string kWide = std::string(testing::kFixtures) + "/models/concatenated";

class Memory : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef HONE_SANITIZED  // the program, not this test
    GTEST_SKIP() << "a sanitizer's memory would be counted";
#endif
    std::string rows = "anchor\tpositive\tid\n";
    for (int i = 0; i < kRows; ++i)
      rows += "question " + std::to_string(i) + "\tanswer " + std::to_string(i) + "\t" +
              std::to_string(i % 4) + "\n";
    folder.write("rows.tsv", rows);
  }
  // The peak in 10^6 bytes of a run in batches of all rows, which do not fit.
  double peak(const std::string& memory, const Strings& more) {
    Strings arguments{"train",
                      "--model",
                      kWide,
                      "--data",
                      (folder / "rows.tsv").string(),
                      "--out",
                      (folder / "out").string(),
                      "--batch-size",
                      std::to_string(kRows),
                      "--steps",
                      "2",
                      "--checkpoint-steps",
                      "0",
                      "--memory",
                      memory + "M",
                      "--threads",
                      "2",
                      "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Result r = hone(arguments);
    EXPECT_EQ(r.code, 0) << r.err;
    const Json j = Json::parse(r.out);
    EXPECT_LE(j.at("estimate").at("bytes").get<double>(), 1e6 * std::stod(memory) + 1e6);
    return j.at("peak_megabytes").get<double>();
  }

  static constexpr int kRows = 4096;
  TempFolder folder;
};

// 120,000 texts of 512 bytes each: more than what is reckoned too high elsewhere.
TEST_F(Memory, holds_the_vectors_and_similarities_of_an_evaluation) {
  std::string dev = "anchor\tpositive\tnegative\n";
  for (int i = 0; i < 40000; ++i) {
    const std::string number = std::to_string(i);
    dev += "left " + number + "\tright " + number + "\twrong " + number + "\n";
  }
  folder.write("dev.tsv", dev);
  EXPECT_LE(peak("160", {"--task", "triplet", "--eval", (folder / "dev.tsv").string()}), 160 * 1.05);
}

// 55 MB of texts, of which a run needs the first tokens alone: they are not there while it trains. A word of
// so many letters is one token that is not known.
TEST_F(Memory, does_not_hold_the_texts_of_an_evaluation) {
  const std::string word(6000, 'x');
  std::string dev = "anchor\tpositive\tnegative\n";
  for (int i = 0; i < 3000; ++i) {
    const std::string number = std::to_string(i);
    dev += "left " + number + " " + word + "\tright " + number + " " + word + "\twrong " + number + " " +
           word + "\n";
  }
  folder.write("dev.tsv", dev);
  EXPECT_LE(peak("150", {"--task", "triplet", "--eval", (folder / "dev.tsv").string()}), 150 * 1.05);
}

// Each row has 1023 false negatives, in all four directions.
TEST_F(Memory, holds_what_is_no_negative) {
  EXPECT_LE(peak("180", {"--columns", "id=id", "--loss-options", "directions=qd+qq+dq+dd"}), 180);
}

// Of a text of 20 MB only the beginning is tokenized, whatever it is made of: what grows with it is what
// holds the text, in the file and in memory.
TEST_F(Memory, of_a_long_text_does_not_grow_with_its_tokens) {
  const auto of_text = [&](const std::string& piece, size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += piece;
    folder.write("long.tsv", "anchor\tpositive\na man\tthe horse\n" + text + "\ta cat\n");
    const Result r = hone({"train", "--model", kModel, "--data", (folder / "long.tsv").string(), "--out",
                           (folder / "out").string(), "--steps", "1", "--overwrite", "--json", "--quiet"});
    EXPECT_EQ(r.code, 0) << r.err;
    return Json::parse(r.out).at("peak_megabytes").get<double>();
  };
  constexpr size_t kBytes = 20000000;
  for (const char* piece : {"x", "the ", " ", "-", "/a", "\u0301", "\u200b", "\u0434", "\u4e2d", "a\u0301 "})
    EXPECT_LE(of_text(piece, kBytes) - of_text(piece, 100), 8 * 1e-6 * kBytes) << piece;
}

// The texts of 150,000 pairs are 36 MB, and were several times that in memory; their ids are more than a
// quarter of what is allowed.
TEST_F(Memory, holds_rows_whose_texts_do_not_fit) {
  std::string rows = "anchor\tpositive\n";
  const std::string more = " and what it is that one would like to know about it here and now and then";
  for (int i = 0; i < 150'000; ++i) {
    const std::string number = std::to_string(i);
    rows += "question " + number + more + "\tanswer " + number + more + " and why\n";
  }
  folder.write("rows.tsv", rows);
  EXPECT_LE(peak("90", {"--batch-size", "64"}), 90 * 1.05);
}

}  // namespace
}  // namespace hone::cli
