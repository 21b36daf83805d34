// The tests, or a run for one of them to kill.
#include <gtest/gtest.h>

#include <string_view>

#include "tests/train/killed_run.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == hone::testing::kKilledRunMark)
    return hone::testing::killed_run_main(argc - 2, argv + 2);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
