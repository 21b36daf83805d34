// What a run will cost, said before its first step. Reckoned from counts and from one measured forward pass;
// docs/performance.md says how near it comes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/sentence_model.h"

namespace hone::train {

// The work still to be done.
struct Workload {
  int64_t steps = 0, evaluations = 0;
  double tokens_per_step = 0;     // on average
  int64_t tokens_of_largest = 0;  // of the largest batch
  int64_t tokens_per_evaluation = 0, evaluation_batch_tokens = 0;
  bool checkpoints = false;  // saved on the way
  bool cut = false;          // batches are computed in pieces, all but the last of which twice forward
  int64_t loss_floats = 0;   // of the vectors that a loss sees at once
  int64_t head_floats = 0;   // of what is trained of the loss itself
  size_t bytes_before = 0;   // that only the time before the first step takes, when there are no activations
};

// What was measured on this machine.
struct Speed {
  double token_seconds = 0;       // of a forward pass in inference
  double evaluation_seconds = 0;  // of a whole evaluation; 0: none was made
};

// Of activations, for each token of the largest batch or piece of it.
size_t bytes_per_token(const model::SentenceModel& model);
// Bytes of physical memory that this process may use: the machine's, or its control group's.
size_t machine_memory();
size_t estimate_bytes(const model::SentenceModel& model, const Workload& work, size_t bytes_of_data);
// That another encoder takes while it encodes batches of so many tokens: packed weights and a workspace.
size_t encoder_bytes(const model::SentenceModel& model, int64_t batch_tokens);
// The same two of the memory of a device that has its own: the host keeps the data and copies of the weights.
size_t device_bytes_per_token(const model::SentenceModel& model);
size_t estimate_device_bytes(const model::SentenceModel& model, const Workload& work);
double estimate_seconds(const Workload& work, const Speed& speed);

}  // namespace hone::train
