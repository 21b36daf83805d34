// What the generated calls (argument_calls.py) are made with: valid values for every parameter of hone.h, and
// the two ways to judge a call. Everything that a call could write to is watched: after an error it holds
// what it held before.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "tests/base/temp_folder.h"
#include "tests/capi/arrow_streams.h"
#include "tests/capi/host.h"

namespace hone::testing {

// One live handle of every class, made once for all tests.
struct World {
  World();
  // That every handle still is what it was: no call that was refused took a reference away.
  void expect_alive();

  hone_error* any_error() { return error; }
  hone_buffer* any_buffer() { return buffer; }
  hone_config* any_config() { return config; }
  hone_runtime* any_runtime() { return runtime; }
  hone_model* any_model() { return model; }
  hone_dataset* any_dataset() { return dataset; }
  hone_trainer* any_trainer() { return trainer; }
  hone_job* any_job() { return job; }

  Handle<hone_error> error;
  Config config;
  Runtime runtime;
  Model model;
  Dataset dataset;
  Trainer trainer;
  Job job;  // finished
  Buffer buffer;
};

// The arguments of one call.
class Values {
 public:
  static constexpr size_t kTexts = 3, kColumns = 3, kFloats = kTexts * static_cast<size_t>(kDim);

  explicit Values(World& world) : world_(world) {}
  ~Values() { release_places(); }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;

  // Memory that the call may write to.
  template <class T>
  T* place(size_t count = 1) {
    blocks_.push_back(std::make_unique<Block>(sizeof(T) * count));
    return reinterpret_cast<T*>(blocks_.back()->memory.get());
  }
  template <class T>
  T* sized_place() {
    T* value = place<T>();
    value->struct_size = sizeof(T);
    return value;
  }
  template <class T>
  T** handle_place() {
    T** handle = place<T*>();
    releases_.push_back([handle, before = *handle] {
      if (*handle != before) Counted<T>::release(*handle);
    });
    return handle;
  }
  ArrowArrayStream* out_stream();
  float* floats() { return place<float>(kFloats); }

  hone_config* config();
  hone_dataset* growing_dataset();
  hone_dataset* read_dataset();
  hone_trainer* trainer();
  hone_trainer* trainer_after_forward();
  const char* new_path();
  const char* long_path();
  const char* corpus();  // three small files that go together
  const char* queries();
  const char* qrels();
  hone_str* texts() { return texts_.data(); }
  ArrowArrayStream* texts_stream();
  ArrowArrayStream* pairs_stream();
  const char** columns() { return columns_.data(); }
  hone_value* row() { return row_.data(); }
  float* gradient() { return gradient_.data(); }
  size_t gradient_floats() const { return gradient_.size(); }
  hone_log_sink* sink() { return &sink_; }
  hone_job_callbacks* callbacks() { return &callbacks_; }

  template <class T>
  static void resize(const T* value, size_t size) {
    const_cast<T*>(value)->struct_size = size;
  }

  void snapshot();
  void expect_untouched() const;
  // What the call was given to keep was taken over (or, not `passed`, left), and nothing of it is left over.
  void expect_streams(bool passed) const;
  void release_places();

 private:
  static hone_log_sink silent_sink();
  struct Block {
    explicit Block(size_t size);
    std::unique_ptr<std::max_align_t[]> memory;
    size_t size;
    std::vector<unsigned char> before;
    void snapshot();
  };

  World& world_;
  TempFolder folder_;
  std::string path_, corpus_, queries_, qrels_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<std::function<void()>> releases_;
  Config config_;
  Dataset growing_, read_;
  Trainer trainer_;
  std::unique_ptr<Stream> stream_;
  std::vector<hone_str> texts_ = {{"one", 3}, {nullptr, 0}, {"three", 5}};
  std::vector<const char*> columns_ = {"sentence1", "sentence2", "score"};
  std::vector<hone_value> row_ = {{{"one", 3}, 0}, {{"two", 3}, 0}, {{nullptr, 0}, 0.5}};
  std::vector<float> gradient_;
  hone_log_sink sink_ = silent_sink();
  hone_job_callbacks callbacks_ = sized<hone_job_callbacks>();
};

class Arguments : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void TearDown() override;

  static World* world;
  static void ran() { ++cases; }
  static int cases;  // of the function at hand

  static void given(const char* text);
  static void not_given(const char* text) { EXPECT_EQ(text, nullptr); }

  // A call as a function of the place of its error. What makes it gets fresh arguments each time.
  using Invocation = std::function<hone_status(hone_error**)>;
  using MakeInvocation = std::function<Invocation(Values&)>;

  // The call with one argument changed is refused, names what is wrong with it and changes nothing.
  template <class C>
  static void refused(const char* what, std::initializer_list<hone_status> statuses, const char* subject,
                      const char* found, C (*valid)(Values&, World&), void (*change)(C&, Values&, World&)) {
    expect_refused(what, statuses, subject, found, making(valid, change));
  }
  // The call succeeds and leaves the place of the error alone.
  template <class C>
  static void accepted(const char* what, C (*valid)(Values&, World&), void (*change)(C&, Values&, World&)) {
    expect_accepted(what, making(valid, change));
  }

 private:
  template <class C>
  static MakeInvocation making(C (*valid)(Values&, World&), void (*change)(C&, Values&, World&)) {
    return [valid, change](Values& values) {
      C call = valid(values, *world);
      change(call, values, *world);
      return Invocation(call);
    };
  }
  static void expect_refused(const std::string& what, std::initializer_list<hone_status> statuses,
                             const char* subject, const char* found, const MakeInvocation& make);
  static void expect_accepted(const std::string& what, const MakeInvocation& make);
  static void expect_refusal(hone_status status, const Failure& failure,
                             std::initializer_list<hone_status> statuses, const char* subject,
                             const char* found);
};

extern const std::vector<std::string> kFunctionsWithCases;

template <class... T>
void unused(T&...) {}

}  // namespace hone::testing
