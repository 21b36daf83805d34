// An Engine that lives in a plugin: each call goes through the table, each failure becomes an Error again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compute/plugin/table.h"

namespace hone::compute::plugin {

struct PluginOptions {
  std::string device;
  int threads = 1;
  bool bf16 = false;
  bool named_dropout = false;
};

std::shared_ptr<Engine> create(const Table& table, const PluginOptions& options);

// The devices of a plugin; `problem`: why a kind of device is missing, or empty.
std::vector<Device> devices(const Table& table, std::string& problem);

}  // namespace hone::compute::plugin
