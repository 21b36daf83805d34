// What is left out of in-batch sums, against the rules of false_negatives.h applied to every row and column.
#include "train/false_negatives.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/train/small_data.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using compute::LeftOut;
using testing::data_of;
using testing::Draw;
using testing::table_of;

using Columns = std::vector<std::set<int64_t>>;  // of each row of a batch

constexpr int64_t kDim = 6;

// Rows of texts [anchor, positive, negatives...], ids where they are not empty, a vector for each text.
struct DataRows {
  std::vector<std::vector<std::string>> texts;
  std::vector<std::string> ids;

  std::string content() const {
    std::string all = "anchor\tpositive";
    for (size_t role = 2; role < texts[0].size(); ++role) all += cat("\tnegative_", role - 1);
    all += "\tid\n";
    for (size_t row = 0; row < texts.size(); ++row) {
      for (const std::string& text : texts[row]) all += text + "\t";
      all += (ids.empty() ? "" : ids[row]) + "\n";
    }
    return all;
  }
  TrainData data() const { return data_of(content(), "mnr", ids.empty() ? "" : "id=id"); }
};

DataRows drawn_rows(uint64_t seed, uint32_t rows, uint32_t texts, size_t negatives, uint32_t ids) {
  Draw draw(seed);
  DataRows made;
  for (uint32_t row = 0; row < rows; ++row) {
    std::vector<std::string> one;
    for (size_t role = 0; role < 2 + negatives; ++role) one.push_back(cat("text ", draw.below(texts)));
    made.texts.push_back(one);
    if (ids == 0) continue;
    const uint32_t id = draw.below(ids);  // 0: this row has none
    made.ids.push_back(id == 0 ? "" : cat("id ", id));
  }
  return made;
}

// Of length 1, [texts, kDim].
std::vector<float> drawn_vectors(uint64_t seed, uint32_t texts) {
  Draw draw(seed);
  std::vector<float> all;
  for (uint32_t t = 0; t < texts; ++t) {
    std::vector<double> one;
    double square = 0;
    for (int64_t i = 0; i < kDim; ++i) {
      one.push_back(static_cast<double>(draw.below(2001)) / 1000 - 1);
      square += one.back() * one.back();
    }
    for (double x : one) all.push_back(static_cast<float>(x / std::sqrt(square)));
  }
  return all;
}

double similarity_of(const std::vector<float>& vectors, uint32_t a, uint32_t b) {
  double sum = 0;
  for (int64_t i = 0; i < kDim; ++i)
    sum += static_cast<double>(vectors[a * kDim + i]) * static_cast<double>(vectors[b * kDim + i]);
  return sum;
}

// The rules, one pair of row and column after the other. `similarity` above 1: not asked for.
class Judge {
 public:
  Judge(const DataRows& rows, const TrainData& data, bool duplicates, const std::vector<float>& vectors,
        double similarity)
      : rows_(rows), data_(data), duplicates_(duplicates), vectors_(vectors), similarity_(similarity) {}

  // `documents`: the columns are those of roles 1, 2, ...; else the anchors.
  Columns columns(const std::vector<uint32_t>& batch, bool documents) const {
    Columns all(batch.size());
    const size_t first = documents ? 1 : 0, last = documents ? rows_.texts[0].size() : 1;
    for (size_t i = 0; i < batch.size(); ++i) {
      for (size_t role = first; role < last; ++role) {
        for (size_t j = 0; j < batch.size(); ++j) {
          const bool own = i == j && role == first;
          if (!own && is_false_negative(batch[i], batch[j], role))
            all[i].insert(static_cast<int64_t>((role - first) * batch.size() + j));
        }
      }
    }
    return all;
  }

 private:
  bool is_false_negative(uint32_t row, uint32_t other, size_t role) const {
    const auto& own = rows_.texts[row];
    const std::string& text = rows_.texts[other][role];
    if (duplicates_) {
      if (text == own[0] || text == own[1]) return true;
      for (const auto& any : rows_.texts) {
        if ((any[0] == own[0] && any[1] == text) || (any[1] == own[1] && any[0] == text)) return true;
      }
      if (role < 2 && !rows_.ids.empty() && !rows_.ids[row].empty() && rows_.ids[row] == rows_.ids[other])
        return true;
    }
    if (similarity_ > 1) return false;
    for (int64_t mine : {0, 1}) {
      const double s =
          similarity_of(vectors_, data_.text(mine, row), data_.text(static_cast<int64_t>(role), other));
      EXPECT_GT(std::abs(s - similarity_), 1e-6) << "too close to call";
      if (s >= similarity_) return true;
    }
    return false;
  }

  const DataRows& rows_;
  const TrainData& data_;
  bool duplicates_;
  const std::vector<float>& vectors_;
  double similarity_;
};

Columns columns_of(const LeftOut& left_out, size_t rows) {
  Columns all(rows);
  EXPECT_EQ(left_out.offsets.size(), rows + 1);
  for (size_t i = 0; i < rows; ++i) {
    for (int64_t k = left_out.offsets[i]; k < left_out.offsets[i + 1]; ++k) {
      const int32_t column = left_out.index[static_cast<size_t>(k)];
      EXPECT_TRUE(k == left_out.offsets[i] || left_out.index[static_cast<size_t>(k) - 1] < column)
          << "rising, each once";
      all[i].insert(column);
    }
  }
  return all;
}

size_t count_of(const Columns& columns) {
  size_t count = 0;
  for (const auto& one : columns) count += one.size();
  return count;
}

// Batches of every size, in an order of their own; how much was left out of all.
size_t expect_as_judged(const DataRows& rows, bool duplicates, double similarity, bool all_directions) {
  const TrainData data = rows.data();
  const auto vectors = similarity > 1 ? std::vector<float>() : drawn_vectors(5, data.texts());
  const auto engine = compute::test_engine(2);
  FalseNegatives found(data, *engine, duplicates);
  if (similarity <= 1) found.use_vectors(vectors, kDim, similarity);
  const Judge judge(rows, data, duplicates, vectors, similarity);
  size_t count = 0;
  for (size_t size : {size_t{1}, size_t{2}, rows.texts.size() / 2, rows.texts.size()}) {
    std::vector<uint32_t> batch;
    for (uint32_t i = 0; i < size; ++i)
      batch.push_back(static_cast<uint32_t>((i * 7 + 3) % rows.texts.size()));
    const loss::FalseNegatives left_out = found.of(batch, all_directions);
    const Columns documents = judge.columns(batch, true), queries = judge.columns(batch, false);
    EXPECT_EQ(columns_of(left_out.documents, size), documents) << size << " rows";
    count += count_of(documents);
    if (!all_directions) {
      EXPECT_TRUE(left_out.queries.empty());
      continue;
    }
    EXPECT_EQ(columns_of(left_out.queries, size), queries) << size << " rows";
    count += count_of(queries);
  }
  return count;
}

// Rows are a multiple of no 7, so that batches have every row once.
TEST(FalseNegatives, of_equal_texts_and_ids_are_as_the_rules_say) {
  size_t left_out = 0;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(seed);
    const auto texts = static_cast<uint32_t>(5 + 9 * seed);
    left_out += expect_as_judged(drawn_rows(seed, 25, texts, seed % 3, seed % 2 == 0 ? 0 : 9), true, 2,
                                 seed % 4 != 0);
  }
  EXPECT_GT(left_out, 1000U);
}

// More texts belong to a row than stand in the batch: the other way of looking them up.
TEST(FalseNegatives, of_an_anchor_with_many_positives_are_as_the_rules_say) {
  DataRows rows;
  for (int i = 0; i < 40; ++i) rows.texts.push_back({i < 30 ? "hub" : cat("q ", i), cat("p ", i), "hub"});
  for (int i = 0; i < 12; ++i) rows.texts.push_back({cat("q ", i), "common", cat("p ", i)});
  EXPECT_GT(expect_as_judged(rows, true, 2, true), 500U);
}

TEST(FalseNegatives, by_similarity_are_as_the_rules_say_with_and_without_equal_texts) {
  const DataRows rows = drawn_rows(77, 18, 40, 1, 7);
  size_t before = 0;
  for (double similarity : {0.95, 0.7, 0.2, -0.5}) {
    SCOPED_TRACE(similarity);
    const size_t alone = expect_as_judged(rows, false, similarity, true);
    EXPECT_GT(alone, before);
    EXPECT_GE(expect_as_judged(rows, true, similarity, true), alone);
    before = alone;
  }
  EXPECT_GT(expect_as_judged(rows, true, 0.95, true), expect_as_judged(rows, false, 0.95, true));
}

TEST(FalseNegatives, of_rows_that_have_nothing_in_common_are_none) {
  DataRows rows;
  for (int i = 0; i < 10; ++i) rows.texts.push_back({cat("a ", i), cat("b ", i), cat("c ", i)});
  EXPECT_EQ(expect_as_judged(rows, true, 2, true), 0U);
}

TEST(FalseNegatives, a_rows_own_positive_counts_even_where_all_texts_are_one) {
  DataRows rows;
  rows.texts.assign(6, {"same", "same", "same"});
  rows.ids.assign(6, "1");
  const TrainData data = rows.data();
  const auto engine = compute::test_engine(1);
  FalseNegatives found(data, *engine, true);
  found.use_vectors(std::vector<float>(kDim, 0.5F), kDim, -0.9);
  const loss::FalseNegatives left_out = found.of(std::vector<uint32_t>{0, 1, 2, 3, 4, 5}, true);
  const Columns columns = columns_of(left_out.documents, 6);
  for (int64_t i = 0; i < 6; ++i) {
    EXPECT_FALSE(columns[static_cast<size_t>(i)].contains(i));
    EXPECT_EQ(columns[static_cast<size_t>(i)].size(), 11U);
  }
}

// Pairs that stand in both orders: what is an anchor here is a positive there.
TEST(FalseNegatives, two_texts_that_are_a_pair_somewhere_are_negatives_in_no_direction) {
  DataRows rows;
  rows.texts = {{"a", "b"}, {"b", "a"}, {"c", "d"}, {"a", "c"}};
  const TrainData data = rows.data();
  const auto engine = compute::test_engine(1);
  const FalseNegatives found(data, *engine, true);
  const loss::FalseNegatives left_out = found.of(std::vector<uint32_t>{0, 1, 2}, true);
  // Row 0 is of a and b; the columns are b, a, d and a, b, c, where c is another positive of a.
  EXPECT_EQ(columns_of(left_out.documents, 3)[0], (std::set<int64_t>{1}));
  EXPECT_EQ(columns_of(left_out.queries, 3)[0], (std::set<int64_t>{1, 2}));
  // Row 2 is of c and d, of which no anchor or positive is known but each other.
  EXPECT_EQ(columns_of(left_out.queries, 3)[2], (std::set<int64_t>{}));
}

TEST(FalseNegatives, rows_without_an_id_have_none_in_common) {
  DataRows rows;
  rows.texts = {{"a", "b"}, {"c", "d"}, {"e", "f"}, {"g", "h"}};
  rows.ids = {"", "7", "", "7"};
  EXPECT_EQ(rows.data().groups(), (std::vector<uint32_t>{0, 1, 2, 1}));
  EXPECT_EQ(expect_as_judged(rows, true, 2, false), 2U) << "the two rows of id 7";
}

// The first batch of a run whose loss is mnr, and the loss computed by hand from the vectors it has.
class FirstBatch {
 public:
  FirstBatch(const DataRows& rows, const std::string& loss_options, double mask_similarity = 2)
      : rows_(rows) {
    options_.steps = 1;
    options_.batch_size = static_cast<int64_t>(rows.texts.size());
    options_.dropout = 0;
    options_.shuffle = false;
    options_.loss = "mnr";
    options_.loss_options = loss_options;
    options_.mask_similarity = mask_similarity;
  }
  Trainer trainer() const {
    return {model::load_model(testing::kModels / "mean-gelu"), compute::test_engine(1),
            table_of(rows_.content(), "mnr"), nullptr, options_};
  }
  double loss() const { return trainer().step().loss; }
  double cosine(size_t a_role, size_t a, size_t b_role, size_t b) const {
    static_cast<void>(vectors());
    const float *x = at(a_role, a), *y = at(b_role, b);
    double xy = 0, xx = 0, yy = 0;
    for (int64_t i = 0; i < vectors_.dim; ++i) {
      xy += static_cast<double>(x[i]) * static_cast<double>(y[i]);
      xx += static_cast<double>(x[i]) * static_cast<double>(x[i]);
      yy += static_cast<double>(y[i]) * static_cast<double>(y[i]);
    }
    return xy / std::sqrt(xx * yy);
  }
  // Of queries with documents, but for the columns named.
  double by_hand(const Columns& left_out) const {
    double sum = 0;
    const size_t rows = rows_.texts.size();
    for (size_t i = 0; i < rows; ++i) {
      double total = 0;
      for (size_t c = 0; c < rows * (rows_.texts[0].size() - 1); ++c) {
        if (!left_out[i].contains(static_cast<int64_t>(c)))
          total += std::exp(20 * cosine(0, i, 1 + c / rows, c % rows));
      }
      sum += std::log(total) - 20 * cosine(0, i, 1, i);
    }
    return sum / static_cast<double>(rows);
  }

 private:
  const HostBatch& vectors() const {
    if (vectors_.rows == 0) {
      Trainer made = trainer();
      vectors_ = made.forward();
    }
    return vectors_;
  }
  const float* at(size_t role, size_t row) const {
    return vectors_.vectors.data() + (role * rows_.texts.size() + row) * static_cast<size_t>(vectors_.dim);
  }
  const DataRows& rows_;
  TrainOptions options_;
  mutable HostBatch vectors_;
};

TEST(Mask, duplicates_are_left_out_of_the_loss_unless_the_mask_is_none) {
  const DataRows rows = drawn_rows(3, 12, 14, 1, 0);
  std::vector<uint32_t> batch;
  for (uint32_t i = 0; i < 12; ++i) batch.push_back(i);
  const TrainData data = rows.data();
  const Columns known = Judge(rows, data, true, {}, 2).columns(batch, true);
  ASSERT_GT(count_of(known), 12U);
  const FirstBatch all(rows, "mask=none"), masked(rows, ""), named(rows, "mask=duplicates");
  const double every = all.by_hand(Columns(12)), without = masked.by_hand(known);
  EXPECT_GT(every, without + 0.1);
  EXPECT_NEAR(all.loss(), every, 1e-4);
  EXPECT_NEAR(masked.loss(), without, 1e-4);
  EXPECT_EQ(masked.loss(), named.loss());
}

// Before the first step the model's vectors are the base model's.
TEST(Mask, what_the_base_model_finds_alike_is_left_out_of_the_loss) {
  DataRows rows;
  const auto pairs = testing::pairs();
  for (size_t i = 0; i < 12; ++i)
    rows.texts.push_back({pairs.text("sentence1")[i], pairs.text("sentence2")[i]});
  const FirstBatch all(rows, "mask=none");
  std::vector<double> cosines;
  for (size_t i = 0; i < 12; ++i) {
    for (size_t j = 0; j < 12; ++j) {
      for (size_t own : {0, 1}) cosines.push_back(all.cosine(own, i, 1, j));
    }
  }
  // The widest gap in the middle third, so that no rounding decides.
  std::sort(cosines.begin(), cosines.end());
  size_t at = cosines.size() / 3;
  for (size_t k = at; k < 2 * cosines.size() / 3; ++k) {
    if (cosines[k + 1] - cosines[k] > cosines[at + 1] - cosines[at]) at = k;
  }
  ASSERT_GT(cosines[at + 1] - cosines[at], 1e-4);
  const double similarity = (cosines[at] + cosines[at + 1]) / 2;
  Columns alike(12);
  for (size_t i = 0; i < 12; ++i) {
    for (size_t j = 0; j < 12; ++j) {
      if (i != j && std::max(all.cosine(0, i, 1, j), all.cosine(1, i, 1, j)) >= similarity)
        alike[i].insert(static_cast<int64_t>(j));
    }
  }
  ASSERT_GT(count_of(alike), 20U);
  EXPECT_NEAR(FirstBatch(rows, "mask=none", similarity).loss(), all.by_hand(alike), 1e-4);
  EXPECT_GT(all.loss(), all.by_hand(alike) + 0.01);
}

}  // namespace
}  // namespace hone::train
