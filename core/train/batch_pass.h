// A batch through the encoder and back: its vectors, and the gradient of the weights from theirs.
//
// Rules
// - The batch is what the loss sees at once. Where its activations do not fit into the memory allowed it is
//   cut into micro-batches of texts, sorted by length: their vectors are computed one after the other, and
//   once the loss has given the gradient of the vectors each is computed again with the same dropout masks
//   and led back (GradCache, Gao et al. 2021). The gradient is the one of the uncut batch. The last
//   micro-batch is not computed twice. None is waited for before the next one is on its way.
// - forward(), then backward() at most once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compute/graph.h"
#include "nn/sentence_encoder.h"
#include "nn/token_batch.h"
#include "train/train_data.h"

namespace hone::train {

class BatchPass {
 public:
  // micro_tokens: the most tokens whose activations are kept at once, 0: all of a batch.
  BatchPass(const nn::SentenceEncoder& encoder, compute::Graph& graph, int64_t micro_tokens)
      : encoder_(encoder), graph_(graph), micro_tokens_(micro_tokens) {}

  // The vectors of a batch, [roles, rows, dim], until the next call. seed and step key the dropout.
  std::span<const float> forward(const TrainData& data, std::span<const uint32_t> rows, uint64_t seed,
                                 uint64_t step);
  // Adds to the gradients of the parameters. `gradient` is laid out as the vectors.
  void backward(std::span<const float> gradient);

  int64_t dim() const { return dim_; }
  int64_t tokens() const { return tokens_; }
  size_t micro_batches() const { return parts_.size(); }

 private:
  struct Part {
    nn::TokenBatch batch;
    std::vector<int64_t> place;  // of each sequence among the vectors
  };
  void plan(const TrainData& data, std::span<const uint32_t> rows);
  void compute(const Part& part);

  const nn::SentenceEncoder& encoder_;
  compute::Graph& graph_;
  int64_t micro_tokens_;
  std::vector<Part> parts_;
  compute::Tensor last_;
  std::vector<float> vectors_;
  int64_t dim_ = 0, tokens_ = 0;
  uint64_t seed_ = 0, step_ = 0;
};

}  // namespace hone::train
