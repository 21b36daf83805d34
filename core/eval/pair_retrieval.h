// A file of pairs as retrieval: every anchor asks for its positive among all positives of the file.
//
// Rules
// - A text is one query, and one document, however many rows have it.
// - Relevant to an anchor are the positives of all its rows, and those of every row with the same id as one
// of
//   them. A row without an id (an empty one) has none in common.
// - An anchor's own text is no answer to it: where it is a document, of another row, it is left out of that
//   anchor's ranking.
// - Queries and documents are called by the number of the first row they are in, from 0. Of equal scores the
//   document of the earlier row comes first.
#pragma once

#include "data/table.h"
#include "eval/retrieval_data.h"

namespace hone::eval {

// Of the roles anchor and positive, or sentence1 and sentence2, and of id where it was read. Throws Error
// where all rows have the same positive: nothing could be found wrongly.
RetrievalData retrieval_of_pairs(const data::Table& table);

}  // namespace hone::eval
