#include "tests/compute/operation_cases.h"

#include <array>
#include <memory>

#include "base/philox.h"

namespace hone::compute {

namespace {

using Parts = const std::vector<Parameter>&;
constexpr int32_t kLongest = 512;

// The rows of table `p` as a tensor that has a gradient.
Tensor all_rows(Graph& g, Parameter p, int64_t n) {
  std::vector<int32_t> ids(static_cast<size_t>(n));
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i);
  const std::span<const int32_t> lists[] = {ids};
  return g.embed(std::span(&p, 1), lists);
}

std::string text_of(Activation a) {
  return std::array{"none", "gelu", "gelu_tanh", "relu", "tanh"}[static_cast<size_t>(a)];
}
std::string text_of(PoolKind k) {
  return std::array{
      "cls", "mean", "max", "mean_sqrt_len", "weighted_mean", "last_token"}[static_cast<size_t>(k)];
}

class Cases {
 public:
  std::vector<OperationCase> all;

  // A batch of each kind: what its name is, and how long its sequences are.
  struct Batch {
    CaseKind kind;
    std::string name;
    std::vector<int32_t> lengths;
  };
  static std::vector<Batch> batches(std::vector<std::vector<int32_t>> typical) {
    std::vector<Batch> found{{CaseKind::empty, "", {}},
                             {CaseKind::length_one, "", {1}},
                             {CaseKind::longest, "", {3, kLongest, 1}}};
    for (auto& lengths : typical)
      found.push_back({CaseKind::typical, "batch_" + std::to_string(found.size() - 3), std::move(lengths)});
    return found;
  }

  void add(const std::string& operation, CaseKind kind, const std::string& name, Network network,
           const std::string& refused = "") {
    all.push_back({operation, kind, name, std::move(network), refused});
  }

  // `make` gives the network for sequences `s` of T tokens.
  template <class F>
  void add_for_batches(const std::string& operation, const std::string& name, std::vector<Batch> batches,
                       const F& make) {
    for (const Batch& b : batches) {
      const auto s = std::make_shared<const Segments>(segments_of(b.lengths));
      add(operation, b.kind, name + (name.empty() || b.name.empty() ? "" : "_") + b.name,
          make(s, s->tokens()));
    }
  }
};

using SharedSegments = std::shared_ptr<const Segments>;

Network::Matrix rows_of(const std::string& name, int64_t n, int64_t width) {
  // A table has a row even where a batch takes none of them.
  return {name, {std::max<int64_t>(n, 1), width}, true};
}

void add_inputs(Cases& c) {
  c.add_for_batches("input", "", Cases::batches({{4, 2}}), [](const SharedSegments& s, int64_t n) {
    return Network{{{"gamma", {1, 6}, false, 1}, {"beta", {1, 6}}}, [s, n](Graph& g, Parts p) {
                     return g.norm(g.input(random_values(n * 6, 42), {n, 6}), {p[0], p[1], 1e-5F});
                   }};
  });
  for (bool table : {false, true}) {
    c.add_for_batches("embed", table ? "table" : "dense", Cases::batches({{3, 3}}),
                      [table](const SharedSegments&, int64_t n) {
                        return Network{{{"a", {5, 6}, table}, {"b", {3, 6}, table}}, [n](Graph& g, Parts p) {
                                         std::vector<int32_t> first, second;
                                         for (int64_t i = 0; i < n; ++i) {
                                           first.push_back(static_cast<int32_t>(4 - i % 3 * 2));
                                           second.push_back(static_cast<int32_t>(i % 2));
                                         }
                                         const std::span<const int32_t> ids[] = {first, second};
                                         return g.embed(p, ids);
                                       }};
                      });
  }
}

void add_products(Cases& c) {
  for (Activation activation :
       {Activation::none, Activation::gelu, Activation::gelu_tanh, Activation::relu, Activation::tanh}) {
    for (Shape w : {Shape{7, 5}, Shape{16, 32}, Shape{1, 3}, Shape{67, 18}}) {
      const std::string name = text_of(activation) + "_" + std::to_string(w.rows);
      const auto batches =
          w.rows == 7 ? Cases::batches({{9}}) : std::vector{Cases::Batch{CaseKind::typical, "", {9}}};
      c.add_for_batches("linear", name, batches, [w, activation](const SharedSegments&, int64_t n) {
        return Network{{rows_of("x", n, w.cols), {"w", w}, {"b", {1, w.rows}, false, 0.05F}},
                       [n, activation](Graph& g, Parts p) {
                         return g.linear(all_rows(g, p[0], n), {p[1], p[2]}, activation);
                       }};
      });
    }
  }
  c.add("linear", CaseKind::typical, "without_bias_on_many_rows",
        {{{"x", {70, 4}, true}, {"w", {3, 4}}}, [](Graph& g, Parts p) {
           return g.linear(all_rows(g, p[0], 70), {p[1], {}});
         }});
}

void add_norms(Cases& c) {
  for (int64_t width : {6, 16, 33}) {
    c.add_for_batches("norm", "width_" + std::to_string(width), Cases::batches({{5}}),
                      [width](const SharedSegments&, int64_t n) {
                        return Network{
                            {rows_of("x", n, width), {"gamma", {1, width}, false, 1}, {"beta", {1, width}}},
                            [n](Graph& g, Parts p) {
                              return g.norm(all_rows(g, p[0], n), {p[1], p[2], 1e-5F});
                            }};
                      });
  }
  c.add_for_batches("dropout", "", Cases::batches({{3, 1, 5}}), [](const SharedSegments& s, int64_t n) {
    return Network{{rows_of("x", n, 150)}, [s, n](Graph& g, Parts p) {
                     return g.dropout(all_rows(g, p[0], n), *s, {0.3F, 17});
                   }};
  });
  c.add_for_batches(
      "add_norm", "shared_residual", Cases::batches({{4, 1, 2}}), [](const SharedSegments& s, int64_t n) {
        return Network{
            {rows_of("x", n, 20), {"gamma", {1, 20}, false, 1}, {"beta", {1, 20}}, {"w", {20, 20}}},
            [s, n](Graph& g, Parts p) {
              const Tensor x = all_rows(g, p[0], n);
              return g.add_norm(g.linear(x, {p[3], {}}), x, *s, {0.2F, 5}, {p[1], p[2], 1e-12F});
            }};
      });
}

void add_attention(Cases& c) {
  struct Variant {
    std::vector<int32_t> lengths;
    int32_t heads;
    int64_t width;
    float p;
  };
  auto network = [](const Variant& v, const SharedSegments& s, int64_t n) {
    return Network{{rows_of("q", n, v.width), rows_of("k", n, v.width), rows_of("v", n, v.width)},
                   [=](Graph& g, Parts t) {
                     return g.attention(all_rows(g, t[0], n), all_rows(g, t[1], n), all_rows(g, t[2], n), *s,
                                        {v.heads, 0.7F, {v.p, 9}});
                   }};
  };
  for (const Variant& v : {Variant{{3, 1, 9}, 2, 6, 0}, Variant{{17, 2}, 1, 16, 0.25F},
                           Variant{{70}, 1, 5, 0.1F}, Variant{{5, 8}, 3, 48, 0.5F}}) {
    c.add_for_batches("attention", "heads_" + std::to_string(v.heads) + "_width_" + std::to_string(v.width),
                      v.width == 5 || v.width == 16
                          ? Cases::batches({v.lengths})
                          : std::vector{Cases::Batch{CaseKind::typical, "", v.lengths}},
                      [&](const SharedSegments& s, int64_t n) { return network(v, s, n); });
  }
  c.add_for_batches("attention", "one_tensor_thrice", {{CaseKind::typical, "", {4, 3}}},
                    [](const SharedSegments& s, int64_t n) {
                      return Network{{rows_of("x", n, 8)}, [s, n](Graph& g, Parts p) {
                                       const Tensor x = all_rows(g, p[0], n);
                                       return g.attention(x, x, x, *s, {2, 0.5F, {}});
                                     }};
                    });
}

void add_blocks(Cases& c) {
  for (float p : {0.0F, 0.2F}) {
    const std::string name = p > 0 ? "dropout" : "plain";
    c.add_for_batches("self_attention_block", name, Cases::batches({{5, 1, 9, 20}}),
                      [p](const SharedSegments& s, int64_t n) {
                        const int64_t h = 12;
                        std::vector<Network::Matrix> m{rows_of("x", n, h)};
                        for (const char* part : {"q", "k", "v", "o"}) {
                          m.push_back({std::string(part) + ".w", {h, h}});
                          m.push_back({std::string(part) + ".b", {1, h}});
                        }
                        m.push_back({"gamma", {1, h}, false, 1});
                        m.push_back({"beta", {1, h}});
                        return Network{m,
                                       [s, n, p](Graph& g, Parts t) {
                                         return g.self_attention_block(all_rows(g, t[0], n), *s,
                                                                       {{t[1], t[2]},
                                                                        {t[3], t[4]},
                                                                        {t[5], t[6]},
                                                                        {t[7], t[8]},
                                                                        {3, 0.5F, {p, 1}},
                                                                        {p, 2},
                                                                        {t[9], t[10], 1e-12F}});
                                       },
                                       5e-6};
                      });
    c.add_for_batches(
        "feed_forward_block", name, Cases::batches({{5, 30, 2}}), [p](const SharedSegments& s, int64_t n) {
          return Network{{rows_of("x", n, 10),
                          {"up.w", {22, 10}},
                          {"up.b", {1, 22}},
                          {"down.w", {10, 22}},
                          {"down.b", {1, 10}},
                          {"gamma", {1, 10}, false, 1},
                          {"beta", {1, 10}}},
                         [s, n, p](Graph& g, Parts t) {
                           return g.feed_forward_block(
                               all_rows(g, t[0], n), *s,
                               {{t[1], t[2]}, {t[3], t[4]}, Activation::gelu, {p, 3}, {t[5], t[6], 1e-12F}});
                         },
                         5e-6};
        });
  }
  // The four projections share one weight: their gradients add up. retain_only changes nothing in train mode.
  c.add_for_batches(
      "retain_only", "between_two_blocks", Cases::batches({{6, 3}}), [](const SharedSegments& s, int64_t n) {
        return Network{{rows_of("x", n, 8),
                        {"w", {8, 8}},
                        {"b", {1, 8}},
                        {"up.w", {16, 8}},
                        {"up.b", {1, 16}},
                        {"down.w", {8, 16}},
                        {"down.b", {1, 8}},
                        {"gamma", {1, 8}, false, 1},
                        {"beta", {1, 8}}},
                       [s, n](Graph& g, Parts t) {
                         const Linear w{t[1], t[2]};
                         const LayerNorm norm{t[7], t[8], 1e-12F};
                         const Tensor x = g.retain_only(g.self_attention_block(
                             all_rows(g, t[0], n), *s, {w, w, w, w, {2, 0.5F, {0.1F, 1}}, {0.1F, 2}, norm}));
                         return g.feed_forward_block(
                             x, *s, {{t[3], t[4]}, {t[5], t[6]}, Activation::relu, {0.1F, 3}, norm});
                       },
                       1e-5};
      });
}

void add_sentences(Cases& c) {
  for (PoolKind kind : {PoolKind::cls, PoolKind::mean, PoolKind::max, PoolKind::mean_sqrt_len,
                        PoolKind::weighted_mean, PoolKind::last_token}) {
    c.add_for_batches(
        "pool", text_of(kind), Cases::batches({{1, 4, 2}}), [kind](const SharedSegments& s, int64_t n) {
          return Network{{rows_of("x", n, 5)},
                         [s, n, kind](Graph& g, Parts p) { return g.pool(all_rows(g, p[0], n), *s, kind); }};
        });
  }
  c.add_for_batches(
      "concat", "of_poolings", Cases::batches({{3, 4}}), [](const SharedSegments& s, int64_t n) {
        return Network{{rows_of("x", n, 5)}, [s, n](Graph& g, Parts p) {
                         const Tensor x = all_rows(g, p[0], n);
                         const Tensor parts[] = {g.pool(x, *s, PoolKind::cls), g.pool(x, *s, PoolKind::max),
                                                 g.pool(x, *s, PoolKind::mean)};
                         return g.concat(parts);
                       }};
      });
  c.add_for_batches("l2_normalize", "", Cases::batches({{4}}), [](const SharedSegments&, int64_t n) {
    return Network{{rows_of("x", n, 7)},
                   [n](Graph& g, Parts p) { return g.l2_normalize(all_rows(g, p[0], n)); }};
  });
}

std::vector<OperationCase> make_cases() {
  Cases c;
  add_inputs(c);
  add_products(c);
  add_norms(c);
  add_attention(c);
  add_blocks(c);
  add_sentences(c);
  return std::move(c.all);
}

}  // namespace

const std::vector<OperationCase>& operation_cases() {
  static const std::vector<OperationCase> cases = make_cases();
  return cases;
}

std::string case_name(const OperationCase& c) {
  const char* kind = std::array{"typical", "empty", "length_one", "longest"}[static_cast<size_t>(c.kind)];
  return c.operation + "_" + kind + (c.name.empty() ? "" : "_") + c.name;
}

std::vector<float> random_values(int64_t n, uint32_t stream, float base) {
  std::vector<float> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) {
    const auto words = philox4x32({static_cast<uint32_t>(i), stream, 0, 0}, {7, 7});
    double sum = 0;  // of four uniforms: near enough to a normal variable
    for (uint32_t w : words) sum += static_cast<double>(w) / 4294967296.0 - 0.5;
    values[i] = base + static_cast<float>(sum);
  }
  return values;
}

Segments segments_of(const std::vector<int32_t>& lengths) {
  Segments s;
  for (size_t i = 0; i < lengths.size(); ++i) {
    s.offsets.push_back(s.offsets.back() + lengths[i]);
    s.row.push_back(static_cast<uint32_t>(100 + i / 2));
    s.role.push_back(static_cast<uint32_t>(i % 2));
  }
  return s;
}

}  // namespace hone::compute
