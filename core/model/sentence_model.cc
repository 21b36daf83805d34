#include "model/sentence_model.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "model/dtype.h"

namespace hone::model {

const HostTensor* SentenceModel::find(std::string_view name) const {
  auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const HostTensor& t) { return t.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

const HostTensor& SentenceModel::tensor(std::string_view name) const {
  const HostTensor* found = find(name);
  if (found == nullptr) fail("the model of ", folder, " has no tensor \"", name, "\"");
  return *found;
}

int32_t SentenceModel::dim() const {
  int32_t width = config.hidden_size;
  for (const Module& module : modules) {
    if (module.kind == Module::Kind::pooling) width *= static_cast<int32_t>(module.pooling.size());
    if (module.kind == Module::Kind::dense) width = module.out_features;
  }
  return width;
}

int32_t SentenceModel::vector_dim(int32_t asked) const {
  if (asked == 0) return truncate_dim > 0 ? std::min(truncate_dim, dim()) : dim();
  if (asked < 0 || asked > dim())
    fail_usage("dim: ", asked, " found, 1 to ", dim(), " expected, the width of the vectors of ", folder);
  return asked;
}

int64_t SentenceModel::parameters() const {
  int64_t sum = 0;
  for (const HostTensor& tensor : tensors) sum += static_cast<int64_t>(tensor.size);
  return sum;
}

std::string SentenceModel::prompt() const {
  auto found = prompts.find(default_prompt_name);
  return found == prompts.end() ? "" : found->second;
}

std::shared_ptr<const SentenceModel> SentenceModel::with_tensors(std::vector<HostTensor> others) const {
  if (others.size() != tensors.size())
    fail("the model of ", folder, " has ", tensors.size(), " tensors, ", others.size(), " were given");
  for (size_t i = 0; i < others.size(); ++i) {
    if (others[i].name != tensors[i].name || others[i].shape != tensors[i].shape)
      fail("tensor \"", others[i].name, "\" of shape ", shown_shape(others[i].shape), " was given for \"",
           tensors[i].name, "\" of shape ", shown_shape(tensors[i].shape));
  }
  auto made = std::make_shared<SentenceModel>(*this);
  made->tensors = std::move(others);
  return made;
}

std::shared_ptr<const SentenceModel> SentenceModel::with_max_seq_length(int32_t n) const {
  if (n < 3 || n > config.max_positions)
    fail("max_seq_length is ", n, ", expected at least 3 and at most ", config.max_positions,
         ", the positions that the model of ", folder, " has");
  auto made = std::make_shared<SentenceModel>(*this);
  made->max_seq_length = n;
  made->tokenizer = tokenizer->with_options({.max_length = n, .do_lower_case = do_lower_case});
  return made;
}

}  // namespace hone::model
