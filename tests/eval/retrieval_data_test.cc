// Folders as in BEIR: what a document may lack, and what is said of those without a text.
#include "eval/retrieval_data.h"

#include <gtest/gtest.h>

#include "tests/base/temp_folder.h"

namespace hone::eval {
namespace {

using Texts = std::vector<std::string>;

class BeirFolder : public ::testing::Test {
 protected:
  BeirFolder() {
    folder.write("queries.jsonl",
                 "{\"_id\": \"q1\", \"text\": \"rain\"}\n{\"_id\": \"q2\", \"text\": \"cat\"}\n");
    folder.write("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\n");
  }
  RetrievalData read(const std::string& corpus) {
    folder.write("corpus.jsonl", corpus);
    return read_retrieval(find_retrieval_files(folder.path(), "test"));
  }
  testing::TempFolder folder;
};

const std::string kFirst = R"({"_id": "d1", "title": "Weather", "text": "heavy rain"})"
                           "\n";

TEST_F(BeirFolder, a_document_may_have_no_title) {
  const std::string null = R"({"_id": "d2", "title": null, "text": "a small cat"})"
                           "\n",
                    none = R"({"_id": "d2", "text": "a small cat"})"
                           "\n",
                    empty = R"({"_id": "d2", "title": "", "text": "a small cat"})"
                            "\n";
  const uint64_t hash = read(kFirst + empty).content_hash;
  for (const std::string& second : {null, none, empty}) {
    for (const std::string& corpus : {kFirst + second, second + kFirst}) {
      const RetrievalData data = read(corpus);
      EXPECT_EQ(data.passages, (Texts{"Weather heavy rain", "a small cat"})) << corpus;
      EXPECT_EQ(data.content_hash, hash) << corpus;
      EXPECT_EQ(data.warnings, Texts{});
    }
  }
  EXPECT_EQ(read("{\"_id\": \"d1\", \"text\": \"a\"}\n{\"_id\": \"d2\", \"text\": \"b\"}\n").passages,
            (Texts{"a", "b"}));
}

TEST_F(BeirFolder, and_a_corpus_in_another_format_likewise) {
  folder.write("corpus.tsv", "_id\ttitle\ttext\nd1\tWeather\theavy rain\nd2\t\ta small cat\n");
  RetrievalFiles files{folder / "corpus.tsv", folder / "queries.jsonl", folder / "qrels/test.tsv"};
  EXPECT_EQ(read_retrieval(files).passages, (Texts{"Weather heavy rain", "a small cat"}));
  folder.write("corpus.tsv", "_id\ttext\nd1\theavy rain\nd2\ta small cat\n");
  EXPECT_EQ(read_retrieval(files).passages, (Texts{"heavy rain", "a small cat"}));
}

TEST_F(BeirFolder, texts_of_nothing_are_told) {
  const RetrievalData data = read(R"({"_id": "d2", "title": " ", "text": ""})"
                                  "\n" +
                                  kFirst + R"({"_id": "d0", "text": ""})");
  EXPECT_EQ(data.warnings, Texts{"2 of 3 documents have neither title nor text, the first: " +
                                 folder.path().string() + "/corpus.jsonl:1"});
  folder.write("queries.jsonl",
               "{\"_id\": \"q1\", \"text\": \"rain\"}\n{\"_id\": \"q2\", \"text\": \" \"}\n");
  EXPECT_EQ(read(kFirst + R"({"_id": "d2", "text": "cat"})").warnings,
            Texts{"1 of 2 rows has an empty text, " + folder.path().string() +
                  "/queries.jsonl:2: column \"text\""});
}

}  // namespace
}  // namespace hone::eval
