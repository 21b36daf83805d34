// Pairs in the order of their labels: what CoSENT and AnglE are with a similarity each. Inside of core/loss
// only.
#pragma once

#include <memory>

#include "loss/loss.h"
#include "loss/scores.h"

namespace hone::loss {

// log(1 + sum over label_i < label_j of e^(s_i - s_j)), s = scale * similarity.
std::unique_ptr<Loss> label_order_loss(Score similarity, double scale);

}  // namespace hone::loss
