// What one run of a Trainer is made of; inside of core/train only.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <vector>

#include "train/trainer.h"

namespace hone::train {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A step whose numbers may not have arrived yet.
struct StartedStep {
  StepReport report;
  std::vector<uint32_t> rows;
  std::unique_ptr<compute::Reading> loss, gradient_norm;
};

struct Trainer::Run {
  std::unique_ptr<compute::Parameters> parameters;
  std::unique_ptr<nn::SentenceEncoder> encoder;
  std::unique_ptr<compute::Graph> graph;
  std::unique_ptr<encode::Encoder> vectors;
  std::shared_ptr<const model::SentenceModel> start;  // the base model, or the checkpoint's
  CheckpointState state;
  int64_t order_epoch = -1;
  std::vector<uint32_t> order;
  std::deque<StartedStep> started;
  Clock::time_point training;  // when the first step began
  // Between forward() and backward() of a host's own loop.
  bool forwarded = false;
  compute::Tensor tensor;
  nn::TokenBatch batch;
  HostBatch host;
};

}  // namespace hone::train
