// Graph, Tensor, Parameters, Engine: the operations a model is written in, whatever computes them.
//
// Rules
// - An architecture is written once against Graph; an engine (cpu, torch) implements it. Nothing
//   here assumes which one: a Tensor is a handle, its numbers stay with the engine until read().
// - Everything is a matrix of float, row-major. Shapes in comments: T packed tokens, S sequences, H hidden
//   size. A ragged batch is one run of T tokens cut by Segments; padding does not exist here.
// - A Graph is a workspace used step after step: begin() forgets the last step's tensors. In train mode
//   operations are recorded and backward() walks them; in infer mode nothing is kept.
// - Gradients of parameters add up over backward() calls until Parameters::clear_gradients().
// - Dropout is keyed by (seed, step, site, row, role, token, feature), never by the packed position:
//   dropout.h.
// - One Graph, or one Parameters, is used by one thread at a time. Graphs in infer mode may share Parameters.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone::compute {

enum class Mode { infer, train };
enum class Activation { none, gelu, gelu_tanh, relu, tanh };
enum class PoolKind { cls, mean, max, mean_sqrt_len, weighted_mean, last_token };

struct Shape {
  int64_t rows = 0, cols = 0;
  bool operator==(const Shape&) const = default;
};

// A matrix of one Graph, valid until its next begin().
struct Tensor {
  int32_t id = -1;
  explicit operator bool() const { return id >= 0; }
};

// A named matrix of a Parameters.
struct Parameter {
  int32_t id = -1;
  explicit operator bool() const { return id >= 0; }
};

// How T packed tokens are cut into S sequences, and who each sequence is (for dropout). What an operation was
// given must live until the step's backward() is done.
struct Segments {
  std::vector<int32_t> offsets{0};  // [S+1], rising; every sequence has at least one token
  std::vector<uint32_t> row;        // [S] row of the data set
  std::vector<uint32_t> role;       // [S] which column of the row: 0, 1, ... (below 256)

  int64_t count() const { return static_cast<int64_t>(offsets.size()) - 1; }
  int64_t tokens() const { return offsets.back(); }
  int32_t length(int64_t s) const { return offsets[s + 1] - offsets[s]; }
};

struct Dropout {
  float p = 0;        // 0: none. In infer mode dropout is never applied.
  uint32_t site = 0;  // which dropout of the model; below 2^24
};

struct LayerNorm {
  Parameter gamma, beta;  // [1,H]
  float eps = 1e-12F;
};

struct Linear {
  Parameter weight;  // [N,K]
  Parameter bias;    // [1,N], or none
};

struct AttentionOptions {
  int32_t heads = 1;
  float scale = 1;  // usually 1/sqrt(head size)
  Dropout dropout;  // of the probabilities
};

struct SelfAttentionBlock {
  Linear query, key, value, output;
  AttentionOptions attention;
  Dropout dropout;  // of the output, before the residual is added
  LayerNorm norm;
};

struct FeedForwardBlock {
  Linear up, down;
  Activation activation = Activation::gelu;
  Dropout dropout;
  LayerNorm norm;
};

// Numbers that an engine may still be computing. A GPU works behind the program's back: asking for a number
// at once would make both wait, so a step asks for a Reading and looks at it a step or two later.
class Reading {
 public:
  virtual ~Reading() = default;
  virtual bool ready() = 0;                    // get() would not wait
  virtual void get(std::span<float> out) = 0;  // waits; out has as many floats as the tensor
  float number();                              // of a [1,1] tensor; waits
};

class Graph {
 public:
  virtual ~Graph() = default;

  // Starts a step: earlier tensors are gone. `seed` and `step` key the dropout masks of train mode.
  virtual void begin(Mode mode, uint64_t seed = 0, uint64_t step = 0) = 0;
  virtual Mode mode() const = 0;

  virtual Tensor input(std::span<const float> values, Shape shape) = 0;  // a constant: no gradient
  virtual Shape shape(Tensor x) const = 0;
  virtual void read(Tensor x, std::span<float> out) = 0;  // waits for x; out has rows*cols floats
  // The same without waiting; the Reading outlives the step. By default it is read at once.
  virtual std::unique_ptr<Reading> read_later(Tensor x);

  // [T,H]: sum over tables of tables[i][ids[i][t]]. A table's gradient is a list of rows.
  virtual Tensor embed(std::span<const Parameter> tables, std::span<const std::span<const int32_t>> ids) = 0;
  // act(x[T,K] W[N,K]^T + b[N]) -> [T,N]
  virtual Tensor linear(Tensor x, const Linear& layer, Activation activation = Activation::none) = 0;
  // Self-attention within each sequence, q k v [T, heads*d] -> [T, heads*d]
  virtual Tensor attention(Tensor q, Tensor k, Tensor v, const Segments& segments,
                           const AttentionOptions& options) = 0;
  // Layer normalisation over a row. [T,H] -> [T,H]
  virtual Tensor norm(Tensor x, const LayerNorm& norm) = 0;
  virtual Tensor dropout(Tensor x, const Segments& segments, Dropout dropout) = 0;
  // norm(residual + dropout(x)). [T,H] -> [T,H]
  virtual Tensor add_norm(Tensor x, Tensor residual, const Segments& segments, Dropout dropout,
                          const LayerNorm& norm) = 0;

  // Post-norm transformer blocks: norm(x + dropout(f(x))). The defaults compose the operations above.
  virtual Tensor self_attention_block(Tensor x, const Segments& segments, const SelfAttentionBlock& block);
  virtual Tensor feed_forward_block(Tensor x, const Segments& segments, const FeedForwardBlock& block);

  // One row per sequence. [T,H] -> [S,H]. weighted_mean weighs token i (from 1) by i. Where tokens share the
  // largest value, max gives the gradient to the first of them (cpu); libtorch's divides it into equal parts
  // where it is positive, and gives a negative one to each of them whole.
  virtual Tensor pool(Tensor x, const Segments& segments, PoolKind kind) = 0;
  virtual Tensor concat(std::span<const Tensor> parts) = 0;  // side by side: [S, sum of cols]
  virtual Tensor l2_normalize(Tensor x) = 0;                 // rows to length 1 (floor 1e-12)

  // Infer mode: everything made since begin() except `keep` may be overwritten; keep lives on under the
  // returned handle. Train mode: returns `keep`. Layers call it so that memory does not grow with depth.
  virtual Tensor retain_only(Tensor keep) = 0;

  // Walks the tape from y with gradient dy (same shape).
  virtual void backward(Tensor y, std::span<const float> dy) = 0;

  // Bytes of activations the engine holds for this graph, at most so far.
  virtual size_t peak_bytes() const = 0;
};

struct AdamW {
  float learning_rate = 5e-5F;
  float beta1 = 0.9F, beta2 = 0.999F, eps = 1e-8F;
  float weight_decay = 0;    // decoupled; only on parameters with `decay`
  float gradient_scale = 1;  // multiplies every gradient: clipping
  uint64_t step = 1;         // from 1, for the bias corrections
};

struct ParameterOptions {
  bool trainable = true;
  bool decay = true;        // false: bias and LayerNorm
  bool row_sparse = false;  // an embedding table: its gradient is a list of rows
  float rate = 1;           // multiplies AdamW's learning rate
};

// What a moment of AdamW is called in a checkpoint.
enum class State { value, first_moment, second_moment };

// A model's matrices on an engine. Frozen ones (trainable = false) may alias the caller's memory.
class Parameters {
 public:
  virtual ~Parameters() = default;
  // `owner` keeps `values` alive; the engine copies what it will change.
  virtual Parameter add(std::string name, Shape shape, std::span<const float> values,
                        std::shared_ptr<const void> owner, ParameterOptions options) = 0;
  virtual size_t count() const = 0;
  virtual const std::string& name(Parameter p) const = 0;
  virtual Shape shape(Parameter p) const = 0;
  virtual void read(Parameter p, State state, std::span<float> out) = 0;
  virtual void write(Parameter p, State state, std::span<const float> values) = 0;
  virtual void read_gradient(Parameter p, std::span<float> out) = 0;  // zeros where there was none

  // Of a trainable parameter that is no row-sparse one; what a loss computed outside the graph.
  virtual void add_gradient(Parameter p, std::span<const float> values) = 0;

  virtual void clear_gradients() = 0;
  virtual double gradient_norm() = 0;  // over all trainable parameters, L2
  // A parameter without a gradient is left alone, as in the reference.
  virtual void step(const AdamW& adamw) = 0;
  // step() with gradients scaled by min(1, max_norm / (norm + 1e-6)), as the reference clips; 0: not at all.
  // Returns the norm before scaling, without waiting for it.
  virtual std::unique_ptr<Reading> clipped_step(const AdamW& adamw, double max_norm);
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string name() const = 0;      // "cpu"
  virtual std::string describe() const = 0;  // one line: instruction set, threads
  virtual int threads() const = 0;
  virtual int threads_asked() const { return threads(); }  // more where the system refused some
  // Tokens of a packed batch that keep the engine busy in inference.
  virtual int64_t batch_tokens() const { return 2048; }
  // Bytes of a device that has its own memory: parameters and activations lie there. 0: in the host's.
  virtual uint64_t device_memory() const { return 0; }
  // Host work (tokenizing, metrics) on the engine's threads: runs work(i) for i in [0, n) and waits.
  // Exceptions of work reach the caller.
  virtual void parallel(int64_t n, const std::function<void(int64_t)>& work) = 0;
  virtual std::unique_ptr<Parameters> parameters() = 0;
  virtual std::unique_ptr<Graph> graph(Parameters& parameters) = 0;
};

}  // namespace hone::compute
