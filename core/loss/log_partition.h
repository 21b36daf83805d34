// The softmax's loss and slopes, exact where it is nearly 0: from what other logits exceed the wanted one by,
// not from a difference of two large numbers nearly the same.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace hone::loss {

// log(wanted + sum of e^(x_k)), never below 0: the logits x are relative to the wanted one, which counts
// `wanted` times, 1 or more (where several directions hold it). x becomes the derivatives by x; that by the
// wanted logit is minus their sum. A logit of minus infinity counts for nothing.
inline double log_partition(double wanted, std::span<double> x) {
  double most = 0, total = 0;
  for (double v : x) most = std::max(most, v);
  for (double& v : x) total += v = std::exp(v - most);
  const double all = wanted * std::exp(-most) + total;
  for (double& v : x) v /= all;
  return most == 0 ? std::log1p(wanted - 1 + total) : most + std::log(all);
}

}  // namespace hone::loss
