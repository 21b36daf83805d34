// The vector kernels of the cpu engine: everything that is not a matrix product.
//
// Rules: written once with Highway, compiled for every instruction set the library knows, chosen at run time.
// A kernel works on a few rows that lie in cache and on one thread; cutting the work is the caller's
// business. Pointers need no alignment. Shapes: rows x n, row-major and dense unless a leading dimension is
// given.
#pragma once

#include <cstdint>

#include "compute/graph.h"

namespace hone::compute::cpu {

// ---- kernels_activation.cc

// out [rows,n] = act(z), rows of z `ld` floats apart; out may be z where ld is n
void activation_forward(const float* z, int64_t ld, int64_t rows, int64_t n, Activation activation,
                        float* out);
// dz = dh * act'(z); when h is not null, h = act(z). dz may be dh. Rows of z `ld` floats apart.
void activation_backward(const float* dh, const float* z, int64_t ld, int64_t rows, int64_t n,
                         Activation activation, float* dz, float* h);

// ---- kernels_norm.cc

// Dropout of one row of a token: the key of its masks.
struct MaskKey {
  uint32_t k0 = 0, k1 = 0;
  uint32_t threshold = 0;  // 0: no dropout
  float scale = 1;
  uint32_t site = 0;
};
struct TokenName {  // of one packed token; role << 24 is added to the site
  uint32_t row = 0, role = 0, token = 0;
};

// mask[i] = keep(feature i) ? scale : 0
void feature_mask(float* mask, int64_t n, const MaskKey& key, const TokenName& token);

// sum = mask * x + residual; y = (sum - mean) * rstd * gamma + beta. `residual` may be null; names may be
// null when key.threshold is 0. Rows beyond `named` have no name and are not dropped (panel padding). stats
// [rows,2] takes mean and rstd. sum may be x. `mask` is scratch of n floats.
void dropout_add_norm(const float* x, const float* residual, int64_t rows, int64_t named, int64_t n,
                      const MaskKey& key, const TokenName* names, const float* gamma, const float* beta,
                      float eps, float* sum, float* y, float* stats, float* mask);
// dsum = gradient of sum; dx = mask * dsum (dx may be null: not wanted). dgamma, dbeta [n] are added to.
void dropout_add_norm_backward(const float* dy, const float* sum, const float* stats, int64_t rows,
                               int64_t named, int64_t n, const MaskKey& key, const TokenName* names,
                               const float* gamma, float* dsum, float* dx, float* dgamma, float* dbeta,
                               float* mask);
// out = mask * x
void dropout_rows(const float* x, int64_t rows, int64_t n, const MaskKey& key, const TokenName* names,
                  float* out, float* mask);

// ---- kernels_attention.cc

// One head of one sequence of L tokens. q, k, v, dq, ... point at the head's first column, `ld` floats
// between tokens.
struct HeadShape {
  int64_t length = 0;  // L
  int64_t width = 0;   // d
  int64_t ld = 0;      // of q, k, v and their gradients
  int64_t ld_out = 0;  // of the context and its gradient
  float scale = 1;
};
struct HeadMask {
  MaskKey key;
  uint32_t row = 0, role = 0, head = 0;
};
int64_t attention_scratch(const HeadShape& shape);  // floats of scratch either call needs
// out = dropout(softmax(scale q k^T)) v; lse [L] (may be null in inference) takes log-sum-exp of each row.
void attention_head(const HeadShape& shape, const HeadMask& mask, const float* q, const float* k,
                    const float* v, float* out, float* lse, float* scratch);
// Writes dq, dk, dv (not added to).
void attention_head_backward(const HeadShape& shape, const HeadMask& mask, const float* q, const float* k,
                             const float* v, const float* out, const float* lse, const float* dout, float* dq,
                             float* dk, float* dv, float* scratch);

// ---- kernels_update.cc

double squared_norm(const float* x, int64_t n);
void add_to(float* y, const float* x, int64_t n);                                   // y += x
void column_sums(const float* x, int64_t rows, int64_t n, int64_t ld, float* out);  // out[n] += sum over rows

struct AdamWConstants {  // of one step; what does not depend on the element
  float learning_rate = 0, beta1 = 0, beta2 = 0, eps = 0,
        keep = 1;  // keep = 1 - learning_rate * weight_decay
  float gradient_scale = 1;
  float step_size = 0;        // learning_rate / (1 - beta1^step)
  float root_correction = 1;  // sqrt(1 - beta2^step)
};
void adamw_update(float* p, float* m, float* v, const float* g, int64_t n, const AdamWConstants& c);
// The same with g = 0, for steps first to last in order.
void adamw_replay(float* p, float* m, float* v, int64_t n, const AdamWConstants* first,
                  const AdamWConstants* last);

// ---- kernels_contrast.cc

float largest(const float* x, int64_t n);  // n > 0

// Products summed in double, of [m, depth] doubles with [n, depth] floats. Of the latter whole strips are
// packed, each [depth, exact_columns()], what is beyond n as zeros; of x and out whole groups of exact_rows()
// rows are read and written, of a row of out whole strips.
int64_t exact_columns();
int64_t exact_rows();
void pack_exact(const float* from, int64_t ld, int64_t n, int64_t depth, float* to);
void multiply_exact(const double* x, int64_t m, int64_t depth, const float* strips, int64_t n, double* out,
                    int64_t ld);
// x[j] *= factor[j]; the largest of them. n > 0.
double scale_columns(double* x, int64_t n, const double* factor);
// weight = e^(x - shift), 0 below e^-87; their sum. No x is above the shift.
double exp_weights(const double* x, int64_t n, double shift, float* weight);
// x[j] = weight[j] e^(scale x[j] - shift[j]), 0 below e^-87, and no exponent taken for more than 0.
void exp_columns(float* x, int64_t n, float scale, const float* shift, const float* weight);

// Name of the instruction set the kernels run on: "AVX3", "AVX2", ...
const char* kernel_target();

}  // namespace hone::compute::cpu
