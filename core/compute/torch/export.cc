// The table of this plugin: C functions that call the engine's C++ and turn every exception into a Failure.
#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <new>

#include "base/error.h"
#include "compute/plugin/table.h"
#include "compute/torch/torch_engine.h"

namespace hone::compute::torch_engine {
namespace {

using plugin::Failure;
using plugin::FailureKind;
using plugin::Sequences;

void put(char* to, size_t size, std::string_view text) {
  const size_t n = std::min(size - 1, text.size());
  std::memcpy(to, text.data(), n);
  to[n] = 0;
}

// What a program shows of libtorch's long messages.
std::string first_line(std::string_view text) {
  return excerpt(text.substr(0, text.find('\n')), 1000);
}

// Its own type is thrown by the allocator of a GPU alone; the host's, the driver and cuBLAS say it in words.
bool out_of_memory(const c10::Error& e, std::string_view text) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&e) != nullptr) return true;
  for (const char* words : {"out of memory", "can't allocate memory", "ALLOC_FAILED"}) {
    if (text.find(words) != std::string_view::npos) return true;
  }
  return false;
}

template <class F>
int guarded(Failure* failure, const F& work) noexcept {
  auto report = [&](FailureKind kind, const std::string& text) {
    failure->kind = kind;
    put(failure->message, sizeof failure->message, text);
  };
  try {
    work();
    return 0;
  } catch (const UsageError& e) {
    report(FailureKind::usage, e.what());
  } catch (const Error& e) {
    report(FailureKind::error, e.what());
  } catch (const c10::Error& e) {
    const std::string text = first_line(e.what_without_backtrace());
    if (out_of_memory(e, text)) {
      report(FailureKind::out_of_memory, text);
    } else {
      report(FailureKind::error, "libtorch: " + text);
    }
  } catch (const std::bad_alloc&) {
    report(FailureKind::out_of_memory, "the host has none left");
  } catch (const std::exception& e) {
    report(FailureKind::error, "libtorch: " + first_line(e.what()));
  } catch (...) {
    report(FailureKind::error, "libtorch: an exception of an unknown type");
  }
  return 1;
}

struct EngineHandle {
  std::shared_ptr<Engine> engine;
};
struct ParametersHandle {
  std::shared_ptr<Engine> engine;
  std::unique_ptr<Parameters> parameters;
};
struct ReadingHandle {
  std::unique_ptr<Reading> reading;
};
// Segments made of the caller's arrays: one per step and array, since the graph knows a batch by its address.
struct GraphHandle {
  std::shared_ptr<Engine> engine;
  std::unique_ptr<Graph> graph;
  std::map<const int32_t*, Segments> segments;

  const Segments& of(const Sequences& s) {
    auto [found, fresh] = segments.try_emplace(s.offsets);
    const std::span<const int32_t> offsets(s.offsets, static_cast<size_t>(s.count) + 1);
    if (fresh || !std::equal(offsets.begin(), offsets.end(), found->second.offsets.begin(),
                             found->second.offsets.end())) {
      found->second.offsets.assign(s.offsets, s.offsets + s.count + 1);
      found->second.row.assign(s.row, s.row + s.count);
      found->second.role.assign(s.role, s.role + s.count);
    }
    return found->second;
  }
};

Engine& engine_of(void* p) {
  return *static_cast<EngineHandle*>(p)->engine;
}
Parameters& parameters_of(void* p) {
  return *static_cast<ParametersHandle*>(p)->parameters;
}
GraphHandle& handle_of(void* p) {
  return *static_cast<GraphHandle*>(p);
}
Graph& graph_of(void* p) {
  return *handle_of(p).graph;
}
std::span<float> span_of(float* p, int64_t n) {
  return {p, static_cast<size_t>(n)};
}
std::span<const float> span_of(const float* p, int64_t n) {
  return {p, static_cast<size_t>(n)};
}

int list_devices(plugin::Device* out, int64_t capacity, int64_t* count, char* problem, int64_t problem_size,
                 Failure* f) {
  return guarded(f, [&] {
    std::string why;
    const auto found = devices(why);
    *count = static_cast<int64_t>(found.size());
    for (int64_t i = 0; i < std::min(capacity, *count); ++i) out[i] = found[static_cast<size_t>(i)];
    put(problem, static_cast<size_t>(problem_size), why);
  });
}

const plugin::Table kTable = {
    sizeof(plugin::Table),
    plugin::kTableVersion,
    HONE_PLUGIN_BUILD,
    list_devices,

    [](const plugin::EngineRequest* request, void** out, Failure* f) {
      return guarded(f, [&] { *out = new EngineHandle{create(*request)}; });
    },
    [](void* engine) { delete static_cast<EngineHandle*>(engine); },
    [](void* engine, char* out, int64_t size, int64_t* batch_tokens, uint64_t* device_memory, Failure* f) {
      return guarded(f, [&] {
        put(out, static_cast<size_t>(size), engine_of(engine).describe());
        *batch_tokens = engine_of(engine).batch_tokens();
        *device_memory = engine_of(engine).device_memory();
      });
    },

    [](void* engine, void** out, Failure* f) {
      return guarded(f, [&] {
        auto& owner = static_cast<EngineHandle*>(engine)->engine;
        *out = new ParametersHandle{owner, owner->parameters()};
      });
    },
    [](void* p) { delete static_cast<ParametersHandle*>(p); },
    [](void* p, const char* name, const plugin::ParameterRequest* r, Failure* f) {
      return guarded(f, [&] {
        parameters_of(p).add(name, r->shape, span_of(r->values, r->shape.rows * r->shape.cols), nullptr,
                             r->options);
      });
    },
    [](void* p, Parameter which, State state, float* out, int64_t count, Failure* f) {
      return guarded(f, [&] { parameters_of(p).read(which, state, span_of(out, count)); });
    },
    [](void* p, Parameter which, State state, const float* values, int64_t count, Failure* f) {
      return guarded(f, [&] { parameters_of(p).write(which, state, span_of(values, count)); });
    },
    [](void* p, Parameter which, float* out, int64_t count, Failure* f) {
      return guarded(f, [&] { parameters_of(p).read_gradient(which, span_of(out, count)); });
    },
    [](void* p, Parameter which, const float* values, int64_t count, Failure* f) {
      return guarded(f, [&] { parameters_of(p).add_gradient(which, span_of(values, count)); });
    },
    [](void* p, Failure* f) { return guarded(f, [&] { parameters_of(p).clear_gradients(); }); },
    [](void* p, double* out, Failure* f) {
      return guarded(f, [&] { *out = parameters_of(p).gradient_norm(); });
    },
    [](void* p, const AdamW* adamw, Failure* f) {
      return guarded(f, [&] { parameters_of(p).step(*adamw); });
    },
    [](void* p, const AdamW* adamw, double max_norm, void** out, Failure* f) {
      return guarded(f, [&] { *out = new ReadingHandle{parameters_of(p).clipped_step(*adamw, max_norm)}; });
    },

    [](void* r) { delete static_cast<ReadingHandle*>(r); },
    [](void* r, int32_t* out, Failure* f) {
      return guarded(f, [&] { *out = static_cast<ReadingHandle*>(r)->reading->ready() ? 1 : 0; });
    },
    [](void* r, float* out, int64_t count, Failure* f) {
      return guarded(f, [&] { static_cast<ReadingHandle*>(r)->reading->get(span_of(out, count)); });
    },

    [](void* engine, void* parameters, void** out, Failure* f) {
      return guarded(f, [&] {
        auto& owner = static_cast<EngineHandle*>(engine)->engine;
        *out = new GraphHandle{owner, owner->graph(parameters_of(parameters)), {}};
      });
    },
    [](void* g) { delete static_cast<GraphHandle*>(g); },
    [](void* g, Mode mode, uint64_t seed, uint64_t step, Failure* f) {
      return guarded(f, [&] {
        graph_of(g).begin(mode, seed, step);
        handle_of(g).segments.clear();
      });
    },
    [](void* g, const float* values, Shape shape, Tensor* out, Failure* f) {
      return guarded(f, [&] { *out = graph_of(g).input(span_of(values, shape.rows * shape.cols), shape); });
    },
    [](void* g, Tensor x, Shape* out, Failure* f) {
      return guarded(f, [&] { *out = graph_of(g).shape(x); });
    },
    [](void* g, Tensor x, float* out, int64_t count, Failure* f) {
      return guarded(f, [&] { graph_of(g).read(x, span_of(out, count)); });
    },
    [](void* g, Tensor x, void** out, Failure* f) {
      return guarded(f, [&] { *out = new ReadingHandle{graph_of(g).read_later(x)}; });
    },
    [](void* g, const Parameter* tables, const int32_t* const* ids, int64_t count, int64_t tokens,
       Tensor* out, Failure* f) {
      return guarded(f, [&] {
        std::vector<std::span<const int32_t>> lists;
        for (int64_t i = 0; i < count; ++i) lists.emplace_back(ids[i], static_cast<size_t>(tokens));
        *out = graph_of(g).embed(std::span(tables, static_cast<size_t>(count)), lists);
      });
    },
    [](void* g, Tensor x, const Linear* layer, Activation activation, Tensor* out, Failure* f) {
      return guarded(f, [&] { *out = graph_of(g).linear(x, *layer, activation); });
    },
    [](void* g, Tensor q, Tensor k, Tensor v, const Sequences* s, const AttentionOptions* options,
       Tensor* out, Failure* f) {
      return guarded(f, [&] { *out = graph_of(g).attention(q, k, v, handle_of(g).of(*s), *options); });
    },
    [](void* g, Tensor x, const LayerNorm* norm, Tensor* out, Failure* f) {
      return guarded(f, [&] { *out = graph_of(g).norm(x, *norm); });
    },
    [](void* g, Tensor x, const Sequences* s, Dropout dropout, Tensor* out, Failure* f) {
      return guarded(f, [&] { *out = graph_of(g).dropout(x, handle_of(g).of(*s), dropout); });
    },
    [](void* g, Tensor x, Tensor residual, const Sequences* s, Dropout dropout, const LayerNorm* norm,
       Tensor* out, Failure* f) {
      return guarded(f,
                     [&] { *out = graph_of(g).add_norm(x, residual, handle_of(g).of(*s), dropout, *norm); });
    },
    [](void* g, Tensor x, const Sequences* s, const SelfAttentionBlock* block, Tensor* out, Failure* f) {
      return guarded(f, [&] { *out = graph_of(g).self_attention_block(x, handle_of(g).of(*s), *block); });
    },
    [](void* g, Tensor x, const Sequences* s, const FeedForwardBlock* block, Tensor* out, Failure* f) {
      return guarded(f, [&] { *out = graph_of(g).feed_forward_block(x, handle_of(g).of(*s), *block); });
    },
    [](void* g, Tensor x, const Sequences* s, PoolKind kind, Tensor* out, Failure* f) {
      return guarded(f, [&] { *out = graph_of(g).pool(x, handle_of(g).of(*s), kind); });
    },
    [](void* g, const Tensor* parts, int64_t count, Tensor* out, Failure* f) {
      return guarded(f, [&] { *out = graph_of(g).concat(std::span(parts, static_cast<size_t>(count))); });
    },
    [](void* g, Tensor x, Tensor* out, Failure* f) {
      return guarded(f, [&] { *out = graph_of(g).l2_normalize(x); });
    },
    [](void* g, Tensor keep, Tensor* out, Failure* f) {
      return guarded(f, [&] { *out = graph_of(g).retain_only(keep); });
    },
    [](void* g, Tensor y, const float* dy, int64_t count, Failure* f) {
      return guarded(f, [&] { graph_of(g).backward(y, span_of(dy, count)); });
    },
    [](void* g, uint64_t* out, Failure* f) { return guarded(f, [&] { *out = graph_of(g).peak_bytes(); }); },
};

}  // namespace
}  // namespace hone::compute::torch_engine

extern "C" __attribute__((visibility("default"))) const hone::compute::plugin::Table* hone_engine_plugin() {
  return &hone::compute::torch_engine::kTable;
}
