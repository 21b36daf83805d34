// Vectors files that go on with what an earlier run left.
#include <gtest/gtest.h>

#include "base/error.h"
#include "encode/text_file.h"
#include "encode/vectors_file.h"
#include "tests/base/one_line.h"
#include "tests/base/temp_folder.h"

namespace hone::encode {
namespace {

using testing::expect_part;
using testing::message_of;
using testing::TempFolder;
using Names = std::vector<std::string>;

const std::vector<float> kFirst{1, 2, 3, 4}, kSecond{5, 6};
const model::Identity kSame{{"model", "m"}, {"normalize", "no"}};

// The hash of the first `count` texts of the file.
uint64_t hash_of(const std::filesystem::path& path, size_t count) {
  TextFile file(path, text_options(""));
  TextBlock block;
  file.next(block, count);
  return block.hash;
}

class Resume : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { folder.write("t.txt", "one\ntwo\nthree\n"); }
  std::string name() const { return std::string("v.") + GetParam(); }
  std::filesystem::path path() const { return folder / name(); }
  VectorsFile open(OnPartial on_partial) const { return {path(), vectors_format(path()), on_partial}; }
  // A run that ends after its first block.
  void killed() const {
    VectorsFile file = open(OnPartial::refuse);
    file.begin(2, kSame);
    EXPECT_EQ(file.kept(), 0);
    file.write(kFirst, hash_of(folder / "t.txt", 2), true);
    EXPECT_EQ(file.kept(), 2);
  }
  void finish(VectorsFile& file) const {
    TextFile texts(folder / "t.txt", text_options(""));
    file.skip_texts(texts, "t.txt");
    TextBlock block;
    ASSERT_TRUE(texts.next(block, 10));
    EXPECT_EQ(block.texts, Names{"three"});
    file.write(kSecond, block.hash, false);
    file.finish();
  }
  std::string whole() const {
    const TempFolder other;
    VectorsFile file(other / name(), vectors_format(path()));
    file.begin(2, kSame);
    file.write(kFirst, 0, false);
    file.write(kSecond, 0, false);
    file.finish();
    EXPECT_EQ(other.names(), Names{name()});
    return other.read(name());
  }
  TempFolder folder;
};

TEST_P(Resume, ends_with_the_bytes_of_a_run_in_one_go) {
  killed();
  EXPECT_EQ(folder.names(), (Names{"t.txt", name() + ".partial", name() + ".partial.json"}));
  VectorsFile file = open(OnPartial::resume);
  EXPECT_EQ(file.rows(), 2);
  file.begin(2, kSame);
  finish(file);
  EXPECT_EQ(file.rows(), 3);
  EXPECT_EQ(folder.read(name()), whole());
  EXPECT_EQ(folder.names(), (Names{"t.txt", name()}));
}

TEST_P(Resume, begins_where_nothing_is_kept_or_anew_where_asked) {
  for (const OnPartial on_partial : {OnPartial::resume, OnPartial::overwrite}) {
    if (on_partial == OnPartial::overwrite) killed();
    VectorsFile file = open(on_partial);
    EXPECT_EQ(file.rows(), 0);
    file.begin(2, kSame);
    file.write(kFirst, 0, false);
    file.write(kSecond, 0, false);
    file.finish();
    EXPECT_EQ(folder.read(name()), whole());
    EXPECT_EQ(folder.names(), (Names{"t.txt", name()}));
  }
}

TEST_P(Resume, what_is_kept_is_never_lost_unasked) {
  killed();
  const auto before = folder.names();
  const std::string kept = folder.read(name() + ".partial");
  expect_part(message_of([&] { open(OnPartial::refuse); }),
              name() + ".partial: holds the vectors of 2 texts of a run that did not end; --resume goes on");
  EXPECT_EQ(folder.names(), before);
  EXPECT_EQ(folder.read(name() + ".partial"), kept);
}

TEST_P(Resume, other_settings_are_refused_by_name) {
  killed();
  const auto before = folder.names();
  VectorsFile file = open(OnPartial::resume);
  expect_part(message_of([&] { file.begin(3, kSame); }), "width was 2 and is now 3");
  expect_part(message_of([&] {
                file.begin(2, {{"model", "other"}, {"normalize", "no"}});
              }),
              "cannot resume " + path().string() + ": model was m and is now other");
  expect_part(message_of([&] { file.begin(2, {{"model", "m"}, {"normalize", "yes"}}); }), "normalize");
  EXPECT_EQ(folder.names(), before);
}

TEST_P(Resume, other_texts_are_refused) {
  killed();
  const auto message = [&](const std::string& texts) {
    folder.write("t.txt", texts);
    VectorsFile file = open(OnPartial::resume);
    file.begin(2, kSame);
    TextFile source(folder / "t.txt", text_options(""));
    return message_of([&] { file.skip_texts(source, "t.txt"); });
  };
  EXPECT_EQ(message("one\nTWO\nthree\n"),
            "cannot resume " + path().string() +
                ": the first 2 texts of t.txt are not those whose vectors are there");
  EXPECT_EQ(message("one\n"), "cannot resume " + path().string() +
                                  ": the vectors of 2 texts are there, and t.txt has no more than 1");
  // What follows may be other: it was not encoded yet.
  EXPECT_EQ(message("one\ntwo\nelse\nmore\n"), "no error");
}

TEST_P(Resume, a_damaged_record_is_refused) {
  killed();
  const std::string record = name() + ".partial.json", good = folder.read(record);
  for (const std::string& bad : {std::string("{"), std::string("[]"), std::string("{\"version\": 2}"),
                                 std::string("{\"version\": 1, \"rows\": -1, \"bytes\": 1}"),
                                 std::string("{\"version\": 1, \"rows\": 1, \"bytes\": 1}")}) {
    folder.write(record, bad);
    expect_part(message_of([&] { open(OnPartial::resume); }), record);
  }
  folder.write(record, good);
  folder.write(name() + ".partial", "short");
  expect_part(message_of([&] { open(OnPartial::resume); }), "found 5 bytes, expected ");
  std::filesystem::remove(folder / record);
  expect_part(message_of([&] { open(OnPartial::resume); }), "hone did not keep it");
  EXPECT_EQ(folder.read(name() + ".partial"), "short");
}

INSTANTIATE_TEST_SUITE_P(Formats, Resume, ::testing::Values("npy", "safetensors", "jsonl"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace hone::encode
