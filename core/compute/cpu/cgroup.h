// What Linux control groups allow this process: processors and memory.
#pragma once

#include <filesystem>

namespace hone::compute::cpu {

// In processors: the smallest of the process's own group and of all groups above it, of version 2 and of
// version 1; infinite where there is none. A group that this process cannot see (a container shows its own as
// the top one) has no say. `root` is where proc and sys lie, for tests.
double cgroup_quota(const std::filesystem::path& root = "/");
// In bytes, likewise; infinite where there is no limit.
double cgroup_memory(const std::filesystem::path& root = "/");
// The machine's, or less where a control group says so.
double memory_allowed(const std::filesystem::path& root = "/");

}  // namespace hone::compute::cpu
