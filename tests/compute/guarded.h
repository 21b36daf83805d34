// Floats that end where memory ends: reading or writing one beyond the last, or far before the first, stops
// the process. Or, asked for, floats that begin where memory begins. For what sanitizers do not see.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <span>
#include <utility>

namespace hone::compute {

enum class Guard { end, begin };

class Guarded {
 public:
  // The first lies at a multiple of `align` bytes; the end is then rounded up to it.
  explicit Guarded(size_t n, float value = 0, size_t align = sizeof(float), Guard guard = Guard::end)
      : size_(n) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t used = (n * sizeof(float) + align - 1) / align * align;
    bytes_ = (used + page - 1) / page * page + 2 * page;
    base_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base_ == MAP_FAILED) throw std::bad_alloc();
    auto* bytes = static_cast<std::byte*>(base_);
    mprotect(bytes, page, PROT_NONE);
    mprotect(bytes + bytes_ - page, page, PROT_NONE);
    data_ = reinterpret_cast<float*>(guard == Guard::end ? bytes + bytes_ - page - used : bytes + page);
    std::fill_n(data_, n, value);
  }
  Guarded(Guarded&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)),
        bytes_(other.bytes_),
        data_(other.data_),
        size_(other.size_) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  Guarded& operator=(Guarded&&) = delete;
  ~Guarded() {
    if (base_ != nullptr) munmap(base_, bytes_);
  }

  float* data() { return data_; }
  const float* data() const { return data_; }
  size_t size() const { return size_; }
  float* begin() { return data_; }
  float* end() { return data_ + size_; }
  const float* begin() const { return data_; }
  const float* end() const { return data_ + size_; }
  float& operator[](size_t i) { return data_[i]; }
  float operator[](size_t i) const { return data_[i]; }

 private:
  void* base_ = nullptr;
  size_t bytes_ = 0;
  float* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace hone::compute
