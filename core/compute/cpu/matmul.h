// Matrix products on one thread, by oneDNN primitives made once per shape.
//
// Rules: C[M,N] (+)= op(A) op(B), float, strict arithmetic. A primitive is created inside an arena of one
// thread, and run in one where its implementation asks again (AVX2's plain gemm), so its sums do not depend
// on the thread count. Shapes are few because callers cut their work into panels of fixed height
// (cpu_graph.h). get() locks; call it before a parallel region. run() does not allocate after a slot's first
// call.
#pragma once

#include <tbb/task_arena.h>

#include <oneapi/dnnl/dnnl.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "compute/cpu/arena.h"

namespace hone::compute::cpu {

struct MatmulShape {
  int64_t m = 0, n = 0, k = 0;
  int64_t lda = 0, ldb = 0, ldc = 0;  // elements from one row to the next, of the matrix as it lies in memory
  bool transpose_a = false;           // A lies as [K,M]
  bool transpose_b = false;           // B lies as [N,K]
  bool accumulate = false;            // C += instead of C =
  bool packed_b = false;              // B lies in kPackedColumns wide strips (Matmuls::packs)
  auto operator<=>(const MatmulShape&) const = default;
};

// The layout oneDNN's AVX-512 products like best for B: strips of 64 columns, one after the other, each
// [K,64] with rows up to a multiple of 16; what is beyond the matrix is zero.
inline constexpr int64_t kPackedColumns = 64, kPackedRows = 16;
inline int64_t packed_rows(int64_t k) {
  return (k + kPackedRows - 1) / kPackedRows * kPackedRows;
}
inline int64_t packed_size(int64_t k, int64_t n) {
  return (n + kPackedColumns - 1) / kPackedColumns * kPackedColumns * packed_rows(k);
}

class Matmul {
 public:
  Matmul(const dnnl::engine& engine, const MatmulShape& shape, int slots);
  void run(int slot, const float* a, const float* b, float* c);

 private:
  struct alignas(64) Context {  // handles are set per call, so each slot has its own
    dnnl::stream stream;
    dnnl::memory a, b, c, scratchpad;
    AlignedFloats scratch;
    dnnl_exec_arg_t args[4];
    std::unique_ptr<tbb::task_arena> alone;
    bool ready = false;
  };
  void prepare(Context& context);
  dnnl::engine engine_;
  dnnl::matmul::primitive_desc description_;
  dnnl::matmul primitive_;
  bool asks_for_threads_ = false;
  std::vector<Context> contexts_;
};

// All products of one engine. Thread-safe.
class Matmuls {
 public:
  explicit Matmuls(int slots);
  Matmul* get(const MatmulShape& shape);
  // Whether B may be packed: oneDNN itself chooses that layout on this processor.
  bool packs() const { return packs_; }

 private:
  dnnl::engine engine_;
  int slots_;
  bool packs_;
  std::mutex mutex_;
  std::map<MatmulShape, std::unique_ptr<Matmul>> cache_;
};

}  // namespace hone::compute::cpu
