#include "loss/scores.h"

#include <algorithm>
#include <cmath>

namespace hone::loss {

namespace {

constexpr double kCosineFloor = 1e-8;

struct Products {
  double uv = 0, uu = 0, vv = 0;
};
Products products(const float* u, const float* v, int64_t dim) {
  Products p;
  for (int64_t i = 0; i < dim; ++i) {
    const auto a = static_cast<double>(u[i]), b = static_cast<double>(v[i]);
    p.uv += a * b;
    p.uu += a * a;
    p.vv += b * b;
  }
  return p;
}

// x / |x| and what its gradient needs.
struct Unit {
  std::vector<double> values;
  double length, inverse;
  Unit(const float* x, int64_t dim) : values(static_cast<size_t>(dim)) {
    double square = 0;
    for (int64_t i = 0; i < dim; ++i) square += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    length = std::sqrt(square);
    inverse = 1 / std::max(length, kNormalizeFloor);
    for (int64_t i = 0; i < dim; ++i) values[static_cast<size_t>(i)] = static_cast<double>(x[i]) * inverse;
  }
  // dx += slope times the gradient of the unit vector, `direction`, led back to x
  void add_gradient(const std::vector<double>& direction, double slope, float* dx) const {
    double along = 0;
    if (length > kNormalizeFloor) {
      for (size_t i = 0; i < values.size(); ++i) along += values[i] * direction[i];
    }
    for (size_t i = 0; i < values.size(); ++i)
      dx[i] += static_cast<float>(slope * inverse * (direction[i] - values[i] * along));
  }
};

// cos + sin of the complex quotient, before its absolute value. The second half of a vector is the imaginary
// part; an odd width counts as one more zero.
struct Angle {
  Unit u, v;
  size_t half;
  double value = 0;
  Angle(const float* a, const float* b, int64_t dim)
      : u(a, dim), v(b, dim), half(static_cast<size_t>(dim + 1) / 2) {
    for (size_t i = 0; i < u.values.size(); ++i) value += u.values[i] * v.values[i];
    for (size_t i = 0; i < half; ++i) value += imaginary(u, i) * v.values[i] - u.values[i] * imaginary(v, i);
  }
  double imaginary(const Unit& x, size_t i) const {
    return half + i < x.values.size() ? x.values[half + i] : 0;
  }
  // d value / d (unit of u), or of v.
  std::vector<double> direction(bool of_u) const {
    const Unit& other = of_u ? v : u;
    const double sign = of_u ? 1 : -1;
    std::vector<double> d(other.values);
    for (size_t i = 0; i < half; ++i) {
      d[i] -= sign * imaginary(other, i);
      if (half + i < d.size()) d[half + i] += sign * other.values[i];
    }
    return d;
  }
};

}  // namespace

double score(Score kind, const float* u, const float* v, int64_t dim) {
  double sum = 0;
  switch (kind) {
    case Score::cosine: {
      const Products p = products(u, v, dim);
      return p.uv / (std::max(std::sqrt(p.uu), kCosineFloor) * std::max(std::sqrt(p.vv), kCosineFloor));
    }
    case Score::dot:
      return products(u, v, dim).uv;
    case Score::euclidean:
      for (int64_t i = 0; i < dim; ++i) {
        const double d = static_cast<double>(u[i]) - static_cast<double>(v[i]);
        sum += d * d;
      }
      return std::sqrt(sum);
    case Score::manhattan:
      for (int64_t i = 0; i < dim; ++i)
        sum += std::abs(static_cast<double>(u[i]) - static_cast<double>(v[i]));
      return sum;
    case Score::angle:
      return std::abs(Angle(u, v, dim).value);
  }
  return sum;
}

void add_score_gradient(Score kind, const float* u, const float* v, int64_t dim, double slope, float* du,
                        float* dv) {
  if (slope == 0) return;
  switch (kind) {
    case Score::cosine: {
      // d/du of u.v / (|u| |v|) = v / (|u| |v|) - cos u / |u|^2
      const Products p = products(u, v, dim);
      const double lu = std::sqrt(p.uu), lv = std::sqrt(p.vv);
      const double nu = std::max(lu, kCosineFloor), nv = std::max(lv, kCosineFloor);
      const double across = slope / (nu * nv), cosine = slope * p.uv / (nu * nv);
      const double own_u = lu > kCosineFloor ? cosine / (nu * nu) : 0,
                   own_v = lv > kCosineFloor ? cosine / (nv * nv) : 0;
      for (int64_t i = 0; i < dim; ++i) {
        const auto a = static_cast<double>(u[i]), b = static_cast<double>(v[i]);
        du[i] += static_cast<float>(b * across - a * own_u);
        dv[i] += static_cast<float>(a * across - b * own_v);
      }
      return;
    }
    case Score::dot:
      for (int64_t i = 0; i < dim; ++i) {
        const auto a = static_cast<double>(u[i]), b = static_cast<double>(v[i]);
        du[i] += static_cast<float>(slope * b);
        dv[i] += static_cast<float>(slope * a);
      }
      return;
    case Score::euclidean: {
      const double distance = score(kind, u, v, dim);
      if (distance == 0) return;
      for (int64_t i = 0; i < dim; ++i) {
        const double d = slope * (static_cast<double>(u[i]) - static_cast<double>(v[i])) / distance;
        du[i] += static_cast<float>(d);
        dv[i] -= static_cast<float>(d);
      }
      return;
    }
    case Score::manhattan:
      for (int64_t i = 0; i < dim; ++i) {
        const auto sign = static_cast<float>(u[i] > v[i] ? slope : u[i] < v[i] ? -slope : 0);
        du[i] += sign;
        dv[i] -= sign;
      }
      return;
    case Score::angle: {
      const Angle angle(u, v, dim);
      const double signed_slope = angle.value < 0 ? -slope : slope;
      angle.u.add_gradient(angle.direction(true), signed_slope, du);
      angle.v.add_gradient(angle.direction(false), signed_slope, dv);
      return;
    }
  }
}

std::string_view score_name(Score kind) {
  switch (kind) {
    case Score::cosine:
      return "cosine";
    case Score::dot:
      return "dot";
    case Score::euclidean:
      return "euclidean";
    case Score::manhattan:
      return "manhattan";
    case Score::angle:
      break;
  }
  return "angle";
}

}  // namespace hone::loss
