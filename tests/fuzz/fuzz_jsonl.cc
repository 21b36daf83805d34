#include "tests/fuzz/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  hone::fuzz::read_any(bytes, size, "fuzz.jsonl", "fuzz.jsonl.gz");
  return 0;
}
