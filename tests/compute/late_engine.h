// An engine whose numbers arrive late, as a GPU's do: the cpu engine with Readings that are not ready at
// once. On a processor nothing else makes a program go on before it has the numbers of a step.
//
// Rules
// - The values are the cpu engine's, bit for bit; only when they can be had is another matter.
// - It notes what a program did meanwhile: LateLog.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compute/graph.h"

namespace hone::compute {

struct LateLog {
  int steps = 0;         // updates so far
  int batches = 0;       // begin() so far in infer mode
  int pending = 0;       // norms, one for each step, that nobody has got
  int most_pending = 0;  // at any time
  int waits = 0;         // get() of what was not ready, but for vectors of training: a loss needs them
  int not_flushed = 0;   // of them, when weights were read or written or something was encoded
  std::vector<int> batches_at_get;  // `batches`, whenever numbers of infer mode were got
  int pieces = 0;                   // begin() so far in train mode
  std::vector<int> pieces_at_get;   // `pieces`, whenever vectors of training were got
};

struct LateOptions {
  int lag = kNever;     // updates after which the numbers of a step are there
  int broken_step = 0;  // the update, from 1, whose norm is no number; 0: none
  uint64_t memory = 0;  // bytes of the device's own

  static constexpr int kNever = std::numeric_limits<int>::max();  // not before they are waited for
};

// The norm of an update.
class LateNorm final : public Reading {
 public:
  // `step`: the update that it belongs to.
  LateNorm(std::unique_ptr<Reading> reading, std::shared_ptr<LateLog> log, int step, int lag, bool broken)
      : reading_(std::move(reading)), log_(std::move(log)), step_(step), lag_(lag), broken_(broken) {
    ++log_->pending;
    log_->most_pending = std::max(log_->most_pending, log_->pending);
  }
  bool ready() override { return got_ || log_->steps - step_ >= lag_; }
  void get(std::span<float> out) override {
    if (!ready()) ++log_->waits;
    reading_->get(out);
    if (broken_) out[0] = std::numeric_limits<float>::quiet_NaN();
    if (!std::exchange(got_, true)) --log_->pending;
  }

 private:
  std::unique_ptr<Reading> reading_;
  std::shared_ptr<LateLog> log_;
  int step_, lag_;
  bool broken_, got_ = false;
};

// Of a graph: not there before it is waited for.
class LateVectors final : public Reading {
 public:
  LateVectors(std::unique_ptr<Reading> reading, std::shared_ptr<LateLog> log, Mode mode)
      : reading_(std::move(reading)), log_(std::move(log)), mode_(mode) {}
  bool ready() override { return false; }
  void get(std::span<float> out) override {
    reading_->get(out);
    if (mode_ == Mode::infer) {
      ++log_->waits;
      log_->batches_at_get.push_back(log_->batches);
    } else {
      log_->pieces_at_get.push_back(log_->pieces);
    }
  }

 private:
  std::unique_ptr<Reading> reading_;
  std::shared_ptr<LateLog> log_;
  Mode mode_;
};

class LateParameters final : public Parameters {
 public:
  LateParameters(std::unique_ptr<Parameters> inner, std::shared_ptr<LateLog> log, LateOptions options)
      : inner_(std::move(inner)), log_(std::move(log)), options_(options) {}

  Parameter add(std::string name, Shape shape, std::span<const float> values,
                std::shared_ptr<const void> owner, ParameterOptions options) override {
    return inner_->add(std::move(name), shape, values, std::move(owner), options);
  }
  size_t count() const override { return inner_->count(); }
  const std::string& name(Parameter p) const override { return inner_->name(p); }
  Shape shape(Parameter p) const override { return inner_->shape(p); }
  void read(Parameter p, State state, std::span<float> out) override {
    log_->not_flushed += log_->pending;
    inner_->read(p, state, out);
  }
  void write(Parameter p, State state, std::span<const float> values) override {
    log_->not_flushed += log_->pending;
    inner_->write(p, state, values);
  }
  void read_gradient(Parameter p, std::span<float> out) override { inner_->read_gradient(p, out); }
  void add_gradient(Parameter p, std::span<const float> values) override { inner_->add_gradient(p, values); }
  void clear_gradients() override { inner_->clear_gradients(); }
  double gradient_norm() override { return inner_->gradient_norm(); }
  void step(const AdamW& adamw) override { inner_->step(adamw); }
  std::unique_ptr<Reading> clipped_step(const AdamW& adamw, double max_norm) override {
    const int step = ++log_->steps;
    return std::make_unique<LateNorm>(inner_->clipped_step(adamw, max_norm), log_, step, options_.lag,
                                      step == options_.broken_step);
  }

  Parameters& inner() { return *inner_; }

 private:
  std::unique_ptr<Parameters> inner_;
  std::shared_ptr<LateLog> log_;
  LateOptions options_;
};

class LateGraph final : public Graph {
 public:
  LateGraph(std::unique_ptr<Graph> inner, std::shared_ptr<LateLog> log)
      : inner_(std::move(inner)), log_(std::move(log)) {}

  void begin(Mode mode, uint64_t seed, uint64_t step) override {
    if (mode == Mode::infer) {
      ++log_->batches;
      log_->not_flushed += log_->pending;
    } else {
      ++log_->pieces;
    }
    inner_->begin(mode, seed, step);
  }
  std::unique_ptr<Reading> read_later(Tensor x) override {
    return std::make_unique<LateVectors>(inner_->read_later(x), log_, mode());
  }

  Mode mode() const override { return inner_->mode(); }
  Tensor input(std::span<const float> values, Shape shape) override { return inner_->input(values, shape); }
  Shape shape(Tensor x) const override { return inner_->shape(x); }
  void read(Tensor x, std::span<float> out) override { inner_->read(x, out); }
  Tensor embed(std::span<const Parameter> tables, std::span<const std::span<const int32_t>> ids) override {
    return inner_->embed(tables, ids);
  }
  Tensor linear(Tensor x, const Linear& layer, Activation activation) override {
    return inner_->linear(x, layer, activation);
  }
  Tensor attention(Tensor q, Tensor k, Tensor v, const Segments& segments,
                   const AttentionOptions& options) override {
    return inner_->attention(q, k, v, segments, options);
  }
  Tensor norm(Tensor x, const LayerNorm& norm) override { return inner_->norm(x, norm); }
  Tensor dropout(Tensor x, const Segments& segments, Dropout dropout) override {
    return inner_->dropout(x, segments, dropout);
  }
  Tensor add_norm(Tensor x, Tensor residual, const Segments& segments, Dropout dropout,
                  const LayerNorm& norm) override {
    return inner_->add_norm(x, residual, segments, dropout, norm);
  }
  Tensor self_attention_block(Tensor x, const Segments& segments, const SelfAttentionBlock& block) override {
    return inner_->self_attention_block(x, segments, block);
  }
  Tensor feed_forward_block(Tensor x, const Segments& segments, const FeedForwardBlock& block) override {
    return inner_->feed_forward_block(x, segments, block);
  }
  Tensor pool(Tensor x, const Segments& segments, PoolKind kind) override {
    return inner_->pool(x, segments, kind);
  }
  Tensor concat(std::span<const Tensor> parts) override { return inner_->concat(parts); }
  Tensor l2_normalize(Tensor x) override { return inner_->l2_normalize(x); }
  Tensor retain_only(Tensor keep) override { return inner_->retain_only(keep); }
  void backward(Tensor y, std::span<const float> dy) override { inner_->backward(y, dy); }
  size_t peak_bytes() const override { return inner_->peak_bytes(); }

 private:
  std::unique_ptr<Graph> inner_;
  std::shared_ptr<LateLog> log_;
};

class LateEngine final : public Engine {
 public:
  LateEngine(std::shared_ptr<Engine> inner, LateOptions options)
      : inner_(std::move(inner)), options_(options) {}

  const LateLog& log() const { return *log_; }

  std::string name() const override { return "late"; }
  std::string describe() const override { return "late, " + inner_->describe(); }
  int threads() const override { return inner_->threads(); }
  int64_t batch_tokens() const override { return inner_->batch_tokens(); }
  uint64_t device_memory() const override { return options_.memory; }
  void parallel(int64_t n, const std::function<void(int64_t)>& work) override { inner_->parallel(n, work); }
  std::unique_ptr<Parameters> parameters() override {
    return std::make_unique<LateParameters>(inner_->parameters(), log_, options_);
  }
  std::unique_ptr<Graph> graph(Parameters& parameters) override {
    return std::make_unique<LateGraph>(inner_->graph(dynamic_cast<LateParameters&>(parameters).inner()),
                                       log_);
  }

 private:
  std::shared_ptr<Engine> inner_;
  LateOptions options_;
  std::shared_ptr<LateLog> log_ = std::make_shared<LateLog>();
};

}  // namespace hone::compute
