#include "matrix_rate.h"

#include <tbb/task_arena.h>

#include <chrono>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "compute/cpu/arena.h"

namespace hone::bench {

namespace {

using dnnl::memory;

struct Product {
  dnnl::matmul primitive;
  std::unordered_map<int, memory> arguments;
  std::vector<compute::cpu::AlignedFloats> buffers;
  double flops = 0;
};

// C[m,n] = A B with A lying as [k,m] when transposed. Weights in whatever layout oneDNN likes best.
Product make(const dnnl::engine& engine, int64_t m, int64_t n, int64_t k, bool transposed, bool packed) {
  using tag = memory::format_tag;
  const memory::desc a({m, k}, memory::data_type::f32, transposed ? tag::ba : tag::ab);
  const memory::desc b({k, n}, memory::data_type::f32, packed ? tag::any : tag::ab);
  const memory::desc c({m, n}, memory::data_type::f32, tag::ab);
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::matmul::primitive_desc description(engine, a, b, c, attr);
  Product p;
  p.primitive = dnnl::matmul(description);
  p.flops = 2.0 * static_cast<double>(m * n * k);
  const std::pair<int, memory::desc> parts[] = {{DNNL_ARG_SRC, description.src_desc()},
                                                {DNNL_ARG_WEIGHTS, description.weights_desc()},
                                                {DNNL_ARG_DST, description.dst_desc()},
                                                {DNNL_ARG_SCRATCHPAD, description.scratchpad_desc()}};
  for (const auto& [argument, desc] : parts) {
    const size_t floats = desc.get_size() / sizeof(float) + 16;
    p.buffers.push_back(compute::cpu::aligned_floats(floats));
    for (size_t i = 0; i < floats; ++i) p.buffers.back()[i] = static_cast<float>(i % 13) * 0.01F;
    p.arguments[argument] = memory(desc, engine, p.buffers.back().get());
  }
  return p;
}

}  // namespace

double matrix_flops(const model::BertConfig& c, int64_t tokens, Pass pass) {
  const double weights = static_cast<double>(c.layers) *
                         (4.0 * c.hidden_size * c.hidden_size + 2.0 * c.hidden_size * c.intermediate_size);
  return 2 * weights * static_cast<double>(tokens) * (pass == Pass::training ? 3 : 1);
}

double matrix_rate(const model::BertConfig& c, int64_t tokens, int threads, Pass pass, double seconds) {
  double rate = 0;
  tbb::task_arena arena(threads);
  arena.execute([&] {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    dnnl::stream stream(engine);
    std::vector<Product> products;
    const int64_t h = c.hidden_size, f = c.intermediate_size;
    const int64_t shapes[][2] = {{3 * h, h}, {h, h}, {f, h}, {h, f}};  // N, K
    for (const auto& [n, k] : shapes) {
      products.push_back(make(engine, tokens, n, k, false, true));
      if (pass == Pass::forward) continue;
      products.push_back(make(engine, tokens, k, n, false, true));
      products.push_back(make(engine, n, k, tokens, true, false));
    }
    double flops = 0;
    auto once = [&] {
      for (Product& p : products) p.primitive.execute(stream, p.arguments);
      stream.wait();
    };
    once();
    for (const Product& p : products) flops += p.flops;
    const auto start = std::chrono::steady_clock::now();
    double elapsed = 0;
    int64_t rounds = 0;
    for (; elapsed < seconds; ++rounds) {
      once();
      elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    rate = flops * static_cast<double>(rounds) / elapsed / 1e9;
  });
  return rate;
}

}  // namespace hone::bench
