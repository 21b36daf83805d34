// Threads that the system refuses: fewer are used, the numbers are the same, nothing ends.
#include "compute/cpu/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

#include "base/error.h"
#include "compute/device.h"

namespace hone::compute {
namespace {

class Refused : public ::testing::Test {
 protected:
  ~Refused() override { cpu::refuse_threads_beyond = -1; }
};

TEST_F(Refused, threads_leave_room_for_a_few_of_other_kinds) {
  EXPECT_EQ(cpu::threads_to_be_had(0), 0);
  EXPECT_EQ(cpu::threads_to_be_had(3), 3);
  for (int made : {0, 1, 2}) {
    cpu::refuse_threads_beyond = made;
    EXPECT_EQ(cpu::threads_to_be_had(7), 0) << made;
  }
  cpu::refuse_threads_beyond = 6;
  EXPECT_EQ(cpu::threads_to_be_had(4), 4) << "as many as are wanted, and two";
  EXPECT_EQ(cpu::threads_to_be_had(5), 3) << "four beside those two, of which a quarter is left";
}

TEST_F(Refused, an_engine_works_with_those_it_gets_and_says_so) {
  for (int made : {0, 1, 3, 6}) {
    cpu::refuse_threads_beyond = made;
    const auto engine = create_engine({.threads = 8});
    EXPECT_EQ(engine->threads(), 1 + cpu::threads_to_be_had(7));
    EXPECT_EQ(engine->threads_asked(), 8);
    std::atomic<int64_t> sum{0};
    engine->parallel(100, [&](int64_t i) { sum += i; });
    EXPECT_EQ(sum, 4950);
    const std::string said = shortage_of_threads(*engine);
    EXPECT_TRUE(
        said.starts_with(cat("8 threads were to be used, but the system lets this process make no more than ",
                             engine->threads(), " ")))
        << said;
    EXPECT_NE(said.find(cat("--threads ", engine->threads(), " asks")), said.npos) << said;
  }
  cpu::refuse_threads_beyond = -1;
  EXPECT_EQ(shortage_of_threads(*create_engine({.threads = 2})), "");
}

TEST_F(Refused, engines_come_and_go_beside_each_other) {
  std::vector<std::shared_ptr<Engine>> engines;
  for (int i = 0; i < 6; ++i) {
    engines.push_back(create_engine({.threads = 1 + i % 4}));
    if (i % 3 == 2) engines.erase(engines.begin());
    for (const auto& engine : engines) {
      std::atomic<int> done{0};
      engine->parallel(20, [&](int64_t) { ++done; });
      EXPECT_EQ(done, 20);
    }
  }
}

}  // namespace
}  // namespace hone::compute
