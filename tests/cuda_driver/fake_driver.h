// What the driver of this test says of its machine; the symbol is `hone_fake_driver`.
#pragma once

#include <cstddef>

struct FakeDevice {
  const char* name;
  size_t bytes;
  int major, minor;
};

struct FakeDriver {
  int init_code = 0;
  int version = 0;
  int count = 0;
  FakeDevice devices[4] = {};
};
