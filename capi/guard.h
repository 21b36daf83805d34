// The one way out of every function of the C interface: no exception leaves it, every failure becomes a
// status and an owned error.
#pragma once

#include "config/options.h"
#include "handle.h"

struct hone_error : hone::capi::Handle {
  hone_error(hone_status code, std::string text, std::string what, int64_t at)
      : Handle(hone::capi::HandleType<hone_error>::kMagicWord),
        status(code),
        message(std::move(text)),
        subject(std::move(what)),
        row(at) {}
  hone_status status;
  std::string message, subject;
  int64_t row;
};

namespace hone::capi {

// Of the exception that is being handled. Null where there is no memory even for it.
hone_error* current_error() noexcept;
hone_status current_status() noexcept;  // the same, when nobody wants the text

// A line of the core's for people, with options by the keys that programs know them by.
std::string in_program_terms(const std::string& line);

template <class F>
hone_status guarded(hone_error** error, const F& f) noexcept {
  try {
    f();
    return HONE_OK;
  } catch (...) {
    if (error == nullptr) return current_status();
    hone_error* made = current_error();
    if (made == nullptr) return HONE_ENOMEM;
    *error = made;
    return made->status;
  }
}

// For functions that give a number: a negative status instead.
template <class N, class F>
N guarded_number(const F& f) noexcept {
  try {
    return f();
  } catch (...) {
    return current_status();
  }
}

}  // namespace hone::capi
