// Multiple negatives ranking (InfoNCE): the positive of a row among all documents of the batch.
//
// A direction compares rows x with columns y and has a log-sum-exp for each row i of the batch:
//   queries with documents (always), queries with queries, positives with queries, positives with documents.
// The log of the partition is the log-sum-exp over the directions, or with per_direction their mean. A query
// is no negative of itself, nor is a document of another of its own row; false negatives are left out of all.
//
// A row's own pair, the positive, is in none of the long sums: its similarity is one number, and the sums are
// taken relative to it. So the loss is never below 0, where it is nearly 0 it is as exact as elsewhere, and
// so is its gradient: the pair's slope is minus that of all negatives, not what rounding leaves of two
// numbers near 1. A row without negatives has no gradient, exactly: what rounding would leave of one, an
// optimizer that divides by its size would take for a direction.
//
// Where hard negatives weigh more, documents of other rows may have another factor than those of the query's
// own row: the former are summed as ever, with a factor of theirs, the few others one by one.
#include <algorithm>
#include <cmath>
#include <limits>

#include "loss/log_partition.h"
#include "loss/losses.h"
#include "loss/scores.h"

namespace hone::loss {

namespace {

using compute::LeftOut;
using compute::Rows;
using compute::Vectors;

// Vectors of a batch, of length 1 where the similarity is the cosine, and the gradient by these.
struct Side {
  std::vector<double> lengths;  // empty: as they are
  Vectors vectors;
  Rows gradient;

  Side(std::span<const float> values, int64_t count, int64_t dim, bool unit)
      : lengths(unit ? lengths_of(values, count, dim) : std::vector<double>()),
        vectors(values, count, dim, inverse(lengths)),
        gradient(count, dim) {}
  const float* row(int64_t r) const { return vectors.scaled().row(r); }
  void add_gradient(float* to) const {
    const int64_t dim = gradient.width();
    for (int64_t r = 0; r < gradient.rows(); ++r, to += dim) {
      const float *unit = row(r), *slope = gradient.row(r);
      double along = 0;
      for (int64_t i = 0; !lengths.empty() && lengths[static_cast<size_t>(r)] > kNormalizeFloor && i < dim;
           ++i)
        along += static_cast<double>(unit[i]) * static_cast<double>(slope[i]);
      const double factor = vectors.factors()[r];
      for (int64_t i = 0; i < dim; ++i) {
        to[i] += static_cast<float>((static_cast<double>(slope[i]) - static_cast<double>(unit[i]) * along) *
                                    factor);
      }
    }
  }

 private:
  static std::vector<double> lengths_of(std::span<const float> values, int64_t count, int64_t dim) {
    std::vector<double> lengths;
    for (int64_t r = 0; r < count; ++r) {
      const float* x = values.data() + r * dim;
      double square = 0;
      for (int64_t i = 0; i < dim; ++i) square += static_cast<double>(x[i]) * static_cast<double>(x[i]);
      lengths.push_back(std::sqrt(square));
    }
    return lengths;
  }
  static std::vector<double> inverse(std::vector<double> lengths) {
    for (double& length : lengths) length = 1 / std::max(length, kNormalizeFloor);
    return lengths;
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
  all.index.reserve(left_out.index.size() + static_cast<size_t>(rows * ((count + step - 1) / step)));
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
    const bool apart = options_.hardness != Hardness::none;  // hard negatives of a query's own
    const LeftOut own_documents =
        apart || options_.doc_doc ? with_own(f.documents, rows, documents, rows) : LeftOut();
    const LeftOut own_positive = apart ? LeftOut() : with_own(f.documents, rows, rows, rows);
    const LeftOut own_query =
        options_.query_query || options_.doc_query ? with_own(f.queries, rows, rows, rows) : LeftOut();
    std::vector<Direction> directions;
    directions.push_back({&queries, &docs, apart ? &own_documents : &own_positive,
                          options_.scale + added_to(Hardness::in_batch_negatives)});
    if (options_.query_query) directions.push_back({&queries, &queries, &own_query, options_.scale});
    if (options_.doc_query) directions.push_back({&positives, &queries, &own_query, options_.scale});
    if (options_.doc_doc) directions.push_back({&positives, &docs, &own_documents, options_.scale});
    for (Direction& d : directions) {
      d.sums = compute::log_sum_exp(engine, d.x->vectors, d.y->vectors, d.factor, *d.left_out);
      d.slope.resize(static_cast<size_t>(rows));
    }
    double sum = 0;
    std::vector<int64_t> own;  // hard negatives of the row that are summed one by one
    for (int64_t i = 0; i < rows; ++i) {
      own.clear();
      for (int64_t c = i + rows; apart && c < documents; c += rows) {
        const auto without = columns_of(f.documents, i);
        if (!std::binary_search(without.begin(), without.end(), c)) own.push_back(c);
      }
      sum += add_row(directions, own, i);
    }
    for (Direction& d : directions) {
      compute::log_sum_exp_gradient(engine, d.x->vectors, d.y->vectors, d.factor, *d.left_out, d.sums,
                                    d.slope, d.y->gradient);
    }
    queries.add_gradient(gradient.data());
    docs.add_gradient(gradient.data() + queries_end);
    positives.add_gradient(gradient.data() + queries_end);
    return sum / static_cast<double>(rows);
  }

 private:
  struct Direction {
    Side *x, *y;
    const LeftOut* left_out;
    double factor;  // of similarities in the sums; what is added to the scale has no gradient
    compute::Sums sums = {};
    std::vector<double> slope = {};  // derivatives of the loss by sums.log, times scale
  };
  // The loss of row i. Fills the directions' slopes; adds the gradient of the row's own pair, of its `own`
  // hard negatives, and by x of the sums.
  double add_row(std::vector<Direction>& directions, std::span<const int64_t> own, int64_t i) const {
    Side &queries = *directions[0].x, &docs = *directions[0].y;
    const int64_t rows = queries.gradient.rows(), dim = queries.gradient.width();
    const double pair = options_.scale * similarity(queries.vectors, i, docs.vectors, i);
    // Of the row's own, then of the directions, of which the first holds these too.
    std::vector<double> logits;
    for (int64_t c : own) {
      const double factor = options_.scale + added_to(Hardness::hard_negatives);
      logits.push_back(factor * similarity(queries.vectors, i, docs.vectors, c) - pair);
    }
    for (const Direction& d : directions) logits.push_back(d.sums.log[static_cast<size_t>(i)] - pair);
    const std::span<double> all(logits);
    double value = 0, parts = 1;
    if (options_.per_direction) {  // each holds the pair
      parts = static_cast<double>(directions.size());
      value = log_partition(1, all.first(own.size() + 1)) / parts;
      for (size_t k = own.size() + 1; k < all.size(); ++k)
        value += log_partition(1, all.subspan(k, 1)) / parts;
    } else {
      value = log_partition(options_.doc_query ? 2 : 1, all);
    }
    double negatives = 0;  // slopes of all of them
    for (double& slope : logits) {
      slope *= options_.scale / (parts * static_cast<double>(rows));
      negatives += slope;
    }
    const auto add = [&](int64_t c, double slope) {
      add_score_gradient(Score::dot, queries.row(i), docs.row(c), dim, slope, queries.gradient.row(i),
                         docs.gradient.row(c));
    };
    add(i, -negatives);
    for (size_t k = 0; k < own.size(); ++k) add(own[k], logits[k]);
    for (size_t k = 0; k < directions.size(); ++k) {
      Direction& d = directions[k];
      const double slope = d.slope[static_cast<size_t>(i)] = logits[own.size() + k];
      const float* mean = d.sums.mean.row(i);
      float* to = d.x->gradient.row(i);
      for (int64_t j = 0; j < dim; ++j) to[j] += static_cast<float>(slope * static_cast<double>(mean[j]));
    }
    return value;
  }
  // To the scale of negatives of a kind.
  double added_to(Hardness kind) const {
    const bool all = options_.hardness == Hardness::all_negatives && kind != Hardness::none;
    return all || options_.hardness == kind ? options_.hardness_strength : 0;
  }
  MnrOptions options_;
};

}  // namespace

std::unique_ptr<Loss> mnr_loss(const MnrOptions& options) {
  return std::make_unique<Mnr>(options);
}

}  // namespace hone::loss
