#include "model/modules.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "model/json.h"

namespace hone::model {

namespace {

namespace fs = std::filesystem;

struct PoolingName {
  PoolingMode mode;
  const char* name;     // new schema
  const char* old_key;  // old schema
};

// In the order in which the old schema concatenates.
constexpr PoolingName kPoolings[] = {
    {PoolingMode::cls, "cls", "pooling_mode_cls_token"},
    {PoolingMode::max, "max", "pooling_mode_max_tokens"},
    {PoolingMode::mean, "mean", "pooling_mode_mean_tokens"},
    {PoolingMode::mean_sqrt_len, "mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens"},
    {PoolingMode::weighted_mean, "weightedmean", "pooling_mode_weightedmean_tokens"},
    {PoolingMode::last_token, "lasttoken", "pooling_mode_lasttoken"},
};

struct ActivationName {
  Activation activation;
  const char* name;
};

constexpr ActivationName kActivations[] = {
    {Activation::tanh, "torch.nn.modules.activation.Tanh"},
    {Activation::identity, "torch.nn.modules.linear.Identity"},
    {Activation::gelu, "torch.nn.modules.activation.GELU"},
    {Activation::relu, "torch.nn.modules.activation.ReLU"},
};

constexpr int64_t kMaxFeatures = 1 << 18;

ModuleEntry::Kind module_kind(const JsonObject& entry) {
  auto type = entry.text("type");
  if (!type) entry.missing("type", "the name of a module");
  std::string_view name = *type;
  bool ours = name.starts_with("sentence_transformers.");
  std::string_view last = name.substr(name.rfind('.') + 1);
  if (ours && last == "Transformer") return ModuleEntry::Kind::transformer;
  if (ours && last == "Pooling") return ModuleEntry::Kind::pooling;
  if (ours && last == "Dense") return ModuleEntry::Kind::dense;
  if (ours && last == "Normalize") return ModuleEntry::Kind::normalize;
  entry.wrong("type", "one of Transformer, Pooling, Dense, Normalize of sentence_transformers");
}

fs::path module_path(const JsonObject& entry) {
  std::string text = entry.text("path").value_or("");
  fs::path path(text);
  bool leaves =
      path.is_absolute() || text.find('\\') != std::string::npos || text.find('\0') != std::string::npos;
  for (const fs::path& part : path) leaves = leaves || part == "..";
  if (leaves) entry.wrong("path", "a relative path that stays inside the model's folder");
  return path;
}

// The pooling modes of the new schema: one name or a list of names.
std::vector<PoolingMode> listed_modes(const JsonObject& config, const Json& value) {
  std::vector<PoolingMode> modes;
  auto add = [&](const Json& item) {
    const auto* found = std::find_if(std::begin(kPoolings), std::end(kPoolings), [&](const PoolingName& p) {
      return item.is_string() && item == p.name;
    });
    if (found == std::end(kPoolings))
      config.wrong("pooling_mode",
                   "cls, max, mean, mean_sqrt_len_tokens, weightedmean, lasttoken or a list of these");
    if (std::find(modes.begin(), modes.end(), found->mode) != modes.end())
      config.wrong("pooling_mode", "each mode at most once");
    modes.push_back(found->mode);
  };
  if (value.is_array()) {
    for (const Json& item : value) add(item);
    if (modes.empty()) config.wrong("pooling_mode", "at least one mode");
  } else {
    add(value);
  }
  return modes;
}

bool in_old_order(const std::vector<PoolingMode>& modes) {
  return std::is_sorted(modes.begin(), modes.end());
}

void check_feature_names(const JsonObject& config) {
  for (std::string_view key : {"module_input_name", "module_output_name"}) {
    if (config.text(key).value_or("sentence_embedding") != "sentence_embedding")
      config.wrong(key, "\"sentence_embedding\"");
  }
}

}  // namespace

std::vector<ModuleEntry> parse_modules(std::string_view json, const fs::path& file) {
  Json document = parse_json(json, file);
  if (!document.is_array() || document.empty())
    fail(file, ": ", shown(document), " found, expected a list of modules");
  std::vector<ModuleEntry> entries;
  std::set<std::string> names;
  for (size_t i = 0; i < document.size(); ++i) {
    JsonObject entry(document[i], file, cat("[", i, "]"));
    std::string name = entry.text("name").value_or(cat(i));
    if (!names.insert(name).second) entry.wrong("name", "a name that no other module has");
    const Json* arguments = entry.find("kwargs");
    if (arguments != nullptr && !arguments->empty()) entry.wrong("kwargs", "none");
    ModuleEntry made{module_kind(entry), module_path(entry)};
    auto expected = i == 0 ? made.kind == ModuleEntry::Kind::transformer
                    : i == 1
                        ? made.kind == ModuleEntry::Kind::pooling
                        : made.kind == ModuleEntry::Kind::dense || made.kind == ModuleEntry::Kind::normalize;
    if (!expected)
      entry.wrong("type", i == 0   ? "a Transformer as the first module"
                          : i == 1 ? "a Pooling as the second module"
                                   : "a Dense or a Normalize after the pooling");
    entries.push_back(std::move(made));
  }
  if (entries.size() < 2)
    fail(file, ": the list ends after the Transformer, expected a Pooling as the second module");
  return entries;
}

Module parse_pooling(std::string_view json, const fs::path& file, int32_t hidden_size) {
  Json document = parse_json(json, file);
  JsonObject config(document, file);
  config.only({"word_embedding_dimension", "embedding_dimension", "pooling_mode", "include_prompt",
               "pooling_mode_cls_token", "pooling_mode_max_tokens", "pooling_mode_mean_tokens",
               "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens",
               "pooling_mode_lasttoken"});
  std::string_view width_key =
      config.has("embedding_dimension") ? "embedding_dimension" : "word_embedding_dimension";
  int64_t width = config.required_integer(width_key, 1, kMaxFeatures);
  if (width != hidden_size) config.wrong(width_key, cat("the hidden_size of config.json, ", hidden_size));
  Module made{.kind = Module::Kind::pooling};
  made.include_prompt = config.boolean("include_prompt").value_or(true);
  std::vector<PoolingMode> old_modes;
  for (const PoolingName& pooling : kPoolings) {
    if (config.boolean(pooling.old_key).value_or(false)) old_modes.push_back(pooling.mode);
  }
  // As the reference: the new key wins over the old ones, and none at all means the mean.
  const Json* listed = config.find("pooling_mode");
  if (listed != nullptr) {
    made.pooling = listed_modes(config, *listed);
  } else if (!old_modes.empty()) {
    made.pooling = old_modes;
  } else {
    made.pooling = {PoolingMode::mean};
  }
  return made;
}

Module parse_dense(std::string_view json, const fs::path& file) {
  Json document = parse_json(json, file);
  JsonObject config(document, file);
  config.only({"in_features", "out_features", "bias", "activation_function", "module_input_name",
               "module_output_name", "use_residual"});
  if (config.boolean("use_residual").value_or(false)) config.wrong("use_residual", "false");
  check_feature_names(config);
  Module made{.kind = Module::Kind::dense};
  made.in_features = static_cast<int32_t>(config.required_integer("in_features", 1, kMaxFeatures));
  made.out_features = static_cast<int32_t>(config.required_integer("out_features", 1, kMaxFeatures));
  made.bias = config.boolean("bias").value_or(true);
  std::string name = config.text("activation_function").value_or(kActivations[0].name);
  const auto* found = std::find_if(std::begin(kActivations), std::end(kActivations),
                                   [&](const ActivationName& a) { return name == a.name; });
  if (found == std::end(kActivations))
    config.wrong("activation_function", "Tanh, Identity, GELU or ReLU of torch.nn.modules");
  made.activation = found->activation;
  return made;
}

void check_normalize(std::string_view json, const fs::path& file) {
  Json document = parse_json(json, file);
  JsonObject config(document, file);
  config.only({"module_input_name", "module_output_name"});
  check_feature_names(config);
}

std::string module_folder(const Module& module, size_t index) {
  const char* kind = module.kind == Module::Kind::pooling ? "Pooling"
                     : module.kind == Module::Kind::dense ? "Dense"
                                                          : "Normalize";
  return cat(index, "_", kind);
}

std::string modules_json(const std::vector<Module>& modules) {
  auto list = nlohmann::ordered_json::array();
  auto add = [&](const std::string& path, const std::string& kind) {
    size_t index = list.size();
    list.push_back({{"idx", index},
                    {"name", cat(index)},
                    {"path", path},
                    {"type", "sentence_transformers.models." + kind}});
  };
  add("", "Transformer");
  for (const Module& module : modules) {
    std::string folder = module_folder(module, list.size());
    add(folder, folder.substr(folder.find('_') + 1));
  }
  return list.dump(2) + "\n";
}

std::string module_config_json(const Module& module, int32_t hidden_size) {
  auto config = nlohmann::ordered_json::object();
  if (module.kind == Module::Kind::pooling) {
    config["word_embedding_dimension"] = hidden_size;
    for (const PoolingName& pooling : kPoolings)
      config[pooling.old_key] =
          std::find(module.pooling.begin(), module.pooling.end(), pooling.mode) != module.pooling.end();
    config["include_prompt"] = module.include_prompt;
    if (!in_old_order(module.pooling)) {
      // The old keys cannot say it; the reference then goes by this one, and old versions of it stop rather
      // than concatenate in another order.
      auto& listed = config["pooling_mode"] = nlohmann::ordered_json::array();
      for (PoolingMode mode : module.pooling) listed.push_back(kPoolings[static_cast<size_t>(mode)].name);
    }
  } else if (module.kind == Module::Kind::dense) {
    const auto* found =
        std::find_if(std::begin(kActivations), std::end(kActivations),
                     [&](const ActivationName& a) { return module.activation == a.activation; });
    if (found == std::end(kActivations)) fail("a Dense module cannot be saved with the tanh form of GELU");
    config["in_features"] = module.in_features;
    config["out_features"] = module.out_features;
    config["bias"] = module.bias;
    config["activation_function"] = found->name;
  }
  return config.dump(2) + "\n";
}

std::string_view pooling_mode_name(PoolingMode mode) {
  for (const PoolingName& known : kPoolings) {
    if (known.mode == mode) return known.name;
  }
  return "";
}

std::string pooling_name(const Module& pooling) {
  std::string names;
  for (PoolingMode mode : pooling.pooling) names += cat(names.empty() ? "" : ", ", pooling_mode_name(mode));
  return names;
}

}  // namespace hone::model
