#include "compute/cpu/cgroup.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

namespace hone::compute::cpu {

namespace {

namespace fs = std::filesystem;

constexpr double kNone = std::numeric_limits<double>::infinity();

// Both in microseconds; "max" and -1 stand for no quota.
double processors(std::string_view quota, std::string_view period) {
  double time = 0, of = 0;
  std::from_chars(quota.data(), quota.data() + quota.size(), time);
  std::from_chars(period.data(), period.data() + period.size(), of);
  return time > 0 && of > 0 ? time / of : kNone;
}

// Version 2: "max 100000" or "150000 100000".
double quota_v2(const fs::path& group) {
  std::string quota, period;
  std::ifstream(group / "cpu.max") >> quota >> period;
  return processors(quota, period);
}

double quota_v1(const fs::path& group) {
  std::string quota, period;
  std::ifstream(group / "cpu.cfs_quota_us") >> quota;
  std::ifstream(group / "cpu.cfs_period_us") >> period;
  return processors(quota, period);
}

// "max", or bytes; without a limit version 1 shows a number that no machine has.
double bytes_in(const fs::path& file) {
  std::string text;
  std::ifstream(file) >> text;
  double bytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  return bytes > 0 ? bytes : kNone;
}
double memory_v2(const fs::path& group) {
  return bytes_in(group / "memory.max");
}
double memory_v1(const fs::path& group) {
  return bytes_in(group / "memory.limit_in_bytes");
}

// The smallest from `group` ("/a/b") up to the mount itself.
double smallest(const fs::path& mount, const fs::path& group, double (*quota)(const fs::path&)) {
  double least = kNone;
  for (fs::path at = group.lexically_normal().relative_path();; at = at.parent_path()) {
    least = std::min(least, quota(mount / at));
    if (at.empty()) return least;
  }
}

bool names(std::string_view controllers, std::string_view controller) {
  for (;;) {
    const size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == controller) return true;
    if (comma == controllers.npos) return false;
    controllers.remove_prefix(comma + 1);
  }
}

double least_of(const fs::path& root, const std::string& controller, double (*v1)(const fs::path&),
                double (*v2)(const fs::path&)) {
  const fs::path mounts = root / "sys" / "fs" / "cgroup";
  double least = kNone;
  // A line is "HIERARCHY:CONTROLLERS:/group"; version 2 names no controllers.
  std::ifstream groups(root / "proc" / "self" / "cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1),
                      group = line.substr(second + 1);
    if (controllers.empty()) {
      for (const char* mount : {"", "unified"}) least = std::min(least, smallest(mounts / mount, group, v2));
    } else if (names(controllers, controller)) {
      for (const std::string& mount : {controllers, controller})
        least = std::min(least, smallest(mounts / mount, group, v1));
    }
  }
  return least;
}

}  // namespace

double cgroup_quota(const fs::path& root) {
  return least_of(root, "cpu", quota_v1, quota_v2);
}

double cgroup_memory(const fs::path& root) {
  return least_of(root, "memory", memory_v1, memory_v2);
}

double memory_allowed(const fs::path& root) {
  const double machine =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  return std::min(machine, cgroup_memory(root));
}

}  // namespace hone::compute::cpu
