// A teacher's distribution over the documents of a row imitated.
//
// The divergence is summed as terms t (e^d - 1 - d), d the difference of logarithms: none is negative, where
// t log(t / p) cancel each other once the student is near. Slopes add up to 0, so the one of the document
// that the teacher wants most is minus the sum of the others: where both give it nearly all, their difference
// would be rounding.
#include <algorithm>
#include <cmath>

#include "loss/losses.h"

namespace hone::loss {

namespace {

std::vector<double> log_softmax(std::vector<double> x) {
  const auto top = std::max_element(x.begin(), x.end());
  const double most = *top;
  double others = 0;
  for (auto v = x.begin(); v != x.end(); ++v) others += v == top ? 0 : std::exp(*v - most);
  for (double& v : x) v = v - most - std::log1p(others);
  return x;
}

class Kl final : public Loss {
 public:
  Kl(Score similarity, double student, double teacher)
      : similarity_(similarity), student_temperature_(student), teacher_temperature_(teacher) {}
  double evaluate(const Batch& batch, compute::Engine&, std::span<float> gradient) override {
    const auto documents = static_cast<size_t>(batch.roles - 1);
    const double scale = student_temperature_ * student_temperature_ / static_cast<double>(batch.rows);
    std::vector<double> student(documents), teacher(documents);
    double sum = 0;
    for (int64_t i = 0; i < batch.rows; ++i) {
      const float* q = batch.vector(0, i);
      for (size_t d = 0; d < documents; ++d) {
        student[d] = score(similarity_, q, batch.vector(1 + static_cast<int64_t>(d), i), batch.dim) /
                     student_temperature_;
        teacher[d] = static_cast<double>(batch.labels[static_cast<size_t>(i * batch.label_width) + d]) /
                     teacher_temperature_;
      }
      const std::vector<double> p = log_softmax(student), t = log_softmax(teacher);
      const auto top = static_cast<size_t>(std::max_element(t.begin(), t.end()) - t.begin());
      std::vector<double> slope(documents);
      double others = 0;
      for (size_t d = 0; d < documents; ++d) {
        const double wanted = std::exp(t[d]), off = p[d] - t[d];
        slope[d] = std::abs(off) < 1 ? wanted * std::expm1(off) : std::exp(p[d]) - wanted;
        const double term = slope[d] - wanted * off;
        sum += term < 0 ? 0 : scale * term;  // rounding is not below 0
        if (d != top) others += slope[d];
      }
      slope[top] = -others;
      for (size_t d = 0; d < documents; ++d) {
        const auto role = 1 + static_cast<int64_t>(d);
        add_score_gradient(similarity_, q, batch.vector(role, i), batch.dim,
                           scale * slope[d] / student_temperature_, gradient.data() + i * batch.dim,
                           gradient.data() + (role * batch.rows + i) * batch.dim);
      }
    }
    return sum;
  }

 private:
  Score similarity_;
  double student_temperature_, teacher_temperature_;
};

}  // namespace

std::unique_ptr<Loss> kl_loss(Score similarity, double student_temperature, double teacher_temperature) {
  return std::make_unique<Kl>(similarity, student_temperature, teacher_temperature);
}

}  // namespace hone::loss
