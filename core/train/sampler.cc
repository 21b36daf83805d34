#include "train/sampler.h"

#include <numeric>
#include <utility>

#include "base/philox.h"

namespace hone::train {

std::vector<uint32_t> epoch_order(uint64_t seed, uint64_t epoch, uint32_t rows, bool shuffle) {
  constexpr uint32_t kStream = 0x53414D50;  // keeps these draws apart from dropout's
  std::vector<uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  if (!shuffle) return order;
  for (uint32_t i = rows; i > 1; --i) {
    const auto words =
        philox4x32({i, static_cast<uint32_t>(epoch), static_cast<uint32_t>(epoch >> 32), kStream},
                   {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
    const uint64_t draw = uint64_t{words[1]} << 32 | words[0];
    // The high part of draw * i is uniform on 0..i-1 to within i / 2^64.
    const auto j = static_cast<uint32_t>((static_cast<unsigned __int128>(draw) * i) >> 64);
    std::swap(order[i - 1], order[j]);
  }
  return order;
}

}  // namespace hone::train
