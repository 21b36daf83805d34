// A corpus, queries and judgements in the layout of BEIR.
//
// Rules
// - corpus.jsonl: _id, text and, where there is one, title; a passage is title, a blank and text.
//   queries.jsonl: _id, text. qrels: query-id, corpus-id, score; above 0 is relevant, by how much does not
//   count. Any format that core/data reads is taken, each also .gz.
// - An id is there once. A query without a relevant passage is left out, as in the reference. A judgement
//   above 0 whose query or passage is not there is refused: the reference counts such a passage as never
//   found and leaves such a query out, but what it usually means is a wrong file.
// - Passages lie in the order of their ids (of bytes), so that of equal scores the lower place is the lower
//   id, which is how the reference breaks ties.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace hone::eval {

struct RetrievalFiles {
  std::filesystem::path corpus, queries, qrels;
};

// Those of a folder: corpus.jsonl, queries.jsonl, and qrels/SPLIT.tsv or qrels_SPLIT.tsv (or .jsonl, or
// .csv), each also .gz; the first that is there counts. Throws Error saying what was looked for.
RetrievalFiles find_retrieval_files(const std::filesystem::path& folder, std::string_view split);

struct RetrievalData {
  const char* task = "retrieval";  // that it is data of
  RetrievalFiles files;            // none of rows
  std::string source;              // for messages and model cards
  std::vector<std::string> passage_ids, passages;
  std::vector<std::string> query_ids, queries;  // in the order of the file
  // [queries]: places of the passages relevant to it, rising, each once, at least one
  std::vector<std::vector<uint32_t>> relevant;
  // [queries]: the place of a passage that the query is not asked about, kNoPlace: none; empty: no query has
  // one
  std::vector<uint32_t> left_out;
  uint64_t content_hash = 0;
  std::vector<std::string> warnings;  // of documents and queries without a text
};
inline constexpr uint32_t kNoPlace = UINT32_MAX;

// Of everything that a score depends on.
uint64_t hash_of(const RetrievalData& data);

RetrievalData read_retrieval(const RetrievalFiles& files);

}  // namespace hone::eval
