// What the handles hold. An object is immutable or says who may change it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "compute/graph.h"
#include "config/options.h"
#include "data/columns.h"
#include "data/dataset.h"
#include "encode/encoder.h"
#include "eval/retrieval_data.h"
#include "guard.h"
#include "model/sentence_model.h"
#include "train/trainer.h"

namespace hone::capi {

// Where messages for people go; on_release is called when the last user lets go of it.
class Sink {
 public:
  Sink(const hone_log_sink& sink, int32_t level) : sink_(sink), level_(level) {}
  ~Sink() {
    if (sink_.on_release != nullptr) sink_.on_release(sink_.user_data);
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  void say(int32_t level, const std::string& message) const {
    if (level <= level_) sink_.on_message(sink_.user_data, level, message.c_str());
  }

 private:
  hone_log_sink sink_;
  int32_t level_;
};

// Encoders of one model: they share its weights, and each call has one to itself.
class EncoderPool {
 public:
  EncoderPool(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine);
  std::vector<float> encode(std::span<const std::string> texts, const encode::EncodeOptions& options);
  // Work with an encoder that nobody else has meanwhile.
  void lend(const std::function<void(encode::Encoder&)>& work);
  int32_t dim() const { return dim_; }

 private:
  std::shared_ptr<const model::SentenceModel> model_;
  std::shared_ptr<compute::Engine> engine_;
  int32_t dim_;
  bool concurrent_;  // the engine may be used by several threads at once
  std::mutex mutex_;
  std::unique_ptr<compute::Parameters> parameters_;
  std::unique_ptr<nn::SentenceEncoder> encoder_;
  std::vector<std::unique_ptr<encode::Encoder>> idle_;
};

inline const config::Options& options_of(const hone_config* config);

}  // namespace hone::capi

struct hone_buffer : hone::capi::Handle {
  explicit hone_buffer(std::string content)
      : Handle(hone::capi::HandleType<hone_buffer>::kMagicWord), bytes(std::move(content)) {}
  const std::string bytes;
};

struct hone_config : hone::capi::Handle {
  hone_config() : Handle(hone::capi::HandleType<hone_config>::kMagicWord) {}
  hone::config::Options options;
};

struct hone_runtime : hone::capi::Handle {
  hone_runtime(std::shared_ptr<hone::compute::Engine> made, hone::model::Held held)
      : Handle(hone::capi::HandleType<hone_runtime>::kMagicWord), engine(std::move(made)), weights(held) {}
  std::shared_ptr<const hone::capi::Sink> sink() const {
    std::lock_guard lock(mutex);
    return current_sink;
  }
  const std::shared_ptr<hone::compute::Engine> engine;
  const hone::model::Held weights;  // of models that are loaded
  mutable std::mutex mutex;         // of current_sink
  std::shared_ptr<const hone::capi::Sink> current_sink;
};

struct hone_model : hone::capi::Handle {
  hone_model(hone::capi::Ref<hone_runtime> parent, std::shared_ptr<const hone::model::SentenceModel> made)
      : Handle(hone::capi::HandleType<hone_model>::kMagicWord),
        runtime(std::move(parent)),
        model(std::move(made)),
        encoders(model, runtime->engine) {}
  const hone::capi::Ref<hone_runtime> runtime;
  const std::shared_ptr<const hone::model::SentenceModel> model;
  mutable hone::capi::EncoderPool encoders;  // guards itself
};

struct hone_dataset : hone::capi::Handle {
  explicit hone_dataset(hone::capi::Ref<hone_runtime> parent)
      : Handle(hone::capi::HandleType<hone_dataset>::kMagicWord), runtime(std::move(parent)) {}
  // The table as it stays from now on. Throws where there is none.
  const hone::data::Table& use(const char* name) const;
  // The same of what may still grow by other tables; with the lock held.
  hone::data::Table& complete(const char* name) const;
  const hone::capi::Ref<hone_runtime> runtime;
  // While rows are added: what they go through.
  struct Filling {
    std::vector<std::string> names;
    hone::data::ReadOptions options;
    std::optional<hone::data::Columns> columns;
  };
  std::string source;
  mutable std::mutex mutex;  // of the changes from filling to complete to used
  mutable std::unique_ptr<Filling> filling;
  mutable bool used = false;
  mutable hone::data::Table table;
  std::shared_ptr<const hone::eval::RetrievalData> retrieval;  // in place of a table
};

struct hone_trainer : hone::capi::Handle {
  hone_trainer() : Handle(hone::capi::HandleType<hone_trainer>::kMagicWord) {}
  hone::capi::Ref<hone_model> model;
  hone::config::Options options;
  std::shared_ptr<hone::train::Trainer> trainer;
  std::shared_ptr<std::atomic<bool>> busy = std::make_shared<std::atomic<bool>>(false);
  hone_progress progress{};  // of the host's own loop
  bool introduced = false;   // the host's own loop has told the log sink
};

namespace hone::capi {
inline const config::Options& options_of(const hone_config* config) {
  static const config::Options defaults;
  return config == nullptr ? defaults : checked(config, "options").options;
}
inline hone_buffer* make_buffer(std::string content) {
  return new hone_buffer(std::move(content));
}
// A file's name may be any bytes: what is no UTF-8 is replaced.
inline hone_buffer* make_json(const nlohmann::ordered_json& j) {
  return make_buffer(j.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}
}  // namespace hone::capi
