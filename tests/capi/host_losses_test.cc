// Losses of the host's, written out by hand, make the steps of hone's own: vectors, labels and gradients lie
// as hone.h says, for two roles and three, with labels and without, and with vectors for labels.
//
// Rules: gradients are derivatives on paper, in double. No text is there twice, so nothing is left out of a
// sum.
#include <cmath>
#include <functional>

#include "tests/capi/rows.h"
#include "tests/capi/steps.h"

namespace hone::testing {

namespace {

constexpr size_t kRows = 24;
constexpr int kSteps = 6;

// 75 texts, all different.
std::string text(size_t i) {
  static const char* const kWho[] = {"A man", "The horse", "My mother", "A young child", "A black cat"};
  static const char* const kDoes[] = {" is waiting under a tree", " wants hot tea", " drives to the city",
                                      " reads a long letter", " is swimming in the sea"};
  static const char* const kWhen[] = {"", " in the morning", " soon"};
  return std::string(kWho[i % 5]) + kDoes[i / 5 % 5] + kWhen[i / 25 % 3];
}

// What the teacher gives for a row: any numbers will do.
std::vector<float> teacher(size_t row) {
  std::vector<float> vector(static_cast<size_t>(kDim));
  for (size_t i = 0; i < vector.size(); ++i)
    vector[i] = static_cast<float>(std::sin(static_cast<double>(row * vector.size() + i)));
  return vector;
}

struct Made {
  double loss = 0;
  std::vector<float> gradient;
};
using HostLoss = std::function<Made(const hone_batch&)>;
using Vector = std::vector<double>;

// Vector of a role's row, and its gradient, in double.
struct Vectors {
  explicit Vectors(const hone_batch& batch) : b(batch), slopes(b.roles * b.rows, Vector(b.dim)) {}
  Vector at(size_t role, size_t row) const {
    const float* from = b.embeddings + (role * b.rows + row) * b.dim;
    return {from, from + b.dim};
  }
  Vector& slope(size_t role, size_t row) { return slopes[role * b.rows + row]; }
  Made made(double loss) const {
    Made m{loss, {}};
    for (const Vector& slope : slopes)
      for (const double value : slope) m.gradient.push_back(static_cast<float>(value));
    return m;
  }
  const hone_batch& b;
  std::vector<Vector> slopes;
};

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Mean over rows i of log sum_d exp(s_id) - s_ii; s: 20 cos(anchor i, document d), documents: the positives,
// then the negatives. d s_id / d u = 20 (v / (|u| |v|) - cos u / |u|^2), and the same for v.
Made mnr(const hone_batch& b) {
  Vectors vectors(b);
  const size_t documents = (b.roles - 1) * b.rows;
  const auto rows = static_cast<double>(b.rows);
  double loss = 0;
  for (size_t i = 0; i < b.rows; ++i) {
    const Vector u = vectors.at(0, i);
    Vector cosines(documents);
    double sum = 0;
    for (size_t d = 0; d < documents; ++d) {
      const Vector v = vectors.at(1 + d / b.rows, d % b.rows);
      cosines[d] = dot(u, v) / std::sqrt(dot(u, u) * dot(v, v));
      sum += std::exp(20 * cosines[d]);
    }
    loss += (std::log(sum) - 20 * cosines[i]) / rows;
    for (size_t d = 0; d < documents; ++d) {
      const Vector v = vectors.at(1 + d / b.rows, d % b.rows);
      const double slope = 20 * (std::exp(20 * cosines[d]) / sum - (d == i ? 1 : 0)) / rows;
      const double uu = dot(u, u), vv = dot(v, v), both = std::sqrt(uu * vv);
      Vector &du = vectors.slope(0, i), &dv = vectors.slope(1 + d / b.rows, d % b.rows);
      for (size_t k = 0; k < b.dim; ++k) {
        du[k] += slope * (v[k] / both - cosines[d] * u[k] / uu);
        dv[k] += slope * (u[k] / both - cosines[d] * v[k] / vv);
      }
    }
  }
  return vectors.made(loss);
}

// Mean of max(0, |a - p| - |a - n| + 5).
Made triplet(const hone_batch& b) {
  Vectors vectors(b);
  const auto rows = static_cast<double>(b.rows);
  double loss = 0;
  for (size_t i = 0; i < b.rows; ++i) {
    const Vector a = vectors.at(0, i);
    double excess = 5;
    for (const size_t role : {1, 2}) {
      const Vector other = vectors.at(role, i);
      double square = 0;
      for (size_t k = 0; k < b.dim; ++k) square += (a[k] - other[k]) * (a[k] - other[k]);
      const double length = std::sqrt(square), sign = role == 1 ? 1 : -1;
      excess += sign * length;
      for (size_t k = 0; k < b.dim; ++k) {
        const double slope = sign * (a[k] - other[k]) / length / rows;
        vectors.slope(0, i)[k] += slope;
        vectors.slope(role, i)[k] -= slope;
      }
    }
    // Vectors of length 1 are at most 2 apart: the margin is never reached.
    EXPECT_GT(excess, 0);
    loss += excess / rows;
  }
  return vectors.made(loss);
}

// Mean of (x - teacher)^2 over all numbers.
Made mse(const hone_batch& b) {
  Vectors vectors(b);
  const auto all = static_cast<double>(b.rows * b.dim);
  double loss = 0;
  for (size_t i = 0; i < b.rows; ++i) {
    const Vector x = vectors.at(0, i);
    for (size_t k = 0; k < b.dim; ++k) {
      const double error = x[k] - b.labels[i * b.label_width + k];
      loss += error * error / all;
      vectors.slope(0, i)[k] = 2 * error / all;
    }
  }
  return vectors.made(loss);
}

class HostLosses : public Jobs {
 protected:
  HostLosses() {
    for (size_t i = 0; i < 3 * kRows; ++i) texts.push_back(text(i));
    for (size_t row = 0; row < kRows; ++row) teachers.push_back(teacher(row));
  }

  Dataset rows_of(const std::vector<const char*>& columns) {
    std::vector<Row> rows(kRows);
    for (size_t i = 0; i < kRows; ++i) {
      for (size_t c = 0; c < columns.size(); ++c) {
        const bool vector = std::string(columns[c]) == "vector";
        rows[i].push_back(vector ? vector_value(teachers[i]) : text_value(texts[c * kRows + i]));
      }
    }
    return dataset_of(runtime, columns, rows);
  }

  // The steps of both, loss by loss. Adam makes noise of a gradient that is nothing but rounding: up to the
  // rate, 1e-4, in a weight that hardly counts. The gradient of the wrong sign, or of roles in another order,
  // moves every weight the other way instead.
  void same_steps(const Dataset& rows, const std::string& loss, const HostLoss& host, size_t roles,
                  size_t label_width) {
    const Settings settings = {
        {"train.loss", loss}, {"train.steps", kSteps}, {"train.batch_size", 8}, {"train.lr", 1e-4}};
    const Trainer own = make_trainer(model, rows, nullptr, settings);
    const Trainer hosted = make_trainer(model, rows, nullptr, settings);
    for (uint64_t i = 0; i < kSteps; ++i) {
      SCOPED_TRACE("step " + std::to_string(i));
      const hone_batch batch = forward(hosted);
      ASSERT_EQ(batch.roles, roles);
      ASSERT_EQ(batch.rows, 8u);
      ASSERT_EQ(batch.dim, static_cast<size_t>(kDim));
      ASSERT_EQ(batch.label_width, label_width);
      const Made made = host(batch);
      const hone_progress p = backward(hosted, made.gradient, made.loss), expected = step(own);
      EXPECT_EQ(p.loss, made.loss);
      EXPECT_EQ(p.steps_done, expected.steps_done);
      EXPECT_EQ(p.learning_rate, expected.learning_rate);
      EXPECT_NEAR(p.loss, expected.loss, (i == 0 ? 1e-5 : 1e-4) * std::max(1.0, expected.loss));
    }
    const auto a = encode(model_of(own), kTexts), b = encode(model_of(hosted), kTexts),
               base = encode(model, kTexts);
    double apart = 0, moved = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      apart = std::max(apart, static_cast<double>(std::abs(a[i] - b[i])));
      moved = std::max(moved, static_cast<double>(std::abs(a[i] - base[i])));
    }
    EXPECT_LT(apart, moved / 20);
  }

  std::vector<std::string> texts;
  std::vector<std::vector<float>> teachers;
};

TEST_F(HostLosses, RankingOfTwoRoles) {
  same_steps(rows_of({"anchor", "positive"}), "mnr", mnr, 2, 0);
}

TEST_F(HostLosses, RankingOfThreeRoles) {
  same_steps(rows_of({"anchor", "positive", "negative"}), "mnr", mnr, 3, 0);
}

TEST_F(HostLosses, Triplets) {
  same_steps(rows_of({"anchor", "positive", "negative"}), "triplet", triplet, 3, 0);
}

TEST_F(HostLosses, VectorsOfATeacher) {
  same_steps(rows_of({"text", "vector"}), "mse", mse, 1, static_cast<size_t>(kDim));
}

TEST_F(HostLosses, LabelsAreTheVectorsOfTheRows) {
  const Dataset rows = rows_of({"text", "vector"});
  const Trainer hosted = make_trainer(model, rows, nullptr, {{"train.batch_size", 8}});
  const hone_batch batch = forward(hosted);
  ASSERT_EQ(batch.label_width, static_cast<size_t>(kDim));
  for (size_t i = 0; i < batch.rows; ++i) {
    const double* labels = batch.labels + i * batch.label_width;
    const std::vector<float> found(labels, labels + batch.label_width);
    EXPECT_EQ(found, teachers.at(batch.indices[i])) << "row " << i;
  }
}

// The order of roles is that of the loss's columns, whatever that of the dataset's.
TEST_F(HostLosses, RolesAreInTheOrderOfTheLoss) {
  const Dataset rows = rows_of({"negative", "anchor", "positive"});
  const Trainer hosted =
      make_trainer(model, rows, nullptr, {{"train.batch_size", 8}, {"train.dropout", 0.0}});
  const hone_batch batch = forward(hosted);
  ASSERT_EQ(batch.roles, 3u);
  std::vector<std::string> expected;
  for (const size_t column : {1, 2, 0})
    for (size_t i = 0; i < batch.rows; ++i) expected.push_back(texts[column * kRows + batch.indices[i]]);
  EXPECT_EQ(std::vector<float>(batch.embeddings, batch.embeddings + batch.roles * batch.rows * batch.dim),
            encode(model, expected));
}

TEST_F(HostLosses, AGradientOfAnotherSizeIsRefusedAndTheStepGoesOn) {
  const Dataset rows = rows_of({"anchor", "positive", "negative"});
  const Trainer hosted = make_trainer(model, rows, nullptr, {{"train.batch_size", 8}});
  const hone_batch batch = forward(hosted);
  const Made made = mnr(batch);
  for (const size_t floats : {size_t{0}, made.gradient.size() - 1, 2 * batch.rows * batch.dim}) {
    const Failure failure = refused(HONE_EINVAL, [&](hone_error** error) {
      return hone_trainer_backward(hosted, made.gradient.data(), floats, 0, nullptr, error);
    });
    EXPECT_EQ(failure.subject(), "floats");
    EXPECT_NE(failure.message().find(std::to_string(made.gradient.size())), std::string::npos)
        << failure.message();
  }
  EXPECT_EQ(backward(hosted, made.gradient, made.loss).steps_done, 1u);
}

TEST_F(HostLosses, GradientsOfSeveralBatchesAreHonesOwn) {
  const Dataset rows = rows_of({"anchor", "positive"});
  const Trainer hosted =
      make_trainer(model, rows, nullptr, {{"train.batch_size", 4}, {"train.accumulate", 2}});
  hone_batch batch = sized<hone_batch>();
  const Failure failure =
      refused(HONE_EINVAL, [&](hone_error** error) { return hone_trainer_forward(hosted, &batch, error); });
  EXPECT_EQ(failure.subject(), "train.accumulate");
  EXPECT_NE(failure.message().find("1 expected"), std::string::npos) << failure.message();
  EXPECT_EQ(step(hosted).examples_done, 8u);
}

}  // namespace

}  // namespace hone::testing
