// The order of rows in an epoch, and batches of it: pure functions of seed and epoch, so a resumed run needs
// no state for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hone::train {

// A permutation of 0..rows-1 (Fisher-Yates on Philox), or the identity when not shuffled.
std::vector<uint32_t> epoch_order(uint64_t seed, uint64_t epoch, uint32_t rows, bool shuffle);

// Cuts an epoch into batches in which no two rows share an id; `ids` holds those of every row's texts, and a
// row may have one twice. Every row of `order` comes exactly once. Batches are full until the order is used
// up; what then is left over makes smaller ones. A row that does not fit waits, and waiting rows go before
// those that follow in the order. Takes time in proportion to the ids, even where all rows share one.
std::vector<std::vector<uint32_t>> batches_without_duplicates(std::span<const uint32_t> order,
                                                              std::span<const std::vector<uint32_t>> ids,
                                                              size_t batch_size);

}  // namespace hone::train
