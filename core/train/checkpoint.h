// Checkpoints: one folder that holds everything a run needs to go on.
//
// Layout of OUT/checkpoint: a whole loadable model folder with the present weights; training.safetensors with
// AdamW's moments ("first.NAME", "second.NAME"), the heads trained of the loss ("value.NAME" and moments)
// and, once a step was evaluated, the weights of the best one ("best.NAME"); state.json (run_record.h).
// Beside a finished model it lies where a limit ended the run. Written beside and swapped in, so a kill at
// any moment leaves this or the last one. Sampler and dropout need no state: they are functions of seed,
// epoch and step.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "compute/graph.h"
#include "model/sentence_model.h"
#include "nn/sentence_encoder.h"
#include "train/run_record.h"

namespace hone::train {

struct CheckpointState : RunRecord {
  std::vector<model::HostTensor> best_weights;  // there when `best` is
};

void save_checkpoint(const std::filesystem::path& folder, const model::SentenceModel& model,
                     const nn::SentenceEncoder& encoder, compute::Parameters& parameters,
                     std::span<const compute::Parameter> heads, const CheckpointState& state);

struct LoadedCheckpoint {
  std::shared_ptr<const model::SentenceModel> model;  // the base model with the weights of the checkpoint
  CheckpointState state;
  std::filesystem::path file;  // of the moments, for messages
  std::shared_ptr<const model::SafetensorsFile> moments;
};
// Null when there is none. The caller has called recover_staged_folder(). Throws Error when it is broken or
// its identity differs, naming what differs.
std::optional<LoadedCheckpoint> load_checkpoint(const std::filesystem::path& folder, const RunFrame& frame,
                                                const model::SentenceModel& base);
// Puts the moments back, and the heads of the loss. Throws Error naming a head that is missing.
void restore_training(const LoadedCheckpoint& checkpoint, const nn::SentenceEncoder& encoder,
                      compute::Parameters& parameters, std::span<const compute::Parameter> heads);

}  // namespace hone::train
