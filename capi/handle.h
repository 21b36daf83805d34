// Handles of the C interface: a magic word, a count of references, and the checks of every argument.
//
// Rules
// - A handle is a Handle and what its type adds, so its first word tells what it is: NULL, another type and
//   one that was released are told apart before anything else of it is read.
// - Ref keeps what a handle was made from, so that references may be released in any order.
// - Arguments that cannot be are a StatusError naming the parameter as hone.h calls it.
#pragma once

#include <hone.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace hone::capi {

// What a call fails with, with the status and the name of what was wrong.
class StatusError : public Error {
 public:
  StatusError(hone_status code, std::string what, const std::string& message, int64_t at = -1)
      : Error(message), status(code), subject(std::move(what)), row(at) {}
  hone_status status;
  std::string subject;
  int64_t row;
};

[[noreturn]] inline void fail_argument(std::string_view name, std::string_view found,
                                       std::string_view expected) {
  // "progress.struct_size" is about the parameter `progress`.
  throw StatusError(HONE_EINVAL, std::string(name.substr(0, name.find('.'))),
                    cat(name, ": ", found, " found, ", expected, " expected"));
}

struct Handle {
  explicit Handle(uint64_t word) : magic(word) {}
  std::atomic<uint64_t> magic;
  std::atomic<int64_t> references{1};
};

// "hone" and a number: no pointer and no text looks like it.
inline constexpr uint64_t kMagic = 0x656E6F6800000000;
inline constexpr uint64_t kReleased = kMagic | 0xFF00;

template <class H>
struct HandleType;  // kMagicWord, kName
#define HONE_HANDLE_TYPE(type, number)                        \
  template <>                                                 \
  struct HandleType<type> {                                   \
    static constexpr uint64_t kMagicWord = kMagic | (number); \
    static constexpr const char* kName = #type;               \
  };
HONE_HANDLE_TYPE(hone_error, 1)
HONE_HANDLE_TYPE(hone_runtime, 2)
HONE_HANDLE_TYPE(hone_config, 3)
HONE_HANDLE_TYPE(hone_model, 4)
HONE_HANDLE_TYPE(hone_dataset, 5)
HONE_HANDLE_TYPE(hone_trainer, 6)
HONE_HANDLE_TYPE(hone_job, 7)
HONE_HANDLE_TYPE(hone_buffer, 8)
#undef HONE_HANDLE_TYPE

// "a hone_model", "NULL", ... for messages.
std::string handle_found(const void* handle);

inline uint64_t magic_of(const void* handle) {
  if (handle == nullptr || reinterpret_cast<uintptr_t>(handle) % alignof(Handle) != 0) return 0;
  return static_cast<const Handle*>(handle)->magic.load(std::memory_order_relaxed);
}
template <class H>
bool is(const H* handle) {
  return magic_of(handle) == HandleType<H>::kMagicWord;
}

template <class H>
H& checked(H* handle, const char* name) {
  using Type = HandleType<std::remove_const_t<H>>;
  if (magic_of(handle) != Type::kMagicWord) fail_argument(name, handle_found(handle), cat("a ", Type::kName));
  return *handle;
}

template <class H>
H* retain(H* handle) {
  if (!is(handle)) return nullptr;
  handle->references.fetch_add(1, std::memory_order_relaxed);
  return handle;
}

template <class H>
void release(H* handle) {
  if (!is(handle)) return;
  if (handle->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  handle->magic.store(kReleased, std::memory_order_relaxed);
  delete handle;
}

template <class H>
class Ref {
 public:
  Ref() = default;
  explicit Ref(H& handle) : handle_(retain(&handle)) {}
  Ref(const Ref& other) : handle_(retain(other.handle_)) {}
  Ref(Ref&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Ref() { release(handle_); }
  H* operator->() const { return handle_; }
  H& operator*() const { return *handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  H* handle_ = nullptr;
};

// ---- arguments that are no handles

template <class T>
T& checked_out(T* out, const char* name) {
  if (out == nullptr) fail_argument(name, "NULL", "a place for the result");
  return *out;
}

// A path, key or name: UTF-8 that ends with NUL and is not empty.
std::string_view checked_text(const char* text, const char* name);

// ---- sized structs

// Copies what both sides know of `from` into a whole Struct; the rest is as Struct has it.
template <class Struct>
Struct read_sized(const Struct* from, size_t smallest, const char* name) {
  if (from == nullptr) fail_argument(name, "NULL", "a struct");
  if (from->struct_size < smallest) {
    fail_argument(cat(name, ".struct_size"), cat(from->struct_size), cat("at least ", smallest));
  }
  Struct out{};
  std::memcpy(&out, from, std::min(from->struct_size, sizeof(Struct)));
  return out;
}
template <class Struct>
void check_sized(const Struct* to, size_t smallest, const char* name) {
  if (to == nullptr) fail_argument(name, "NULL", "a struct");
  if (to->struct_size < smallest) {
    fail_argument(cat(name, ".struct_size"), cat(to->struct_size), cat("at least ", smallest));
  }
}
template <class Struct>
void write_sized(Struct* to, Struct from) {
  from.struct_size = std::min(to->struct_size, sizeof(Struct));
  std::memcpy(to, &from, from.struct_size);
}

}  // namespace hone::capi
