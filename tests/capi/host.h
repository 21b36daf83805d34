// hone.h as the tests of the C interface call it: handles that release themselves, errors that can be asked,
// and the small things most tests begin with. Made things throw where hone refuses them, which GoogleTest
// reports.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "hone.h"
#include "tests/places.h"

namespace hone::testing {

inline const std::filesystem::path kModelFolder =
    std::filesystem::path(testing::kFixtures) / "models" / "mean-gelu";
inline const std::filesystem::path kPairsFile =
    std::filesystem::path(testing::kFixtures) / "models" / "pairs.jsonl";
constexpr int32_t kDim = 32;                 // of mean-gelu
constexpr int64_t kGuardMs = 4 * 60 * 1000;  // how long a test waits for what must come

// retain and release of each class.
template <class T>
struct Counted;
#define HONE_COUNTED(name)                                  \
  template <>                                               \
  struct Counted<hone_##name> {                             \
    static constexpr auto retain = &hone_##name##_retain;   \
    static constexpr auto release = &hone_##name##_release; \
  };
HONE_COUNTED(error)
HONE_COUNTED(buffer)
HONE_COUNTED(config)
HONE_COUNTED(runtime)
HONE_COUNTED(model)
HONE_COUNTED(dataset)
HONE_COUNTED(trainer)
HONE_COUNTED(job)
#undef HONE_COUNTED

// One reference.
template <class T>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T* owned) : handle_(owned) {}
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Handle() { reset(); }

  operator T*() const { return handle_; }
  T** place() {
    reset();
    return &handle_;
  }
  void reset() { Counted<T>::release(std::exchange(handle_, nullptr)); }
  T* give() { return std::exchange(handle_, nullptr); }
  Handle another() const { return Handle(Counted<T>::retain(handle_)); }

 private:
  T* handle_ = nullptr;
};

using Runtime = Handle<hone_runtime>;
using Config = Handle<hone_config>;
using Model = Handle<hone_model>;
using Dataset = Handle<hone_dataset>;
using Trainer = Handle<hone_trainer>;
using Job = Handle<hone_job>;
using Buffer = Handle<hone_buffer>;

// Where a call puts its error.
class Failure {
 public:
  hone_error** place() { return error_.place(); }
  bool there() const { return error_ != nullptr; }
  hone_status code() const { return there() ? hone_error_code(error_) : HONE_OK; }
  std::string message() const { return there() ? hone_error_message(error_) : "no error"; }
  std::string subject() const { return there() ? hone_error_subject(error_) : "no error"; }
  int64_t row() const { return hone_error_row(error_); }

 private:
  Handle<hone_error> error_;
};

// What a call that must not fail says when it does.
inline void require(hone_status status, const Failure& failure) {
  if (status != HONE_OK)
    throw std::runtime_error(std::string(hone_status_name(status)) + ": " + failure.message());
}

// A program knows options by their keys: flags of the command line mean nothing to it.
inline void expect_no_flags(const std::string& message) {
  EXPECT_EQ(message.find("--"), std::string::npos) << message;
}

// A call `f(error)` that must be refused with `status`: its error, of the same code and with a line of
// message.
template <class F>
Failure refused(hone_status status, F f) {
  Failure failure;
  const hone_status got = f(failure.place());
  EXPECT_EQ(got, status) << hone_status_name(got) << ": " << failure.message();
  EXPECT_EQ(failure.code(), got);
  EXPECT_EQ(failure.message().find('\n'), std::string::npos) << failure.message();
  EXPECT_FALSE(failure.message().empty());
  expect_no_flags(failure.message());
  return failure;
}

// An option and its value, of one of the four types. (GCC 12 warns of a std::variant here under sanitizers.)
struct Setting {
  std::string key;
  int32_t type = HONE_TYPE_STR;
  int64_t integer = 0;  // HONE_TYPE_INT, HONE_TYPE_BOOL
  double real = 0;
  std::string text;

  template <class V>
  Setting(std::string name, const V& value) : key(std::move(name)) {
    if constexpr (std::is_integral_v<V>) {
      type = std::is_same_v<V, bool> ? HONE_TYPE_BOOL : HONE_TYPE_INT;
      integer = static_cast<int64_t>(value);
    } else if constexpr (std::is_floating_point_v<V>) {
      type = HONE_TYPE_REAL;
      real = static_cast<double>(value);
    } else {
      text = value;
    }
  }
};
using Settings = std::vector<Setting>;

inline hone_status set(hone_config* config, const Setting& s, hone_error** error) {
  const char* key = s.key.c_str();
  switch (s.type) {
    case HONE_TYPE_INT:
      return hone_config_set_int(config, key, s.integer, error);
    case HONE_TYPE_REAL:
      return hone_config_set_real(config, key, s.real, error);
    case HONE_TYPE_BOOL:
      return hone_config_set_bool(config, key, static_cast<int32_t>(s.integer), error);
    default:
      return hone_config_set_str(config, key, s.text.c_str(), error);
  }
}

inline Config make_config(const Settings& settings) {
  Config config;
  Failure failure;
  require(hone_config_create(config.place(), failure.place()), failure);
  for (const Setting& s : settings) require(set(config, s, failure.place()), failure);
  return config;
}

inline Runtime make_runtime(int threads = 2) {
  Runtime runtime;
  Failure failure;
  require(hone_runtime_create(make_config({{"runtime.threads", threads}}), runtime.place(), failure.place()),
          failure);
  return runtime;
}

inline Model load_model(hone_runtime* runtime, const std::filesystem::path& folder = kModelFolder) {
  Model model;
  Failure failure;
  require(hone_model_load(runtime, folder.c_str(), model.place(), failure.place()), failure);
  return model;
}

inline Dataset read_pairs(hone_runtime* runtime) {
  Dataset dataset;
  Failure failure;
  require(hone_dataset_read(runtime, kPairsFile.c_str(), nullptr, dataset.place(), failure.place()), failure);
  return dataset;
}

// Twelve steps with everything in them, as small_options() of the tests of training.
inline Settings small_settings(const Settings& more = {}) {
  Settings settings = {{"train.steps", 12},           {"train.batch_size", 16},     {"train.lr", 1e-3},
                       {"train.warmup_ratio", 0.2},   {"train.weight_decay", 0.01}, {"train.dropout", 0.1},
                       {"train.checkpoint_steps", 3}, {"train.eval_steps", 5}};
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

inline Trainer make_trainer(hone_model* model, hone_dataset* dataset, hone_dataset* evaluation,
                            const Settings& settings) {
  Trainer trainer;
  Failure failure;
  require(hone_trainer_create(model, dataset, evaluation, make_config(settings), trainer.place(),
                              failure.place()),
          failure);
  return trainer;
}

inline Job start(hone_trainer* trainer, const hone_job_callbacks* callbacks = nullptr) {
  Job job;
  Failure failure;
  require(hone_trainer_start(trainer, callbacks, job.place(), failure.place()), failure);
  return job;
}

// Waits until the job has ended; its state.
inline int32_t end_of(hone_job* job) {
  Failure failure;
  require(hone_job_wait(job, kGuardMs, failure.place()), failure);
  return hone_job_poll(job);
}

inline Model result_of(hone_job* job) {
  Model model;
  Failure failure;
  require(hone_job_result(job, model.place(), failure.place()), failure);
  return model;
}

inline std::string text_of(hone_buffer* buffer) {
  size_t size = 0;
  const char* data = hone_buffer_data(buffer, &size);
  return data == nullptr ? "" : std::string(data, size);
}

inline std::string report_of(hone_job* job) {
  Buffer buffer;
  Failure failure;
  require(hone_job_report(job, buffer.place(), failure.place()), failure);
  return text_of(buffer);
}

// Texts as the interface takes them; they must outlive what is returned.
inline std::vector<hone_str> strings(const std::vector<std::string>& texts) {
  std::vector<hone_str> views;
  for (const std::string& text : texts) views.push_back({text.data(), text.size()});
  return views;
}

inline const std::vector<std::string> kTexts = {
    "A man is waiting under a tree", "",   "The horse wants hot tea", "my mother drives to the city!",
    std::string("a\0b", 3),          "tea"};

inline std::vector<float> encode(const hone_model* model, const std::vector<std::string>& texts,
                                 const Settings& settings = {}) {
  std::vector<float> vectors(texts.size() * static_cast<size_t>(hone_model_dim(model)));
  Failure failure;
  const std::vector<hone_str> views = strings(texts);
  require(hone_model_encode(model, views.data(), views.size(), make_config(settings), vectors.data(),
                            vectors.size(), failure.place()),
          failure);
  return vectors;
}

template <class T>
T sized() {
  T value{};
  value.struct_size = sizeof value;
  return value;
}

}  // namespace hone::testing
