// hone eval on files that are not what the task wants: one line that names the file and the row, nothing
// written.
#include "tests/cli/program.h"
#include "tests/cli/small_data.h"
#include "tests/places.h"

namespace hone::cli {
namespace {

class EvalErrors : public ::testing::Test {
 protected:
  // Fails with this line; what --per-row or --per-query would have written is not there.
  void says(const std::string& task, Strings more, int code, const std::string& line) {
    const auto before = folder.names();
    more.insert(more.end(),
                {task == "retrieval" || task == "pairs" ? "--per-query" : "--per-row", at("lines")});
    expect_line(hone(eval_task(task, more)), code, line);
    EXPECT_EQ(folder.names(), before);
  }
  std::string at(const std::string& name) const { return (folder / name).string(); }
  // Of task `task` on a file with this content.
  void of_file(const std::string& task, const std::string& name, const std::string& content,
               const std::string& line) {
    folder.write(name, content);
    says(task, {"--data", at(name)}, 1, at(name) + line);
  }
  TempFolder folder;
};

std::string numbers(int count, const std::string& last) {
  std::string text;
  for (int i = 1; i < count; ++i) text += "0.5 ";
  return text + last;
}

TEST_F(EvalErrors, of_a_file_for_another_task_name_the_column) {
  const std::string triplet_names = "the columns are \"anchor\", \"positive\", \"negative\"";
  of_file("binary", "t.tsv", kTripletRows,
          ":1: no column \"sentence1\", " + triplet_names + " (--columns sentence1=NAME names another)");
  of_file("mse", "t.tsv", kTripletRows,
          ":1: no column \"text\", " + triplet_names + " (--columns text=NAME names another)");
  of_file("triplet", "b.tsv", kBinaryRows,
          ":1: no column \"anchor\", the columns are \"sentence1\", \"sentence2\", \"score\" (--columns "
          "anchor=NAME names another)");
  of_file(
      "triplet", "b.tsv", "anchor\tpositive\na\tb\n",
      ":1: no column \"negative\", the columns are \"anchor\", \"positive\" (--columns negative=NAME names "
      "another)");
  of_file("pairs", "p.tsv", "anchor\tscore\na\t1\n",
          ":1: no column \"positive\", the columns are \"anchor\", \"score\" (--columns positive=NAME names "
          "another)");
  of_file(
      "pairs", "same.tsv", "anchor\tpositive\na\tx\nb\tx\n",
      ": all rows have the same positive, at least two different ones expected to find the right one among");
  of_file("binary", "graded.tsv", "sentence1\tsentence2\tscore\na\tb\t1\na\tc\t0.5\n",
          ":3: column \"score\": found 0.5, expected 0 or 1");
}

TEST_F(EvalErrors, of_files_without_rows) {
  for (const char* task : {"sts", "binary", "triplet", "mse"}) {
    of_file(task, "empty.tsv", "", ": is empty");
    of_file(task, "header.jsonl", "\n\n", ": has no rows");
  }
  of_file("triplet", "header.tsv", "anchor\tpositive\tnegative\n", ": has no rows");
  says("sts", {"--data", at("none.tsv")}, 1, "cannot read " + at("none.tsv") + ": No such file or directory");
}

TEST_F(EvalErrors, of_vectors_that_are_none_or_of_another_width) {
  const std::string good = "text\tvector\nA man\t" + numbers(32, "1") + "\n";
  of_file("mse", "nan.tsv", good + "The horse\t" + numbers(32, "nan") + "\n",
          ":3: column \"vector\": found \"nan\" as number 32, expected a vector of finite numbers");
  of_file("mse", "inf.tsv", good + "The horse\t" + numbers(32, "1e39") + "\n",
          ":3: column \"vector\": found \"1e39\" (out of range) as number 32, expected a vector of finite "
          "numbers");
  of_file("mse", "short.tsv", good + "The horse\t" + numbers(31, "1") + "\n",
          ":3: column \"vector\": found 31 numbers, expected 32 as in the first row");
  of_file("mse", "narrow.tsv", "text\tembedding\nA man\t1 2 3\n",
          ": column \"embedding\": found vectors of 3 numbers, expected 32, as the model's");
  of_file("mse", "text.jsonl", "{\"text\": \"A man\", \"vector\": \"1 2 3\"}\n",
          ":1: column \"vector\": found a string, expected a vector of finite numbers");
  folder.write("good.tsv", good);
  const std::string narrower = std::string(testing::kFixtures) + "/models/dense-tanh";
  says("mse", {"--data", at("good.tsv"), "--compare", narrower}, 1,
       at("good.tsv") + ": column \"vector\": found vectors of 32 numbers, expected 24, as the model's");
}

TEST_F(EvalErrors, of_options_of_other_tasks) {
  folder.write("b.tsv", kBinaryRows);
  const std::string data = at("b.tsv");
  const auto usage = [&](const std::string& task, const Strings& more, const std::string& line) {
    expect_line(hone(eval_task(task, more)), 2, line);
    EXPECT_EQ(folder.names(), Strings{"b.tsv"});
  };
  usage("sts", {"--data", data, "--margin", "1"}, "option --margin is for --task triplet, found sts");
  usage("mse", {"--data", data, "--similarity", "dot"},
        "option --similarity is for --task sts, binary, triplet, pairs or retrieval, found mse");
  usage("binary", {"--data", data, "--split", "dev"}, "option --split is for --task retrieval, found binary");
  usage("triplet", {"--data", data, "--per-query", at("q")},
        "option --per-query is for --task pairs or retrieval, found triplet");
  usage("triplet", {"--data", data, "--corpus", data},
        "option --corpus is for --task retrieval, found triplet");
  usage("retrieval", {"--data", data, "--per-row", at("r")},
        "option --per-row is for --task sts, binary, triplet or mse, found retrieval");
  usage("retrieval", {"--data", data, "--columns", "text=body"},
        "option --columns is for --task sts, binary, triplet, pairs or mse, found retrieval");
  usage("pairs", {"--data", data, "--per-row", at("r")},
        "option --per-row is for --task sts, binary, triplet or mse, found pairs");
  usage("pairs", {"--data", data, "--margin", "1"}, "option --margin is for --task triplet, found pairs");
  usage("sts", {}, "option --data is missing; see hone eval --help");
  usage("sts", {"--data", data, "--columns", "anchor=x"},
        "--columns: no role \"anchor\" here, the roles are sentence1, sentence2, score");
}

TEST_F(EvalErrors, of_lines_that_cannot_be_written_or_would_replace_what_is_read) {
  folder.write("b.tsv", kBinaryRows);
  write_beir(folder, "beir");
  const auto before = folder.names();
  const std::string data = at("b.tsv");
  const auto fails = [&](const std::string& task, const Strings& more, int code, const std::string& line) {
    expect_line(hone(eval_task(task, more)), code, line);
    EXPECT_EQ(folder.names(), before);
  };
  fails("binary", {"--data", data, "--per-row", data}, 2, "per-row: \"" + data + "\" is a file that is read");
  const std::string corpus = at("beir") + "/corpus.jsonl";
  fails("retrieval", {"--data", at("beir"), "--per-query", corpus}, 2,
        "per-query: \"" + corpus + "\" is a file that is read");
  fails("binary", {"--data", data, "--per-row", at("none") + "/r"}, 1,
        "cannot write " + at("none") + "/r: No such file or directory");
  fails("binary", {"--data", data, "--per-row="}, 2,
        "per-row: \"\" found, the name of a file or folder expected");
  EXPECT_EQ(folder.read("b.tsv"), kBinaryRows);
  EXPECT_EQ(lines_of(corpus), 5);
}

// --- retrieval ---

TEST_F(EvalErrors, of_judgements_about_what_is_not_there) {
  write_beir(folder, "beir");
  const auto judged = [&](const std::string& rows, const std::string& line) {
    folder.write("beir/qrels/test.tsv", "query-id\tcorpus-id\tscore\n" + rows);
    says("retrieval", {"--data", at("beir")}, 1, at("beir") + "/qrels/test.tsv" + line);
  };
  judged("q1\td1\t1\nq9\td1\t1\n",
         ":3: column \"query-id\": found \"q9\", which is not in " + at("beir") + "/queries.jsonl");
  judged("q1\td1\t1\nq2\td1\t0\nq2\td9\t1\n",
         ":4: column \"corpus-id\": found \"d9\", which is not in " + at("beir") + "/corpus.jsonl");
  judged("q1\td1\t0\n", ": no query has a relevant passage (a score above 0)");
  judged("q1\td1\thigh\n", ":2: column \"score\": found \"high\", expected a finite number");
  judged("", ": has no rows");
}

TEST_F(EvalErrors, of_a_folder_that_is_not_whole) {
  write_beir(folder, "beir");
  const std::string beir = at("beir");
  says("retrieval", {"--data", beir, "--split", "train"}, 1,
       beir +
           ": has no qrels/train.tsv, qrels_train.tsv, qrels/train.jsonl, qrels_train.jsonl (or .gz); it has "
           "qrels of dev, test");
  says("retrieval", {"--data", beir, "--split", "../qrels/test"}, 2,
       "split: \"../qrels/test\" found, the name of a split expected (test)");
  says("retrieval", {"--data", beir + "/corpus.jsonl"}, 1,
       beir + "/corpus.jsonl: is not a folder, one in the layout of BEIR expected");
  says("retrieval", {"--data", at("none")}, 1,
       at("none") + ": is not a folder, one in the layout of BEIR expected");
  folder.write("beir/queries.jsonl", "");
  says("retrieval", {"--data", beir}, 1, beir + "/queries.jsonl: is empty");
  folder.write("beir/queries.jsonl",
               "{\"_id\": \"q1\", \"text\": \"a\"}\n{\"_id\": \"q1\", \"text\": \"b\"}\n");
  says("retrieval", {"--data", beir}, 1,
       beir + "/queries.jsonl:2: column \"_id\": \"q1\" is there twice, first in line 1");
  folder.write("beir/corpus.jsonl", "{\"id\": \"d1\", \"text\": \"a\"}\n");
  folder.write("beir/queries.jsonl", "{\"_id\": \"q1\", \"text\": \"a\"}\n");
  says("retrieval", {"--data", beir}, 1,
       beir +
           "/corpus.jsonl:1: no column \"_id\", the columns are \"id\", \"text\" (the names of BEIR are "
           "expected)");
  fs::remove(folder / "beir" / "corpus.jsonl");
  says("retrieval", {"--data", beir}, 1, beir + ": has no corpus.jsonl (or .gz)");
}

TEST_F(EvalErrors, of_files_that_are_not_all_named) {
  says("retrieval", {}, 2,
       "option --data is missing (or --corpus, --queries and --qrels); see hone eval --help");
  says("retrieval", {"--corpus", at("c")}, 2, "option --queries is missing; see hone eval --help");
  says("retrieval", {"--corpus", at("c"), "--queries", at("q")}, 2,
       "option --qrels is missing; see hone eval --help");
  says("retrieval", {"--queries", at("q"), "--qrels", at("r")}, 2,
       "option --corpus is missing; see hone eval --help");
  says("retrieval", {"--corpus", at("c"), "--data", at("d")}, 2,
       "options --data and --corpus, --queries, --qrels exclude each other");
  says("retrieval", {"--corpus", at("c"), "--queries", at("q"), "--qrels", at("r"), "--split", "dev"}, 2,
       "option --split is for a folder (--data)");
}

}  // namespace
}  // namespace hone::cli
