// hone encode on what is larger than memory should be: blocks, killed runs that go on, standard input and
// output.
#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "tests/cli/program.h"
#include "tests/places.h"

namespace hone::cli {
namespace {

constexpr int kBlock = 1 << 15;
// The widest of the small models.
const std::string kWideModel = std::string(testing::kFixtures) + "/models/concatenated";

std::string numbered_lines(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) lines += "text number " + std::to_string(i * 7919 % 100003) + "\n";
  return lines;
}

class EncodeStream : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (folder / name).string(); }
  Strings command(const std::string& input, const std::string& out, const Strings& more = {}) const {
    Strings all{"encode", "--model", kModel, "--input", input, "--out", out, "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  // For `prepare`.
  std::function<void()> reads(const std::string& name) const {
    return [path = at(name)] { dup2(open(path.c_str(), O_RDONLY), STDIN_FILENO); };
  }
  // Started, and killed when a block is kept.
  void kill_in_the_middle(const std::string& out) {
    Program program(command(at("t.txt"), at(out)));
    ASSERT_TRUE(wait_until([&] { return fs::exists(at(out + ".partial")); })) << program.err();
    program.send(SIGKILL);
    ASSERT_EQ(program.wait().code, -SIGKILL) << "it was done before";
    EXPECT_FALSE(fs::exists(at(out)));
    EXPECT_TRUE(fs::exists(at(out + ".partial")));
  }
  TempFolder folder;
};

TEST_F(EncodeStream, a_killed_run_goes_on_to_the_same_bytes) {
  folder.write("t.txt", numbered_lines(3 * kBlock));
  for (const char* ending : {"npy", "safetensors", "jsonl"}) {
    const std::string out = std::string("v.") + ending, whole = std::string("whole.") + ending;
    ASSERT_EQ(hone(command(at("t.txt"), at(whole))).code, 0);
    kill_in_the_middle(out);
    const auto kept = nlohmann::json::parse(folder.read(out + ".partial.json"));
    EXPECT_GE(kept.at("rows").get<int>(), kBlock);
    expect_error(hone(command(at("t.txt"), at(out))), 1, ".partial: holds the vectors of ");
    expect_error(hone(command(at("t.txt"), at(out), {"--resume", "--dim", "5"})), 1,
                 "cannot resume " + at(out) + ": width was 32 and is now 5");
    expect_error(hone(command(at("t.txt"), at(out), {"--resume", "--normalize"})), 1,
                 "normalize was no and is now yes");
    const Result r = hone(command(at("t.txt"), at(out), {"--resume"}));
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_TRUE(folder.read(out) == folder.read(whole)) << out;
    EXPECT_FALSE(fs::exists(at(out + ".partial"))) << out;
    EXPECT_FALSE(fs::exists(at(out + ".partial.json"))) << out;
    fs::remove(at(whole));
    fs::remove(at(out));
  }
}

TEST_F(EncodeStream, overwrite_begins_anew_and_other_texts_are_refused) {
  folder.write("t.txt", numbered_lines(2 * kBlock + 1));
  kill_in_the_middle("v.npy");
  folder.write("other.txt", "another\n" + numbered_lines(2 * kBlock));
  expect_error(hone(command(at("other.txt"), at("v.npy"), {"--resume"})), 1,
               "are not those whose vectors are there");
  folder.write("short.txt", "text number 0\n");
  expect_error(hone(command(at("short.txt"), at("v.npy"), {"--resume"})), 1, "has no more than 1");
  ASSERT_EQ(hone(command(at("short.txt"), at("v.npy"), {"--overwrite"})).code, 0);
  EXPECT_EQ(folder.names(), (Strings{"other.txt", "short.txt", "t.txt", "v.npy"}));
}

// What comes once cannot be looked through beforehand. The vectors before a bad row are kept; when it is
// mended the rest follows.
TEST_F(EncodeStream, a_bad_row_of_standard_input_keeps_what_came_before) {
  const std::string good = numbered_lines(kBlock + 10);
  folder.write("bad.txt", good + "caf\xe9\n");
  folder.write("mended.txt", good + "caf\xc3\xa9\n");
  const Strings from_input{"--input-format", "txt"}, resumed{"--input-format", "txt", "--resume"};
  expect_error(hone(command("-", at("v.npy"), from_input), reads("bad.txt")), 1,
               "standard input:" + std::to_string(kBlock + 11) + ": column \"text\": found bytes");
  ASSERT_FALSE(fs::exists(at("v.npy.partial"))) << "the bad row is in the second block, which is read first";
  const std::string more = numbered_lines(2 * kBlock);
  folder.write("bad.txt", more + "caf\xe9\n");
  folder.write("mended.txt", more + "caf\xc3\xa9\n");
  expect_error(hone(command("-", at("v.npy"), from_input), reads("bad.txt")), 1,
               "; " + std::to_string(kBlock) + " vectors are kept, go on with --resume");
  EXPECT_FALSE(fs::exists(at("v.npy")));
  const Result r = hone(command("-", at("v.npy"), resumed), reads("mended.txt"));
  ASSERT_EQ(r.code, 0) << r.err;
  ASSERT_EQ(hone(command(at("mended.txt"), at("whole.npy"))).code, 0);
  EXPECT_TRUE(folder.read("v.npy") == folder.read("whole.npy"));
}

TEST_F(EncodeStream, a_bad_row_of_a_file_is_found_before_any_work) {
  folder.write("t.txt", numbered_lines(3 * kBlock) + "caf\xe9\n");
  expect_line(hone(command(at("t.txt"), at("v.npy"))), 1,
              at("t.txt") + ":" + std::to_string(3 * kBlock + 1) +
                  ": column \"text\": found bytes that are not UTF-8 (at byte 4), expected a text");
  EXPECT_EQ(folder.names(), Strings{"t.txt"});
}

TEST_F(EncodeStream, standard_input_and_output) {
  folder.write("t.jsonl", "{\"text\": \"one\"}\n{\"text\": \"two words\"}\n");
  folder.write("lines", "one\ntwo words\n");
  ASSERT_EQ(hone(command(at("t.jsonl"), at("v.jsonl"))).code, 0);
  const std::string expected = folder.read("v.jsonl");
  const Strings to_output{"--format", "jsonl"};
  EXPECT_EQ(hone(command(at("t.jsonl"), "-", to_output)).out, expected);
  EXPECT_EQ(hone(command("-", "-", {"--input-format", "jsonl", "--format", "jsonl"}), reads("t.jsonl")).out,
            expected);
  EXPECT_EQ(hone(command(at("lines"), "-", {"--input-format", "txt", "--format", "jsonl"})).out, expected);
  EXPECT_EQ(hone(command("-", at("w.jsonl"), {"--input-format", "txt"}), reads("lines")).code, 0);
  EXPECT_EQ(folder.read("w.jsonl"), expected);
}

TEST_F(EncodeStream, what_standard_input_and_output_cannot_do_is_one_line) {
  folder.write("t.txt", "one\n");
  for (const char* format : {"npy", "safetensors"}) {
    expect_line(hone(command(at("t.txt"), "-", {"--format", format})), 2,
                std::string("format: \"") + format +
                    "\" found, jsonl expected: the number of rows stands in front of the vectors and is "
                    "known last, and standard output has no way back; write a file instead");
  }
  expect_line(hone(command(at("t.txt"), "-")), 2, "format: \"\" found, jsonl expected for --out -");
  expect_line(hone(command(at("t.txt"), "-", {"--format", "xml"})), 2,
              "format: \"xml\" found, jsonl expected for --out -");
  expect_error(hone(command(at("t.txt"), at("v.npy"), {"--format", "jsonl"})), 2,
               "option --format is for --out -");
  expect_error(hone(command(at("t.txt"), "-", {"--format", "jsonl", "--resume"})), 2,
               "option --resume is for a file");
  expect_error(hone(command(at("t.txt"), at("v.npy"), {"--resume", "--overwrite"})), 2, "exclude each other");
  expect_error(hone(command("-", at("v.npy")), reads("t.txt")), 2, "option --input-format is missing");
  expect_error(hone(command("-", at("v.npy"), {"--input-format", "xml"}), reads("t.txt")), 1,
               "standard input: found the format \"xml\", expected .jsonl");
  folder.write("empty.txt", "");
  expect_line(hone(command("-", at("v.npy"), {"--input-format", "txt"}), reads("empty.txt")), 1,
              "standard input: is empty");
  EXPECT_EQ(folder.names(), (Strings{"empty.txt", "t.txt"}));
}

// Eight times as many texts take no more than 64 MB more, where their vectors alone would take 72.
TEST_F(EncodeStream, memory_does_not_grow_with_the_number_of_texts) {
#ifdef HONE_SANITIZED  // the program, not this test
  GTEST_SKIP() << "a sanitizer's memory would be counted";
#endif
  folder.write("few.txt", numbered_lines(20'000));
  folder.write("many.txt", numbered_lines(160'000));
  auto peak = [&](const std::string& input, const std::string& out, const Strings& more) {
    Strings all{"encode", "--model", kWideModel, "--input", input, "--out", out};
    all.insert(all.end(), more.begin(), more.end());
    const Result r = hone(all, reads("many.txt"));
    EXPECT_EQ(r.code, 0) << r.err;
    std::smatch found;
    EXPECT_TRUE(std::regex_search(r.err, found, std::regex("peak memory (\\d+) MB"))) << r.err;
    return found.empty() ? 0 : std::stoi(found[1]);
  };
  const int few = peak(at("few.txt"), at("v.npy"), {});
  EXPECT_LE(peak(at("many.txt"), at("v.npy"), {}), few + 64);
  EXPECT_LE(peak(at("many.txt"), at("v.safetensors"), {}), few + 64);
  EXPECT_LE(peak("-", at("v.jsonl"), {"--input-format", "txt"}), few + 64);
}

}  // namespace
}  // namespace hone::cli
