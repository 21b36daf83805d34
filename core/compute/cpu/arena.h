// A bump arena: the memory of one step.
//
// Rules: allocate() never gives memory back on its own; mark()/rewind() free what came after, reset() frees
// all but keeps the chunks for the next step. A chunk is larger than what it was made for, so that a step
// with a few more tokens still fits; what is not used of it is address space, not memory. Memory is 64-byte
// aligned and not cleared. One thread at a time.
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
      const size_t size = std::max((bytes + bytes / 2 + 63) / 64 * 64, kChunk);
      void* p = std::aligned_alloc(64, size);
      if (p == nullptr) throw std::bad_alloc();
      chunks_.push_back({std::unique_ptr<void, FreeDeleter>(p), size});
    }
    Chunk& chunk = chunks_[at_.chunk];
    void* p = static_cast<char*>(chunk.memory.get()) + at_.used;
    at_.used += bytes;
    touched_ += std::max(at_.used, chunk.touched) - chunk.touched;
    chunk.touched = std::max(at_.used, chunk.touched);
    return p;
  }
  float* floats(size_t n) { return static_cast<float*>(allocate(n * sizeof(float))); }

  Mark mark() const { return at_; }
  void rewind(Mark mark) { at_ = mark; }
  void reset() { at_ = {}; }
  size_t bytes() const { return touched_; }  // that were ever handed out

 private:
  static constexpr size_t kChunk = size_t{16} << 20;
  struct Chunk {
    std::unique_ptr<void, FreeDeleter> memory;
    size_t size;
    size_t touched = 0;
  };
  std::vector<Chunk> chunks_;
  Mark at_;
  size_t touched_ = 0;
};

}  // namespace hone::compute::cpu
