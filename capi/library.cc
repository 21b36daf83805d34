// The library, errors, buffers, options and configs.
#include <nlohmann/json.hpp>

#include "handles.h"
#include "loss/loss_table.h"

namespace {

using hone::cat;
using namespace hone::capi;  // NOLINT(google-build-using-namespace): not a header

struct StatusName {
  hone_status status;
  const char* name;
};
constexpr StatusName kNames[] = {{HONE_OK, "HONE_OK"},
                                 {HONE_EINVAL, "HONE_EINVAL"},
                                 {HONE_EFORMAT, "HONE_EFORMAT"},
                                 {HONE_EFAILED, "HONE_EFAILED"},
                                 {HONE_EBUSY, "HONE_EBUSY"},
                                 {HONE_ETIMEDOUT, "HONE_ETIMEDOUT"},
                                 {HONE_ENOMEM, "HONE_ENOMEM"},
                                 {HONE_ECANCELLED, "HONE_ECANCELLED"},
                                 {HONE_EDEADLOCK, "HONE_EDEADLOCK"},
                                 {HONE_EINTERNAL, "HONE_EINTERNAL"}};

int32_t type_of(hone::config::Type type) {
  switch (type) {
    case hone::config::Type::text:
      return HONE_TYPE_STR;
    case hone::config::Type::integer:
      return HONE_TYPE_INT;
    case hone::config::Type::real:
      return HONE_TYPE_REAL;
    case hone::config::Type::boolean:
      break;
  }
  return HONE_TYPE_BOOL;
}

template <class Value>
hone_status set(hone_config* config, const char* key, Value value, hone_error** error) {
  return guarded(error, [&] { checked(config, "config").options.set(checked_text(key, "key"), value); });
}

}  // namespace

extern "C" {

const char* hone_version(void) {
  return HONE_VERSION;
}

const char* hone_build_info(void) {
  // Made of literals, so nothing here can fail.
#if defined(__clang__)
  return "hone " HONE_VERSION ", clang " __clang_version__;
#else
  return "hone " HONE_VERSION ", gcc " __VERSION__;
#endif
}

const char* hone_status_name(hone_status status) {
  for (const StatusName& known : kNames) {
    if (known.status == status) return known.name;
  }
  return "unknown";
}

hone_status hone_error_code(const hone_error* error) {
  return is(error) ? error->status : HONE_EINVAL;
}
const char* hone_error_message(const hone_error* error) {
  return is(error) ? error->message.c_str() : "error: no hone_error";
}
const char* hone_error_subject(const hone_error* error) {
  return is(error) ? error->subject.c_str() : "";
}
int64_t hone_error_row(const hone_error* error) {
  return is(error) ? error->row : -1;
}
hone_error* hone_error_retain(hone_error* error) {
  return retain(error);
}
void hone_error_release(hone_error* error) {
  release(error);
}

const char* hone_buffer_data(const hone_buffer* buffer, size_t* size) {
  if (!is(buffer)) return nullptr;
  if (size != nullptr) *size = buffer->bytes.size();
  return buffer->bytes.c_str();
}
hone_buffer* hone_buffer_retain(hone_buffer* buffer) {
  return retain(buffer);
}
void hone_buffer_release(hone_buffer* buffer) {
  release(buffer);
}

size_t hone_option_count(void) {
  return hone::config::option_table().size();
}

hone_status hone_option_describe(size_t index, hone_option* out, hone_error** error) {
  return guarded(error, [&] {
    const auto table = hone::config::option_table();
    if (index >= table.size()) fail_argument("index", cat(index), cat("0 to ", table.size() - 1));
    check_sized(out, offsetof(hone_option, name) + sizeof out->name, "out");
    const hone::config::OptionInfo& info = table[index];
    write_sized(out,
                hone_option{0, info.key, type_of(info.type), 0, info.default_value, info.range, info.help});
  });
}

hone_status hone_losses(hone_buffer** out, hone_error** error) {
  return guarded(error, [&] {
    hone_buffer*& made = checked_out(out, "out");
    made = make_buffer(hone::loss::loss_table_json());
  });
}

hone_status hone_config_create(hone_config** out, hone_error** error) {
  return guarded(error, [&] {
    hone_config*& made = checked_out(out, "out");
    made = new hone_config();
  });
}

hone_status hone_config_set_str(hone_config* config, const char* key, const char* value, hone_error** error) {
  return guarded(error, [&] {
    hone_config& checked_config = checked(config, "config");
    const std::string_view name = checked_text(key, "key");
    if (value == nullptr) fail_argument("value", "NULL", "a text");
    if (!hone::text::valid_utf8(value)) {
      throw hone::config::OptionError(std::string(name),
                                      cat(name, ": bytes that are not UTF-8 found, UTF-8 expected"));
    }
    checked_config.options.set(name, std::string_view(value));
  });
}
hone_status hone_config_set_int(hone_config* config, const char* key, int64_t value, hone_error** error) {
  return set(config, key, value, error);
}
hone_status hone_config_set_real(hone_config* config, const char* key, double value, hone_error** error) {
  return set(config, key, value, error);
}
hone_status hone_config_set_bool(hone_config* config, const char* key, int32_t value, hone_error** error) {
  return guarded(error, [&] {
    hone_config& checked_config = checked(config, "config");
    const std::string_view name = checked_text(key, "key");
    if (value != 0 && value != 1) {
      throw hone::config::OptionError(std::string(name), cat(name, ": ", value, " found, 0 or 1 expected"));
    }
    checked_config.options.set(name, value == 1);
  });
}
hone_config* hone_config_retain(hone_config* config) {
  return retain(config);
}
void hone_config_release(hone_config* config) {
  release(config);
}

}  // extern "C"
