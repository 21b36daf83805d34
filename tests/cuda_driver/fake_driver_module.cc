// A libcuda.so.1 of a few functions: the driver that the test describes.
#include <cstring>

#include "tests/cuda_driver/fake_driver.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED FakeDriver hone_fake_driver;
FakeDriver hone_fake_driver;

EXPORTED int cuInit(unsigned) {
  return hone_fake_driver.init_code;
}
EXPORTED int cuDriverGetVersion(int* version) {
  *version = hone_fake_driver.version;
  return 0;
}
EXPORTED int cuDeviceGetCount(int* count) {
  *count = hone_fake_driver.count;
  return 0;
}
EXPORTED int cuDeviceGet(int* device, int ordinal) {
  *device = 100 + ordinal;  // a handle, not the ordinal
  return 0;
}
EXPORTED int cuDeviceGetName(char* name, int size, int device) {
  std::strncpy(name, hone_fake_driver.devices[device - 100].name, static_cast<size_t>(size));
  return 0;
}
EXPORTED int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  *bytes = hone_fake_driver.devices[device - 100].bytes;
  return 0;
}
// 75 and 76 are CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of cuda.h.
EXPORTED int cuDeviceGetAttribute(int* value, int attribute, int device) {
  const FakeDevice& d = hone_fake_driver.devices[device - 100];
  if (attribute != 75 && attribute != 76) return 1;
  *value = attribute == 75 ? d.major : d.minor;
  return 0;
}
