#include "train/sampler.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/philox.h"

namespace hone::train {

namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

// Places 0, 1, ... for ids: the ids themselves where they lie close together, as those of counted texts do.
class Places {
 public:
  Places(std::span<const uint32_t> order, std::span<const std::vector<uint32_t>> ids) {
    size_t all = 0;
    for (uint32_t row : order) {
      all += ids[row].size();
      for (uint32_t id : ids[row]) count_ = std::max(count_, size_t{id} + 1);
    }
    constexpr size_t kSparse = 8;
    if (count_ <= kSparse * all) return;
    for (uint32_t row : order) {
      for (uint32_t id : ids[row]) places_.emplace(id, static_cast<uint32_t>(places_.size()));
    }
    count_ = places_.size();
  }
  size_t count() const { return count_; }
  uint32_t of(uint32_t id) const { return places_.empty() ? id : places_.find(id)->second; }

 private:
  std::unordered_map<uint32_t, uint32_t> places_;  // empty: an id is its place
  size_t count_ = 0;
};

// One pass over an epoch. A row that does not fit waits in the queue of an id it shares with the batch. At
// most one row of such a queue fits into a batch, so only its first is tried, once a batch: a text that
// stands in most rows costs no more than another.
class Cutter {
 public:
  Cutter(std::span<const uint32_t> order, std::span<const std::vector<uint32_t>> ids, size_t batch_size)
      : order_(order), ids_(ids), batch_size_(batch_size), places_(order, ids) {
    queues_.resize(places_.count());
    next_.resize(ids.size(), kNone);
  }

  std::vector<std::vector<uint32_t>> cut() {
    std::vector<std::vector<uint32_t>> batches;
    size_t at = 0;
    while (at < order_.size() || !waiting_.empty()) {
      batch_.clear();
      ++number_;
      take_waiting();
      for (; at < order_.size() && batch_.size() < batch_size_; ++at) {
        const uint32_t row = order_[at], taken = taken_place(row);
        taken == kNone ? take(row) : wait(row, taken);
      }
      batches.emplace_back(batch_);
    }
    return batches;
  }

 private:
  struct Queue {
    uint32_t first = kNone, last = kNone;  // rows
    uint64_t in_batch = 0;                 // the number of the last batch that has the id, from 1
  };

  std::span<const uint32_t> order_;
  std::span<const std::vector<uint32_t>> ids_;
  size_t batch_size_;
  Places places_;
  std::vector<Queue> queues_;     // by place
  std::vector<uint32_t> next_;    // by row: the one behind it in its queue
  std::deque<uint32_t> waiting_;  // places whose queue is not empty, each once
  std::vector<uint32_t> batch_;
  uint64_t number_ = 0;  // of the batch

  // A place that the row shares with the batch, or kNone.
  uint32_t taken_place(uint32_t row) const {
    for (uint32_t id : ids_[row]) {
      const uint32_t place = places_.of(id);
      if (queues_[place].in_batch == number_) return place;
    }
    return kNone;
  }

  void take(uint32_t row) {
    for (uint32_t id : ids_[row]) queues_[places_.of(id)].in_batch = number_;
    batch_.push_back(row);
  }

  void wait(uint32_t row, uint32_t place) {
    Queue& queue = queues_[place];
    if (queue.first == kNone) {
      queue.first = row;
      waiting_.push_back(place);
    } else {
      next_[queue.last] = row;
    }
    queue.last = row;
    next_[row] = kNone;
  }

  // The first of each queue, in turn. The first of all always fits, so every batch has a row. Gives up after
  // a number of misses: they are paid by no row.
  void take_waiting() {
    constexpr int kMostMisses = 64;
    int misses = 0;
    for (size_t queues = waiting_.size(); queues > 0 && batch_.size() < batch_size_ && misses < kMostMisses;
         --queues) {
      const uint32_t place = waiting_.front();
      waiting_.pop_front();
      Queue& queue = queues_[place];
      if (queue.in_batch == number_) {
        waiting_.push_back(place);
        ++misses;
        continue;
      }
      const uint32_t row = queue.first, taken = taken_place(row);
      queue.first = next_[row];
      if (queue.first != kNone) waiting_.push_back(place);
      if (taken == kNone) {
        take(row);
      } else {
        wait(row, taken);
        ++misses;
      }
    }
  }
};

}  // namespace

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

std::vector<std::vector<uint32_t>> batches_without_duplicates(std::span<const uint32_t> order,
                                                              std::span<const std::vector<uint32_t>> ids,
                                                              size_t batch_size) {
  if (batch_size == 0) fail("batches of 0 rows found, at least 1 expected");
  return Cutter(order, ids, batch_size).cut();
}

}  // namespace hone::train
