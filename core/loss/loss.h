// Losses: from the vectors of a batch to one number and its gradient.
//
// Rules
// - A loss sees vectors, not the model: [roles, rows, dim], as a host with a loss of its own does. The batch
//   is the contrastive batch, however many micro-batches the encoder took for it.
// - Written for the host's processors, in double where sums are short, on the engine's threads where they are
//   long (compute/contrast.h): beside an encoder a loss is small, and every device gets the same numbers.
// - What is trained of a loss itself (a head, a projection) is a Head: the trainer keeps it among the model's
//   parameters, so it is clipped, decayed, saved in checkpoints and resumed like them, and what --rates and
//   --freeze name. A frozen one stays out of them, as the loss began it.
// - Labels are what the table of losses (loss_table.h) says they are: whoever reads data checks them before
//   step 1.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compute/contrast.h"
#include "compute/graph.h"

namespace hone::loss {

// What does not count in an in-batch loss, whether a row's query is compared with it or its positive: they
// say the same thing. A row's own pair is never among the columns.
struct FalseNegatives {
  compute::LeftOut documents;  // columns: documents, positives first, [(roles - 1) * rows]
  compute::LeftOut queries;    // columns: queries [rows]
};

struct Batch {
  int64_t rows = 0, roles = 0, dim = 0;
  std::span<const float> vectors;  // [roles, rows, dim]
  std::span<const float> labels;   // [rows, label_width]
  int64_t label_width = 0;
  uint64_t number = 0;  // of the batch in its run: with a seed, what is drawn at random
  const FalseNegatives* false_negatives = nullptr;  // null: none

  const float* vector(int64_t role, int64_t row) const { return vectors.data() + (role * rows + row) * dim; }
};

// A matrix of a loss's own that is trained.
struct Head {
  std::string name;  // "head.weight"
  compute::Shape shape;
  std::vector<float> values;
  bool decays = true;           // biases do not
  std::vector<float> gradient;  // of the last call
};

class Loss {
 public:
  virtual ~Loss() = default;
  // The mean (or sum: see each loss) over the batch. Adds its gradient to `gradient` [roles, rows, dim].
  virtual double evaluate(const Batch& batch, compute::Engine& engine, std::span<float> gradient) = 0;
  // Whether more than queries with documents is compared in the batch.
  virtual bool compares_all() const { return false; }
  std::vector<Head>& heads() { return heads_; }

 protected:
  std::vector<Head> heads_;
};

}  // namespace hone::loss
