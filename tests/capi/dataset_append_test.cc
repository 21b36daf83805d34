// Several datasets as one.
#include <thread>

#include "tests/base/temp_folder.h"
#include "tests/capi/rows.h"
#include "tests/capi/steps.h"
#include "tests/places.h"

namespace hone::testing {

namespace {

constexpr const char* kHeader = "sentence1\tsentence2\tscore\n";
constexpr const char *kFirst = "A man\tThe horse\t0.25\nTwo people\tMy mother\t1\n",
                     *kSecond = "A black cat\ttea\t0\n";

class Append : public Jobs {
 protected:
  Append() {
    folder.write("a.tsv", kHeader + std::string(kFirst));
    folder.write("b.tsv", kHeader + std::string(kSecond));
  }
  Dataset read(const std::string& name, const Settings& settings = {}) const {
    Dataset made;
    Failure failure;
    require(hone_dataset_read(runtime, (folder / name).c_str(), make_config(settings), made.place(),
                              failure.place()),
            failure);
    return made;
  }
  static void append(hone_dataset* to, const hone_dataset* other) {
    Failure failure;
    require(hone_dataset_append(to, other, failure.place()), failure);
  }
  // Refused, and neither of the two is changed.
  static Failure not_appended(hone_status status, hone_dataset* to, const hone_dataset* other) {
    const auto before = info_of(to), other_before = info_of(other);
    Failure failure = refused(status, [&](auto e) { return hone_dataset_append(to, other, e); });
    EXPECT_EQ(info_of(to), before);
    EXPECT_EQ(info_of(other), other_before);
    return failure;
  }
  // By steps alone: what is made of the rows, in their order.
  std::string trained_on(hone_dataset* rows) const {
    const Trainer trainer = make_trainer(model, rows, nullptr, small_settings({{"train.batch_size", 2}}));
    for (int i = 0; i < 3; ++i) step(trainer);
    return weights_of(model_of(trainer));
  }
  TempFolder folder;
};

// A trainer refuses them, by name; a scale that is given serves all.
TEST_F(Append, LabelsOnDifferentScalesAreNotTrainedOn) {
  folder.write("five.tsv", kHeader + std::string("A black cat\ttea\t5\n"));
  const Dataset first = read("a.tsv"), five = read("five.tsv");
  append(first, five);
  Failure failure = refused(HONE_EFORMAT, [&](auto e) {
    Trainer trainer;
    return hone_trainer_create(model, first, nullptr, nullptr, trainer.place(), e);
  });
  EXPECT_EQ(failure.subject(), "dataset");
  for (const std::string& part :
       {(folder / "a.tsv").string() + ": column \"score\": found values from 0.25 to 1",
        (folder / "five.tsv").string() + ": column \"score\" values from 5 to 5"})
    EXPECT_NE(failure.message().find(part), std::string::npos) << failure.message();
  const Dataset again = read("a.tsv");
  append(again, five);
  make_trainer(model, again, nullptr, {{"train.label_scale", 5.0}});
}

TEST_F(Append, TwoFilesAreAsOne) {
  const Dataset first = read("a.tsv"), second = read("b.tsv");
  const auto before = info_of(second);
  append(first, second);
  EXPECT_EQ(hone_dataset_size(first), 3);
  EXPECT_EQ(info_of(second), before);
  folder.write("both.tsv", kHeader + std::string(kFirst) + kSecond);
  const Dataset whole = read("both.tsv");
  const auto found = info_of(first), expected = info_of(whole);
  EXPECT_EQ(found["head"], expected["head"]);
  EXPECT_EQ(found["columns"], expected["columns"]);
  EXPECT_EQ(found["source"], (folder / "a.tsv").string() + " and " + (folder / "b.tsv").string());
  EXPECT_EQ(trained_on(first), trained_on(whole));
  append(second, first);  // which was used
  EXPECT_EQ(hone_dataset_size(second), 4);
  EXPECT_EQ(info_of(second)["source"], "3 files (" + (folder / "b.tsv").string() + ", ...)");
}

TEST_F(Append, ColumnsMayHaveOtherNames) {
  folder.write("c.jsonl", R"({"grade": 0.5, "left": "one", "right": "two"})");
  const Dataset first = read("a.tsv"),
                other = read("c.jsonl", {{"data.columns", "sentence1=left,sentence2=right,score=grade"}});
  append(first, other);
  const auto info = info_of(first);
  EXPECT_EQ(info["head"][2], (nlohmann::json{{"sentence1", "one"}, {"sentence2", "two"}, {"score", 0.5}}));
  EXPECT_EQ(info["columns"]["score"]["name"], "score");
}

TEST_F(Append, RowsOfTheHostsGoWithAFileAndAreCompleteThen) {
  const std::vector<const char*> columns = {"score", "sentence2", "sentence1"};
  const Row row = {number_value(0.5), text_value("b"), text_value("a")};
  Dataset host = dataset_of(runtime, columns, {row}), other = dataset_of(runtime, columns, {row, row});
  append(host, read("a.tsv"));
  append(host, other);
  EXPECT_EQ(hone_dataset_size(host), 5);
  for (hone_dataset* complete : {static_cast<hone_dataset*>(host), static_cast<hone_dataset*>(other)}) {
    const auto before = hone_dataset_size(complete);
    EXPECT_EQ(refused(HONE_EBUSY, [&](auto e) { return add(complete, row, e); }).subject(), "dataset");
    EXPECT_EQ(hone_dataset_size(complete), before);
  }
  other.reset();
  EXPECT_EQ(info_of(host)["head"][4]["sentence1"], "a");
}

TEST_F(Append, ItselfIsThereTwice) {
  const Dataset rows = read("a.tsv");
  append(rows, rows);
  append(rows, rows);
  const auto head = info_of(rows)["head"];
  ASSERT_EQ(head.size(), 8u);
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(head[i], head[i % 2]);
  EXPECT_FALSE(trained_on(rows).empty());
}

TEST_F(Append, OtherColumnsAreNamed) {
  folder.write("pairs.tsv", "anchor\tpositive\none\ttwo\n");
  const Dataset rows = read("a.tsv"), pairs = read("pairs.tsv");
  for (const auto& [to, other] : {std::pair<hone_dataset*, hone_dataset*>{rows, pairs}, {pairs, rows}}) {
    const Failure failure = not_appended(HONE_EFORMAT, to, other);
    EXPECT_EQ(failure.subject(), "other");
    for (const char* part : {"a.tsv", "pairs.tsv", "\"score\" (number)", "\"anchor\" (text)"})
      EXPECT_NE(failure.message().find(part), std::string::npos) << failure.message();
  }
  const std::vector<float> two = {1, 2}, three = {1, 2, 3};
  const Dataset narrow = dataset_of(runtime, {"text", "vector"}, {{text_value("a"), vector_value(two)}}),
                wide = dataset_of(runtime, {"text", "vector"}, {{text_value("a"), vector_value(three)}});
  const Failure failure = not_appended(HONE_EFORMAT, narrow, wide);
  EXPECT_EQ(failure.subject(), "other");
  EXPECT_NE(failure.message().find("found vectors of 3 numbers, expected 2"), std::string::npos)
      << failure.message();
}

TEST_F(Append, ARowIsNamedByTheFileItCameFrom) {
  folder.write("c.tsv", kHeader + std::string("one\ttwo\t0\none\ttwo\t0.5\n"));
  folder.write("d.tsv", kHeader + std::string("one\ttwo\t1\n"));
  const Dataset rows = read("d.tsv");
  append(rows, read("c.tsv"));
  Buffer none;
  const Failure failure = refused(HONE_EFORMAT, [&](hone_error** error) {
    return hone_model_evaluate(model, rows, make_config({{"eval.task", "binary"}}), none.place(), error);
  });
  EXPECT_EQ(failure.row(), 2);
  EXPECT_NE(failure.message().find("c.tsv:3: "), std::string::npos) << failure.message();
}

// A trainer's rows are those that it was made with.
TEST_F(Append, WhatIsInUseGrowsNoMore) {
  const Dataset rows = read("a.tsv"), scored = read("a.tsv"), dev = read("a.tsv"), more = read("b.tsv");
  const Trainer trainer = make_trainer(model, rows, dev, small_settings());
  Buffer scores;
  ASSERT_EQ(hone_model_evaluate(model, scored, nullptr, scores.place(), nullptr), HONE_OK);
  for (const auto* used : {&rows, &scored, &dev}) {
    EXPECT_EQ(not_appended(HONE_EBUSY, *used, more).subject(), "dataset");
    EXPECT_EQ(refused(HONE_EBUSY, [&](auto e) { return hone_dataset_append(*used, *used, e); }).subject(),
              "dataset");
  }
  EXPECT_EQ(step(trainer).steps_done, 1u);
  append(more, rows);
  EXPECT_EQ(hone_dataset_size(more), 3);
}

TEST_F(Append, NothingAndACorpusAreNoRows) {
  const Dataset rows = read("a.tsv"), empty = create_dataset(runtime, {"sentence1", "sentence2", "score"});
  EXPECT_EQ(not_appended(HONE_EINVAL, rows, empty).subject(), "other");
  EXPECT_EQ(not_appended(HONE_EINVAL, empty, rows).subject(), "dataset");
  EXPECT_EQ(not_appended(HONE_EINVAL, empty, empty).subject(), "other");
  EXPECT_EQ(add(empty, {text_value("a"), text_value("b"), number_value(1)}), HONE_OK)
      << "it may get rows yet";
  append(rows, empty);
  const std::string beir = std::string(testing::kFixtures) + "/evaluators/beir/";
  Dataset corpus;
  Failure failure;
  require(
      hone_dataset_read_retrieval(runtime, (beir + "corpus.jsonl").c_str(), (beir + "queries.jsonl").c_str(),
                                  (beir + "qrels/test.tsv").c_str(), corpus.place(), failure.place()),
      failure);
  EXPECT_EQ(not_appended(HONE_EFORMAT, rows, corpus).subject(), "other");
  EXPECT_EQ(not_appended(HONE_EFORMAT, corpus, rows).subject(), "dataset");
}

TEST_F(Append, TwoThreadsMayAppendToEachOther) {
  const Dataset first = read("a.tsv"), second = read("b.tsv");
  std::thread there([&] {
    for (int i = 0; i < 3; ++i) append(first, second);
  });
  for (int i = 0; i < 3; ++i) append(second, first);
  there.join();
  EXPECT_GE(hone_dataset_size(first), 2 + 3 * 1);
  EXPECT_GE(hone_dataset_size(second), 1 + 3 * 2);
}

}  // namespace

}  // namespace hone::testing
