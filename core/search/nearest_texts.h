// The texts of a corpus nearest to each query, by a model's own similarity.
//
// Rules
// - A text that is there several times counts once, at its first place.
// - Queries and corpus get the prompts that NearestOptions::prompts says (encode/prompts.h).
// - The corpus is encoded in chunks and its vectors forgotten: memory is that of the texts, of one chunk and
// of
//   the best so far.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "encode/encoder.h"
#include "encode/prompts.h"
#include "search/topk.h"

namespace hone::search {

struct NearestOptions {
  int64_t top = 5;
  int32_t dim = 0;  // as EncodeOptions
  encode::PromptUse prompts = encode::PromptUse::roles;
  std::function<void(size_t done, size_t total)> progress;  // of different texts of the corpus
};
// From search.* and encode.dim of named options.
NearestOptions nearest_options(const config::Options& options);

// What is put before queries and corpus.
encode::PromptedTexts nearest_prompts(const model::SentenceModel& model, encode::PromptUse use);

// For each query its nearest texts, best first; Hit::index is a place in `corpus`. Fewer than `top` where the
// corpus has fewer different texts. `encoder` is one of `model` and `engine`.
std::vector<std::vector<Hit>> nearest_texts(std::span<const std::string> queries,
                                            std::span<const std::string> corpus,
                                            const model::SentenceModel& model, compute::Engine& engine,
                                            encode::Encoder& encoder, const NearestOptions& options);

}  // namespace hone::search
