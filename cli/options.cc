// hone options
#include <iostream>

#include "command.h"

namespace hone::cli {

namespace {

const char* type_name(config::Type type) {
  switch (type) {
    case config::Type::text:
      return "text";
    case config::Type::integer:
      return "int";
    case config::Type::real:
      return "real";
    case config::Type::boolean:
      break;
  }
  return "bool";
}

}  // namespace

int options(int argc, char** argv) {
  Arguments arguments("options",
                      "Lists every option by the key that programs use (hone_config_set_int(config,\n"
                      "\"train.batch_size\", ...)); commands take them as --batch-size.",
                      {});
  arguments.add("", {{"json", nullptr, "Print the result as JSON"}});
  if (!arguments.parse(argc, argv)) return kOk;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const config::OptionInfo& info : config::option_table()) {
    if (arguments.given("json")) {
      list.push_back({{"name", info.key},
                      {"type", type_name(info.type)},
                      {"default", info.default_value},
                      {"range", info.range},
                      {"help", info.help}});
      continue;
    }
    std::cout << info.key << " (" << type_name(info.type) << ", " << info.range;
    if (*info.default_value != '\0') std::cout << "; default " << info.default_value;
    std::cout << ")\n    " << info.help << '\n';
  }
  if (arguments.given("json")) std::cout << list.dump(2) << '\n';
  return kOk;
}

}  // namespace hone::cli
