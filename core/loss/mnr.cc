// Multiple negatives ranking (InfoNCE): the positive of a row among all documents of the batch.
//
// A direction compares rows x with columns y and has a log-sum-exp for each row i of the batch:
//   queries with documents (always), queries with queries, positives with queries, positives with documents.
// The log of the partition is the log-sum-exp over the directions, or with per_direction their mean. A query
// is no negative of itself, nor is a document of another of its own row; false negatives are left out of all.
//
// A row without negatives has no gradient, exactly: what rounding would leave of one, an optimizer that
// divides by its size would take for a direction.
//
// Where hard negatives weigh more, documents of other rows may have another factor than those of the query's
// own row: the former are summed as ever, with a factor of theirs, the few others one by one.
#include <algorithm>
#include <cmath>
#include <limits>

#include "loss/losses.h"
#include "loss/scores.h"

namespace hone::loss {

namespace {

using compute::LeftOut;
using compute::Rows;

// Rows of a batch, to length 1 where the similarity is the cosine.
struct Side {
  Rows rows, gradient;
  std::vector<double> lengths;  // empty: as they are

  Side(std::span<const float> values, int64_t count, int64_t dim, bool unit)
      : rows(Rows::copy(values, count, dim)), gradient(count, dim) {
    if (!unit) return;
    for (int64_t r = 0; r < count; ++r) {
      float* x = rows.row(r);
      double square = 0;
      for (int64_t i = 0; i < dim; ++i) square += static_cast<double>(x[i]) * static_cast<double>(x[i]);
      lengths.push_back(std::sqrt(square));
      const double inverse = 1 / std::max(lengths.back(), kNormalizeFloor);
      for (int64_t i = 0; i < dim; ++i) x[i] = static_cast<float>(static_cast<double>(x[i]) * inverse);
    }
  }
  void add_gradient(float* to) const {
    const int64_t dim = rows.width();
    for (int64_t r = 0; r < rows.rows(); ++r, to += dim) {
      const float *unit = rows.row(r), *slope = gradient.row(r);
      double along = 0, inverse = 1;
      if (!lengths.empty()) {
        const double length = lengths[static_cast<size_t>(r)];
        inverse = 1 / std::max(length, kNormalizeFloor);
        for (int64_t i = 0; length > kNormalizeFloor && i < dim; ++i)
          along += static_cast<double>(unit[i]) * static_cast<double>(slope[i]);
      }
      for (int64_t i = 0; i < dim; ++i) {
        to[i] += static_cast<float>((static_cast<double>(slope[i]) - static_cast<double>(unit[i]) * along) *
                                    inverse);
      }
    }
  }
};

std::span<const int32_t> columns_of(const LeftOut& left_out, int64_t row) {
  if (left_out.empty()) return {};
  const auto i = static_cast<size_t>(row);
  return std::span(left_out.index)
      .subspan(static_cast<size_t>(left_out.offsets[i]),
               static_cast<size_t>(left_out.offsets[i + 1] - left_out.offsets[i]));
}

// `left_out` and the columns i, i + step, i + 2 step, ... of each row i.
LeftOut with_own(const LeftOut& left_out, int64_t rows, int64_t count, int64_t step) {
  LeftOut all;
  all.offsets.assign(1, 0);
  for (int64_t i = 0; i < rows; ++i) {
    const auto begin = all.index.size();
    const auto columns = columns_of(left_out, i);
    all.index.insert(all.index.end(), columns.begin(), columns.end());
    for (int64_t c = i; c < count; c += step) all.index.push_back(static_cast<int32_t>(c));
    std::sort(all.index.begin() + static_cast<std::ptrdiff_t>(begin), all.index.end());
    all.index.erase(std::unique(all.index.begin() + static_cast<std::ptrdiff_t>(begin), all.index.end()),
                    all.index.end());
    all.offsets.push_back(static_cast<int64_t>(all.index.size()));
  }
  return all;
}

class Mnr final : public Loss {
 public:
  explicit Mnr(const MnrOptions& options) : options_(options) {}

  bool compares_all() const override {
    return options_.query_query || options_.doc_query || options_.doc_doc;
  }
  double evaluate(const Batch& batch, compute::Engine& engine, std::span<float> gradient) override {
    const int64_t rows = batch.rows, documents = rows * (batch.roles - 1);
    const auto queries_end = static_cast<size_t>(rows * batch.dim);
    const bool unit = options_.similarity == Score::cosine;
    Side queries(batch.vectors.first(queries_end), rows, batch.dim, unit);
    Side docs(batch.vectors.subspan(queries_end), documents, batch.dim, unit);
    const bool from_docs = options_.doc_query || options_.doc_doc;
    Side positives(batch.vectors.subspan(queries_end), from_docs ? rows : 0, batch.dim, unit);

    static const FalseNegatives kNone;
    const FalseNegatives& f = batch.false_negatives != nullptr ? *batch.false_negatives : kNone;
    const bool apart = options_.hardness != Hardness::none;  // a query's own documents, in the sums
    std::vector<Direction> directions;
    LeftOut own_documents, own_queries;  // the row's own too
    if (apart || options_.doc_doc) own_documents = with_own(f.documents, rows, documents, rows);
    if (options_.query_query) own_queries = with_own(f.queries, rows, rows, rows);
    directions.push_back({&queries, &docs, apart ? &own_documents : &f.documents,
                          options_.scale + added_to(Hardness::in_batch_negatives)});
    if (options_.query_query) directions.push_back({&queries, &queries, &own_queries, options_.scale});
    if (options_.doc_query) directions.push_back({&positives, &queries, &f.queries, options_.scale});
    if (options_.doc_doc) directions.push_back({&positives, &docs, &own_documents, options_.scale});
    for (Direction& d : directions) {
      d.lse.resize(static_cast<size_t>(rows));
      compute::log_sum_exp(engine, d.x->rows, d.y->rows, static_cast<float>(d.factor), *d.left_out, d.lse);
    }
    if (apart) add_own(directions[0], f.documents);
    const double sum = partition(directions, rows);
    double positive = 0;
    for (int64_t i = 0; i < rows; ++i) {
      positive += options_.scale * score(Score::dot, queries.rows.row(i), docs.rows.row(i), batch.dim);
      if (is_alone(directions, f.documents, i)) {
        for (Direction& d : directions) d.weight[static_cast<size_t>(i)] = 0;
        continue;
      }
      add_score_gradient(Score::dot, queries.rows.row(i), docs.rows.row(i), batch.dim,
                         -options_.scale / static_cast<double>(rows), queries.gradient.row(i),
                         docs.gradient.row(i));
    }
    if (apart) add_own_gradient(directions[0], f.documents);
    for (Direction& d : directions) {
      // What is added to the scale has no gradient.
      if (d.factor != options_.scale) {
        for (float& w : d.weight) w = static_cast<float>(static_cast<double>(w) * options_.scale / d.factor);
      }
      compute::log_sum_exp_gradient(engine, d.x->rows, d.y->rows, static_cast<float>(d.factor), *d.left_out,
                                    d.lse, d.weight, d.x->gradient, d.y->gradient);
    }
    queries.add_gradient(gradient.data());
    docs.add_gradient(gradient.data() + queries_end);
    positives.add_gradient(gradient.data() + queries_end);
    return (sum - positive) / static_cast<double>(rows);
  }

 private:
  struct Direction {
    Side *x, *y;
    const LeftOut* left_out;
    double factor;  // of similarities in the sums
    std::vector<float> lse = {}, weight = {};
  };
  // Whether row i is compared with nothing but its own positive. `documents`: what the first direction leaves
  // out.
  static bool is_alone(const std::vector<Direction>& directions, const LeftOut& documents, int64_t i) {
    for (const Direction& d : directions) {
      const bool first = &d == directions.data();
      const size_t left_out = columns_of(first ? documents : *d.left_out, i).size();
      const bool own = first || (d.y == directions[0].x && d.x != d.y);  // positives with queries
      if (d.y->rows.rows() - static_cast<int64_t>(left_out) > (own ? 1 : 0)) return false;
    }
    return true;
  }
  // To the scale of negatives of a kind.
  double added_to(Hardness kind) const {
    const bool all = options_.hardness == Hardness::all_negatives && kind != Hardness::none;
    return all || options_.hardness == kind ? options_.hardness_strength : 0;
  }
  // body(document, logit) for each document of row i's own that counts.
  template <class Body>
  void for_own(const Direction& d, const LeftOut& left_out, int64_t i, const Body& body) const {
    const auto without = columns_of(left_out, i);
    const int64_t rows = d.x->rows.rows(), documents = d.y->rows.rows();
    for (int64_t c = i; c < documents; c += rows) {
      if (std::binary_search(without.begin(), without.end(), c)) continue;
      const double factor = options_.scale + added_to(c < rows ? Hardness::none : Hardness::hard_negatives);
      body(c, factor * score(Score::dot, d.x->rows.row(i), d.y->rows.row(c), d.x->rows.width()));
    }
  }
  void add_own(Direction& d, const LeftOut& left_out) const {
    for (int64_t i = 0; i < d.x->rows.rows(); ++i) {
      std::vector<double> logits{static_cast<double>(d.lse[static_cast<size_t>(i)])};
      for_own(d, left_out, i, [&](int64_t, double logit) { logits.push_back(logit); });
      const double most = *std::max_element(logits.begin(), logits.end());
      double total = 0;
      for (double logit : logits) total += std::exp(logit - most);
      d.lse[static_cast<size_t>(i)] = static_cast<float>(most + std::log(total));
    }
  }
  void add_own_gradient(Direction& d, const LeftOut& left_out) const {
    for (int64_t i = 0; i < d.x->rows.rows(); ++i) {
      const auto at = static_cast<size_t>(i);
      const double weight = options_.scale * static_cast<double>(d.weight[at]);
      for_own(d, left_out, i, [&](int64_t c, double logit) {
        add_score_gradient(Score::dot, d.x->rows.row(i), d.y->rows.row(c), d.x->rows.width(),
                           weight * std::exp(logit - static_cast<double>(d.lse[at])), d.x->gradient.row(i),
                           d.y->gradient.row(c));
      });
    }
  }
  // The sum of the rows' log partitions; fills the weights: their derivative by each log-sum-exp / rows.
  double partition(std::vector<Direction>& directions, int64_t rows) const {
    double sum = 0;
    for (Direction& d : directions) d.weight.resize(static_cast<size_t>(rows));
    for (size_t i = 0; i < static_cast<size_t>(rows); ++i) {
      double most = -std::numeric_limits<double>::infinity(), total = 0, mean = 0;
      for (const Direction& d : directions) most = std::max(most, static_cast<double>(d.lse[i]));
      for (const Direction& d : directions) {
        total += std::exp(static_cast<double>(d.lse[i]) - most);
        mean += static_cast<double>(d.lse[i]) / static_cast<double>(directions.size());
      }
      const double joint = most + std::log(total);
      sum += options_.per_direction ? mean : joint;
      for (Direction& d : directions) {
        const double share = options_.per_direction ? 1 / static_cast<double>(directions.size())
                                                    : std::exp(static_cast<double>(d.lse[i]) - joint);
        d.weight[i] = static_cast<float>(share / static_cast<double>(rows));
      }
    }
    return sum;
  }

  MnrOptions options_;
};

}  // namespace

std::unique_ptr<Loss> mnr_loss(const MnrOptions& options) {
  return std::make_unique<Mnr>(options);
}

}  // namespace hone::loss
