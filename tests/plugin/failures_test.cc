// What failed in a plugin is an Error of its kind again: a table whose engine cannot be made.
#include <gtest/gtest.h>

#include <cstring>

#include "compute/plugin/plugin_engine.h"
#include "tests/base/one_line.h"

namespace hone::compute::plugin {
namespace {

using testing::message_of;

template <FailureKind kind>
int fails(const EngineRequest*, void**, Failure* failure) {
  failure->kind = kind;
  std::strcpy(failure->message, "the reason");
  return 1;
}

template <FailureKind kind>
void create_failing() {
  Table table{};
  table.engine_create = fails<kind>;
  create(table, {"double", 1});
}

TEST(PluginFailure, of_wrong_usage_is_a_usage_error) {
  EXPECT_EQ(message_of<UsageError>(create_failing<FailureKind::usage>), "the reason");
}

TEST(PluginFailure, of_any_other_kind_is_none) {
  EXPECT_THROW(
      {
        try {
          create_failing<FailureKind::error>();
        } catch (const UsageError&) {
          FAIL() << "a usage error";
        }
      },
      Error);
  EXPECT_EQ(message_of(create_failing<FailureKind::error>), "the reason");
}

TEST(PluginFailure, for_lack_of_memory_says_what_needs_less) {
  EXPECT_EQ(message_of(create_failing<FailureKind::out_of_memory>),
            "out of memory, a smaller --memory, batch size or max_seq_length needs less: the reason");
}

}  // namespace
}  // namespace hone::compute::plugin
