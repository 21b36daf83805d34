// Datasets from files and from pushed rows.
#include <cmath>
#include <limits>

#include "tests/base/temp_folder.h"
#include "tests/capi/rows.h"

namespace hone::testing {

namespace {

class Datasets : public ::testing::Test {
 protected:
  Failure not_read(hone_status status, const std::string& file, const Settings& settings = {}) {
    Dataset dataset;
    const Config config = make_config(settings);
    Failure failure = refused(status, [&](hone_error** error) {
      return hone_dataset_read(runtime, file.c_str(), config, dataset.place(), error);
    });
    EXPECT_EQ(dataset, nullptr);
    return failure;
  }
  Dataset create(const std::vector<const char*>& columns, const Settings& settings = {}) {
    return create_dataset(runtime, columns, settings);
  }
  Failure not_created(hone_status status, const std::vector<const char*>& columns,
                      const Settings& settings = {}) {
    Dataset dataset;
    const Config config = make_config(settings);
    Failure failure = refused(status, [&](hone_error** error) {
      return hone_dataset_create(runtime, columns.data(), columns.size(), config, dataset.place(), error);
    });
    EXPECT_EQ(dataset, nullptr);
    return failure;
  }

  Runtime runtime = make_runtime();
  TempFolder folder;
};

const std::vector<const char*> kPairColumns = {"sentence1", "sentence2", "score"};

TEST_F(Datasets, AFileIsRead) {
  const Dataset dataset = read_pairs(runtime);
  EXPECT_EQ(hone_dataset_size(dataset), 120);
  const auto info = info_of(dataset, 2);
  EXPECT_EQ(info["rows"], 120);
  EXPECT_NE(info["source"].get<std::string>().find("pairs.jsonl"), std::string::npos) << info;
  EXPECT_EQ(info["columns"]["sentence1"], (nlohmann::json{{"name", "sentence1"}, {"type", "text"}}));
  EXPECT_EQ(info["columns"]["score"], (nlohmann::json{{"name", "score"}, {"type", "number"}}));
  ASSERT_EQ(info["head"].size(), 2u);
  EXPECT_EQ(info["head"][1]["sentence1"], "The horse wants hot tea");
  EXPECT_EQ(info["head"][1]["score"], 0.6);
  EXPECT_EQ(info_of(dataset, 0)["head"].size(), 0u);
  EXPECT_EQ(info_of(dataset, SIZE_MAX)["head"].size(), 120u);
}

TEST_F(Datasets, WhatIsWrongInAFileIsNamedByFileLineAndColumn) {
  folder.write("bad.tsv", "sentence1\tsentence2\tscore\na\tb\t0.5\na\tb\thigh\n");
  const std::string message = not_read(HONE_EFAILED, folder / "bad.tsv").message();
  for (const char* part : {"bad.tsv:3", "score", "high"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
  EXPECT_NE(not_read(HONE_EFAILED, folder / "none.tsv").message().find("none.tsv"), std::string::npos);
}

TEST_F(Datasets, ColumnsOfAFileGetRolesByOption) {
  folder.write("other.csv", "first,second,rating\na,b,0.5\nc,d,1\n");
  not_read(HONE_EFAILED, folder / "other.csv");
  const Config config = make_config({{"data.columns", "sentence1=first,sentence2=second,score=rating"}});
  Dataset dataset;
  Failure failure;
  require(
      hone_dataset_read(runtime, (folder / "other.csv").c_str(), config, dataset.place(), failure.place()),
      failure);
  const auto info = info_of(dataset, 1);
  EXPECT_EQ(info["columns"]["sentence2"]["name"], "second");
  EXPECT_EQ(info["head"][0]["sentence2"], "b");
  const Failure unknown =
      not_read(HONE_EINVAL, folder / "other.csv", {{"data.columns", "sentence3=question"}});
  EXPECT_EQ(unknown.subject(), "data.columns");
  EXPECT_NE(unknown.message().find("sentence3"), std::string::npos) << unknown.message();
}

TEST_F(Datasets, RowsAreAdded) {
  const Dataset dataset = create(kPairColumns);
  EXPECT_EQ(hone_dataset_size(dataset), 0);
  std::string own = "one";
  ASSERT_EQ(add(dataset, {text_value(own), text_value("two"), number_value(0.25)}), HONE_OK);
  own = "XXX";  // it was copied
  ASSERT_EQ(add(dataset, {text_value(""), {{nullptr, 0}, 0}, number_value(-1)}), HONE_OK);
  ASSERT_EQ(add(dataset, {{{"a\0b", 3}, 0}, text_value("ä€😀"), number_value(1)}), HONE_OK);
  EXPECT_EQ(hone_dataset_size(dataset), 3);
  const auto head = info_of(dataset, 3)["head"];
  EXPECT_EQ(head[0], (nlohmann::json{{"sentence1", "one"}, {"sentence2", "two"}, {"score", 0.25}}));
  EXPECT_EQ(head[1], (nlohmann::json{{"sentence1", ""}, {"sentence2", ""}, {"score", -1}}));
  EXPECT_EQ(head[2]["sentence1"], std::string("a\0b", 3));
  EXPECT_EQ(head[2]["sentence2"], "ä€😀");
}

TEST_F(Datasets, TheOrderOfColumnsIsTheCallers) {
  const Dataset dataset = create({"label", "ignored", "sentence2", "sentence1"});
  ASSERT_EQ(add(dataset, {number_value(0.5), text_value("x"), text_value("two"), text_value("one")}),
            HONE_OK);
  const auto head = info_of(dataset, 1)["head"];
  EXPECT_EQ(head[0], (nlohmann::json{{"sentence1", "one"}, {"sentence2", "two"}, {"score", 0.5}}));
  const Dataset mapped = create({"rating", "answer", "question"},
                                {{"data.columns", "sentence1=question,sentence2=answer,score=rating"}});
  ASSERT_EQ(add(mapped, {number_value(0.5), text_value("two"), text_value("one")}), HONE_OK);
  EXPECT_EQ(info_of(mapped, 1)["head"], head);
}

TEST_F(Datasets, AMissingColumnIsNamed) {
  const std::string all = not_created(HONE_EFORMAT, {"sentence1", "score"}).message();
  for (const char* part : {"sentence1", "sentence2", "anchor", "positive", "text", "vector", "data.columns"})
    EXPECT_NE(all.find(part), std::string::npos) << all;
  const auto missing = [&](const std::vector<const char*>& columns, const Settings& settings,
                           const char* column) {
    const std::string message = not_created(HONE_EFORMAT, columns, settings).message();
    EXPECT_NE(message.find('"' + std::string(column) + '"'), std::string::npos) << message;
  };
  missing({"sentence1", "sentence2"}, {{"train.loss", "cosine"}}, "score");
  missing({"anchor", "positive", "score"}, {{"train.loss", "triplet"}}, "negative");
  missing({"sentence1", "sentence2"}, {{"eval.task", "sts"}}, "score");
  missing({"anchor", "positive"}, {{"train.loss", "cosine"}, {"eval.task", "sts"}}, "sentence1");
  not_created(HONE_EFORMAT, {"sentence1", "sentence2", "score"}, {{"data.columns", "sentence1=question"}});
  EXPECT_EQ(not_created(HONE_EINVAL, kPairColumns, {{"data.columns", "sentence1"}}).subject(),
            "data.columns");
}

TEST_F(Datasets, ARowThatIsRefusedIsNamedAndNotAdded) {
  const Dataset dataset = create(kPairColumns);
  ASSERT_EQ(add(dataset, {text_value("one"), text_value("two"), number_value(0.25)}), HONE_OK);
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<std::vector<hone_value>, const char*>> broken = {
      {{text_value("one"), text_value("a\xff"), number_value(0.5)}, "sentence2"},
      {{text_value("\xed\xa0\x80"), text_value("two"), number_value(0.5)}, "sentence1"},
      {{text_value("\xc0\xaf"), text_value("two"), number_value(0.5)}, "sentence1"},
      {{text_value("one"), text_value("two"), number_value(std::nan(""))}, "score"},
      {{text_value("one"), text_value("two"), number_value(infinity)}, "score"},
      {{text_value("one"), text_value("two"), number_value(-infinity)}, "score"}};
  for (const auto& [row, column] : broken) {
    const Failure failure =
        refused(HONE_EFORMAT, [&, &row = row](hone_error** error) { return add(dataset, row, error); });
    EXPECT_EQ(failure.row(), 1);
    EXPECT_NE(failure.message().find(column), std::string::npos) << failure.message();
    EXPECT_EQ(hone_dataset_size(dataset), 1);
  }
  ASSERT_EQ(add(dataset, {text_value("three"), text_value("four"), number_value(0.5)}), HONE_OK);
  const auto head = info_of(dataset, 9)["head"];
  ASSERT_EQ(head.size(), 2u);
  EXPECT_EQ(head[1], (nlohmann::json{{"sentence1", "three"}, {"sentence2", "four"}, {"score", 0.5}}));
}

TEST_F(Datasets, OnceUsedNothingIsAdded) {
  const Model model = load_model(runtime);
  const std::vector<hone_value> row = {text_value("one"), text_value("two"), number_value(0.5)};
  const auto filled = [&] {
    Dataset dataset = create(kPairColumns);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(add(dataset, row), HONE_OK);
    return dataset;
  };
  const auto expect_busy = [&](hone_dataset* dataset) {
    EXPECT_EQ(refused(HONE_EBUSY, [&, &row = row](hone_error** error) { return add(dataset, row, error); })
                  .subject(),
              "dataset");
    EXPECT_EQ(hone_dataset_size(dataset), 3);
  };
  const Dataset trained = filled(), judged = filled(), evaluated = filled();
  Trainer trainer = make_trainer(model, trained, judged, {});
  expect_busy(trained);
  expect_busy(judged);
  trainer.reset();
  expect_busy(trained);
  Buffer scores;
  ASSERT_EQ(hone_model_evaluate(model, evaluated, nullptr, scores.place(), nullptr), HONE_OK);
  expect_busy(evaluated);
}

TEST_F(Datasets, WhatWasReadTakesNoRows) {
  const Dataset dataset = read_pairs(runtime);
  const std::vector<hone_value> row = {text_value("one"), text_value("two"), number_value(0.5)};
  Failure failure;
  const hone_status status = add(dataset, row, failure.place());
  EXPECT_TRUE(status == HONE_EINVAL || status == HONE_EBUSY) << status;
  EXPECT_EQ(failure.subject(), "dataset");
  EXPECT_EQ(hone_dataset_size(dataset), 120);
}

TEST_F(Datasets, ALabelThatCannotBeIsNamedByItsRow) {
  const Model model = load_model(runtime);
  const Dataset dataset = create(kPairColumns);
  for (const double label : {0.5, 0.75, 1.5}) {
    ASSERT_EQ(add(dataset, {text_value("one"), text_value("two"), number_value(label)}), HONE_OK);
  }
  const Config config = make_config({{"train.label_scale", 1.0}});
  Trainer trainer;
  const Failure failure = refused(HONE_EFORMAT, [&](hone_error** error) {
    return hone_trainer_create(model, dataset, nullptr, config, trainer.place(), error);
  });
  EXPECT_EQ(failure.row(), 2);
  EXPECT_NE(failure.message().find("1.5"), std::string::npos) << failure.message();
}

TEST_F(Datasets, LabelsOfNoUsualScaleAskForTheOption) {
  const Model model = load_model(runtime);
  const Dataset fine = read_pairs(runtime), dataset = create(kPairColumns);
  for (const double label : {0., 9., 3.}) {
    ASSERT_EQ(add(dataset, {text_value("one"), text_value("two"), number_value(label)}), HONE_OK);
  }
  Trainer trainer;
  const Failure failure = refused(HONE_EFORMAT, [&](hone_error** error) {
    return hone_trainer_create(model, dataset, nullptr, nullptr, trainer.place(), error);
  });
  EXPECT_NE(failure.message().find("train.label_scale"), std::string::npos) << failure.message();
  // Those of an evaluation may have any scale: only their order counts.
  EXPECT_EQ(hone_trainer_create(model, fine, dataset, nullptr, trainer.place(), nullptr), HONE_OK);
}

TEST_F(Datasets, PushedRowsTrainAsAFileDoes) {
  const Model model = load_model(runtime);
  const Dataset file = read_pairs(runtime), pushed = create(kPairColumns);
  const auto info = info_of(file, SIZE_MAX);
  for (const auto& row : info["head"]) {
    const std::string a = row["sentence1"], b = row["sentence2"];
    ASSERT_EQ(add(pushed, {text_value(a), text_value(b), number_value(row["score"])}), HONE_OK);
  }
  const auto trained = [&](hone_dataset* dataset) {
    const Trainer trainer = make_trainer(model, dataset, nullptr, small_settings());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(hone_trainer_step(trainer, nullptr, nullptr), HONE_OK);
    Model tuned;
    EXPECT_EQ(hone_trainer_model(trainer, tuned.place(), nullptr), HONE_OK);
    return encode(tuned, kTexts);
  };
  EXPECT_EQ(trained(file), trained(pushed));
}

}  // namespace

}  // namespace hone::testing
