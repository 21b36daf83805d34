#include "train/checkpoint.h"

#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "model/dtype.h"

namespace hone::train {

namespace {

constexpr std::pair<const char*, compute::State> kMoments[] = {{"first.", compute::State::first_moment},
                                                               {"second.", compute::State::second_moment}};

constexpr std::pair<const char*, compute::State> kHeadStates[] = {
    {"value.", compute::State::value}, kMoments[0], kMoments[1]};

model::RawTensor raw(std::string name, std::vector<int64_t> shape, std::span<const float> values) {
  return {std::move(name), "F32", std::move(shape), std::as_bytes(values)};
}

// A tensor of the checkpoint, which has to be there in this shape.
model::HostTensor tensor_of(const model::SafetensorsFile& file, const fs::path& path, const char* prefix,
                            const std::string& name, const std::vector<int64_t>& shape) {
  const auto* entry = file.find(prefix + name);
  if (entry == nullptr) fail(path, ": tensor \"", prefix, name, "\" is missing");
  if (entry->shape != shape) {
    fail(path, ": tensor \"", prefix, name, "\" has the shape ", model::shown_shape(entry->shape),
         ", expected ", model::shown_shape(shape));
  }
  model::HostTensor tensor = file.floats(*entry);
  tensor.name = name;
  return tensor;
}

}  // namespace

void save_checkpoint(const fs::path& folder, const model::SentenceModel& model,
                     const nn::SentenceEncoder& encoder, compute::Parameters& parameters,
                     std::span<const compute::Parameter> heads, const CheckpointState& state) {
  StagedFolder staged(folder);
  const auto now = model.with_tensors(encoder.read(parameters));
  write_model_files(*now, staged.path(), {});
  std::vector<std::vector<float>> values;
  std::vector<model::RawTensor> tensors;
  values.reserve(2 * encoder.parameters().size() + 3 * heads.size());
  for (size_t i = 0; i < encoder.parameters().size(); ++i) {
    const model::HostTensor& tensor = now->tensors[i];
    for (auto [prefix, which] : kMoments) {
      values.emplace_back(tensor.size);
      parameters.read(encoder.parameters()[i], which, values.back());
      tensors.push_back(raw(prefix + tensor.name, tensor.shape, values.back()));
    }
  }
  for (const compute::Parameter head : heads) {
    const compute::Shape shape = parameters.shape(head);
    for (auto [prefix, which] : kHeadStates) {
      values.emplace_back(static_cast<size_t>(shape.rows * shape.cols));
      parameters.read(head, which, values.back());
      tensors.push_back(raw(prefix + parameters.name(head), {shape.rows, shape.cols}, values.back()));
    }
  }
  for (const model::HostTensor& tensor : state.best_weights)
    tensors.push_back(raw("best." + tensor.name, tensor.shape, std::span(tensor.data, tensor.size)));
  write_safetensors(staged.path() / "training.safetensors", tensors, {});
  StagedFile record(staged.path() / "state.json");
  record.write(run_record_json(state));
  record.commit();
  staged.commit();
}

std::optional<LoadedCheckpoint> load_checkpoint(const fs::path& folder, const RunFrame& frame,
                                                const model::SentenceModel& base) {
  if (!fs::exists(folder / "state.json")) return std::nullopt;
  LoadedCheckpoint loaded;
  static_cast<RunRecord&>(loaded.state) = read_run_record(folder / "state.json", folder, frame);
  const auto weights = model::load_model(folder);
  try {
    loaded.model = base.with_tensors(weights->tensors);
  } catch (const Error& e) {
    fail(folder, ": not the weights of the model to be trained: ", e.what());
  }
  const fs::path file = folder / "training.safetensors";
  loaded.file = file;
  loaded.moments = model::SafetensorsFile::open(file);
  for (const model::HostTensor& tensor : base.tensors) {
    for (auto [prefix, which] : kMoments) tensor_of(*loaded.moments, file, prefix, tensor.name, tensor.shape);
    if (loaded.state.best) {
      loaded.state.best_weights.push_back(
          tensor_of(*loaded.moments, file, "best.", tensor.name, tensor.shape));
    }
  }
  return loaded;
}

void restore_training(const LoadedCheckpoint& checkpoint, const nn::SentenceEncoder& encoder,
                      compute::Parameters& parameters, std::span<const compute::Parameter> heads) {
  for (size_t i = 0; i < encoder.parameters().size(); ++i) {
    const compute::Parameter p = encoder.parameters()[i];
    if (!encoder.trainable(i)) continue;
    for (auto [prefix, which] : kMoments) {
      const auto* entry = checkpoint.moments->find(prefix + parameters.name(p));
      const model::HostTensor values = checkpoint.moments->floats(*entry);
      parameters.write(p, which, std::span(values.data, values.size));
    }
  }
  for (const compute::Parameter head : heads) {
    const compute::Shape shape = parameters.shape(head);
    for (auto [prefix, which] : kHeadStates) {
      const model::HostTensor values = tensor_of(*checkpoint.moments, checkpoint.file, prefix,
                                                 parameters.name(head), {shape.rows, shape.cols});
      parameters.write(head, which, std::span(values.data, values.size));
    }
  }
}

}  // namespace hone::train
