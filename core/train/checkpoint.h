// Checkpoints: one folder that holds everything a run needs to go on.
//
// Layout of OUT/checkpoint: a whole loadable model folder with the present weights; training.safetensors with
// AdamW's moments ("first.NAME", "second.NAME") and, when an earlier step was better, its weights
// ("best.NAME"); state.json. Written beside and swapped in, so a kill at any moment leaves this or the last
// one. Sampler and dropout need no state: they are functions of seed, epoch and step.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compute/graph.h"
#include "model/sentence_model.h"
#include "nn/sentence_encoder.h"
#include "train/options.h"

namespace hone::train {

using Identity = std::vector<std::pair<std::string, std::string>>;

struct CheckpointState {
  int64_t step = 0;                  // steps done
  Identity identity;                 // settings, data and base model
  std::optional<EvalReport> before;  // evaluation of the base model
  std::optional<EvalReport> best;
  std::vector<model::HostTensor> best_weights;  // empty: the present ones, or none yet
};

void save_checkpoint(const std::filesystem::path& folder, const model::SentenceModel& model,
                     const nn::SentenceEncoder& encoder, compute::Parameters& parameters,
                     const CheckpointState& state);

struct LoadedCheckpoint {
  std::shared_ptr<const model::SentenceModel> model;  // with the weights of the checkpoint
  CheckpointState state;
};
// Null when there is none. The caller has called recover_staged_folder(). Throws Error when it is broken or
// its identity differs, naming what differs.
std::optional<LoadedCheckpoint> load_checkpoint(const std::filesystem::path& folder,
                                                const Identity& identity);
// Puts the moments back.
void restore_moments(const std::filesystem::path& folder, const nn::SentenceEncoder& encoder,
                     compute::Parameters& parameters);

// The finished run's record, OUT/training.json.
std::string finished_record(const CheckpointState& state);
// True when OUT holds a finished run of this identity; throws Error when it holds one of another.
bool finished_earlier(const std::filesystem::path& out, const Identity& identity, CheckpointState& state);

// FNV-1a style hash of a model's tensors: which base model a run started from.
uint64_t weights_hash(const model::SentenceModel& model);

}  // namespace hone::train
