// The BERT family and what follows it (pooling, Dense, Normalize), written once on Graph.
//
// Source: Devlin et al. 2019 (encoder, post-norm), Reimers & Gurevych 2019 (pooling). Shapes: T packed
// tokens, S sequences, H hidden size.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compute/graph.h"
#include "model/sentence_model.h"
#include "nn/token_batch.h"

namespace hone::nn {

struct EncoderOptions {
  bool trainable = false;  // false: parameters alias the model's memory
  float dropout = -1;      // overrides the config's hidden and attention dropout; negative: the config's own
  // May change what is told of a tensor by its name: whether and how fast it is trained.
  std::function<void(const std::string&, compute::ParameterOptions&)> adjust;
};

class SentenceEncoder {
 public:
  // Adds the model's tensors to `parameters`, in their order. The model must outlive frozen parameters' use.
  SentenceEncoder(const model::SentenceModel& model, compute::Parameters& parameters,
                  const EncoderOptions& options);

  // [S, dim]: one vector per sequence, after all modules. `batch` must outlive the step.
  compute::Tensor forward(compute::Graph& graph, const TokenBatch& batch) const;

  // The model's tensors with the parameters' present values, for saving.
  std::vector<model::HostTensor> read(compute::Parameters& parameters) const;

  int32_t max_positions() const { return max_positions_; }
  // parameters()[i] belongs to the model's tensors[i].
  const std::vector<compute::Parameter>& parameters() const { return parameters_; }
  bool trainable(size_t i) const { return trainable_[i]; }

 private:
  struct Module {
    model::Module spec;
    compute::Linear dense;
  };
  compute::Tensor encode(compute::Graph& graph, const TokenBatch& batch) const;  // [T,H]

  int32_t max_positions_;
  std::vector<compute::Parameter> parameters_;
  std::vector<bool> trainable_;
  std::vector<std::vector<int64_t>> dims_;  // the tensors' own shapes: a vector is a parameter of one row
  compute::Parameter word_, position_, type_;
  compute::LayerNorm embedding_norm_;
  compute::Dropout embedding_dropout_;
  std::vector<compute::SelfAttentionBlock> attention_;
  std::vector<compute::FeedForwardBlock> feed_forward_;
  std::vector<Module> modules_;
};

}  // namespace hone::nn
