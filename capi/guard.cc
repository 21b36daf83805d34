#include "guard.h"

#include <new>

#include "text/tokenizer.h"

namespace hone::capi {

std::string handle_found(const void* handle) {
  if (handle == nullptr) return "NULL";
  switch (magic_of(handle)) {
    case HandleType<hone_error>::kMagicWord:
      return "a hone_error";
    case HandleType<hone_runtime>::kMagicWord:
      return "a hone_runtime";
    case HandleType<hone_config>::kMagicWord:
      return "a hone_config";
    case HandleType<hone_model>::kMagicWord:
      return "a hone_model";
    case HandleType<hone_dataset>::kMagicWord:
      return "a hone_dataset";
    case HandleType<hone_trainer>::kMagicWord:
      return "a hone_trainer";
    case HandleType<hone_job>::kMagicWord:
      return "a hone_job";
    case HandleType<hone_buffer>::kMagicWord:
      return "a hone_buffer";
    case kReleased:
      return "a handle that was released";
    default:
      return "no handle of hone";
  }
}

std::string_view checked_text(const char* text, const char* name) {
  if (text == nullptr) fail_argument(name, "NULL", "a text");
  const std::string_view view = text;
  if (view.empty()) fail_argument(name, "\"\"", "a text that is not empty");
  if (!text::valid_utf8(view)) fail_argument(name, "bytes that are not UTF-8", "UTF-8");
  return view;
}

namespace {

// Calls made(status, message, subject, row).
template <class F>
auto explain(const F& made) {
  try {
    throw;
  } catch (const StatusError& e) {
    return made(e.status, e.what(), e.subject, e.row);
  } catch (const config::OptionError& e) {
    return made(HONE_EINVAL, e.what(), e.option(), -1);
  } catch (const UsageError& e) {
    return made(HONE_EINVAL, e.what(), std::string(), -1);
  } catch (const Error& e) {
    return made(HONE_EFAILED, e.what(), std::string(), -1);
  } catch (const std::bad_alloc&) {
    return made(HONE_ENOMEM, "out of memory", std::string(), -1);
  } catch (const std::length_error&) {
    return made(HONE_ENOMEM, "more memory asked for than there can be", std::string(), -1);
  } catch (const std::exception& e) {
    return made(HONE_EINTERNAL, e.what(), std::string(), -1);
  } catch (...) {
    return made(HONE_EINTERNAL, "unknown exception", std::string(), -1);
  }
}

}  // namespace

hone_error* current_error() noexcept {
  try {
    return explain([](hone_status status, const char* message, const std::string& subject, int64_t row) {
      return new hone_error(status, excerpt(message, std::string_view::npos), subject, row);
    });
  } catch (...) {
    return nullptr;
  }
}

hone_status current_status() noexcept {
  try {
    return explain([](hone_status status, const char*, const std::string&, int64_t) { return status; });
  } catch (...) {
    return HONE_ENOMEM;
  }
}

}  // namespace hone::capi
