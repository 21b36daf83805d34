// Several --data files: one table, whatever the order of their columns; what is wrong names the file it is
// in.
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"
#include "tests/cli/small_data.h"

namespace hone::cli {
namespace {

using Json = nlohmann::json;

Result train_files(const TempFolder& folder, const Strings& names, const Strings& more = {}) {
  std::vector<fs::path> files;
  for (const std::string& name : names) files.push_back(folder / name);
  Strings all{"--steps", "2"};
  all.insert(all.end(), more.begin(), more.end());
  return hone(train_on(files, folder / "out", all));
}

// The rows of kBinaryRows, two a file.
void write_parts(const TempFolder& folder) {
  folder.write("a.tsv",
               "sentence1\tsentence2\tscore\n"
               "The horse wants hot tea\tMy mother wants hot tea\t1\n"
               "A man sings a little song\tThe horse reads a long letter\t0\n");
  folder.write("b.jsonl", R"({"score": 1, "extra": [1], "sentence2": "My mother is swimming in the sea!", )"
                          R"("sentence1": "My mother is swimming in the sea"})"
                          "\n"
                          R"({"score": 0, "sentence1": "A black cat is playing a game", )"
                          R"("sentence2": "Two people drives to the city"})"
                          "\n");
  folder.write("c.csv",
               "label,note,sentence2,sentence1\n"
               "1,x,The old dog reads a long letter,The woman reads a long letter\n"
               "0,\"y, z\",The horse is riding over the hill,A young child is waiting under a tree\n");
}

TEST(ManyFiles, with_other_orders_of_columns_are_one_table) {
  TempFolder folder;
  write_parts(folder);
  folder.write("whole.tsv", kBinaryRows);
  const Result r = train_files(folder, {"a.tsv", "b.jsonl", "c.csv"});
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_NE(r.err.find("\ndata: 6 rows, 0 of them repeated; 12 different texts"), std::string::npos) << r.err;
  const std::string weights = folder.read("out/model.safetensors");
  EXPECT_NE(folder.read("out/README.md").find("a.tsv, b.jsonl, c.csv, 6 rows"), std::string::npos)
      << folder.read("out/README.md");
  ASSERT_EQ(train_files(folder, {"whole.tsv"}, {"--overwrite"}).code, 0);
  EXPECT_EQ(folder.read("out/model.safetensors"), weights) << "the same rows in the same order";
  ASSERT_EQ(train_files(folder, {"b.jsonl", "a.tsv", "c.csv"}, {"--overwrite", "--no-shuffle"}).code, 0);
  EXPECT_NE(folder.read("out/model.safetensors"), weights);
}

TEST(ManyFiles, of_which_one_is_there_twice_have_its_rows_twice) {
  TempFolder folder;
  write_parts(folder);
  const Result r = train_files(folder, {"a.tsv", "a.tsv"});
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_NE(r.err.find("\nwarning: 2 of 4 rows repeat an earlier one\n"), std::string::npos) << r.err;
}

TEST(ManyFiles, of_which_one_lacks_a_column_name_it) {
  TempFolder folder;
  write_parts(folder);
  folder.write("less.tsv", "sentence1\tscore\nThe horse wants hot tea\t1\n");
  const auto before = folder.names();
  expect_line(train_files(folder, {"a.tsv", "b.jsonl", "less.tsv"}), 1,
              (folder / "less.tsv").string() +
                  ":1: no column \"sentence2\", the columns are \"sentence1\", \"score\" (--columns "
                  "sentence2=NAME names another)");
  expect_error(train_files(folder, {"a.tsv", "missing.tsv"}), 1,
               (folder / "missing.tsv").string() + ": No such");
  EXPECT_EQ(folder.names(), before);
}

TEST(ManyFiles, of_which_only_one_has_a_column_that_may_be_there_name_both) {
  TempFolder folder;
  folder.write("with.tsv", kTripletRows);
  folder.write("without.tsv", "anchor\tpositive\nThe horse wants hot tea\tMy mother wants hot tea\n");
  const std::string with = (folder / "with.tsv").string(), without = (folder / "without.tsv").string();
  expect_line(train_files(folder, {"with.tsv", "without.tsv"}), 1,
              with + " and " + without + ": found other columns, expected the same roles: only " + with +
                  " has \"negative\" (text)");
  EXPECT_EQ(folder.names(), (Strings{"with.tsv", "without.tsv"}));
}

TEST(ManyFiles, name_a_broken_row_by_its_own_file) {
  TempFolder folder;
  write_parts(folder);
  folder.write("high.tsv", "score\tsentence2\tsentence1\n1\tb\ta\nhigh\tb\ta\n");
  folder.write("seven.csv", "score,sentence1,sentence2\n1,a,b\n\n7,a,b\n");
  folder.write("short.tsv", "sentence1\tsentence2\tscore\na\tb\n");
  folder.write("half.csv", "sentence1,sentence2,score\na,b,0.5\n");
  const auto before = folder.names();
  expect_line(
      train_files(folder, {"a.tsv", "high.tsv", "c.csv"}), 1,
      (folder / "high.tsv").string() + ":3: column \"score\": found \"high\", expected a finite number");
  expect_error(train_files(folder, {"a.tsv", "b.jsonl", "seven.csv"}, {"--label-scale", "5"}), 1,
               (folder / "seven.csv").string() + ":4: column \"score\": found 7, expected -5 to 5");
  expect_error(train_files(folder, {"short.tsv", "a.tsv"}), 1,
               (folder / "short.tsv").string() + ":2: found 2 fields");
  expect_error(train_files(folder, {"c.csv", "half.csv", "a.tsv"}, {"--loss", "contrastive"}), 1,
               (folder / "half.csv").string() + ":2: column \"score\": found 0.5, expected 0 or 1");
  EXPECT_EQ(folder.names(), before);
}

TEST(ManyFiles, name_the_file_whose_vectors_have_another_width) {
  TempFolder folder;
  folder.write("two.tsv", "text\tvector\na\t1 2\n");
  folder.write("three.tsv", "vector\ttext\n1 2 3\tb\n");
  const std::string two = (folder / "two.tsv").string(), three = (folder / "three.tsv").string();
  expect_line(train_files(folder, {"two.tsv", "three.tsv"}, {"--loss-options", "projection=true"}), 1,
              three + ": column \"vector\": found vectors of 3 numbers, expected 2 as in " + two);
  EXPECT_EQ(folder.names(), (Strings{"three.tsv", "two.tsv"}));
}

// Of a model whose weights are no numbers: all rows are to blame, each of its own file.
TEST(ManyFiles, name_the_rows_of_a_batch_whose_loss_is_no_number) {
  TempFolder folder;
  folder.write("a.tsv", "sentence1\tsentence2\tscore\nThe horse wants hot tea\tMy mother wants hot tea\t0\n");
  folder.write("b.tsv", "sentence1\tsentence2\tscore\nA man sings\tThe horse sings\t1\n");
  fs::copy(kModel, folder / "model", fs::copy_options::recursive);
  std::string weights = folder.read("model/model.safetensors");
  uint64_t header = 0;
  std::memcpy(&header, weights.data(), sizeof header);
  std::fill(weights.begin() + static_cast<std::ptrdiff_t>(sizeof header + header), weights.end(), '\xff');
  folder.write("model/model.safetensors", weights);
  const auto before = folder.names();
  const auto of = [&](const Strings& files) {
    Strings all{"train",
                "--model",
                (folder / "model").string(),
                "--out",
                (folder / "out").string(),
                "--steps",
                "1",
                "--no-shuffle",
                "--quiet"};
    for (const std::string& file : files) all.insert(all.end(), {"--data", (folder / file).string()});
    return hone(all);
  };
  expect_line(of({"a.tsv", "b.tsv"}), 1,
              "step 1: the loss is nan in the batch of " + (folder / "a.tsv").string() + ":2, " +
                  (folder / "b.tsv").string() + ":2");
  expect_line(of({"a.tsv"}), 1,
              "step 1: the loss is nan in the batch of lines 2 of " + (folder / "a.tsv").string());
  EXPECT_EQ(folder.names(), before);
}

TEST(ManyFiles, are_all_kept_from_the_log) {
  TempFolder folder;
  write_parts(folder);
  expect_line(train_files(folder, {"a.tsv", "b.jsonl"}, {"--log", (folder / "b.jsonl").string()}), 2,
              "log: \"" + (folder / "b.jsonl").string() + "\" is the file of --data, which is read");
  EXPECT_EQ(lines_of(folder / "b.jsonl"), 2);
}

TEST(ManyFiles, are_the_run_that_is_resumed) {
  TempFolder folder;
  write_parts(folder);
  ASSERT_EQ(train_files(folder, {"a.tsv", "b.jsonl"}).code, 0);
  const Result again = train_files(folder, {"a.tsv", "b.jsonl"}, {"--resume"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_NE(again.err.find("finished already"), std::string::npos) << again.err;
  expect_error(train_files(folder, {"a.tsv", "c.csv"}, {"--resume"}), 1, "data");
}

}  // namespace
}  // namespace hone::cli
