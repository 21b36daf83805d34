#include "train/estimate.h"

#include <algorithm>

#include "compute/cpu/cgroup.h"
#include "compute/cpu/product.h"

namespace hone::train {

namespace {

int64_t table_floats(const model::SentenceModel& model) {
  const auto& c = model.config;
  return (int64_t{c.vocab_size} + c.max_positions + c.type_vocab_size) * int64_t{c.hidden_size};
}

// Of what is multiplied, packed.
int64_t packed_floats(const model::SentenceModel& model) {
  const int64_t width = compute::cpu::strip_columns(), rows = compute::cpu::kDepthStep;
  return (model.parameters() - table_floats(model)) *
         compute::cpu::strip_floats(rows, width, compute::cpu::kExact) / (rows * width);
}

}  // namespace

// At the most: the program and the mapped model; of a trained matrix its value, gradient, moments and
// transposed copy (of an embedding table no gradient and no copy); the activations of the largest batch; the
// copy of the best step and those that saving makes (values and moments for a checkpoint, values for a model
// that is not the best step's); the data. Per token and layer the activations are qkv, context, sums, inputs
// (12 H) and the feed-forward's F; its backward needs another 2 F + 12 H once. An evaluation has a workspace
// of its own: those 12 H of one layer for a batch of texts.
size_t bytes_per_token(const model::SentenceModel& model) {
  const auto& c = model.config;
  const int64_t hidden = c.hidden_size, intermediate = c.intermediate_size;
  return static_cast<size_t>(4 * (c.layers * (12 * hidden + intermediate) + 2 * intermediate + 12 * hidden));
}

size_t machine_memory() {
  return static_cast<size_t>(compute::cpu::memory_allowed());
}

size_t estimate_bytes(const model::SentenceModel& model, const Workload& work, size_t bytes_of_data) {
  const auto& c = model.config;
  const int64_t hidden = c.hidden_size;
  const int64_t all = model.parameters();
  const int64_t tables = table_floats(model);
  const bool keeps_best = work.evaluations > 0;
  const int64_t copies = (keeps_best ? 1 : 0) + (work.checkpoints ? 3 : keeps_best ? 0 : 1);
  constexpr int64_t kProgram = 30 << 20;
  const int64_t packed = packed_floats(model);
  constexpr int64_t kLossCopies = 8;  // vectors, their gradient, both packed for products, unit vectors
  const int64_t evaluation = keeps_best ? work.evaluation_batch_tokens * 12 * hidden : 0;
  // A head's values in the loss and as parameter, both gradients, moments; for a checkpoint values and
  // moments.
  const int64_t heads = (6 + (work.checkpoints ? 3 : 0)) * work.head_floats;
  const int64_t floats = all + 4 * (all - tables) + packed + 3 * tables + copies * all + evaluation +
                         kLossCopies * work.loss_floats + heads;
  return static_cast<size_t>(kProgram + 4 * floats) + bytes_of_data +
         std::max(static_cast<size_t>(work.tokens_of_largest) * bytes_per_token(model), work.bytes_before);
}

size_t encoder_bytes(const model::SentenceModel& model, int64_t batch_tokens) {
  return static_cast<size_t>(4 * (packed_floats(model) + batch_tokens * 12 * model.config.hidden_size));
}

// libtorch keeps more of a layer than the cpu engine, each result until the step's end (measured with MiniLM:
// 184 KB instead of 178, growing to an eighth more with depth), and its allocator rounds up.
size_t device_bytes_per_token(const model::SentenceModel& model) {
  return bytes_per_token(model) / 4 * 5;
}

// Of each matrix, tables too, its value, gradient and moments, and once more what is added to the gradient or
// its copy in bfloat16. An evaluation takes turns with the activations.
size_t estimate_device_bytes(const model::SentenceModel& model, const Workload& work) {
  return 4 * 5 * static_cast<size_t>(model.parameters() + work.head_floats) +
         static_cast<size_t>(work.tokens_of_largest) * device_bytes_per_token(model);
}

// A step is about three and a half forward passes, one more where batches are cut. An evaluation is one over
// its texts where none was timed.
double estimate_seconds(const Workload& work, const Speed& speed) {
  const double step = (work.cut ? 4.5 : 3.5) * speed.token_seconds * work.tokens_per_step;
  const double evaluation = speed.evaluation_seconds > 0
                                ? speed.evaluation_seconds
                                : speed.token_seconds * static_cast<double>(work.tokens_per_evaluation);
  return step * static_cast<double>(work.steps) + evaluation * static_cast<double>(work.evaluations);
}

}  // namespace hone::train
