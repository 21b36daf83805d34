// How often an anchor is nearer to its positive than to its negative text, by more than a margin
// (the reference's TripletEvaluator).
#pragma once

#include <span>
#include <vector>

namespace hone::eval {

// 1 for each row whose positive similarity is above the negative one plus the margin, else 0; NaN where
// either is.
std::vector<double> triplet_hits(std::span<const double> positive, std::span<const double> negative,
                                 double margin);

}  // namespace hone::eval
