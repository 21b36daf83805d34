// What training gives, and its steps one by one.
#pragma once

#include <string>

#include "tests/base/temp_folder.h"
#include "tests/capi/jobs.h"
#include "tests/train/small_run.h"

namespace hone::testing {

// What a training run gives, as bytes: the tensors of the saved model.
inline std::string weights_of(const hone_model* model) {
  const TempFolder folder;
  const std::string saved = folder / "saved";
  Failure failure;
  require(hone_model_save(model, saved.c_str(), nullptr, failure.place()), failure);
  return bytes_of(folder / "saved/model.safetensors");
}

inline Model model_of(hone_trainer* trainer) {
  Model model;
  Failure failure;
  require(hone_trainer_model(trainer, model.place(), failure.place()), failure);
  return model;
}

inline hone_progress step(hone_trainer* trainer) {
  hone_progress progress = sized<hone_progress>();
  Failure failure;
  require(hone_trainer_step(trainer, &progress, failure.place()), failure);
  return progress;
}

inline hone_batch forward(hone_trainer* trainer) {
  hone_batch batch = sized<hone_batch>();
  Failure failure;
  require(hone_trainer_forward(trainer, &batch, failure.place()), failure);
  return batch;
}

inline hone_progress backward(hone_trainer* trainer, const std::vector<float>& gradient, double loss) {
  hone_progress progress = sized<hone_progress>();
  Failure failure;
  require(hone_trainer_backward(trainer, gradient.data(), gradient.size(), loss, &progress, failure.place()),
          failure);
  return progress;
}

}  // namespace hone::testing
