#include "compute/cpu/cpu_engine.h"

#include <hwy/highway.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/spelling.h"
#include "compute/cpu/cgroup.h"
#include "compute/cpu/cpu_graph.h"
#include "compute/cpu/product.h"

namespace hone::compute::cpu {

namespace {

class CpuEngine final : public Engine, public std::enable_shared_from_this<CpuEngine> {
 public:
  explicit CpuEngine(int threads) : runtime_(threads) {}
  std::string name() const override { return "cpu"; }
  std::string describe() const override {
    const char* tiles = products_on_tiles() ? "+AMX" : tiles_refused() ? " (AMX refused by the system)" : "";
    return cat("cpu, ", kernel_target(), tiles, ", ", runtime_.threads(),
               runtime_.threads() == 1 ? " thread" : " threads");
  }
  int threads() const override { return runtime_.threads(); }
  int threads_asked() const override { return runtime_.threads_asked(); }
  void parallel(int64_t n, const std::function<void(int64_t)>& work) override {
    runtime_.parallel(n, [&](int64_t i, int) { work(i); });
  }
  std::unique_ptr<Parameters> parameters() override { return std::make_unique<CpuParameters>(runtime_); }
  std::unique_ptr<Graph> graph(Parameters& parameters) override {
    auto* own = dynamic_cast<CpuParameters*>(&parameters);
    if (own == nullptr) fail("engine cpu: the parameters belong to another engine");
    return std::make_unique<CpuGraph>(runtime_, *own);
  }

 private:
  Runtime runtime_;
};

}  // namespace

int default_threads() {
  int allowed = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) allowed = std::max(1, CPU_COUNT(&set));
  return std::max(1, std::min(allowed, static_cast<int>(std::ceil(std::min(cgroup_quota(), 1e6)))));
}

int resolve_threads(int asked) {
  if (asked < 0 || asked > kMostThreads) {
    fail_usage("threads: ", asked, " found, a number from 1 to ", kMostThreads,
               " expected (0: all that this process may use)");
  }
  return asked == 0 ? default_threads() : asked;
}

InstructionSet instruction_set(std::string_view name, std::string_view option) {
  if (name == "best") return InstructionSet::best;
  if (name == "avx512") return InstructionSet::avx512;
  if (name == "avx2") return InstructionSet::avx2;
  fail_usage(option, ": \"", excerpt(name), "\" found, best, avx512 or avx2 expected",
             did_you_mean(name, choices_of("best|avx512|avx2")));
}

void hold_to(InstructionSet isa) {
  static std::mutex mutex;
  static std::optional<InstructionSet> decided;
  std::lock_guard lock(mutex);
  if (decided) {
    if (isa == InstructionSet::best || *decided == isa) return;
    fail_usage("isa: ", isa == InstructionSet::avx2 ? "avx2" : "avx512",
               " found, but this process computes with ", kernel_target(), products_on_tiles() ? "+AMX" : "",
               " already; its first engine decides");
  }
  decided = isa;
  allow_tiles = isa == InstructionSet::best;
  if (isa == InstructionSet::avx2) {
    hwy::DisableTargets(~static_cast<uint32_t>(0) &
                        ~static_cast<uint32_t>(HWY_AVX2 | HWY_SCALAR | HWY_EMU128));
  }
}

std::shared_ptr<Engine> create(const CpuOptions& options) {
  const int threads = resolve_threads(options.threads);
  hold_to(options.isa);
  return std::make_shared<CpuEngine>(threads);
}

}  // namespace hone::compute::cpu
