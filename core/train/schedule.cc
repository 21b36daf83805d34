#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/spelling.h"

namespace hone::train {

ScheduleKind parse_schedule(std::string_view name) {
  if (name == "linear") return ScheduleKind::linear;
  if (name == "constant") return ScheduleKind::constant;
  if (name == "cosine") return ScheduleKind::cosine;
  fail_usage("schedule: \"", excerpt(name), "\" found, linear, constant or cosine expected",
             did_you_mean(name, choices_of("linear|constant|cosine")));
}

std::string_view schedule_name(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::linear:
      return "linear";
    case ScheduleKind::constant:
      return "constant";
    case ScheduleKind::cosine:
      return "cosine";
  }
  return "";
}

double Schedule::rate(int64_t i) const {
  if (i < warmup) return peak * static_cast<double>(i) / static_cast<double>(std::max<int64_t>(1, warmup));
  const double progress =
      static_cast<double>(i - warmup) / static_cast<double>(std::max<int64_t>(1, total - warmup));
  switch (kind) {
    case ScheduleKind::constant:
      return peak;
    case ScheduleKind::linear:
      return peak * std::max(0.0, 1 - progress);
    case ScheduleKind::cosine:
      return peak * std::max(0.0, 0.5 * (1 + std::cos(std::numbers::pi * progress)));
  }
  return peak;
}

}  // namespace hone::train
