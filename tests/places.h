// Where the tests find what they need, as CMake knows it (cmake/HoneTargets.cmake). A program has those that
// its line in tests/CMakeLists.txt names, and all have the first two.
#pragma once

namespace hone::testing {

extern const char* const kFixtures;      // tests/fixtures
extern const char* const kSourceFolder;  // the root of the checkout

extern const char* const kProgram;     // the hone command
extern const char* const kOtherBuild;  // a plugin of another build
extern const char* const kNoPlugin;    // a library that is no plugin
extern const char* const kFakeDriver;  // an NVIDIA driver of the test's own

}  // namespace hone::testing
