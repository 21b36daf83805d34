// hone info
#include <iostream>

#include "command.h"
#include "compute/device.h"
#include "model/modules.h"
#include "model/sentence_model.h"

namespace hone::cli {

namespace {

std::string describe(const model::Module& module) {
  switch (module.kind) {
    case model::Module::Kind::pooling: {
      std::string text = "pooling:";
      for (model::PoolingMode mode : module.pooling) text += cat(" ", model::pooling_mode_name(mode));
      return text;
    }
    case model::Module::Kind::dense:
      return cat("dense: ", module.in_features, " to ", module.out_features);
    case model::Module::Kind::normalize:
      return "normalize";
  }
  return "";
}

nlohmann::ordered_json describe(const model::SentenceModel& model) {
  nlohmann::ordered_json modules = nlohmann::ordered_json::array();
  for (const auto& module : model.modules) modules.push_back(describe(module));
  const auto& c = model.config;
  nlohmann::ordered_json j = {{"model", model.folder.string()},
                              {"architecture", "bert"},
                              {"layers", c.layers},
                              {"hidden_size", c.hidden_size},
                              {"heads", c.heads},
                              {"vocabulary", c.vocab_size},
                              {"parameters", model.parameters()},
                              {"dimension", model.dim()},
                              {"max_seq_length", model.max_seq_length},
                              {"modules", modules},
                              {"similarity", model.similarity}};
  if (!model.prompts.empty()) j["prompts"] = model.prompts;
  if (model.truncate_dim > 0) j["truncate_dim"] = model.truncate_dim;
  return j;
}

// "cpu: AVX3, 2 threads, 24096 MB"
std::string line_of(const nlohmann::ordered_json& device) {
  std::string text = cat(device["name"].get<std::string>(), ": ", device["description"].get<std::string>());
  if (device.contains("megabytes")) text += cat(", ", device["megabytes"].get<uint64_t>(), " MB");
  return text;
}

void print(const std::string& name, const nlohmann::ordered_json& value) {
  constexpr size_t kColumn = 16;
  std::cout << name << std::string(kColumn - std::min(kColumn - 1, name.size()), ' ');
  if (value.is_string()) {
    std::cout << value.get<std::string>();
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) {
      if (value[i].is_object()) {
        std::cout << (i == 0 ? "" : "\n" + std::string(kColumn, ' ')) << line_of(value[i]);
      } else {
        std::cout << (i == 0 ? "" : ", ") << value[i].get<std::string>();
      }
    }
  } else {
    std::cout << value.dump();
  }
  std::cout << '\n';
}

}  // namespace

int info(int argc, char** argv) {
  Arguments arguments("info", "Describes a model, and the devices it could run on.", {});
  arguments.add("", {{"model", "DIR", "Folder of the model (default: describe the devices alone)"},
                     {"json", nullptr, "Print the result as JSON"}});
  arguments.add("Device", {"runtime.isa"});
  if (!arguments.parse(argc, argv)) return kOk;
  const auto engine = make_engine(arguments);
  nlohmann::ordered_json j;
  if (arguments.given("model")) j = describe(*model::load_model(arguments.path("model")));
  j["engine"] = engine->describe();
  const compute::DeviceList list = compute::list_devices();
  auto& devices = j["devices"] = nlohmann::ordered_json::array();
  for (const compute::DeviceInfo& d : list.devices) {
    nlohmann::ordered_json device = {{"name", d.name}, {"description", d.description}};
    if (d.bytes > 0) device["megabytes"] = d.bytes / 1000000;
    devices.push_back(std::move(device));
  }
  if (!list.problem.empty()) j["no_gpu"] = list.problem;
  if (arguments.given("json")) {
    std::cout << j.dump(2) << '\n';
    return kOk;
  }
  for (const auto& [name, value] : j.items()) print(name, value);
  return kOk;
}

}  // namespace hone::cli
