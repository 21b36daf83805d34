// Options of training that only the trainer can judge, with the model and the data at hand: the status, the
// option and the line of text of each that cannot be, and the effect of those that can.
#include <cmath>

#include "tests/capi/rows.h"
#include "tests/capi/steps.h"

namespace hone::testing {

namespace {

class TrainOptions : public Jobs {
 protected:
  Dataset rows(const std::vector<const char*>& columns, size_t count = 8) {
    std::vector<std::string> texts;
    for (size_t i = 0; i < 3 * count; ++i) texts.push_back("tea " + std::to_string(i));
    std::vector<std::vector<float>> vectors;
    std::vector<Row> all(count);
    for (size_t i = 0; i < count; ++i) vectors.push_back({1, static_cast<float>(i), 3});
    for (size_t i = 0; i < count; ++i) {
      for (size_t c = 0; c < columns.size(); ++c) {
        const std::string name = columns[c];
        all[i].push_back(name == "vector"  ? vector_value(vectors[i])
                         : name == "score" ? number_value(static_cast<double>(i % 2))
                                           : text_value(texts[c * count + i]));
      }
    }
    return dataset_of(runtime, columns, all);
  }

  // The trainer that cannot be made: `subject` is the option, of which `message` is said.
  void cannot(hone_dataset* data, hone_dataset* evaluation, const Settings& settings,
              const std::string& subject, const std::string& message) {
    SCOPED_TRACE(settings.back().key + " " + settings.back().text);
    const Config config = make_config(settings);
    hone_trainer* untouched = nullptr;
    const Failure failure = refused(HONE_EINVAL, [&](hone_error** error) {
      return hone_trainer_create(model, data, evaluation, config, &untouched, error);
    });
    EXPECT_EQ(untouched, nullptr);
    EXPECT_EQ(failure.subject(), subject);
    EXPECT_TRUE(failure.message().starts_with(subject) || failure.message().starts_with("loss "))
        << failure.message();
    EXPECT_NE(failure.message().find(message), std::string::npos) << failure.message();
    EXPECT_EQ(failure.row(), -1);
  }

  Dataset pairs = rows({"anchor", "positive"});
  Dataset scored = rows({"sentence1", "sentence2", "score"});
  Dataset triplets = rows({"anchor", "positive", "negative"});
  Dataset taught = rows({"text", "vector"});
};

TEST_F(TrainOptions, ALossThatIsNone) {
  for (const char* name : {"nonsense", "MNR", "mnr "})
    cannot(pairs, nullptr, {{"train.loss", name}}, "train.loss", "mnr");
  const Config config = make_config({{"train.loss", "nonsense"}});
  const char* const columns[] = {"anchor", "positive"};
  Dataset none;
  EXPECT_EQ(refused(HONE_EINVAL,
                    [&](auto e) { return hone_dataset_create(runtime, columns, 2, config, none.place(), e); })
                .subject(),
            "train.loss");
}

TEST_F(TrainOptions, ALossThatTheDataCannotHave) {
  const Config config = make_config({{"train.loss", "triplet"}});
  Trainer none;
  const Failure failure = refused(HONE_EFORMAT, [&](hone_error** error) {
    return hone_trainer_create(model, pairs, nullptr, config, none.place(), error);
  });
  EXPECT_EQ(failure.subject(), "dataset");
  EXPECT_NE(failure.message().find("negative"), std::string::npos) << failure.message();
}

TEST_F(TrainOptions, RowsHeldOutThatCannotBe) {
  const std::string key = "train.hold_out";
  cannot(pairs, pairs, {{key, 0.5}}, key, "with data to evaluate on");
  cannot(pairs, nullptr, {{key, 0.0001}}, key, "leaves 0 to evaluate on and 8 to train on");
  cannot(scored, nullptr, {{"train.loss", "softmax"}, {key, 0.5}}, key, "no task suits the classes");
}

TEST_F(TrainOptions, OptionsThatALossDoesNotHave) {
  const std::string key = "train.loss_options";
  for (const auto& [text, message] : {std::pair{"nonsense=1", "scale"},
                                      {"scale", "name=value"},
                                      {"scale=", "scale"},
                                      {"scale=0", "above 0"},
                                      {"scale=-1", "above 0"},
                                      {"scale=nan", "scale"},
                                      {"scale=twenty", "twenty"},
                                      {"scale=20,scale=20", "twice"},
                                      {"similarity=euclidean", "cosine"},
                                      {"directions=qq", "qd"},
                                      {"directions=qd+qd", "once"},
                                      {"symmetric=true,directions=qd", "symmetric"},
                                      {"matryoshka=64", "from 1 to 32"},
                                      {"matryoshka=8.5", "whole"},
                                      {"matryoshka=16+x", "joined by +"},
                                      {"matryoshka_weights=1", "without matryoshka"},
                                      {"matryoshka=16+8,matryoshka_weights=1", "2 expected"}}) {
    cannot(pairs, nullptr, {{"train.loss", "mnr"}, {key, text}}, key, message);
  }
  cannot(triplets, nullptr, {{"train.loss", "triplet"}, {key, "scale=20"}}, key, "margin");
  cannot(triplets, nullptr, {{"train.loss", "triplet"}, {key, "distance=dot"}}, key, "euclidean");
  cannot(scored, nullptr, {{"train.loss", "softmax"}, {key, "classes=1"}}, key, "largest label is 1");
  cannot(taught, nullptr, {{"train.loss", "mse"}, {key, "projection=perhaps"}}, key, "true or false");
  // No option given, but one is what is needed.
  cannot(taught, nullptr, {{"train.loss", "mse"}}, key, "projection=true");
}

TEST_F(TrainOptions, AMetricThatTheTaskDoesNotHave) {
  cannot(scored, scored, {{"train.metric", "cosine_accuracy"}}, "train.metric", "spearman_cosine");
  cannot(triplets, triplets, {{"train.metric", "spearman_cosine"}}, "train.metric", "cosine_accuracy");
}

TEST_F(TrainOptions, PatienceNeedsAnEvaluation) {
  cannot(scored, nullptr, {{"train.patience", 2}}, "train.patience", "evaluate");
}

TEST_F(TrainOptions, MemoryThatCannotBe) {
  for (const char* text : {"much", "2T", "-1G", "1", "nan", "2 G"})
    cannot(scored, nullptr, {{"train.memory", text}}, "train.memory", text);
  cannot(scored, nullptr, {{"train.memory", "1M"}}, "train.memory", "at least");
}

TEST_F(TrainOptions, OthersThatDoNotGoWithTheData) {
  cannot(scored, nullptr, {{"train.mask_similarity", 0.9}}, "train.mask_similarity", "cosine");
  cannot(scored, nullptr, {{"train.freeze", "("}}, "train.freeze", "regular expression");
  cannot(scored, nullptr, {{"train.freeze", "nothing-like-it"}}, "train.freeze", "no tensor");
  cannot(scored, nullptr, {{"train.freeze", ".*"}}, "train.freeze", "no tensor of the model to train");
  cannot(scored, nullptr, {{"train.rates", "layer"}}, "train.rates", "REGEX=RATE");
}

TEST_F(TrainOptions, NumbersOutOfRangeAreRefusedWhenTheyAreSet) {
  for (const auto& [key, value] : {std::pair{"train.accumulate", 0},
                                   {"train.accumulate", 65537},
                                   {"train.patience", -1},
                                   {"train.batch_size", 0}}) {
    const Config config = make_config({});
    const Failure failure = refused(HONE_EINVAL, [&, key = key, value = value](auto e) {
      return hone_config_set_int(config, key, value, e);
    });
    EXPECT_EQ(failure.subject(), key);
    EXPECT_NE(failure.message().find(std::to_string(value)), std::string::npos) << failure.message();
  }
}

TEST_F(TrainOptions, OptionsOfALossChangeItsValue) {
  const auto first_loss = [&](hone_dataset* data, const std::string& loss, const std::string& options) {
    Settings settings = {
        {"train.loss", loss}, {"train.steps", 1}, {"train.batch_size", 8}, {"train.dropout", 0.0}};
    if (!options.empty()) settings.push_back({"train.loss_options", options});
    return step(make_trainer(model, data, nullptr, settings)).loss;
  };
  EXPECT_EQ(first_loss(pairs, "mnr", ""), first_loss(pairs, "mnr", "scale=20,similarity=cosine"));
  EXPECT_NE(first_loss(pairs, "mnr", ""), first_loss(pairs, "mnr", "scale=10"));
  // Every triplet of unit vectors is within the margin of 5: the loss falls with it, one for one.
  EXPECT_NEAR(first_loss(triplets, "triplet", "") - first_loss(triplets, "triplet", "margin=4"), 1, 1e-6);
  EXPECT_TRUE(std::isfinite(first_loss(taught, "mse", "projection=true")));
}

TEST_F(TrainOptions, ALossChosenIsTheOneTrained) {
  const auto first_loss = [&](const Settings& settings) {
    return step(make_trainer(model, triplets, nullptr, settings)).loss;
  };
  EXPECT_EQ(first_loss({{"train.batch_size", 8}}),
            first_loss({{"train.batch_size", 8}, {"train.loss", "mnr"}}));
  EXPECT_GT(first_loss({{"train.batch_size", 8}, {"train.loss", "triplet"}}), 3)
      << "the margin, less two at most";
}

TEST_F(TrainOptions, AccumulatedBatchesAreOneStep) {
  const Trainer made = make_trainer(
      model, scored, nullptr, {{"train.epochs", 1.0}, {"train.batch_size", 2}, {"train.accumulate", 2}});
  const hone_progress p = step(made);
  EXPECT_EQ(p.steps_total, 2u);
  EXPECT_EQ(p.examples_done, 4u);
}

// The pieces of a batch that memory does not hold whole give its gradient all the same.
TEST_F(TrainOptions, LittleMemoryMakesTheSameSteps) {
  const Settings settings = {{"train.steps", 2}, {"train.batch_size", 8}, {"train.lr", 1e-4}};
  Settings tight = settings;
  int64_t megabytes = 1;
  for (; megabytes < 10000; ++megabytes) {
    tight = settings;
    tight.push_back({"train.memory", std::to_string(megabytes) + "M"});
    Trainer tried;
    if (hone_trainer_create(model, pairs, nullptr, make_config(tight), tried.place(), nullptr) == HONE_OK)
      break;
  }
  ASSERT_GT(megabytes, 1);
  ASSERT_LT(megabytes, 10000);
  const Trainer whole = make_trainer(model, pairs, nullptr, settings),
                cut = make_trainer(model, pairs, nullptr, tight);
  EXPECT_NEAR(step(whole).loss, step(cut).loss, 1e-5);
}

TEST_F(TrainOptions, PatienceEndsAJobEarlyAndTheReportSaysWhy) {
  const Trainer made = make_trainer(model, scored, scored,
                                    {{"train.steps", 50},
                                     {"train.batch_size", 8},
                                     {"train.eval_steps", 1},
                                     {"train.lr", 0.0},
                                     {"train.patience", 2}});
  const Job job = start(made);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  const auto report = nlohmann::json::parse(report_of(job));
  ASSERT_TRUE(report["ended_early"].is_string()) << report;
  EXPECT_LT(report["steps"], 50);
}

TEST_F(TrainOptions, TheMetricAskedForIsThatOfProgressAndVerdict) {
  const Trainer made = make_trainer(
      model, scored, scored, {{"train.steps", 2}, {"train.eval_steps", 1}, {"train.metric", "pearson_dot"}});
  const Job job = start(made);
  ASSERT_EQ(end_of(job), HONE_JOB_FINISHED);
  hone_progress last = sized<hone_progress>();
  ASSERT_EQ(hone_job_next_event(job, kGuardMs, &last, nullptr), HONE_OK);
  const auto report = nlohmann::json::parse(report_of(job));
  EXPECT_EQ(report["after"].at("pearson_dot"), last.best_metric);
}

}  // namespace

}  // namespace hone::testing
