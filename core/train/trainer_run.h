// What one run of a Trainer is made of; inside of core/train only.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <vector>

#include "train/batch_pass.h"
#include "train/trainer.h"

namespace hone::train {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Thrown out of what encodes for long, where a stop is asked for.
struct Stopped {};

// A step whose numbers may not have arrived yet.
struct StartedStep {
  StepReport report;
  std::vector<uint32_t> rows;
  double loss = 0;
  std::unique_ptr<compute::Reading> gradient_norm;
};

struct Trainer::Run {
  std::unique_ptr<compute::Parameters> parameters;
  std::unique_ptr<nn::SentenceEncoder> encoder;
  std::unique_ptr<compute::Graph> graph;
  std::unique_ptr<encode::Encoder> vectors;
  std::shared_ptr<const model::SentenceModel> start;  // the base model, or the checkpoint's
  CheckpointState state;
  std::unique_ptr<loss::Loss> loss;
  std::vector<loss::Head*> trained;       // of the loss: its heads but for frozen ones
  std::vector<compute::Parameter> heads;  // the same
  std::unique_ptr<BatchPass> pass;
  std::deque<StartedStep> started;
  std::optional<Estimate> estimated;
  std::vector<std::string> warnings;  // of the run itself: the preflight's are said before it
  Clock::time_point training;         // when the first step began
  // Of the base model and of the best step, where this run has evaluated them.
  std::optional<eval::Result> before, latest, best;
  double base_seconds =
      0;  // that the evaluation of the base model took; 0: made by an earlier run, if at all
  double evaluation_seconds = 0;
  int evaluations = 0;
  // Between forward() and backward() of a host's own loop.
  bool forwarded = false;
  HostBatch host;
};

}  // namespace hone::train
