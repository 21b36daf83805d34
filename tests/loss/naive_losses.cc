#include "tests/loss/naive_losses.h"

#include <algorithm>
#include <cmath>

namespace hone::loss::naive {

namespace {

Vector vector_of(const Numbers& n, const Vector& all, int64_t role, int64_t row) {
  const auto begin = all.begin() + (role * n.rows + row) * n.dim;
  return {begin, begin + n.dim};
}
Vector at(const Numbers& n, int64_t role, int64_t row) {
  return vector_of(n, n.vectors, role, row);
}
double label(const Numbers& n, int64_t row, int64_t k = 0) {
  return n.labels[static_cast<size_t>(row * n.label_width + k)];
}

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
double length(const Vector& a) {
  return std::sqrt(dot(a, a));
}

// |sum of the real and imaginary parts of (a + ib) / (c + id)|, halves of u and of v, by their lengths.
double angle(Vector u, Vector v) {
  if (u.size() % 2 == 1) {
    u.push_back(0);
    v.push_back(0);
  }
  const size_t half = u.size() / 2;
  double sum = 0;
  for (size_t i = 0; i < half; ++i) {
    const double a = u[i], b = u[half + i], c = v[i], d = v[half + i];
    sum += (a * c + b * d) + (b * c - a * d);
  }
  return std::abs(sum / (length(u) * length(v)));
}

double similarity(Score kind, const Vector& u, const Vector& v) {
  if (kind == Score::angle) return angle(u, v);
  return kind == Score::dot ? dot(u, v) : dot(u, v) / (length(u) * length(v));
}

double distance(Score kind, const Vector& u, const Vector& v) {
  if (kind == Score::cosine) return 1 - similarity(kind, u, v);
  double sum = 0;
  for (size_t i = 0; i < u.size(); ++i)
    sum += kind == Score::manhattan ? std::abs(u[i] - v[i]) : (u[i] - v[i]) * (u[i] - v[i]);
  return kind == Score::manhattan ? sum : std::sqrt(sum);
}

double log_sum_exp(const Vector& x) {
  double most = x.front(), sum = 0;
  for (double v : x) most = std::max(most, v);
  for (double v : x) sum += std::exp(v - most);
  return most + std::log(sum);
}

Vector linear(const Numbers& n, const Vector& x) {
  Vector y = n.heads[1];
  for (size_t o = 0; o < y.size(); ++o) {
    for (size_t i = 0; i < x.size(); ++i) y[o] += n.heads[0][o * x.size() + i] * x[i];
  }
  return y;
}

bool left_out(const compute::LeftOut& columns, int64_t row, int64_t column) {
  if (columns.empty()) return false;
  const auto begin = columns.index.begin() + columns.offsets[static_cast<size_t>(row)];
  const auto end = columns.index.begin() + columns.offsets[static_cast<size_t>(row) + 1];
  return std::find(begin, end, column) != end;
}

struct Term {
  int64_t x, y;  // vectors: role * rows + row
  double logit;
};
// The terms of row i, one list for each direction.
std::vector<std::vector<Term>> mnr_terms(const Numbers& n, const Mnr& o, int64_t i) {
  static const FalseNegatives kNone;
  const FalseNegatives& f = n.false_negatives != nullptr ? *n.false_negatives : kNone;
  const auto among = [&](const char* direction) { return o.directions.find(direction) != std::string::npos; };
  const int64_t positive = n.rows + i;
  std::vector<std::vector<Term>> all;
  const auto add = [&](int64_t x, int64_t y, double strength = 0) {
    double logit = o.scale * similarity(o.similarity, at(n, 0, x), at(n, 0, y));
    if (strength != 0)
      logit += strength * similarity(o.similarity, vector_of(n, n.held, 0, x), vector_of(n, n.held, 0, y));
    all.back().push_back({x, y, logit});
  };
  const auto queries = [&](int64_t x, bool own) {
    for (int64_t j = 0; j < n.rows; ++j) {
      if ((own || j != i) && !left_out(f.queries, i, j)) add(x, j);
    }
  };
  all.emplace_back();
  const bool in_batch = o.hardness == "in_batch_negatives" || o.hardness == "all_negatives";
  const bool own = o.hardness == "hard_negatives" || o.hardness == "all_negatives";
  for (int64_t role = 1; role < n.roles; ++role) {
    for (int64_t j = 0; j < n.rows; ++j) {
      if (left_out(f.documents, i, (role - 1) * n.rows + j)) continue;
      const bool harder = j != i ? in_batch : role > 1 && own;
      add(i, role * n.rows + j, harder ? o.strength : 0);
    }
  }
  if (among("qq")) {
    all.emplace_back();
    queries(i, false);
  }
  if (among("dq")) {
    all.emplace_back();
    queries(positive, true);
  }
  if (among("dd")) {
    all.emplace_back();
    for (int64_t role = 1; role < n.roles; ++role) {
      for (int64_t j = 0; j < n.rows; ++j) {
        if (j != i && !left_out(f.documents, i, (role - 1) * n.rows + j)) add(positive, role * n.rows + j);
      }
    }
  }
  return all;
}
std::vector<Vector> logits(const Numbers& n, const Mnr& o, int64_t i) {
  std::vector<Vector> all;
  for (const auto& direction : mnr_terms(n, o, i)) {
    all.emplace_back();
    for (const Term& term : direction) all.back().push_back(term.logit);
  }
  return all;
}

// gradient += slope d similarity(x, y) / d x
void add_slope(Score kind, double slope, const Vector& x, const Vector& y, double* gradient) {
  const double lengths = kind == Score::dot ? 1 : length(x) * length(y);
  const double along = kind == Score::dot ? 0 : dot(x, y) / (dot(x, x) * lengths);
  for (size_t k = 0; k < x.size(); ++k) gradient[k] += slope * (y[k] / lengths - along * x[k]);
}

}  // namespace

Value cosine() {
  return [](const Numbers& n) {
    double sum = 0;
    for (int64_t i = 0; i < n.rows; ++i)
      sum += std::pow(similarity(Score::cosine, at(n, 0, i), at(n, 1, i)) - label(n, i), 2);
    return sum / static_cast<double>(n.rows);
  };
}

Value cosent(Score kind, double scale) {
  return [=](const Numbers& n) {
    Vector terms{0};
    const auto s = [&](int64_t i) { return scale * similarity(kind, at(n, 0, i), at(n, 1, i)); };
    for (int64_t i = 0; i < n.rows; ++i) {
      for (int64_t j = 0; j < n.rows; ++j) {
        if (label(n, i) < label(n, j)) terms.push_back(s(i) - s(j));
      }
    }
    return log_sum_exp(terms);
  };
}

Value mnr(Mnr options) {
  return [options](const Numbers& n) {
    double sum = 0;
    for (int64_t i = 0; i < n.rows; ++i) {
      const std::vector<Vector> directions = logits(n, options, i);
      Vector joint;
      double mean = 0;
      for (const Vector& one : directions) {
        joint.insert(joint.end(), one.begin(), one.end());
        if (options.per_direction) mean += log_sum_exp(one) / static_cast<double>(directions.size());
      }
      sum += (options.per_direction ? mean : log_sum_exp(joint)) -
             options.scale * similarity(options.similarity, at(n, 0, i), at(n, 1, i));
    }
    return sum / static_cast<double>(n.rows);
  };
}

Judged judged_mnr(const Mnr& o, const Numbers& n) {
  Judged judged;
  judged.gradient.resize(n.vectors.size());
  judged.summed.resize(static_cast<size_t>(n.roles * n.rows));
  for (int64_t i = 0; i < n.rows; ++i) {
    std::vector<std::vector<Term>> parts = mnr_terms(n, o, i);
    if (!o.per_direction) {
      for (size_t d = 1; d < parts.size(); ++d)
        parts[0].insert(parts[0].end(), parts[d].begin(), parts[d].end());
      parts.resize(1);
    }
    const double share = 1 / static_cast<double>(n.rows * static_cast<int64_t>(parts.size()));
    const double wanted = o.scale * similarity(o.similarity, at(n, 0, i), at(n, 1, i));
    for (const auto& part : parts) {
      // e^0 for each place of the pair, and what the others come to.
      const auto is_pair = [&](const Term& t) {
        return t.x + t.y == n.rows + 2 * i && (t.x == i || t.y == i);
      };
      double pairs = 0, others = 0, most = 0;
      for (const Term& t : part) most = std::max(most, t.logit - wanted);
      for (const Term& t : part) (is_pair(t) ? pairs : others) += std::exp(t.logit - wanted - most);
      judged.value += share * (most == 0 ? std::log1p(pairs - 1 + others) : most + std::log(pairs + others));
      const auto add = [&](int64_t x, int64_t y, double slope) {
        const Vector u = at(n, 0, x), v = at(n, 0, y);
        const bool cosine = o.similarity == Score::cosine;
        judged.summed[static_cast<size_t>(x)] += std::abs(slope) * (cosine ? 1 / length(u) : length(v));
        judged.summed[static_cast<size_t>(y)] += std::abs(slope) * (cosine ? 1 / length(v) : length(u));
        add_slope(o.similarity, slope, u, v, judged.gradient.data() + x * n.dim);
        add_slope(o.similarity, slope, v, u, judged.gradient.data() + y * n.dim);
      };
      double sum = 0;
      for (const Term& t : part) {
        if (is_pair(t)) continue;
        const double slope = share * o.scale * std::exp(t.logit - wanted - most) / (pairs + others);
        sum += slope;
        add(t.x, t.y, slope);
      }
      add(i, n.rows + i, -sum);
    }
  }
  return judged;
}

Value contrastive(Score kind, double margin) {
  return [=](const Numbers& n) {
    double sum = 0;
    for (int64_t i = 0; i < n.rows; ++i) {
      const double d = distance(kind, at(n, 0, i), at(n, 1, i));
      sum += label(n, i) * d * d + (1 - label(n, i)) * std::pow(std::max(0.0, margin - d), 2);
    }
    return sum / static_cast<double>(2 * n.rows);
  };
}

Value online_contrastive(Score kind, double margin) {
  return [=](const Numbers& n) {
    Vector apart, together;
    for (int64_t i = 0; i < n.rows; ++i)
      (label(n, i) == 1 ? together : apart).push_back(distance(kind, at(n, 0, i), at(n, 1, i)));
    const auto mean = [](const Vector& x) {
      double sum = 0;
      for (double v : x) sum += v;
      return sum / static_cast<double>(x.size());
    };
    const double furthest =
        together.empty() ? mean(apart) : *std::max_element(together.begin(), together.end());
    const double closest = apart.empty() ? mean(together) : *std::min_element(apart.begin(), apart.end());
    double sum = 0;
    for (double d : together) sum += d > closest ? d * d : 0;
    for (double d : apart) sum += d < furthest ? std::pow(std::max(0.0, margin - d), 2) : 0;
    return sum;
  };
}

Value triplet(Score kind, double margin) {
  return [=](const Numbers& n) {
    double sum = 0;
    for (int64_t i = 0; i < n.rows; ++i) {
      const Vector anchor = at(n, 0, i);
      sum +=
          std::max(0.0, distance(kind, anchor, at(n, 1, i)) - distance(kind, anchor, at(n, 2, i)) + margin);
    }
    return sum / static_cast<double>(n.rows);
  };
}

Value softmax() {
  return [](const Numbers& n) {
    double sum = 0;
    for (int64_t i = 0; i < n.rows; ++i) {
      const Vector u = at(n, 0, i), v = at(n, 1, i);
      Vector features = u;
      features.insert(features.end(), v.begin(), v.end());
      for (size_t k = 0; k < u.size(); ++k) features.push_back(std::abs(u[k] - v[k]));
      const Vector y = linear(n, features);
      sum += log_sum_exp(y) - y[static_cast<size_t>(label(n, i))];
    }
    return sum / static_cast<double>(n.rows);
  };
}

Value mse() {
  return [](const Numbers& n) {
    double sum = 0;
    for (int64_t role = 0; role < n.roles; ++role) {
      for (int64_t i = 0; i < n.rows; ++i) {
        const Vector y = n.heads.empty() ? at(n, role, i) : linear(n, at(n, role, i));
        for (int64_t k = 0; k < n.label_width; ++k)
          sum += std::pow(y[static_cast<size_t>(k)] - label(n, i, k), 2);
      }
    }
    return sum / static_cast<double>(n.roles * n.rows * n.label_width);
  };
}

Value margin_mse(Score kind) {
  return [=](const Numbers& n) {
    double sum = 0;
    for (int64_t i = 0; i < n.rows; ++i) {
      const Vector query = at(n, 0, i);
      for (int64_t k = 0; k < n.roles - 2; ++k) {
        const double wanted =
            n.label_width == n.roles - 1 ? label(n, i, 0) - label(n, i, k + 1) : label(n, i, k);
        sum += std::pow(
            similarity(kind, query, at(n, 1, i)) - similarity(kind, query, at(n, k + 2, i)) - wanted, 2);
      }
    }
    return sum / static_cast<double>(n.rows * (n.roles - 2));
  };
}

Value kl(Score kind, double student_temperature, double teacher_temperature) {
  return [=](const Numbers& n) {
    double sum = 0;
    for (int64_t i = 0; i < n.rows; ++i) {
      Vector student, teacher;
      for (int64_t role = 1; role < n.roles; ++role) {
        student.push_back(similarity(kind, at(n, 0, i), at(n, role, i)) / student_temperature);
        teacher.push_back(label(n, i, role - 1) / teacher_temperature);
      }
      const double students = log_sum_exp(student), teachers = log_sum_exp(teacher);
      for (size_t d = 0; d < student.size(); ++d) {
        const double log_wanted = teacher[d] - teachers;
        sum += std::exp(log_wanted) * (log_wanted - (student[d] - students));
      }
    }
    return sum * student_temperature * student_temperature / static_cast<double>(n.rows);
  };
}

Value matryoshka(Value inner, std::vector<int64_t> dims, Vector weights, bool cut_labels) {
  return [=](const Numbers& n) {
    double sum = 0;
    for (size_t k = 0; k < dims.size(); ++k) {
      Numbers shorter = n;
      shorter.dim = dims[k];
      const auto cut = [&](const Vector& all) {
        Vector out;
        for (int64_t r = 0; r < n.roles * n.rows; ++r) {
          const auto begin = all.begin() + r * n.dim;
          const Vector part(begin, begin + dims[k]);
          for (double v : part) out.push_back(v / length(part));
        }
        return out;
      };
      shorter.vectors = cut(n.vectors);
      shorter.held = cut(n.held);
      if (cut_labels) {
        shorter.label_width = dims[k];
        shorter.labels.clear();
        for (int64_t i = 0; i < n.rows; ++i) {
          for (int64_t c = 0; c < dims[k]; ++c) shorter.labels.push_back(label(n, i, c));
        }
      }
      sum += weights[k] * inner(shorter);
    }
    return sum;
  };
}

Vector differences(const Value& value, Numbers& n, Vector& field) {
  constexpr double kNudge = 1e-5;
  Vector slopes;
  for (double& number : field) {
    const double kept = number;
    number = kept + kNudge;
    const double above = value(n);
    number = kept - kNudge;
    slopes.push_back((above - value(n)) / (2 * kNudge));
    number = kept;
  }
  return slopes;
}

}  // namespace hone::loss::naive
