#include "compute/cpu/matmul.h"

#include <string_view>

#include "base/error.h"

namespace hone::compute::cpu {

using dnnl::memory;

namespace {

// [rows, cols] with `ld` elements between the rows of what lies in memory; transposed: [cols, rows] lies
// there.
memory::desc matrix(int64_t rows, int64_t cols, int64_t ld, bool transposed) {
  memory::dims strides = transposed ? memory::dims{1, ld} : memory::dims{ld, 1};
  return {memory::dims{rows, cols}, memory::data_type::f32, strides};
}

memory::desc packed(int64_t rows, int64_t cols) {
  static_assert(kPackedColumns == 64 && kPackedRows == 16);
  return {memory::dims{rows, cols}, memory::data_type::f32, memory::format_tag::BA16a64b};
}

bool chooses_packed(const dnnl::engine& engine) {
  constexpr int64_t kSize = 128;
  const memory::desc any({kSize, kSize}, memory::data_type::f32, memory::format_tag::any);
  const memory::desc plain = matrix(kSize, kSize, kSize, false);
  return dnnl::matmul::primitive_desc(engine, plain, any, plain).weights_desc() == packed(kSize, kSize);
}

dnnl::matmul::primitive_desc describe(const dnnl::engine& engine, const MatmulShape& s) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attr.set_fpmath_mode(dnnl::fpmath_mode::strict);
  if (s.accumulate) {
    dnnl::post_ops ops;
    ops.append_sum(1.0F);
    attr.set_post_ops(ops);
  }
  return {engine, matrix(s.m, s.k, s.lda, s.transpose_a),
          s.packed_b ? packed(s.k, s.n) : matrix(s.k, s.n, s.ldb, s.transpose_b),
          matrix(s.m, s.n, s.ldc, false), attr};
}

}  // namespace

Matmul::Matmul(const dnnl::engine& engine, const MatmulShape& shape, int slots)
    : engine_(engine), contexts_(static_cast<size_t>(slots)) {
  // The thread count at creation is the primitive's for life.
  tbb::task_arena alone(1);
  alone.execute([&] {
    description_ = describe(engine_, shape);
    primitive_ = dnnl::matmul(description_);
  });
  // oneDNN's plain gemm (what AVX2 gets) asks for the thread count when it runs, and its sums depend on it.
  asks_for_threads_ = std::string_view(description_.impl_info_str()).find("gemm") != std::string_view::npos;
}

void Matmul::prepare(Context& c) {
  c.stream = dnnl::stream(engine_);
  c.a = memory(description_.src_desc(), engine_, nullptr);
  c.b = memory(description_.weights_desc(), engine_, nullptr);
  c.c = memory(description_.dst_desc(), engine_, nullptr);
  memory::desc pad = description_.scratchpad_desc();
  c.scratch = aligned_floats(pad.get_size() / sizeof(float) + 16);
  c.scratchpad = memory(pad, engine_, c.scratch.get());
  c.args[0] = {DNNL_ARG_SRC, c.a.get()};
  c.args[1] = {DNNL_ARG_WEIGHTS, c.b.get()};
  c.args[2] = {DNNL_ARG_DST, c.c.get()};
  c.args[3] = {DNNL_ARG_SCRATCHPAD, c.scratchpad.get()};
  if (asks_for_threads_) c.alone = std::make_unique<tbb::task_arena>(1);
  c.ready = true;
}

void Matmul::run(int slot, const float* a, const float* b, float* c) {
  Context& context = contexts_[static_cast<size_t>(slot)];
  if (!context.ready) prepare(context);
  dnnl_memory_set_data_handle(context.a.get(), const_cast<float*>(a));
  dnnl_memory_set_data_handle(context.b.get(), const_cast<float*>(b));
  dnnl_memory_set_data_handle(context.c.get(), c);
  auto execute = [&] {
    return dnnl_primitive_execute(primitive_.get(), context.stream.get(), 4, context.args);
  };
  const dnnl_status_t status = asks_for_threads_ ? context.alone->execute(execute) : execute();
  if (status != dnnl_success) fail("matrix product failed with oneDNN status ", static_cast<int>(status));
}

Matmuls::Matmuls(int slots)
    : engine_(dnnl::engine::kind::cpu, 0), slots_(slots), packs_(chooses_packed(engine_)) {}

Matmul* Matmuls::get(const MatmulShape& shape) {
  std::lock_guard lock(mutex_);
  std::unique_ptr<Matmul>& entry = cache_[shape];
  if (!entry) entry = std::make_unique<Matmul>(engine_, shape, slots_);
  return entry.get();
}

}  // namespace hone::compute::cpu
