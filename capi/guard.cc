#include "guard.h"

#include <cctype>
#include <new>
#include <system_error>

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

struct ProgramTerms {
  std::string message, option;
};

// The core speaks of options as the command line does: "--batch-size", and, at the beginning of a UsageError
// about it, "batch-size: 0 found". Programs know them by their keys.
ProgramTerms in_terms_of_programs(std::string message, bool usage = false) {
  std::string option;
  auto say = [&](const std::string& flag, const std::string& key) {
    if (usage && message.starts_with(flag + ":")) {
      message.replace(0, flag.size(), key);
      option = key;
    }
    const std::string typed = "--" + flag;
    for (size_t at = 0; (at = message.find(typed, at)) != std::string::npos; at += key.size()) {
      const size_t end = at + typed.size();
      const bool longer =
          end < message.size() &&
          (std::isalnum(static_cast<unsigned char>(message[end])) != 0 || message[end] == '-');
      if (!longer) message.replace(at, typed.size(), key);
    }
  };
  // Flags of train; save.overwrite is never spoken of by its flag.
  say("resume", "train.existing \"resume\"");
  say("overwrite", "train.existing \"overwrite\"");
  for (const config::OptionInfo& info : config::option_table()) say(info.flag(), info.key);
  return {std::move(message), std::move(option)};
}

// Calls made(status, message, subject, row).
template <class F>
auto explain(const F& made) {
  try {
    throw;
  } catch (const StatusError& e) {
    return made(e.status, in_terms_of_programs(e.what()).message.c_str(), e.subject, e.row);
  } catch (const config::OptionError& e) {
    const ProgramTerms terms = in_terms_of_programs(e.what(), true);
    // What a loss calls an option of its own is a part of train.loss_options.
    const bool own = config::find_option(e.option()) == nullptr && !terms.option.empty();
    return made(HONE_EINVAL, terms.message.c_str(), own ? terms.option : e.option(), -1);
  } catch (const UsageError& e) {
    const ProgramTerms terms = in_terms_of_programs(e.what(), true);
    return made(HONE_EINVAL, terms.message.c_str(), terms.option, -1);
  } catch (const RowError& e) {
    return made(HONE_EFAILED, in_terms_of_programs(e.what()).message.c_str(), std::string(), e.row());
  } catch (const Error& e) {
    return made(HONE_EFAILED, in_terms_of_programs(e.what()).message.c_str(), std::string(), -1);
  } catch (const std::system_error& e) {  // of the file system, too
    return made(HONE_EFAILED, excerpt(e.what(), 300).c_str(), std::string(), -1);
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

std::string in_program_terms(const std::string& line) {
  return in_terms_of_programs(line).message;
}

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
