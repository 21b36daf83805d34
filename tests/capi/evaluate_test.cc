// Evaluation through the interface: scores of every task are the reference's, and the verdict of a job is
// what evaluating both models gives.
#include <cmath>

#include <nlohmann/json.hpp>

#include "tests/capi/rows.h"
#include "tests/capi/steps.h"
#include "tests/eval/fixture.h"
#include "tests/places.h"

namespace hone::testing {

namespace {

using nlohmann::json;

const std::filesystem::path kSets = std::filesystem::path(testing::kFixtures) / "evaluators";

Dataset read(hone_runtime* runtime, const std::filesystem::path& file, const Settings& settings) {
  Dataset dataset;
  Failure failure;
  require(hone_dataset_read(runtime, file.c_str(), make_config(settings), dataset.place(), failure.place()),
          failure);
  return dataset;
}

json scores_of(const hone_model* model, const hone_dataset* dataset, const Settings& settings) {
  Buffer buffer;
  Failure failure;
  require(hone_model_evaluate(model, dataset, make_config(settings), buffer.place(), failure.place()),
          failure);
  return json::parse(text_of(buffer));
}

struct Task {
  const char *name, *unit, *primary;
  std::filesystem::path file;
  Settings settings = {};
};

const std::vector<Task>& tasks() {
  static const std::vector<Task> all = {
      {"sts", "pairs", "spearman_cosine", kPairsFile, {{"eval.task", "sts"}}},
      {"binary", "pairs", "cosine_ap", kSets / "binary.jsonl", {{"eval.task", "binary"}}},
      {"triplet", "triplets", "cosine_accuracy", kSets / "triplet.jsonl", {{"eval.task", "triplet"}}},
      {"mse", "texts", "negative_mse", kSets / "mse.jsonl", {{"eval.task", "mse"}}}};
  return all;
}

class Evaluate : public Jobs {
 protected:
  Dataset corpus_with_queries() {
    Dataset made;
    Failure failure;
    require(hone_dataset_read_retrieval(runtime, corpus.c_str(), queries.c_str(), qrels.c_str(), made.place(),
                                        failure.place()),
            failure);
    return made;
  }
  const std::string corpus = kSets / "beir" / "corpus.jsonl", queries = kSets / "beir" / "queries.jsonl",
                    qrels = kSets / "beir" / "qrels" / "test.tsv";
};

// The vectors of both differ by rounding, 1e-6; a score that is a share of rows is the same or moves by one
// of them.
void expect_reference(const json& scores, const json& expected) {
  size_t compared = 0;
  for (const auto& [name, value] : expected.items()) {
    if (name == "found") continue;
    ASSERT_TRUE(scores.contains(name)) << name;
    ++compared;
    if (value.is_null()) {
      EXPECT_TRUE(scores[name].is_null()) << name;
    } else {
      EXPECT_NEAR(scores[name].get<double>(), value.get<double>(),
                  1e-4 * std::max(1.0, std::abs(value.get<double>())))
          << name;
    }
  }
  EXPECT_GT(compared, 0u);
}

TEST_F(Evaluate, ScoresOfEveryTaskAreTheReferences) {
  const json reference = eval::fixture_file("evaluators/models.json").at("mean-gelu");
  for (const Task& task : tasks()) {
    SCOPED_TRACE(task.name);
    const Dataset data = read(runtime, task.file, task.settings);
    const json scores = scores_of(model, data, task.settings);
    EXPECT_EQ(scores["task"], task.name);
    EXPECT_EQ(scores[task.unit], hone_dataset_size(data));
    const std::string interval = std::string(task.primary) + "_95";
    ASSERT_TRUE(scores.contains(interval)) << scores;
    EXPECT_LE(scores[interval][0], scores[task.primary]);
    EXPECT_GE(scores[interval][1], scores[task.primary]);
    ASSERT_EQ(reference.contains(task.name), task.name != std::string("sts"));
    if (reference.contains(task.name)) expect_reference(scores, reference.at(task.name));
  }
}

TEST_F(Evaluate, TheTaskIsTheOneThatSuitsTheColumns) {
  for (const Task& task : tasks()) {
    if (std::string(task.name) == "binary") continue;  // has the columns of sts
    SCOPED_TRACE(task.name);
    const Dataset data = read(runtime, task.file, {});
    EXPECT_EQ(scores_of(model, data, {}), scores_of(model, data, task.settings));
  }
}

TEST_F(Evaluate, AnchorsAndPositivesArePairs) {
  const std::filesystem::path file = std::filesystem::path(testing::kFixtures) / "losses" / "pairs.jsonl";
  const Dataset data = read(runtime, file, {});
  const json scores = scores_of(model, data, {});
  EXPECT_EQ(scores["task"], "pairs");
  EXPECT_EQ(scores["queries"], 48);
  EXPECT_EQ(scores["relevant"], 48);
  EXPECT_LE(scores["passages"], 48);
  EXPECT_TRUE(scores.contains("cosine_ndcg@10_95"));
  EXPECT_EQ(scores_of(model, read(runtime, file, {{"eval.task", "pairs"}}), {{"eval.task", "pairs"}}),
            scores);
  const Dataset sentences = dataset_of(runtime, {"sentence2", "sentence1"},
                                       {{text_value("tea"), text_value("hot tea")},
                                        {text_value("song"), text_value("a little song")},
                                        {text_value("song"), text_value("one more song")}});
  const json two = scores_of(model, sentences, {});
  EXPECT_EQ(two["task"], "pairs");
  EXPECT_EQ(two["queries"], 3);
  EXPECT_EQ(two["passages"], 2);
}

TEST_F(Evaluate, PairsKnowMoreAnswersByAnIdThatIsNamed) {
  const std::vector<Row> rows{{text_value("7"), text_value("tea"), text_value("hot tea")},
                              {text_value("7"), text_value("a song"), text_value("one more song")},
                              {text_value("8"), text_value("the sea"), text_value("a cat")}};
  const auto relevant = [&](const Settings& settings) {
    return scores_of(model, dataset_of(runtime, {"ticket", "anchor", "positive"}, rows, settings),
                     {})["relevant"];
  };
  EXPECT_EQ(relevant({}), 3);
  EXPECT_EQ(relevant({{"data.columns", "id=ticket"}}), 5);
}

TEST_F(Evaluate, PairsOfOnePositiveAloneAreRefused) {
  const Dataset same =
      dataset_of(runtime, {"anchor", "positive"},
                 {{text_value("one"), text_value("tea")}, {text_value("two"), text_value("tea")}});
  Buffer none;
  const Failure failure = refused(HONE_EFORMAT, [&](hone_error** error) {
    return hone_model_evaluate(model, same, nullptr, none.place(), error);
  });
  EXPECT_EQ(failure.subject(), "dataset");
  EXPECT_NE(failure.message().find("all rows have the same positive"), std::string::npos)
      << failure.message();
}

TEST_F(Evaluate, RowsHeldOutGiveAVerdict) {
  const std::filesystem::path file = std::filesystem::path(testing::kFixtures) / "losses" / "pairs.jsonl";
  const Dataset data = read(runtime, file, {});
  const Trainer trainer = make_trainer(
      model, data, nullptr, {{"train.hold_out", 0.3}, {"train.steps", 3}, {"train.batch_size", 8}});
  const Job job = start(trainer);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  const json report = json::parse(report_of(job));
  EXPECT_EQ(report.at("verdict").at("metric"), "cosine_ndcg@10");
  EXPECT_EQ(report.at("hold_out").at("task"), "pairs");
  EXPECT_EQ(report.at("hold_out").at("rows").get<int>() + report.at("hold_out").at("trained_rows").get<int>(),
            48);
  EXPECT_EQ(report.at("data").at("rows"), report.at("hold_out").at("trained_rows"));
  EXPECT_EQ(hone_dataset_size(data), 48) << "the dataset stays whole";
}

TEST_F(Evaluate, ATaskThatTheDataCannotHaveIsRefused) {
  for (const Task& task : tasks()) {
    const Dataset data = read(runtime, task.file, task.settings);
    for (const Task& other : tasks()) {
      const bool pairs = std::string(task.unit) == "pairs" && std::string(other.unit) == "pairs";
      if (pairs || &task == &other) continue;
      SCOPED_TRACE(std::string(task.name) + " as " + other.name);
      Buffer none;
      const Failure failure = refused(HONE_EFORMAT, [&](hone_error** error) {
        return hone_model_evaluate(model, data, make_config(other.settings), none.place(), error);
      });
      EXPECT_EQ(failure.subject(), "dataset");
    }
  }
}

TEST_F(Evaluate, ALabelThatTheTaskCannotHaveIsNamedByItsRow) {
  const Dataset data = dataset_of(runtime, {"sentence1", "sentence2", "score"},
                                  {{text_value("one"), text_value("two"), number_value(1)},
                                   {text_value("tea"), text_value("two"), number_value(0.5)}});
  Buffer none;
  const Failure failure = refused(HONE_EFORMAT, [&](hone_error** error) {
    return hone_model_evaluate(model, data, make_config({{"eval.task", "binary"}}), none.place(), error);
  });
  EXPECT_EQ(failure.subject(), "dataset");
  EXPECT_EQ(failure.row(), 1);
  EXPECT_NE(failure.message().find("0.5"), std::string::npos) << failure.message();
}

TEST_F(Evaluate, TheMarginOfTripletsCounts) {
  const Dataset data = read(runtime, kSets / "triplet.jsonl", {});
  const json scores =
      scores_of(model, data, {{"eval.margin", 2.5}});  // no distance of unit vectors reaches it
  EXPECT_EQ(scores["cosine_accuracy"], 0);
}

TEST_F(Evaluate, RetrievalIsTheReferences) {
  const Dataset data = corpus_with_queries();
  const json scores = scores_of(model, data, {});
  EXPECT_EQ(scores["task"], "retrieval");
  EXPECT_EQ(scores["queries"], hone_dataset_size(data));
  expect_reference(scores, eval::fixture_file("evaluators/models.json").at("mean-gelu").at("retrieval"));
  EXPECT_EQ(scores_of(model, data, {{"eval.task", "retrieval"}}), scores);
}

TEST_F(Evaluate, RetrievalBySimilarityAskedFor) {
  EXPECT_TRUE(scores_of(model, corpus_with_queries(), {{"eval.similarity", "dot"}}).contains("dot_ndcg@10"));
}

TEST_F(Evaluate, ACorpusSaysWhatItHolds) {
  const Dataset data = corpus_with_queries();
  Buffer buffer;
  Failure failure;
  require(hone_dataset_info(data, 2, buffer.place(), failure.place()), failure);
  const json info = json::parse(text_of(buffer));
  EXPECT_EQ(info["source"], corpus);
  EXPECT_EQ(info["rows"], hone_dataset_size(data));
  EXPECT_GT(info["passages"], 0);
  ASSERT_EQ(info["head"].size(), 2u);
  EXPECT_EQ(info["head"][0]["id"], "q0");
  EXPECT_FALSE(info["head"][0]["query"].get<std::string>().empty());
  EXPECT_FALSE(info["head"][0]["relevant"].empty());
}

TEST_F(Evaluate, ACorpusIsNoRowsAndRowsAreNoCorpus) {
  const Dataset data = corpus_with_queries();
  Buffer none;
  for (const Task& task : tasks()) {
    SCOPED_TRACE(task.name);
    const Failure failure = refused(HONE_EFORMAT, [&](hone_error** error) {
      return hone_model_evaluate(model, data, make_config(task.settings), none.place(), error);
    });
    EXPECT_EQ(failure.subject(), "dataset");
    EXPECT_NE(failure.message().find("corpus"), std::string::npos) << failure.message();
    const Failure other = refused(HONE_EFORMAT, [&](hone_error** error) {
      return hone_model_evaluate(model, read(runtime, task.file, task.settings),
                                 make_config({{"eval.task", "retrieval"}}), none.place(), error);
    });
    EXPECT_EQ(other.subject(), "dataset");
    EXPECT_NE(other.message().find("hone_dataset_read_retrieval"), std::string::npos) << other.message();
  }
  Trainer untouched;
  EXPECT_EQ(refused(HONE_EFORMAT,
                    [&](hone_error** error) {
                      return hone_trainer_create(model, data, nullptr, nullptr, untouched.place(), error);
                    })
                .subject(),
            "dataset");
  EXPECT_EQ(refused(HONE_EFORMAT,
                    [&](hone_error** error) {
                      return hone_trainer_create(model, dataset, data, make_config({{"eval.task", "sts"}}),
                                                 untouched.place(), error);
                    })
                .subject(),
            "evaluation");
  const hone_value row[] = {text_value("one"), text_value("two")};
  EXPECT_EQ(refused(HONE_EBUSY, [&](auto e) { return hone_dataset_add(data, row, 2, e); }).subject(),
            "dataset");
}

// One config says what to train on and what to ask: the rows are the loss's then.
TEST_F(Evaluate, RowsToTrainOnAreReadBesideRetrieval) {
  const Dataset data =
      read(runtime, kSets / "triplet.jsonl", {{"train.loss", "mnr"}, {"eval.task", "retrieval"}});
  EXPECT_GT(hone_dataset_size(data), 0);
  const Dataset alone = read(runtime, kSets / "triplet.jsonl", {{"eval.task", "retrieval"}});
  EXPECT_EQ(hone_dataset_size(alone), hone_dataset_size(data));
}

TEST_F(Evaluate, RetrievalRefusesArgumentsThatAreNone) {
  Dataset none;
  const char *c = corpus.c_str(), *q = queries.c_str(), *r = qrels.c_str();
  const auto subject = [&](const char* first, const char* second, const char* third) {
    return refused(HONE_EINVAL,
                   [&](auto e) {
                     return hone_dataset_read_retrieval(runtime, first, second, third, none.place(), e);
                   })
        .subject();
  };
  for (const char* bad : {static_cast<const char*>(nullptr), "", "\xff"}) {
    EXPECT_EQ(subject(bad, q, r), "corpus");
    EXPECT_EQ(subject(c, bad, r), "queries");
    EXPECT_EQ(subject(c, q, bad), "qrels");
  }
  EXPECT_EQ(none, nullptr);
}

TEST_F(Evaluate, RetrievalNamesWhatIsWrongInItsFiles) {
  const TempFolder folder;
  const std::string head = "query-id\tcorpus-id\tscore\n";
  folder.write("no-query.tsv", head + "q0\td0\t1\nnobody\td0\t1\n");
  folder.write("no-passage.tsv", head + "q0\tnothing\t1\n");
  folder.write("none-relevant.tsv", head + "q0\td0\t0\n");
  folder.write("no-score.tsv", "query-id\tcorpus-id\nq0\td0\n");
  folder.write("words.tsv", head + "q0\td0\tvery\n");
  for (const auto& [name, parts] : std::vector<std::pair<const char*, std::vector<std::string>>>{
           {"no-query.tsv", {"no-query.tsv:3", "query-id", "nobody"}},
           {"no-passage.tsv", {"no-passage.tsv:2", "corpus-id", "nothing"}},
           {"none-relevant.tsv", {"none-relevant.tsv", "relevant"}},
           {"no-score.tsv", {"no-score.tsv", "score"}},
           {"words.tsv", {"words.tsv:2", "very"}},
           {"not-there.tsv", {"not-there.tsv"}}}) {
    SCOPED_TRACE(name);
    const std::string file = folder / name;
    hone_dataset* untouched = nullptr;
    const Failure failure = refused(HONE_EFAILED, [&](hone_error** error) {
      return hone_dataset_read_retrieval(runtime, corpus.c_str(), queries.c_str(), file.c_str(), &untouched,
                                         error);
    });
    EXPECT_EQ(untouched, nullptr);
    for (const std::string& part : parts)
      EXPECT_NE(failure.message().find(part), std::string::npos) << part << ": " << failure.message();
  }
}

// Before and after are what hone_model_evaluate() makes of the two models, to the bit.
TEST_F(Evaluate, AVerdictIsWhatBothModelsScore) {
  std::vector<Task> all = tasks();
  all.push_back({"retrieval", "queries", "cosine_ndcg@10", {}, {{"eval.task", "retrieval"}}});
  for (const Task& task : all) {
    SCOPED_TRACE(task.name);
    const Dataset data = task.file.empty() ? corpus_with_queries() : read(runtime, task.file, task.settings);
    Settings settings = small_settings(task.settings);
    settings.push_back({"train.dropout", 0.0});
    const Trainer trainer = make_trainer(model, dataset, data, settings);
    const Job job = start(trainer);
    ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
    const json report = json::parse(report_of(job)), verdict = report.at("verdict");
    const json base = scores_of(model, data, task.settings),
               tuned = scores_of(result_of(job), data, task.settings);
    EXPECT_EQ(verdict.at("metric"), task.primary);
    EXPECT_EQ(verdict.at("before"), base.at(task.primary));
    EXPECT_EQ(verdict.at("after"), tuned.at(task.primary));
    EXPECT_NE(verdict.at("before"), verdict.at("after"));
    const double difference = verdict.at("after").get<double>() - verdict.at("before").get<double>();
    EXPECT_NEAR(verdict.at("difference").get<double>(), difference,
                1e-12 * std::max(1.0, std::abs(difference)));
    EXPECT_LE(verdict.at("low"), verdict.at("high"));
    EXPECT_GE(verdict.at("share_better"), 0);
    EXPECT_LE(verdict.at("share_better"), 1);
    for (const auto& [name, value] : report.at("before").items()) EXPECT_EQ(value, base.at(name)) << name;
    for (const auto& [name, value] : report.at("after").items()) EXPECT_EQ(value, tuned.at(name)) << name;
  }
}

TEST_F(Evaluate, WithoutAnEvaluationThereIsNoVerdict) {
  const Job job = start(short_trainer());
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  const json report = json::parse(report_of(job));
  EXPECT_TRUE(report.at("verdict").is_null());
}

}  // namespace

}  // namespace hone::testing
