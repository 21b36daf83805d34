// Similarities and distances of two vectors and their gradients, in double.
//
// Definitions are the reference's: cosine by torch.cosine_similarity (floor 1e-8 for each length), Euclidean
// and Manhattan distance without any epsilon (their gradient where two vectors are equal is 0), angle as
// AnglE's pairwise_angle_sim.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace hone::loss {

enum class Score { cosine, dot, euclidean, manhattan, angle };  // euclidean, manhattan: distances

double score(Score kind, const float* u, const float* v, int64_t dim);
// du += slope * d score / du, dv likewise; double accumulators of `dim` numbers would cost more than they
// give: the sums are short.
void add_score_gradient(Score kind, const float* u, const float* v, int64_t dim, double slope, float* du,
                        float* dv);

std::string_view score_name(Score kind);

}  // namespace hone::loss
