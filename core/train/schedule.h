// Learning rate by step, as transformers' get_linear/constant/cosine_schedule_with_warmup.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hone::train {

enum class ScheduleKind { linear, constant, cosine };

ScheduleKind parse_schedule(std::string_view name);  // throws Error naming the valid ones
std::string_view schedule_name(ScheduleKind kind);

struct Schedule {
  ScheduleKind kind = ScheduleKind::linear;
  double peak = 0;
  int64_t warmup = 0, total = 0;  // steps
  // Rate of step i, counted from 0: with warm-up the first is 0.
  double rate(int64_t i) const;
};

}  // namespace hone::train
