// A shared library that is no plugin of hone.
extern "C" __attribute__((visibility("default"))) int somebody_elses_function() {
  return 1;
}
