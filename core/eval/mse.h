// How far a model's vectors are from given ones, a teacher's say (the reference's MSEEvaluator).
#pragma once

#include <span>
#include <vector>

namespace hone::eval {

// For each row of [rows, dim]: -100 times the mean of the squared differences. Their mean is the reference's
// negative_mse.
std::vector<double> negative_mse(std::span<const float> vectors, std::span<const float> targets, size_t dim);

}  // namespace hone::eval
