// Pairs in the order of their labels, by their cosines.
#include "loss/label_order.h"
#include "loss/losses.h"

namespace hone::loss {

std::unique_ptr<Loss> cosent_loss(double scale) {
  return label_order_loss(Score::cosine, scale);
}

}  // namespace hone::loss
