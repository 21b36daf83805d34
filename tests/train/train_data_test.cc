// Rows of a run: roles, labels of each kind, equal texts.
#include "train/train_data.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/train/small_run.h"
#include "train/data_roles.h"

namespace hone::train {
namespace {

using testing::message_of;

class Data : public ::testing::Test {
 protected:
  data::Table table(const std::string& content, const std::string& loss, const std::string& columns = "",
                    const std::string& file = "x.tsv") {
    std::map<std::string, std::string> named;
    if (!columns.empty()) named = data::parse_columns(columns, all_roles());
    const auto names = data::parse_column_names(content, file);
    const loss::LossInfo& info = loss.empty() ? loss_for(names, named, file) : loss::find_loss(loss);
    chosen = info.name;
    return data::parse_table(content, file, roles_of(info, names, named));
  }
  TrainData read(const std::string& content, const std::string& loss, double scale = 0,
                 const std::string& columns = "", const std::string& file = "x.tsv") {
    data::Table rows = table(content, loss, columns, file);
    return {std::move(rows), loss::find_loss(chosen), scale, *model, *engine};
  }
  std::string refusal(const std::string& content, const std::string& loss, double scale = 0) {
    return message_of([&] { read(content, loss, scale); });
  }
  std::shared_ptr<const model::SentenceModel> model = model::load_model(testing::kModels / "mean-gelu");
  std::shared_ptr<compute::Engine> engine = compute::test_engine(1);
  std::string chosen;
};

TEST_F(Data, the_loss_is_chosen_from_the_columns) {
  const std::pair<const char*, const char*> cases[] = {
      {"sentence1\tsentence2\tscore\na\tb\t1\n", "cosine"},
      {"label\tsentence2\tsentence1\n1\ta\tb\n", "cosine"},
      {"sentence1\tsentence2\na\tb\n", "mnr"},
      {"positive\tanchor\na\tb\n", "mnr"},
      {"question\tanswer\tx\na\tb\tc\n", "mnr"},
      {"query\tpassage\tnegative_3\na\tb\tc\n", "mnr"},
      {"anchor\tpositive\tnegative\tscore\na\tb\tc\t1\n", "margin-mse"},
      {"text\tvector\na\t1 2\n", "mse"}};
  for (const auto& [content, loss] : cases) {
    table(content, "");
    EXPECT_EQ(chosen, loss) << content;
  }
  table("q\ta\nx\ty\n", "", "anchor=q,positive=a");
  EXPECT_EQ(chosen, "mnr");
  EXPECT_EQ(
      refusal("foo\tbar\na\tb\n", ""),
      "x.tsv: the columns are \"foo\", \"bar\"; to train on, expected sentence1, sentence2 and score; "
      "anchor and positive; or text and vector (--columns ROLE=NAME names others, hone losses lists all)");
}

TEST_F(Data, roles_come_in_the_order_of_the_loss) {
  const TrainData d = read("negative_2\tpositive\tanchor\tnegative\nd\tb\ta\tc\n", "mnr");
  EXPECT_EQ(d.role_names(), (std::vector<std::string>{"anchor", "positive", "negative", "negative_2"}));
  EXPECT_EQ(d.roles(), 4);
  EXPECT_EQ(d.label_width(), 0);
}

TEST_F(Data, columns_that_a_loss_does_not_need_are_not_read) {
  EXPECT_EQ(read("anchor\tpositive\tlabel\na\tb\tentailment\n", "mnr").rows(), 1);
  EXPECT_EQ(refusal("sentence1\tsentence2\tlabel\na\tb\tentailment\n", "cosine"),
            "x.tsv:2: column \"label\": found \"entailment\", expected a finite number");
}

TEST_F(Data, missing_columns_are_named) {
  EXPECT_EQ(refusal("anchor\tpositive\na\tb\n", "triplet"),
            "x.tsv:1: no column \"negative\", the columns are \"anchor\", \"positive\" (--columns "
            "negative=NAME names "
            "another)");
  const data::Table pairs = table("anchor\tpositive\na\tb\n", "mnr");
  EXPECT_EQ(message_of([&] { text_roles(loss::find_loss("triplet"), pairs); }),
            "x.tsv: the loss triplet needs anchor, positive, negative, and no negative was found; the texts "
            "here are "
            "anchor, positive (--columns ROLE=NAME names another column)");
  EXPECT_NE(message_of([&] { text_roles(loss::find_loss("kl"), pairs); }).find("no negative was found"),
            std::string::npos);
}

TEST_F(Data, equal_texts_are_one) {
  const TrainData d = read("anchor\tpositive\na\tb\nb\ta\na\tc\n", "mnr");
  EXPECT_EQ(d.texts(), 3U);
  EXPECT_EQ(d.text(0, 0), d.text(1, 1));
  EXPECT_EQ(d.text(1, 0), d.text(0, 1));
  EXPECT_NE(d.text(1, 2), d.text(1, 0));
  EXPECT_EQ(d.text(0, 0), d.text(0, 2));
  EXPECT_EQ(d.ids().size(), 3U) << "kept once";
}

std::string scored(const std::vector<double>& scores, const std::string& column = "score") {
  std::string content = "sentence1\tsentence2\t" + column + "\n";
  for (double s : scores) content += cat("a\tb\t", s, "\n");
  return content;
}

TEST_F(Data, the_scale_of_similarities_is_read_off_them) {
  EXPECT_EQ(read(scored({0, 0.5, 1}), "cosine").label_scale(), 1);
  EXPECT_EQ(read(scored({-1, 1}), "cosine").label_scale(), 1);
  EXPECT_EQ(read(scored({0, 3.2, 5}), "cosine").label_scale(), 5);
  EXPECT_EQ(read(scored({2, 3}), "cosine").label_scale(), 5);
  EXPECT_EQ(read(scored({0, 100}), "cosine", 100).labels(1)[0], 1);
  for (auto scores : {std::vector<double>{0, 100}, {-2, 3}, {-0.5, 5}})
    EXPECT_NE(refusal(scored(scores), "cosine").find("--label-scale"), std::string::npos);
  for (const std::string column : {"score", "label"}) {
    EXPECT_EQ(refusal(scored({0, 100}, column), "cosine"),
              cat("x.tsv: column \"", column,
                  "\": found values from 0 to 100, expected -1 to 1 or 0 to 5 (--label-scale X divides by "
                  "another X)"));
    EXPECT_EQ(
        refusal(scored({0, 5, 5.5}, column), "cosine", 5),
        cat("x.tsv:4: column \"", column, "\": found 5.5, expected -5 to 5, as labels are divided by 5"));
  }
  // Only their order counts: any scale will do.
  EXPECT_EQ(read(scored({0, 100}), "cosent").label_scale(), 1);
}

// A cosine that was computed in float32 may be a little more than 1: no other scale.
TEST_F(Data, rounding_decides_no_scale_and_refuses_no_row) {
  const TrainData cosines = read(scored({1.0000001, 0.9312, 0.1033}), "cosine");
  EXPECT_EQ(cosines.label_scale(), 1);
  EXPECT_EQ(cosines.labels(0)[0], 1.0000001F);
  EXPECT_EQ(cosines.labels(1)[0], 0.9312F);
  EXPECT_EQ(read(scored({-1.0000001, 0.5}), "cosine").label_scale(), 1);
  EXPECT_EQ(read(scored({5.0000001, 2}), "cosine").label_scale(), 5);
  EXPECT_EQ(read(scored({-0.0000001, 4}), "cosine").label_scale(), 5);
  EXPECT_EQ(read(scored({1.0000001}), "cosine", 1).labels(0)[0], 1.0000001F);
  EXPECT_EQ(read(scored({1.001, 0.5}), "cosine").label_scale(), 5);
  EXPECT_NE(refusal(scored({1.001, 0.5}), "cosine", 1).find("found 1.001, expected -1 to 1"),
            std::string::npos);
  EXPECT_NE(refusal(scored({-1.001, 0.5}), "cosine").find("--label-scale"), std::string::npos);
  EXPECT_NE(refusal(scored({5.001, 0.5}), "cosine").find("--label-scale"), std::string::npos);
}

// Rows of 0 to 1 beside rows of 0 to 5: which scale the first are on cannot be read off them.
TEST_F(Data, files_on_different_scales_are_refused_by_name) {
  const auto both = [&](std::vector<std::vector<double>> files, double scale = 0) {
    std::optional<data::Table> all;
    int number = 0;
    for (const auto& scores : files) {
      ++number;
      data::Table one =
          table(scored(scores, number == 2 ? "label" : "score"), "cosine", "", cat(number, ".tsv"));
      if (all) {
        all->append(std::move(one));
      } else {
        all = std::move(one);
      }
    }
    return TrainData(std::move(*all), loss::find_loss("cosine"), scale, *model, *engine);
  };
  EXPECT_EQ(both({{0, 1}, {0, 0.5}, {-1, 0}}).label_scale(), 1);
  EXPECT_EQ(both({{0, 2}, {0, 5}}).label_scale(), 5);
  EXPECT_EQ(both({{0, 1.0000001}, {0, 0.5}}).label_scale(), 1);
  EXPECT_EQ(
      message_of([&] {
        both({{0, 1}, {0, 5}, {0, 1}});
      }),
      "1.tsv: column \"score\": found values from 0 to 1, and in 2.tsv: column \"label\" values from 0 to 5, "
      "expected one scale (--label-scale X divides all labels by X)");
  EXPECT_NE(message_of([&] {
              both({{0, 5}, {0, 4}, {0, 1}});
            }).find("3.tsv: column \"score\" values from 0 to 1"),
            std::string::npos);
  EXPECT_EQ(message_of([&] {
              both({{0, 1}, {0, 100}});
            }).find("2.tsv: column \"label\": found values from 0 to 100"),
            0U);
  const TrainData told = both({{0, 1}, {0, 5}}, 5);
  EXPECT_EQ(told.labels(1)[0], 0.2F);
  EXPECT_EQ(told.labels(3)[0], 1.F);
}

TEST_F(Data, an_id_may_be_missing) {
  const TrainData d = read(R"({"anchor": "a", "positive": "b", "t": 7}
{"anchor": "c", "positive": "d"}
{"anchor": "e", "positive": "f", "t": null}
{"anchor": "g", "positive": "h", "t": "7"})",
                           "mnr", 0, "id=t", "x.jsonl");
  EXPECT_EQ(d.groups(), (std::vector<uint32_t>{0, 1, 2, 0}));
}

TEST_F(Data, wrong_labels_are_named_by_row) {
  for (const char* loss : {"contrastive", "online-contrastive"}) {
    EXPECT_EQ(read(scored({0, 1}), loss).labels(1)[0], 1);
    EXPECT_EQ(refusal(scored({0, 1, 0.5}), loss), "x.tsv:4: column \"score\": found 0.5, expected 0 or 1");
  }
  EXPECT_EQ(read(scored({0, 2}), "softmax").labels(1)[0], 2);
  for (double wrong : {-1.0, 1.5, 100000.0}) {
    EXPECT_EQ(refusal(scored({0, wrong}), "softmax"), cat("x.tsv:3: column \"score\": found ", wrong,
                                                          ", expected the number of a class: 0 to 99999"));
  }
}

TEST_F(Data, teachers_scores_are_as_many_as_documents) {
  const std::string head = "anchor\tpositive\tnegative\tnegative_1\tscores\na\tb\tc\td\t";
  EXPECT_EQ(read(head + "1 2 3\n", "margin-mse").label_width(), 3);
  EXPECT_EQ(read(head + "1 2\n", "margin-mse").label_width(), 2);
  EXPECT_EQ(refusal(head + "1\n", "margin-mse"),
            "x.tsv:2: column \"scores\": found 1 scores, expected 3, one for each document, or 2, one for "
            "each negative");
  EXPECT_EQ(refusal(head + "1 2\n", "kl"),
            "x.tsv:2: column \"scores\": found 2 scores, expected 3, one for each document");
  EXPECT_EQ(read("text\tvector\na\t1 2 3\n", "mse").label_width(), 3);
}

TEST_F(Data, rows_of_several_files_are_named_by_their_own) {
  data::Table all = table("sentence1\tsentence2\tscore\na\tb\t1\n", "contrastive");
  all.append(table("sentence1\tsentence2\tscore\na\tb\t0\na\tb\t7\n", "contrastive", "", "y.tsv"));
  EXPECT_EQ(message_of([&] { TrainData(all, loss::find_loss("contrastive"), 0, *model, *engine); }),
            "y.tsv:3: column \"score\": found 7, expected 0 or 1");
}

TEST_F(Data, ids_are_read_where_columns_names_them) {
  const std::string content = "anchor\tpositive\tid\na\tb\t7\nc\td\t8\ne\tf\t7\n";
  EXPECT_TRUE(read(content, "mnr").groups().empty());
  EXPECT_EQ(read(content, "mnr", 0, "id=id").groups(), (std::vector<uint32_t>{0, 1, 0}));
}

// Rows that others use, too: nothing of them is moved, and what is made of them is the same.
TEST_F(Data, rows_that_are_only_read_stay_as_they_are) {
  for (const auto& [content, loss] :
       {std::pair{"sentence1\tsentence2\tscore\na\tb\t1\nc\ta\t0.5\n", "cosine"},
        {"text\tvector\na\t1 2\nb\t3 4\n", "mse"},
        {"anchor\tpositive\tnegative\tscore\na\tb\tc\t1\n", "margin-mse"}}) {
    SCOPED_TRACE(loss);
    const data::Table rows = table(content, loss);
    const data::Table before = rows;
    SharedRows read_only(rows);
    const TrainData shared(read_only, loss::find_loss(loss), 0, *model, *engine);
    const TrainData own(rows, loss::find_loss(loss), 0, *model, *engine);
    EXPECT_EQ(rows.texts, before.texts);
    EXPECT_EQ(rows.numbers, before.numbers);
    for (const auto& [role, vectors] : before.vectors)
      EXPECT_EQ(rows.vectors.at(role).values, vectors.values);
    ASSERT_EQ(shared.rows(), own.rows());
    ASSERT_EQ(shared.ids().size(), own.ids().size());
    std::vector<int32_t> scratch, other;
    for (size_t i = 0; i < own.ids().size(); ++i) {
      const auto found = shared.ids().read(i, scratch), expected = own.ids().read(i, other);
      EXPECT_TRUE(std::equal(found.begin(), found.end(), expected.begin(), expected.end())) << i;
    }
    EXPECT_EQ(shared.bytes(), own.bytes());
    EXPECT_EQ(shared.table().where(0, shared.role_names()[0]), rows.where(0, shared.role_names()[0]));
    EXPECT_EQ(shared.table().content_hash, rows.content_hash);
    for (uint32_t row = 0; row < own.rows(); ++row) {
      for (int64_t k = 0; k < own.label_width(); ++k) EXPECT_EQ(shared.labels(row)[k], own.labels(row)[k]);
    }
    EXPECT_TRUE(shared.table().texts.empty() && own.table().texts.empty());
  }
}

}  // namespace
}  // namespace hone::train
