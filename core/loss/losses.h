// The losses, one file each. What each is for, its columns and options: loss_table.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "loss/loss.h"
#include "loss/scores.h"

namespace hone::loss {

// Mean of (cosine(u, v) - label)^2. Reimers & Gurevych 2019.
std::unique_ptr<Loss> cosine_loss();
// log(1 + sum of e^(scale (s_i - s_j)) over pairs with label_i < label_j), s a cosine. Su 2022.
std::unique_ptr<Loss> cosent_loss(double scale);
// The same, s the angle difference in complex space. Li & Li 2023.
std::unique_ptr<Loss> angle_loss(double scale);

enum class Hardness { none, in_batch_negatives, hard_negatives, all_negatives };
struct MnrOptions {
  double scale = 20;
  Score similarity = Score::cosine;                              // or dot
  bool query_query = false, doc_query = false, doc_doc = false;  // besides queries against documents
  bool per_direction = false;  // a softmax for each direction, averaged; else one over all
  // Negatives of a query whose similarity s counts by (scale + strength) s, the latter part taken as constant
  // by the gradient: the nearer one is, the more of the gradient falls to it. Lan et al. 2025.
  Hardness hardness = Hardness::none;
  double hardness_strength = 0;
};
// Mean of log(sum of e^(scale s_ij)) - scale s_ii: the positive among all documents of the batch.
// Henderson et al. 2017; directions: Li et al. 2023 (GTE), Günther et al. 2023.
// Never below 0, and right to 1e-6; near 0 to 1e-5 of itself (while above 1e-37). The gradient of a vector is
// right to 3e-6 + 3e-7 (scale + strength) |x| |y| of the lengths of what it is the sum of (cosines: lengths
// of 1), also where the loss is nearly 0; of a row without negatives it is 0.
std::unique_ptr<Loss> mnr_loss(const MnrOptions& options);

// Mean of label d^2 / 2 + (1 - label) max(0, margin - d)^2 / 2. Hadsell et al. 2006. Distance 1 - cosine,
// Euclidean or Manhattan.
std::unique_ptr<Loss> contrastive_loss(Score distance, double margin);
// The same terms, without the half and summed, of the hard pairs alone: positives further apart than the
// closest negative, negatives closer than the furthest positive.
std::unique_ptr<Loss> online_contrastive_loss(Score distance, double margin);
// Mean of max(0, d(anchor, positive) - d(anchor, negative) + margin). Schroff et al. 2015.
std::unique_ptr<Loss> triplet_loss(Score distance, double margin);
// Cross-entropy of a linear layer on (u, v, |u - v|). Reimers & Gurevych 2019.
std::unique_ptr<Loss> softmax_loss(int64_t dim, int64_t classes, uint64_t seed);
// Mean of (x - teacher)^2 over texts and numbers, x the vector or, with projection > 0, a linear layer of it
// with so many outputs. Reimers & Gurevych 2020.
std::unique_ptr<Loss> mse_loss(int64_t dim, int64_t projection, uint64_t seed);
// Mean of ((s(q, p) - s(q, n)) - margin)^2. Hofstätter et al. 2020. Labels: a margin for each negative, or
// the teacher's scores of all documents.
std::unique_ptr<Loss> margin_mse_loss(Score similarity);
// KL divergence of the softmax of s(q, d) / student_temperature over the documents of a row from that of the
// teacher's scores / teacher_temperature, times student_temperature^2, as a mean over rows. Lin et al. 2020.
std::unique_ptr<Loss> kl_loss(Score similarity, double student_temperature, double teacher_temperature);

struct MatryoshkaOptions {
  std::vector<int64_t> dims;
  std::vector<double> weights;
  bool vector_labels = false;  // labels are vectors (a teacher's), cut as well
  size_t per_batch = 0;        // of dims: drawn by seed and the batch's number
  uint64_t seed = 0;
};
// The sum of weight_k times `inner` on the first dims[k] numbers of each vector, scaled to length 1.
// Kusupati et al. 2022. `inner` has no heads.
std::unique_ptr<Loss> matryoshka_loss(std::unique_ptr<Loss> inner, MatryoshkaOptions options);

}  // namespace hone::loss
