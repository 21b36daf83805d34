// The text of README.md in a saved model.
#pragma once

#include <string>

#include "model/sentence_model.h"

namespace hone::model {

std::string model_card_text(const SentenceModel& model, const ModelCard& card);

}  // namespace hone::model
