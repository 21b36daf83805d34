// Finds, opens and checks an engine plugin.
#pragma once

#include <string>
#include <vector>

#include "compute/plugin/table.h"

namespace hone::compute::plugin {

// What both sides must agree on: version of hone, a hash of the sources of this interface, the compiler.
const char* plugin_build();

// Where a plugin called `file` is looked for, in order: HONE_PLUGIN_DIR alone where that is set; else the
// folder of the program or library that holds this code, ../lib and ../lib/hone beside it, and the system's
// library folders.
std::vector<std::string> plugin_places(const std::string& file);

// The table of the plugin at the first of `places` that exists. Throws Error naming what is missing and how
// to get it, or both builds when they differ. The library stays open for good.
const Table& open_plugin(const std::vector<std::string>& places);

// libhone_torch.so, opened once in a process.
const Table& torch_plugin();

}  // namespace hone::compute::plugin
