// The machine's matrix-product rate on the shapes of a model: the limit benchmarks are held against.
#pragma once

#include <cstdint>

#include "model/sentence_model.h"

namespace hone::bench {

enum class Pass {
  forward,
  training
};  // training: forward, data gradient and weight gradient of each product

// GFLOP/s of oneDNN on whole matrices [tokens, K] x [K, N] of an encoder layer, with oneDNN's own threading.
double matrix_rate(const model::BertConfig& config, int64_t tokens, int threads, Pass pass, double seconds);

// Multiply-adds, times two, that `tokens` tokens cost in the encoder's matrix products of weights.
double matrix_flops(const model::BertConfig& config, int64_t tokens, Pass pass);

}  // namespace hone::bench
