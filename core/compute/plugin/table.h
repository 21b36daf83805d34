// What a program and an engine plugin say to each other: one table of C functions.
//
// Rules
// - A plugin is a shared library with the C symbol `hone_engine_plugin`, never closed: libraries below it
//   start threads that cannot be unloaded.
// - `size`, `version` and `build` come first and are checked before anything else is read: both sides are of
//   one build, so the plain structs of graph.h may cross. No C++ object, exception or allocation does.
// - Every function returns 0, or 1 with its Failure filled. What a `create` gave, its `release` takes back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/graph.h"

namespace hone::compute::plugin {

constexpr uint32_t kTableVersion = 3;
constexpr const char* kSymbol = "hone_engine_plugin";

// out_of_memory: the program adds what its user can do.
enum class FailureKind : int32_t { error, usage, out_of_memory };

struct Failure {
  FailureKind kind;
  char message[2048];  // one line, ends with 0
};

struct Device {
  char name[32];          // what --device takes
  char description[128];  // what it is
  uint64_t bytes;         // its memory; 0: not known
};

struct EngineRequest {
  const char* device;
  int32_t threads;
  int32_t bf16;           // 1: matrix products in bfloat16
  int32_t named_dropout;  // 1: the masks of dropout.h; 0: the device's own random numbers, faster
};

struct ParameterRequest {
  Shape shape;
  const float* values;  // copied
  ParameterOptions options;
};

// compute::Segments as plain arrays; offsets has count + 1 entries.
struct Sequences {
  int64_t count;
  const int32_t* offsets;
  const uint32_t* row;
  const uint32_t* role;
};

struct Table {
  uint64_t size;  // of this struct
  uint32_t version;
  const char* build;

  // Fills at most `capacity` devices and says in `count` how many there are; `problem` (one line, or empty)
  // says why a kind of device is missing.
  int (*devices)(Device* out, int64_t capacity, int64_t* count, char* problem, int64_t problem_size,
                 Failure*);
  int (*engine_create)(const EngineRequest*, void** engine, Failure*);
  void (*engine_release)(void* engine);
  int (*engine_describe)(void* engine, char* out, int64_t size, int64_t* batch_tokens,
                         uint64_t* device_memory, Failure*);

  int (*parameters_create)(void* engine, void** parameters, Failure*);
  void (*parameters_release)(void* parameters);
  int (*parameters_add)(void* parameters, const char* name, const ParameterRequest*, Failure*);
  int (*parameters_read)(void* parameters, Parameter, State, float* out, int64_t count, Failure*);
  int (*parameters_write)(void* parameters, Parameter, State, const float* values, int64_t count, Failure*);
  int (*parameters_read_gradient)(void* parameters, Parameter, float* out, int64_t count, Failure*);
  int (*parameters_add_gradient)(void* parameters, Parameter, const float* values, int64_t count, Failure*);
  int (*parameters_clear_gradients)(void* parameters, Failure*);
  int (*parameters_gradient_norm)(void* parameters, double* out, Failure*);
  int (*parameters_step)(void* parameters, const AdamW*, Failure*);
  int (*parameters_clipped_step)(void* parameters, const AdamW*, double max_norm, void** reading, Failure*);

  void (*reading_release)(void* reading);
  int (*reading_ready)(void* reading, int32_t* out, Failure*);
  int (*reading_get)(void* reading, float* out, int64_t count, Failure*);

  int (*graph_create)(void* engine, void* parameters, void** graph, Failure*);
  void (*graph_release)(void* graph);
  int (*begin)(void* graph, Mode, uint64_t seed, uint64_t step, Failure*);
  int (*input)(void* graph, const float* values, Shape, Tensor* out, Failure*);
  int (*shape)(void* graph, Tensor, Shape* out, Failure*);
  int (*read)(void* graph, Tensor, float* out, int64_t count, Failure*);
  int (*read_later)(void* graph, Tensor, void** reading, Failure*);
  // ids: `count` lists of `tokens` ids
  int (*embed)(void* graph, const Parameter* tables, const int32_t* const* ids, int64_t count, int64_t tokens,
               Tensor* out, Failure*);
  int (*linear)(void* graph, Tensor, const Linear*, Activation, Tensor* out, Failure*);
  int (*attention)(void* graph, Tensor q, Tensor k, Tensor v, const Sequences*, const AttentionOptions*,
                   Tensor* out, Failure*);
  int (*norm)(void* graph, Tensor, const LayerNorm*, Tensor* out, Failure*);
  int (*dropout)(void* graph, Tensor, const Sequences*, Dropout, Tensor* out, Failure*);
  int (*add_norm)(void* graph, Tensor x, Tensor residual, const Sequences*, Dropout, const LayerNorm*,
                  Tensor* out, Failure*);
  int (*self_attention_block)(void* graph, Tensor, const Sequences*, const SelfAttentionBlock*, Tensor* out,
                              Failure*);
  int (*feed_forward_block)(void* graph, Tensor, const Sequences*, const FeedForwardBlock*, Tensor* out,
                            Failure*);
  int (*pool)(void* graph, Tensor, const Sequences*, PoolKind, Tensor* out, Failure*);
  int (*concat)(void* graph, const Tensor* parts, int64_t count, Tensor* out, Failure*);
  int (*l2_normalize)(void* graph, Tensor, Tensor* out, Failure*);
  int (*retain_only)(void* graph, Tensor, Tensor* out, Failure*);
  int (*backward)(void* graph, Tensor, const float* dy, int64_t count, Failure*);
  int (*peak_bytes)(void* graph, uint64_t* out, Failure*);
};

}  // namespace hone::compute::plugin
