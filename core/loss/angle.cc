// Pairs in the order of their labels, by the angle between them in complex space, whose gradient does not
// vanish where cosines saturate.
#include "loss/label_order.h"
#include "loss/losses.h"

namespace hone::loss {

std::unique_ptr<Loss> angle_loss(double scale) {
  return label_order_loss(Score::angle, scale);
}

}  // namespace hone::loss
