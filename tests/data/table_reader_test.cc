// Files read a block at a time: the same rows, the same messages, the same hash as all at once.
#include "data/table_reader.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/base/one_line.h"
#include "tests/base/temp_folder.h"
#include "tests/data/table.h"

namespace hone::data {
namespace {

using testing::gzip;
using testing::message_of;
using testing::TempFolder;

// Gives few bytes at once, as lines that are cut anywhere.
class SmallPieces final : public ByteInput {
 public:
  SmallPieces(std::string content, size_t size) : content_(std::move(content)), size_(size) {}
  std::string_view next() override {
    piece_ = content_.substr(given_, size_);
    given_ += piece_.size();
    return piece_;
  }
  uint64_t given() const override { return given_; }
  uint64_t size() const override { return content_.size(); }

 private:
  std::string content_, piece_;
  size_t size_, given_ = 0;
};

ReadOptions all_kinds() {
  return {{{"text"}, {"score", ColumnKind::number}, {"vector", ColumnKind::vector}}, {}};
}

struct File {
  const char* name;
  std::string content;
};

// Nine rows of every format, with empty lines, records over several lines, a byte order mark.
std::vector<File> files() {
  std::string csv = "\xEF\xBB\xBFscore,text,vector\r\n", tsv = "vector\ttext\tscore\n", jsonl;
  for (int i = 0; i < 9; ++i) {
    const std::string n = std::to_string(i);
    csv += n + ",\"line " + n + "\nand \"\"" + std::string(static_cast<size_t>(i), 'x') + "\"\"\",\"[1," + n +
           "]\"\n";
    tsv += "[1 " + n + "]\tline " + n + "\t" + n + ".5\r\n";
    jsonl += "{\"text\": \"l\\u00e4" + n + "\", \"vector\": [1, " + n + "], \"score\": " + n + "}\n\n";
  }
  return {{"t.csv", csv},
          {"t.tsv", tsv},
          {"t.jsonl", jsonl},
          {"t.csv.gz", gzip(csv)},
          {"t.jsonl.gz", gzip(jsonl.substr(0, 60)) + gzip(jsonl.substr(60)) + std::string(7, '\0')},
          {"t.tsv.gz", gzip(tsv)}};
}

// All blocks after each other.
Table joined(TableReader& reader, size_t rows, size_t bytes = SIZE_MAX) {
  Table all;
  while (reader.next(rows, bytes)) {
    Table& block = reader.table();
    EXPECT_LE(block.rows, rows);
    all.path = block.path;
    all.rows += block.rows;
    all.content_hash = block.content_hash;
    auto move_to = [](auto& to, auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    move_to(all.texts["text"], block.texts.at("text"));
    move_to(all.numbers["score"], block.numbers.at("score"));
    move_to(all.vectors["vector"].values, block.vectors.at("vector").values);
    EXPECT_EQ(block.vectors.at("vector").width, 2U);
    move_to(all.lines, block.lines);
  }
  EXPECT_FALSE(reader.next(rows, bytes)) << "the end stays the end";
  return all;
}

void expect_same(const Table& found, const Table& expected, const std::string& what) {
  EXPECT_EQ(found.rows, expected.rows) << what;
  EXPECT_EQ(found.text("text"), expected.text("text")) << what;
  EXPECT_EQ(found.number("score"), expected.number("score")) << what;
  EXPECT_EQ(found.vector("vector").values, expected.vector("vector").values) << what;
  EXPECT_EQ(found.lines, expected.lines) << what;
  EXPECT_EQ(found.content_hash, expected.content_hash) << what;
}

TEST(TableReader, blocks_of_any_size_are_the_whole_table) {
  for (const File& file : files()) {
    const Table whole = parse_table(file.content, file.name, all_kinds());
    ASSERT_EQ(whole.rows, 9U) << file.name;
    for (const size_t rows : {1, 2, 4, 8, 9, 10}) {
      TableReader reader(std::make_unique<MemoryInput>(file.content), file.name, all_kinds());
      expect_same(joined(reader, rows), whole, cat(file.name, " by ", rows));
    }
  }
}

TEST(TableReader, pieces_may_end_anywhere) {
  for (const File& file : files()) {
    const Table whole = parse_table(file.content, file.name, all_kinds());
    for (const size_t bytes : {3, 4, 7, 64}) {
      TableReader reader(std::make_unique<SmallPieces>(file.content, bytes), file.name, all_kinds());
      expect_same(joined(reader, 4), whole, cat(file.name, " in pieces of ", bytes));
    }
  }
  // The header of gzip itself is put together too.
  TableReader reader(std::make_unique<SmallPieces>(files()[4].content, 1), "t.jsonl.gz", all_kinds());
  EXPECT_EQ(joined(reader, 4).rows, 9U);
}

TEST(TableReader, a_block_ends_where_its_texts_are_large) {
  std::string content;
  for (int i = 0; i < 10; ++i) content += std::string(100, 'a') + "\n";
  TableReader reader(std::make_unique<MemoryInput>(content), "t.txt", testing::text_options());
  std::vector<size_t> sizes;
  while (reader.next(1000, 250)) sizes.push_back(reader.table().rows);
  EXPECT_EQ(sizes, (std::vector<size_t>{3, 3, 3, 1}));
}

TEST(TableReader, a_bad_row_says_the_same_as_all_at_once) {
  const std::string good = "a\t1\t1 2\n";
  for (const char* bad : {"b\thigh\t1 2\n", "b\t1\t1 2 3\n", "b\t1\n", "\xff\t1\t1 2\n"}) {
    const std::string content = "text\tscore\tvector\n" + good + good + good + std::string(bad) + good;
    const std::string expected = testing::error_of(content, "t.tsv", all_kinds());
    EXPECT_TRUE(expected.starts_with("t.tsv:5: ")) << expected;
    for (const size_t rows : {1, 2, 3, 100}) {
      TableReader reader(std::make_unique<MemoryInput>(content), "t.tsv", all_kinds());
      EXPECT_EQ(message_of([&] {
                  while (reader.next(rows)) {
                  }
                }),
                expected)
          << rows;
    }
  }
}

TEST(TableReader, no_rows_and_no_bytes_are_told_apart) {
  auto message = [](const std::string& content, const char* name) {
    return message_of(
        [&] { TableReader(std::make_unique<MemoryInput>(content), name, all_kinds()).next(5); });
  };
  EXPECT_EQ(message("", "t.tsv"), "t.tsv: is empty");
  EXPECT_EQ(message("", "t.tsv.gz"), "t.tsv.gz: is empty");
  EXPECT_EQ(message("text\tscore\tvector\n", "t.tsv"), "t.tsv: has no rows");
  EXPECT_EQ(message(gzip(""), "t.jsonl.gz"), "t.jsonl.gz: has no rows");
  EXPECT_EQ(message("\x1f", "t.tsv.gz"), "t.tsv.gz: is not gzip data, as its name says");
}

TEST(TableReader, max_rows_counts_over_blocks) {
  ReadOptions options = testing::text_options();
  options.max_rows = 5;
  TableReader reader(std::make_unique<MemoryInput>("1\n2\n3\n4\n5\n6\n7\n"), "t.txt", options);
  std::vector<size_t> sizes;
  while (reader.next(2)) sizes.push_back(reader.table().rows);
  EXPECT_EQ(sizes, (std::vector<size_t>{2, 2, 1}));
}

TEST(TableReader, a_format_may_be_given) {
  TempFolder folder;
  folder.write("corpus", gzip("text\na\n"));
  ReadOptions options = testing::text_options();
  for (const char* format : {"tsv.gz", "TSV.GZ", ".csv.gz"}) {
    options.format = format;
    EXPECT_EQ(read_table(folder / "corpus", options).text("text"), std::vector<std::string>{"a"}) << format;
  }
  for (const char* format : {"xml", "gz", "tsv.zip", "."}) {
    options.format = format;
    EXPECT_NE(message_of([&] {
                read_table(folder / "corpus", options);
              }).find(cat("found the format \"", format, "\", expected .jsonl")),
              std::string::npos)
        << format;
  }
}

TEST(FileInput, gives_a_file_in_whole_pieces) {
  TempFolder folder;
  const std::string content(2500000, 'x');
  folder.write("file", content);
  FileInput input(folder / "file");
  EXPECT_EQ(input.size(), content.size());
  std::vector<size_t> sizes;
  uint64_t sum = 0;
  for (std::string_view piece = input.next(); !piece.empty(); piece = input.next()) {
    sizes.push_back(piece.size());
    EXPECT_EQ(input.given(), sum += piece.size());
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{1 << 20, 1 << 20, 2500000 - (2 << 20)}));
  EXPECT_TRUE(input.next().empty());
  EXPECT_THROW(FileInput(folder / "none"), Error);
  EXPECT_THROW(FileInput(folder.path()), Error);
}

}  // namespace
}  // namespace hone::data
