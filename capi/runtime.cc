// Threads, device and log of everything made from a runtime.
#include <nlohmann/json.hpp>

#include "compute/device.h"
#include "handles.h"

using namespace hone::capi;  // NOLINT(google-build-using-namespace): not a header

extern "C" {

hone_status hone_runtime_create(const hone_config* options, hone_runtime** out, hone_error** error) {
  return guarded(error, [&] {
    const hone::config::Options& given = options_of(options);
    hone_runtime*& made = checked_out(out, "out");
    hone::compute::DeviceOptions device;
    device.device = given.text("runtime.device");
    device.precision = given.text("runtime.precision");
    device.threads = static_cast<int>(given.integer("runtime.threads"));
    device.isa = hone::compute::cpu::instruction_set(given.text("runtime.isa"));
    made = new hone_runtime(hone::compute::create_engine(device),
                            hone::model::held_as(given.text("runtime.weights")));
  });
}

hone_status hone_runtime_set_log(hone_runtime* runtime, const hone_log_sink* sink, int32_t level,
                                 hone_error** error) {
  return guarded(error, [&] {
    hone_runtime& checked_runtime = checked(runtime, "runtime");
    std::shared_ptr<const Sink> fresh, old;
    if (sink != nullptr) {
      const auto given =
          read_sized(sink, offsetof(hone_log_sink, on_message) + sizeof sink->on_message, "sink");
      if (given.on_message == nullptr) fail_argument("sink.on_message", "NULL", "a function");
      if (level < HONE_LOG_ERROR || level > HONE_LOG_INFO) {
        fail_argument("level", hone::cat(level), "1 to 3");
      }
      fresh = std::make_shared<const Sink>(given, level);
    }
    {
      std::lock_guard lock(checked_runtime.mutex);
      old = std::exchange(checked_runtime.current_sink, fresh);
    }
  });  // the old one's on_release is called here, without a lock
}

hone_status hone_runtime_info(const hone_runtime* runtime, hone_buffer** out, hone_error** error) {
  return guarded(error, [&] {
    const hone_runtime& checked_runtime = checked(runtime, "runtime");
    hone_buffer*& made = checked_out(out, "out");
    const hone::compute::DeviceList list = hone::compute::list_devices();
    nlohmann::ordered_json devices = nlohmann::ordered_json::array();
    for (const auto& device : list.devices) {
      devices.push_back(
          {{"name", device.name}, {"description", device.description}, {"bytes", device.bytes}});
    }
    nlohmann::ordered_json j = {{"engine", checked_runtime.engine->describe()},
                                {"threads", checked_runtime.engine->threads()},
                                {"devices", devices}};
    j["warnings"] = nlohmann::ordered_json::array();
    if (const std::string few = hone::compute::shortage_of_threads(*checked_runtime.engine); !few.empty())
      j["warnings"].push_back(in_program_terms(few));
    if (list.problem.empty()) {
      j["no_gpu"] = nullptr;
    } else {
      j["no_gpu"] = list.problem;
    }
    made = make_buffer(j.dump());
  });
}

hone_runtime* hone_runtime_retain(hone_runtime* runtime) {
  return retain(runtime);
}
void hone_runtime_release(hone_runtime* runtime) {
  release(runtime);
}

}  // extern "C"
