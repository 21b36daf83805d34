// The order of rows in an epoch: a pure function of seed and epoch, so a resumed run needs no state for it.
#pragma once

#include <cstdint>
#include <vector>

namespace hone::train {

// A permutation of 0..rows-1 (Fisher-Yates on Philox), or the identity when not shuffled.
std::vector<uint32_t> epoch_order(uint64_t seed, uint64_t epoch, uint32_t rows, bool shuffle);

}  // namespace hone::train
