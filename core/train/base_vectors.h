// Vectors of the base model for every text of a run, to tell false negatives by.
//
// Rules: of length 1, by number of the text. Where a folder is named they are kept there, under a hash of
// model and token ids, and read again by later runs: written beside and renamed, checked by size.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compute/graph.h"
#include "model/sentence_model.h"
#include "train/train_data.h"

namespace hone::train {

// Makes the folder where it is missing. Throws Error where nothing can be written there: before hours are
// spent.
void require_cache(const std::string& folder);

// [texts, dim]
std::vector<float> base_vectors(const std::shared_ptr<const model::SentenceModel>& model,
                                const std::shared_ptr<compute::Engine>& engine, const TrainData& data,
                                const std::string& folder,
                                const std::function<void(size_t done, size_t total)>& progress = {});

}  // namespace hone::train
