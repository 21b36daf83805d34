// Similarities and distances of two vectors and their gradients, in double.
//
// Definitions are the reference's: cosine by torch.cosine_similarity (floor 1e-8 for each length), angle as
// AnglE's pairwise_angle_sim, Euclidean and Manhattan distance but for an epsilon: torch.pairwise_distance
// adds 1e-6 to every difference, which moves a Euclidean distance by 1e-6 sqrt(dim) at most (2e-5 of 384
// numbers) and leads equal vectors apart along (1, 1, ..., 1). Here distances are symmetric and of equal
// vectors 0, as is their gradient.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace hone::loss {

inline constexpr double kNormalizeFloor = 1e-12;  // of a length that divides (torch.nn.functional.normalize)

enum class Score { cosine, dot, euclidean, manhattan, angle };  // euclidean, manhattan: distances

double score(Score kind, const float* u, const float* v, int64_t dim);
// du += slope * d score / du, dv likewise; double accumulators of `dim` numbers would cost more than they
// give: the sums are short.
void add_score_gradient(Score kind, const float* u, const float* v, int64_t dim, double slope, float* du,
                        float* dv);

std::string_view score_name(Score kind);

}  // namespace hone::loss
