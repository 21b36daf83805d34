// The losses once more, in double and as their formulas read, one row at a time: the judge of core/loss.
//
// A value here is a function of numbers that may be nudged; what the gradient must take as constant is read
// from `held`. Nothing of core/loss is used but the names of its scores and what is left out of a batch.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "loss/loss.h"
#include "loss/scores.h"

namespace hone::loss::naive {

using Vector = std::vector<double>;

struct Numbers {
  int64_t rows = 0, roles = 0, dim = 0, label_width = 0;
  Vector vectors;             // [roles, rows, dim]
  Vector held;                // the same before any nudge
  Vector labels;              // [rows, label_width]
  std::vector<Vector> heads;  // a weight and a bias, or none
  const FalseNegatives* false_negatives = nullptr;
};
using Value = std::function<double(const Numbers&)>;

struct Mnr {
  double scale = 20;
  Score similarity = Score::cosine;
  std::string directions = "qd";
  bool per_direction = false;
  std::string hardness = "none";
  double strength = 0;
};

Value cosine();
Value cosent(Score similarity, double scale);
Value mnr(Mnr options);
Value contrastive(Score distance, double margin);
Value online_contrastive(Score distance, double margin);
Value triplet(Score distance, double margin);
Value softmax();
Value mse();
Value margin_mse(Score similarity);
Value kl(Score similarity, double student_temperature, double teacher_temperature);
// `cut_labels`: they are vectors.
Value matryoshka(Value inner, std::vector<int64_t> dims, Vector weights, bool cut_labels);

// A loss and its gradient by the vectors as their formulas read once they are taken relative to what is
// wanted: as exact where the loss is nearly 0, where differences of values are rounding.
struct Judged {
  double value = 0;
  Vector gradient;  // [roles, rows, dim]
  Vector summed;    // [roles, rows]: the lengths of what a vector's gradient is the sum of
};
Judged judged_mnr(const Mnr& options, const Numbers& n);

// d value / d each number of `field`, a member of `n`, by central differences. The step is small beside every
// distance to a kink, and large beside the rounding of doubles.
Vector differences(const Value& value, Numbers& n, Vector& field);

}  // namespace hone::loss::naive
