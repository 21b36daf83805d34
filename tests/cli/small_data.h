// Small files of every kind that training and evaluation read, for tests to write. Their words are those of
// the fixtures' vocabulary, so that no two texts become the same tokens.
#pragma once

#include <string>

#include "tests/base/temp_folder.h"

namespace hone::cli {

inline const std::string kBinaryRows =
    "sentence1\tsentence2\tscore\n"
    "The horse wants hot tea\tMy mother wants hot tea\t1\n"
    "A man sings a little song\tThe horse reads a long letter\t0\n"
    "My mother is swimming in the sea\tMy mother is swimming in the sea!\t1\n"
    "A black cat is playing a game\tTwo people drives to the city\t0\n"
    "The woman reads a long letter\tThe old dog reads a long letter\t1\n"
    "A young child is waiting under a tree\tThe horse is riding over the hill\t0\n";

inline const std::string kTripletRows =
    "anchor\tpositive\tnegative\n"
    "The horse wants hot tea\tMy mother wants hot tea\tA man sings a little song\n"
    "A young child drives to the city\tThe woman drives to the city today\tThe old dog reads a long letter\n"
    "Two people is swimming in the sea\tMy mother is swimming in the sea\tA black cat is playing a game\n"
    "A man is waiting under a tree\tThe horse is waiting under a tree\tThe woman is riding over the hill\n";

// In the layout of BEIR: each judged query is word for word the passage (title and text) that is relevant to
// it, so every metric has its highest value. q4 is not judged; the split dev holds q1 alone.
inline void write_beir(const testing::TempFolder& folder, const std::string& name) {
  folder.write(name + "/corpus.jsonl",
               R"({"_id": "d1", "title": "", "text": "The horse wants hot tea"}
{"_id": "d2", "title": "A man", "text": "sings a little song"}
{"_id": "d3", "title": "", "text": "My mother is swimming in the sea"}
{"_id": "d4", "title": "Two people", "text": "drives to the city"}
{"_id": "d5", "title": "", "text": "A black cat is playing a game"}
)");
  folder.write(name + "/queries.jsonl",
               R"({"_id": "q1", "text": "The horse wants hot tea"}
{"_id": "q2", "text": "A man sings a little song"}
{"_id": "q3", "text": "Two people drives to the city"}
{"_id": "q4", "text": "The old dog reads a long letter"}
)");
  folder.write(name + "/qrels/test.tsv",
               "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t2\nq2\td3\t0\nq3\td4\t1\n");
  folder.write(name + "/qrels/dev.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\n");
}

}  // namespace hone::cli
