#include "compute/plugin/plugin_engine.h"

#include <algorithm>

#include "base/error.h"
#include "compute/cpu/runtime.h"

namespace hone::compute::plugin {

namespace {

// Calls a function of the table; its Failure is thrown as what it was on the other side.
template <class... P, class... A>
void call(int (*function)(P...), A... arguments) {
  Failure failure{};
  if (function(arguments..., &failure) == 0) return;
  if (failure.kind == FailureKind::usage) throw UsageError(failure.message);
  if (failure.kind == FailureKind::out_of_memory)
    fail("out of memory, a smaller --memory, batch size or max_seq_length needs less: ", failure.message);
  fail(failure.message);
}

Sequences view(const Segments& s) {
  if (s.row.size() != static_cast<size_t>(s.count()) || s.role.size() != s.row.size())
    fail("graph: segments of ", s.count(), " sequences with ", s.row.size(), " rows and ", s.role.size(),
         " roles");
  return {s.count(), s.offsets.data(), s.row.data(), s.role.data()};
}

int64_t length(std::span<const float> values) {
  return static_cast<int64_t>(values.size());
}

// Keeps the engine on the other side alive.
using Handle = std::shared_ptr<void>;

class PluginReading final : public Reading {
 public:
  PluginReading(const Table& table, Handle engine, void* reading)
      : table_(table), engine_(std::move(engine)), self_(reading) {}
  ~PluginReading() override { table_.reading_release(self_); }
  PluginReading(const PluginReading&) = delete;
  PluginReading& operator=(const PluginReading&) = delete;
  bool ready() override {
    int32_t out = 0;
    call(table_.reading_ready, self_, &out);
    return out != 0;
  }
  void get(std::span<float> out) override { call(table_.reading_get, self_, out.data(), length(out)); }

 private:
  const Table& table_;
  Handle engine_;
  void* self_;
};

class PluginParameters final : public Parameters {
 public:
  PluginParameters(const Table& table, Handle engine) : table_(table), engine_(std::move(engine)) {
    call(table_.parameters_create, engine_.get(), &self_);
  }
  ~PluginParameters() override { table_.parameters_release(self_); }
  PluginParameters(const PluginParameters&) = delete;
  PluginParameters& operator=(const PluginParameters&) = delete;

  Parameter add(std::string name, Shape shape, std::span<const float> values,
                std::shared_ptr<const void> /*owner*/, ParameterOptions options) override {
    if (length(values) != shape.rows * shape.cols) {
      fail("parameter ", name, ": ", values.size(), " values for shape [", shape.rows, ",", shape.cols, "]");
    }
    const ParameterRequest request{shape, values.data(), options};
    call(table_.parameters_add, self_, name.c_str(), &request);
    known_.push_back({std::move(name), shape});
    return {static_cast<int32_t>(known_.size()) - 1};
  }
  size_t count() const override { return known_.size(); }
  const std::string& name(Parameter p) const override { return known_[static_cast<size_t>(p.id)].name; }
  Shape shape(Parameter p) const override { return known_[static_cast<size_t>(p.id)].shape; }
  void read(Parameter p, State state, std::span<float> out) override {
    call(table_.parameters_read, self_, p, state, out.data(), length(out));
  }
  void write(Parameter p, State state, std::span<const float> values) override {
    call(table_.parameters_write, self_, p, state, values.data(), length(values));
  }
  void read_gradient(Parameter p, std::span<float> out) override {
    call(table_.parameters_read_gradient, self_, p, out.data(), length(out));
  }
  void add_gradient(Parameter p, std::span<const float> values) override {
    call(table_.parameters_add_gradient, self_, p, values.data(), length(values));
  }
  void clear_gradients() override { call(table_.parameters_clear_gradients, self_); }
  double gradient_norm() override {
    double norm = 0;
    call(table_.parameters_gradient_norm, self_, &norm);
    return norm;
  }
  void step(const AdamW& adamw) override { call(table_.parameters_step, self_, &adamw); }
  std::unique_ptr<Reading> clipped_step(const AdamW& adamw, double max_norm) override {
    void* reading = nullptr;
    call(table_.parameters_clipped_step, self_, &adamw, max_norm, &reading);
    return std::make_unique<PluginReading>(table_, engine_, reading);
  }

  void* self() const { return self_; }
  const void* engine() const { return engine_.get(); }

 private:
  struct Known {
    std::string name;
    Shape shape;
  };

  const Table& table_;
  Handle engine_;
  void* self_ = nullptr;
  std::vector<Known> known_;
};

class PluginGraph final : public Graph {
 public:
  PluginGraph(const Table& table, Handle engine, const PluginParameters& parameters)
      : table_(table), engine_(std::move(engine)) {
    call(table_.graph_create, engine_.get(), parameters.self(), &self_);
  }
  ~PluginGraph() override { table_.graph_release(self_); }
  PluginGraph(const PluginGraph&) = delete;
  PluginGraph& operator=(const PluginGraph&) = delete;

  void begin(Mode mode, uint64_t seed, uint64_t step) override {
    call(table_.begin, self_, mode, seed, step);
    mode_ = mode;
  }
  Mode mode() const override { return mode_; }
  Tensor input(std::span<const float> values, Shape shape) override {
    if (length(values) != shape.rows * shape.cols) fail("graph: input: number of values and shape differ");
    return make(table_.input, values.data(), shape);
  }
  Shape shape(Tensor x) const override {
    Shape out;
    call(table_.shape, self_, x, &out);
    return out;
  }
  void read(Tensor x, std::span<float> out) override { call(table_.read, self_, x, out.data(), length(out)); }
  std::unique_ptr<Reading> read_later(Tensor x) override {
    void* reading = nullptr;
    call(table_.read_later, self_, x, &reading);
    return std::make_unique<PluginReading>(table_, engine_, reading);
  }

  Tensor embed(std::span<const Parameter> tables, std::span<const std::span<const int32_t>> ids) override {
    if (tables.empty() || tables.size() != ids.size()) fail("graph: embed: as many lists of ids as tables");
    std::vector<const int32_t*> lists;
    for (const auto& list : ids) {
      if (list.size() != ids[0].size()) fail("graph: embed: lists of ids of different lengths");
      lists.push_back(list.data());
    }
    return make(table_.embed, tables.data(), lists.data(), static_cast<int64_t>(tables.size()),
                static_cast<int64_t>(ids[0].size()));
  }
  Tensor linear(Tensor x, const Linear& layer, Activation activation) override {
    return make(table_.linear, x, &layer, activation);
  }
  Tensor attention(Tensor q, Tensor k, Tensor v, const Segments& segments,
                   const AttentionOptions& options) override {
    const Sequences s = view(segments);
    return make(table_.attention, q, k, v, &s, &options);
  }
  Tensor norm(Tensor x, const LayerNorm& norm) override { return make(table_.norm, x, &norm); }
  Tensor dropout(Tensor x, const Segments& segments, Dropout dropout) override {
    const Sequences s = view(segments);
    return make(table_.dropout, x, &s, dropout);
  }
  Tensor add_norm(Tensor x, Tensor residual, const Segments& segments, Dropout dropout,
                  const LayerNorm& norm) override {
    const Sequences s = view(segments);
    return make(table_.add_norm, x, residual, &s, dropout, &norm);
  }
  Tensor self_attention_block(Tensor x, const Segments& segments, const SelfAttentionBlock& block) override {
    const Sequences s = view(segments);
    return make(table_.self_attention_block, x, &s, &block);
  }
  Tensor feed_forward_block(Tensor x, const Segments& segments, const FeedForwardBlock& block) override {
    const Sequences s = view(segments);
    return make(table_.feed_forward_block, x, &s, &block);
  }
  Tensor pool(Tensor x, const Segments& segments, PoolKind kind) override {
    const Sequences s = view(segments);
    return make(table_.pool, x, &s, kind);
  }
  Tensor concat(std::span<const Tensor> parts) override {
    return make(table_.concat, parts.data(), static_cast<int64_t>(parts.size()));
  }
  Tensor l2_normalize(Tensor x) override { return make(table_.l2_normalize, x); }
  Tensor retain_only(Tensor keep) override { return make(table_.retain_only, keep); }
  void backward(Tensor y, std::span<const float> dy) override {
    call(table_.backward, self_, y, dy.data(), length(dy));
  }
  size_t peak_bytes() const override {
    uint64_t bytes = 0;
    call(table_.peak_bytes, self_, &bytes);
    return static_cast<size_t>(bytes);
  }

 private:
  template <class... P, class... A>
  Tensor make(int (*function)(P...), A... arguments) {
    Tensor out;
    call(function, self_, arguments..., &out);
    return out;
  }

  const Table& table_;
  Handle engine_;
  void* self_ = nullptr;
  Mode mode_ = Mode::infer;
};

class PluginEngine final : public Engine {
 public:
  PluginEngine(const Table& table, const PluginOptions& options)
      : table_(table), device_(options.device), runtime_(options.threads) {
    const EngineRequest request{device_.c_str(), runtime_.threads(), options.bf16 ? 1 : 0,
                                options.named_dropout ? 1 : 0};
    void* engine = nullptr;
    call(table_.engine_create, &request, &engine);
    self_ = Handle(engine, table_.engine_release);
    char text[256] = {};
    call(table_.engine_describe, engine, text, int64_t{sizeof text}, &batch_tokens_, &device_memory_);
    description_ = text;
  }
  std::string name() const override { return device_; }
  std::string describe() const override { return description_; }
  int threads() const override { return runtime_.threads(); }
  int threads_asked() const override { return runtime_.threads_asked(); }
  int64_t batch_tokens() const override { return batch_tokens_; }
  uint64_t device_memory() const override { return device_memory_; }
  void parallel(int64_t n, const std::function<void(int64_t)>& work) override {
    runtime_.parallel(n, [&](int64_t i, int) { work(i); });
  }
  std::unique_ptr<Parameters> parameters() override {
    return std::make_unique<PluginParameters>(table_, self_);
  }
  std::unique_ptr<Graph> graph(Parameters& parameters) override {
    auto* own = dynamic_cast<PluginParameters*>(&parameters);
    if (own == nullptr || own->engine() != self_.get())
      fail("engine ", device_, ": the parameters belong to another engine");
    return std::make_unique<PluginGraph>(table_, self_, *own);
  }

 private:
  const Table& table_;
  std::string device_, description_;
  int64_t batch_tokens_ = 0;
  uint64_t device_memory_ = 0;
  cpu::Runtime runtime_;  // for work of the host: tokenizing, metrics
  Handle self_;
};

}  // namespace

std::shared_ptr<Engine> create(const Table& table, const PluginOptions& options) {
  return std::make_shared<PluginEngine>(table, options);
}

std::vector<Device> devices(const Table& table, std::string& problem) {
  char text[512] = {};
  std::vector<Device> found(64);
  int64_t n = 0;
  call(table.devices, found.data(), static_cast<int64_t>(found.size()), &n, text, int64_t{sizeof text});
  found.resize(static_cast<size_t>(std::min<int64_t>(n, static_cast<int64_t>(found.size()))));
  problem = text;
  return found;
}

}  // namespace hone::compute::plugin
