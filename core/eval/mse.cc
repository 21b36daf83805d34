#include "eval/mse.h"

#include <limits>
#include <memory>
#include <numeric>
#include <span>

#include "base/error.h"
#include "eval/scores_json.h"
#include "eval/tasks.h"
#include "eval/texts.h"

namespace hone::eval {

namespace {

class Mse final : public Evaluation {
 public:
  Mse(const data::Table& table, const model::SentenceModel& model,
      const std::shared_ptr<compute::Engine>& engine, const Options& options)
      : Evaluation(model, options.dim,
                   {{"text", encode::prompt_for(model, encode::Role::none, options.prompts)}}),
        targets_(checked(table, model, options.dim)),
        texts_({{&table.text("text"), prompt(0)}}, model, *engine),
        rows_(table.rows),
        hash_(table.content_hash),
        source_(table.source()) {}

  std::string_view task() const override { return "mse"; }
  std::string_view unit() const override { return "texts"; }
  std::vector<std::string> metric_names() const override { return {"negative_mse"}; }
  size_t units() const override { return rows_; }
  int64_t tokens() const override { return texts_.tokens(); }
  size_t bytes() const override { return texts_.bytes() + targets_.capacity() * sizeof targets_[0]; }
  // For each row what comes of it and counts.
  size_t run_bytes(int64_t dim) const override { return texts_.vector_bytes(dim) + rows_ * 16; }
  uint64_t content_hash() const override { return hash_; }
  std::string source() const override { return source_; }

 protected:
  Result score(encode::Encoder& encoder, const RunOptions& options) const override {
    const Texts::Vectors vectors = texts_.encode(encoder, dim(), options.progress);
    const size_t dim = vectors.dim();
    Result result;
    for (size_t row = 0; row < rows_; ++row) {
      result.units.push_back(
          negative_mse({vectors.at(0, row), dim}, std::span(targets_).subspan(row * dim, dim), dim).front());
    }
    const double sum = std::accumulate(result.units.begin(), result.units.end(), 0.0);
    result.metrics.emplace_back("negative_mse", rows_ == 0 ? std::numeric_limits<double>::quiet_NaN()
                                                           : sum / static_cast<double>(rows_));
    result.lists = {result.units};
    for (size_t row = 0; options.each && row < rows_; ++row)
      options.each({{"row", row}, {"negative_mse", json_number(result.units[row])}});
    return result;
  }

  size_t lists() const override { return 1; }

 private:
  // As the reference, cuts the teacher's vectors to `dim`, too: they may be wider than the model's then.
  static std::vector<float> checked(const data::Table& table, const model::SentenceModel& model,
                                    int32_t dim) {
    const data::Vectors& vectors = table.vector("vector");
    const auto width = static_cast<size_t>(model.vector_dim(dim));
    if (dim == 0 ? vectors.width != width : vectors.width < width) {
      fail(table.source(), ": column \"", excerpt(table.columns.at("vector")), "\": found vectors of ",
           vectors.width, " numbers, expected ", width,
           dim == 0 ? ", as the model's" : " or more, for --dim");
    }
    std::vector<float> targets;
    targets.reserve(table.rows * width);
    for (size_t row = 0; row < table.rows; ++row) {
      const std::span<const float> whole = vectors.row(row);
      targets.insert(targets.end(), whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(width));
    }
    return targets;
  }

  std::vector<float> targets_;
  Texts texts_;
  size_t rows_;
  uint64_t hash_;
  std::string source_;
};

}  // namespace

std::vector<double> negative_mse(std::span<const float> vectors, std::span<const float> targets, size_t dim) {
  if (dim == 0 || vectors.size() != targets.size() || vectors.size() % dim != 0)
    fail("mse: ", vectors.size(), " against ", targets.size(), " numbers, vectors of ", dim, " expected");
  std::vector<double> rows;
  for (size_t at = 0; at < vectors.size(); at += dim) {
    double sum = 0;
    for (size_t i = at; i < at + dim; ++i) {
      const double difference = static_cast<double>(vectors[i]) - static_cast<double>(targets[i]);
      sum += difference * difference;
    }
    rows.push_back(-100 * sum / static_cast<double>(dim));
  }
  return rows;
}

std::unique_ptr<Evaluation> make_mse(const data::Table& table, const model::SentenceModel& model,
                                     const std::shared_ptr<compute::Engine>& engine, const Options& options) {
  return std::make_unique<Mse>(table, model, engine, options);
}

}  // namespace hone::eval
