// The quota of control groups, in a tree of files as Linux shows them.
#include "compute/cpu/cgroup.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/base/temp_folder.h"

namespace hone::compute::cpu {
namespace {

class Cgroup : public ::testing::Test {
 protected:
  void groups(const std::string& lines) const { root_.write("proc/self/cgroup", lines); }
  void v2(const std::string& group, const std::string& max) const {
    root_.write("sys/fs/cgroup" + group + "/cpu.max", max);
  }
  void v1(const std::string& group, const std::string& quota, const std::string& period = "100000\n") const {
    root_.write("sys/fs/cgroup/cpu" + group + "/cpu.cfs_quota_us", quota);
    root_.write("sys/fs/cgroup/cpu" + group + "/cpu.cfs_period_us", period);
  }
  double quota() const { return cgroup_quota(root_.path()); }
  hone::testing::TempFolder root_;
};

TEST_F(Cgroup, without_any_there_is_no_quota) {
  EXPECT_EQ(quota(), HUGE_VAL);
  groups("0::/a/b\n4:cpu:/a\n");
  EXPECT_EQ(quota(), HUGE_VAL);
}

TEST_F(Cgroup, of_version_two_is_that_of_the_processes_group) {
  groups("0::/user.slice/job\n");
  v2("/user.slice/job", "150000 100000\n");
  v2("/user.slice/other", "50000 100000\n");
  v2("/job", "50000 100000\n");
  EXPECT_EQ(quota(), 1.5);
  groups("0::/user.slice\n");
  EXPECT_EQ(quota(), HUGE_VAL) << "a group below has no say";
}

TEST_F(Cgroup, is_the_smallest_up_to_the_root) {
  groups("0::/a/b/c\n");
  v2("/a/b/c", "max 100000\n");
  EXPECT_EQ(quota(), HUGE_VAL);
  v2("/a", "300000 100000\n");
  EXPECT_EQ(quota(), 3);
  v2("/a/b", "500000 100000\n");
  EXPECT_EQ(quota(), 3);
  v2("/a/b/c", "20000 10000\n");
  EXPECT_EQ(quota(), 2);
  v2("", "100000 100000\n");
  EXPECT_EQ(quota(), 1);
}

TEST_F(Cgroup, of_a_container_lies_at_the_top) {
  groups("0::/\n");
  v2("", "250000 100000\n");
  EXPECT_EQ(quota(), 2.5);
  groups("0::/docker/0123456789\n");  // the host's path, of which only the end is mounted
  EXPECT_EQ(quota(), 2.5);
  groups("0::/../../elsewhere\n");
  EXPECT_EQ(quota(), 2.5);
}

TEST_F(Cgroup, of_version_one_is_that_of_the_cpu_controller) {
  groups("12:memory:/a\n5:cpuset:/a\n4:cpu:/a/b\n1:name=systemd:/a\n");
  v1("/a/b", "-1\n");
  EXPECT_EQ(quota(), HUGE_VAL);
  v1("/a", "50000\n");
  EXPECT_EQ(quota(), 0.5);
  groups("4:cpuset,cpuacct:/a\n");
  EXPECT_EQ(quota(), HUGE_VAL);
}

TEST_F(Cgroup, of_version_one_may_share_its_mount) {
  groups("4:cpu,cpuacct:/a\n");
  root_.write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "400000\n");
  root_.write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 4);
  groups("4:cpuacct,cpu:/a\n");
  v1("", "200000\n");
  EXPECT_EQ(quota(), 2);
}

TEST_F(Cgroup, of_both_versions_is_the_smaller) {
  groups("4:cpu:/a\n0::/b\n");
  v1("/a", "200000\n");
  root_.write("sys/fs/cgroup/unified/b/cpu.max", "100000 100000\n");
  EXPECT_EQ(quota(), 1);
  v1("/a", "50000\n");
  EXPECT_EQ(quota(), 0.5);
}

TEST_F(Cgroup, memory_that_may_be_used_is_the_groups_or_the_machines) {
  const double machine = memory_allowed(root_.path());
  EXPECT_GT(machine, 1e6) << "without a group";
  EXPECT_LT(machine, 1e18);
  groups("0::/a/b\n");
  root_.write("sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(memory_allowed(root_.path()), machine);
  root_.write("sys/fs/cgroup/a/memory.max", "600000000\n");
  EXPECT_EQ(memory_allowed(root_.path()), 6e8);
  root_.write("sys/fs/cgroup/a/memory.max", "9223372036854771712\n");
  EXPECT_EQ(memory_allowed(root_.path()), machine) << "more than there is";
}

TEST_F(Cgroup, that_makes_no_sense_is_none) {
  groups("0::/a\nnonsense\n:\n::\n\n");
  for (const char* text : {"", "max", "100000", "100000 0", "-5 100000", "x y", "0 100000", "nan 1"}) {
    v2("/a", text);
    EXPECT_EQ(quota(), HUGE_VAL) << text;
  }
}

}  // namespace
}  // namespace hone::compute::cpu
