// How well the nearest passages of a query are those judged relevant. Metrics are those of the reference's
// InformationRetrievalEvaluator, by its default cut-offs.
//
// Rules: relevance is a yes or no, in nDCG too. Of equal scores the lower passage id comes first. Scores are
// made in float32, as the reference's; the corpus is encoded in chunks and its vectors forgotten, so memory
// is that of the token ids and of the 100 best of each query.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "eval/evaluation.h"
#include "eval/retrieval_data.h"
#include "search/topk.h"

namespace hone::eval {

inline constexpr int64_t kRetrievalDepth = 100;  // hits a query keeps

// accuracy@1, @3, ..., in the reference's order, without the similarity in front.
const std::vector<std::string>& ranking_metric_names();
// Those of one query: `hits` best first, `relevant` rising and not empty.
std::vector<double> ranking_scores(std::span<const search::Hit> hits, std::span<const uint32_t> relevant);

// With Options::similarity, or the model's own. Keeps nothing of `data` but ids, queries and judgements.
std::unique_ptr<Evaluation> make_retrieval(const RetrievalData& data, const model::SentenceModel& model,
                                           const std::shared_ptr<compute::Engine>& engine,
                                           const Options& options = {});

}  // namespace hone::eval
