#include "train/checkpoint.h"

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace hone::train {

namespace {

using nlohmann::json;

constexpr int kVersion = 1;

json report_json(const EvalReport& report) {
  json metrics = json::object();
  for (const auto& [name, value] : report.metrics) metrics[name] = value;
  return {{"step", report.step}, {"metrics", metrics}, {"low", report.low}, {"high", report.high}};
}

EvalReport read_report(const json& j) {
  EvalReport report;
  report.step = j.at("step").get<int64_t>();
  for (const auto& [name, value] : j.at("metrics").items()) {
    // A correlation of constant values is NaN, which JSON writes as null.
    report.metrics.emplace_back(
        name, value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>());
  }
  report.low = j.at("low").is_null() ? std::numeric_limits<double>::quiet_NaN() : j.at("low").get<double>();
  report.high =
      j.at("high").is_null() ? std::numeric_limits<double>::quiet_NaN() : j.at("high").get<double>();
  return report;
}

json state_json(const CheckpointState& state) {
  json settings = json::object();
  for (const auto& [name, value] : state.identity) settings[name] = value;
  json j = {{"version", kVersion}, {"step", state.step}, {"settings", settings}};
  if (state.before) j["before"] = report_json(*state.before);
  if (state.best) j["best"] = report_json(*state.best);
  return j;
}

// Reads a record and compares its settings with this run's.
CheckpointState read_state(const fs::path& file, const Identity& identity) {
  CheckpointState state;
  std::map<std::string, std::string> found;
  try {
    const json j = json::parse(read_text_file(file));
    if (j.at("version").get<int>() != kVersion)
      fail(file, ": version ", j.at("version").get<int>(), " found, ", kVersion, " expected");
    state.step = j.at("step").get<int64_t>();
    for (const auto& [name, value] : j.at("settings").items()) found[name] = value.get<std::string>();
    if (j.contains("before")) state.before = read_report(j.at("before"));
    if (j.contains("best")) state.best = read_report(j.at("best"));
  } catch (const json::exception& e) {
    fail(file, ": not a record of a training run: ", excerpt(e.what(), 120));
  }
  std::string differences;
  for (const auto& [name, value] : identity) {
    const auto other = found.find(name);
    const std::string before = other == found.end() ? "none" : other->second;
    if (before != value)
      differences += cat(differences.empty() ? "" : ", ", name, " was ", before, " and is now ", value);
  }
  if (!differences.empty()) fail("cannot resume ", file.parent_path(), ": ", differences);
  state.identity = identity;
  return state;
}

model::RawTensor raw(std::string name, std::vector<int64_t> shape, const std::vector<float>& values) {
  return {std::move(name), "F32", std::move(shape), std::as_bytes(std::span(values))};
}

}  // namespace

void save_checkpoint(const fs::path& folder, const model::SentenceModel& model,
                     const nn::SentenceEncoder& encoder, compute::Parameters& parameters,
                     const CheckpointState& state) {
  StagedFolder staged(folder);
  const auto now = model.with_tensors(encoder.read(parameters));
  write_model_files(*now, staged.path(), {});
  std::vector<std::vector<float>> values;
  std::vector<model::RawTensor> tensors;
  values.reserve(2 * encoder.parameters().size());
  for (size_t i = 0; i < encoder.parameters().size(); ++i) {
    const compute::Parameter p = encoder.parameters()[i];
    const model::HostTensor& tensor = now->tensors[i];
    for (auto [prefix, which] :
         {std::pair{"first.", compute::State::first_moment}, {"second.", compute::State::second_moment}}) {
      values.emplace_back(tensor.size);
      parameters.read(p, which, values.back());
      tensors.push_back(raw(prefix + tensor.name, tensor.shape, values.back()));
    }
  }
  for (const model::HostTensor& tensor : state.best_weights) {
    tensors.push_back(
        {"best." + tensor.name, "F32", tensor.shape, std::as_bytes(std::span(tensor.data, tensor.size))});
  }
  write_safetensors(staged.path() / "training.safetensors", tensors, {});
  StagedFile record(staged.path() / "state.json");
  record.write(state_json(state).dump(1));
  record.commit();
  staged.commit();
}

std::optional<LoadedCheckpoint> load_checkpoint(const fs::path& folder, const Identity& identity) {
  if (!fs::exists(folder / "state.json")) return std::nullopt;
  LoadedCheckpoint loaded;
  loaded.state = read_state(folder / "state.json", identity);
  loaded.model = model::load_model(folder);
  const auto file = model::SafetensorsFile::open(folder / "training.safetensors");
  for (const model::HostTensor& tensor : loaded.model->tensors) {
    if (const auto* entry = file->find("best." + tensor.name)) {
      model::HostTensor best = file->floats(*entry);
      best.name = tensor.name;
      loaded.state.best_weights.push_back(std::move(best));
    }
  }
  if (!loaded.state.best_weights.empty() &&
      loaded.state.best_weights.size() != loaded.model->tensors.size()) {
    fail(folder / "training.safetensors", ": ", loaded.state.best_weights.size(),
         " tensors of the best step found, ", loaded.model->tensors.size(), " expected");
  }
  return loaded;
}

void restore_moments(const fs::path& folder, const nn::SentenceEncoder& encoder,
                     compute::Parameters& parameters) {
  const auto file = model::SafetensorsFile::open(folder / "training.safetensors");
  for (const compute::Parameter p : encoder.parameters()) {
    for (auto [prefix, which] :
         {std::pair{"first.", compute::State::first_moment}, {"second.", compute::State::second_moment}}) {
      const std::string name = prefix + parameters.name(p);
      const auto* entry = file->find(name);
      if (entry == nullptr) fail(folder / "training.safetensors", ": tensor ", name, " is missing");
      const model::HostTensor values = file->floats(*entry);
      parameters.write(p, which, std::span(values.data, values.size));
    }
  }
}

std::string finished_record(const CheckpointState& state) {
  return state_json(state).dump(1);
}

bool finished_earlier(const fs::path& out, const Identity& identity, CheckpointState& state) {
  const fs::path file = out / "training.json";
  if (!fs::exists(file)) return false;
  state = read_state(file, identity);
  return true;
}

uint64_t weights_hash(const model::SentenceModel& model) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  auto mix = [&](uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29;
  };
  for (const model::HostTensor& tensor : model.tensors) {
    for (char c : tensor.name) mix(static_cast<unsigned char>(c));
    size_t i = 0;
    for (; i + 2 <= tensor.size; i += 2) {
      uint64_t word = 0;
      std::memcpy(&word, tensor.data + i, sizeof word);
      mix(word);
    }
    for (; i < tensor.size; ++i) {
      uint32_t word = 0;
      std::memcpy(&word, tensor.data + i, sizeof word);
      mix(word);
    }
  }
  return hash;
}

}  // namespace hone::train
