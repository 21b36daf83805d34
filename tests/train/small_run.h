// What the tests of training share: a small run, and folders compared file by file.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "tests/base/one_line.h"
#include "tests/compute/test_engine.h"
#include "tests/places.h"
#include "train/trainer.h"

namespace hone::testing {

inline const fs::path kModels = fs::path(testing::kFixtures) / "models";

inline constexpr double kNoTime = 1e-9;  // minutes: over when the first step is

// sentence1, sentence2, score
inline data::ReadOptions pair_roles() {
  data::ReadOptions options;
  options.roles = eval::task_roles("sts");
  return options;
}

inline data::Table pairs() {
  return data::read_table(kModels / "pairs.jsonl", pair_roles());
}

// Twelve steps with everything in them: warm-up, decay, dropout, three evaluations, three checkpoints.
inline train::TrainOptions small_options() {
  train::TrainOptions o;
  o.steps = 12;
  o.batch_size = 16;
  o.learning_rate = 1e-3;
  o.warmup_ratio = 0.2;
  o.weight_decay = 0.01;
  o.dropout = 0.1;
  o.checkpoint_steps = 3;
  o.eval_steps = 5;
  return o;
}

inline train::Trainer small_trainer(std::shared_ptr<compute::Engine> engine,
                                    const train::TrainOptions& options, bool with_eval = true) {
  train::MakeEvaluation evaluation;
  if (with_eval) evaluation = train::evaluation_of("sts", pairs(), engine);
  return {model::load_model(kModels / "mean-gelu"), std::move(engine), pairs(), evaluation, options};
}

inline train::Trainer small_trainer(const train::TrainOptions& options, int threads = 2,
                                    bool with_eval = true) {
  return small_trainer(compute::test_engine(threads), options, with_eval);
}

inline train::TrainResult train_small(const fs::path& out, const train::TrainOptions& options,
                                      train::OnExisting existing = train::OnExisting::refuse, int threads = 2,
                                      const train::TrainCallbacks& callbacks = {}, bool with_eval = true) {
  return small_trainer(options, threads, with_eval).run(out, existing, callbacks);
}

// Callbacks that stop a run after step `last`.
inline train::TrainCallbacks stopping_after(int64_t last) {
  auto done = std::make_shared<int64_t>(0);
  train::TrainCallbacks callbacks;
  callbacks.step = [done](const train::StepReport& r) { *done = r.step; };
  callbacks.stop = [done, last] { return *done == last; };
  return callbacks;
}

// Its first loss is no number.
inline std::shared_ptr<const model::SentenceModel> infinite_model() {
  const auto base = model::load_model(kModels / "mean-gelu");
  auto tensors = base->tensors;
  tensors[0] =
      model::HostTensor::owned(tensors[0].name, tensors[0].shape,
                               std::vector<float>(tensors[0].size, std::numeric_limits<float>::infinity()));
  return base->with_tensors(tensors);
}

inline std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Every file below a folder, by its relative path; `without` names one entry of the folder to leave out.
inline std::map<std::string, std::string> contents(const fs::path& folder, const std::string& without = "") {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path name = entry.path().lexically_relative(folder);
    if (entry.is_regular_file() && name.begin()->string() != without)
      files[name.string()] = bytes_of(entry.path());
  }
  return files;
}

// The names of files that differ or are in one folder only: empty when both hold the same.
inline std::string differences(const std::map<std::string, std::string>& a,
                               const std::map<std::string, std::string>& b) {
  std::string names;
  for (const auto& [name, bytes] : a) {
    const auto other = b.find(name);
    if (other == b.end() || other->second != bytes) names += name + " ";
  }
  for (const auto& [name, bytes] : b) {
    if (!a.contains(name)) names += name + " ";
  }
  return names;
}

}  // namespace hone::testing
