// A plugin of another build: what hone must refuse to use.
#include "compute/plugin/table.h"

static const hone::compute::plugin::Table kTable = {
    sizeof(hone::compute::plugin::Table), hone::compute::plugin::kTableVersion, "0.0.9-of-another-day"};

extern "C" __attribute__((visibility("default"))) const hone::compute::plugin::Table* hone_engine_plugin() {
  return &kTable;
}
