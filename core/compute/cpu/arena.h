// A bump arena: the memory of one step.
//
// Rules: allocate() never gives memory back on its own; mark()/rewind() free what came after, reset() frees
// all but keeps the chunks for the next step. Memory is 64-byte aligned and not cleared. One thread at a
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

namespace hone::compute::cpu {

struct FreeDeleter {
  void operator()(void* p) const { std::free(p); }
};
using AlignedFloats = std::unique_ptr<float[], FreeDeleter>;

// 64-byte aligned, with a cache line of slack at the end so that vector tails may be read. Not cleared.
inline AlignedFloats aligned_floats(size_t n) {
  size_t bytes = (n * sizeof(float) + 127) / 64 * 64;
  void* p = std::aligned_alloc(64, bytes);
  if (p == nullptr) throw std::bad_alloc();
  return AlignedFloats(static_cast<float*>(p));
}

class Arena {
 public:
  struct Mark {
    size_t chunk = 0, used = 0;
  };

  void* allocate(size_t bytes) {
    bytes = (bytes + 63) / 64 * 64 + 64;
    while (at_.chunk < chunks_.size() && at_.used + bytes > chunks_[at_.chunk].size) at_ = {at_.chunk + 1, 0};
    if (at_.chunk == chunks_.size()) {
      size_t size = std::max(bytes, kChunk);
      void* p = std::aligned_alloc(64, (size + 63) / 64 * 64);
      if (p == nullptr) throw std::bad_alloc();
      chunks_.push_back({std::unique_ptr<void, FreeDeleter>(p), size});
      total_ += size;
    }
    void* p = static_cast<char*>(chunks_[at_.chunk].memory.get()) + at_.used;
    at_.used += bytes;
    return p;
  }
  float* floats(size_t n) { return static_cast<float*>(allocate(n * sizeof(float))); }

  Mark mark() const { return at_; }
  void rewind(Mark mark) { at_ = mark; }
  void reset() { at_ = {}; }
  size_t bytes() const { return total_; }

 private:
  static constexpr size_t kChunk = size_t{16} << 20;
  struct Chunk {
    std::unique_ptr<void, FreeDeleter> memory;
    size_t size;
  };
  std::vector<Chunk> chunks_;
  Mark at_;
  size_t total_ = 0;
};

}  // namespace hone::compute::cpu
