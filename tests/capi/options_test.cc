// Options: what hone_option_describe says of each is what hone_config_set_* does.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include "loss/loss_table.h"
#include "tests/capi/host.h"

namespace hone::testing {

namespace {

std::vector<hone_option> all_options() {
  std::vector<hone_option> options;
  for (size_t i = 0; i < hone_option_count(); ++i) {
    options.push_back(sized<hone_option>());
    Failure failure;
    require(hone_option_describe(i, &options.back(), failure.place()), failure);
  }
  return options;
}

const std::vector<int32_t> kTypes = {HONE_TYPE_STR, HONE_TYPE_INT, HONE_TYPE_REAL, HONE_TYPE_BOOL};

// A value of `type`, the first of its kind that comes to mind.
Setting some_value(const std::string& key, int32_t type) {
  if (type == HONE_TYPE_STR) return {key, "1"};
  if (type == HONE_TYPE_INT) return {key, 1};
  if (type == HONE_TYPE_REAL) return {key, 0.5};
  return {key, true};
}

// The text of `default_value` as a value of its type.
Setting default_value_of(const hone_option& option) {
  const std::string text = option.default_value;
  const char* end = text.data() + text.size();
  int64_t integer = 0;
  double real = 0;
  switch (option.type) {
    case HONE_TYPE_INT:
      if (std::from_chars(text.data(), end, integer).ptr != end) ADD_FAILURE() << text;
      return {option.name, integer};
    case HONE_TYPE_REAL:
      if (std::from_chars(text.data(), end, real).ptr != end) ADD_FAILURE() << text;
      return {option.name, real};
    case HONE_TYPE_BOOL:
      EXPECT_TRUE(text == "true" || text == "false") << text;
      return {option.name, text == "true"};
    default:
      return {option.name, text};
  }
}

Failure not_set(const Setting& setting) {
  const Config config = make_config({});
  return refused(HONE_EINVAL, [&](hone_error** error) { return set(config, setting, error); });
}

TEST(Options, EachIsDescribedWhole) {
  std::set<std::string> names;
  for (const hone_option& option : all_options()) {
    SCOPED_TRACE(option.name);
    const std::string name = option.name, help = option.help;
    EXPECT_TRUE(names.insert(name).second);
    EXPECT_NE(name.find('.'), std::string::npos);
    EXPECT_NE(std::find(kTypes.begin(), kTypes.end(), option.type), kTypes.end()) << option.type;
    EXPECT_EQ(option.reserved, 0);
    ASSERT_NE(option.default_value, nullptr);
    ASSERT_NE(option.range, nullptr);
    EXPECT_NE(std::string(option.range), "");
    EXPECT_NE(help, "");
    EXPECT_EQ(help.find('\n'), std::string::npos);
  }
  // Those that hone.h names.
  for (const char* name : {"train.batch_size", "train.lr", "train.metric", "train.out", "train.existing",
                           "save.overwrite", "encode.column", "data.columns"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(Options, TheUsualValueCanBeSet) {
  for (const hone_option& option : all_options()) {
    if (*option.default_value == 0) continue;
    SCOPED_TRACE(option.name);
    EXPECT_NO_THROW(make_config({default_value_of(option)})) << option.default_value;
  }
}

TEST(Options, AValueOfAnotherTypeIsRefused) {
  for (const hone_option& option : all_options()) {
    for (const int32_t type : kTypes) {
      const bool whole_for_real = option.type == HONE_TYPE_REAL && type == HONE_TYPE_INT;
      if (type == option.type || whole_for_real) continue;
      SCOPED_TRACE(std::string(option.name) + " of type " + std::to_string(type));
      const Failure failure = not_set(some_value(option.name, type));
      EXPECT_EQ(failure.subject(), option.name);
      EXPECT_NE(failure.message().find(option.name), std::string::npos) << failure.message();
    }
  }
}

TEST(Options, AWholeNumberIsARealOne) {
  // Above 0, so that it lies in the range of each that allows 1.
  EXPECT_NO_THROW(make_config({{"train.epochs", 2}, {"train.lr", 1}, {"train.warmup_ratio", 1}}));
  EXPECT_EQ(not_set({"train.warmup_ratio", 2}).subject(), "train.warmup_ratio");
}

TEST(Options, ANumberOutOfRangeIsRefused) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const hone_option& option : all_options()) {
    SCOPED_TRACE(option.name);
    std::vector<Setting> out;
    if (option.type == HONE_TYPE_INT) out = {{option.name, INT64_MIN}, {option.name, -1}};
    if (option.type == HONE_TYPE_REAL) {
      out = {{option.name, -1.0},
             {option.name, infinity},
             {option.name, -infinity},
             {option.name, std::nan("")}};
    }
    for (const Setting& setting : out) {
      const Failure failure = not_set(setting);
      EXPECT_EQ(failure.subject(), option.name);
      const bool number = setting.type == HONE_TYPE_INT || std::isfinite(setting.real);
      EXPECT_TRUE(!number || failure.message().find(option.range) != std::string::npos)
          << failure.message() << "; should say: " << option.range;
    }
  }
}

TEST(Options, TheEndsOfRanges) {
  EXPECT_NO_THROW(make_config({{"train.batch_size", 1}}));
  EXPECT_NO_THROW(make_config({{"train.batch_size", 65536}}));
  not_set({"train.batch_size", 0});
  not_set({"train.batch_size", 65537});
  EXPECT_NO_THROW(make_config({{"train.lr", 0.0}}));
  not_set({"train.lr", 10.0});
  not_set({"train.dropout", 1.0});
  EXPECT_NO_THROW(make_config({{"train.dropout", 0.0}}));
  EXPECT_NO_THROW(make_config({{"train.seed", INT64_MAX}}));
}

TEST(Options, AWordThatIsNoChoiceIsRefusedAndTheChoicesAreNamed) {
  for (const auto& [key, choice] :
       {std::pair{"train.schedule", "cosine"}, {"eval.task", "triplet"}, {"train.existing", "resume"}}) {
    const Failure failure = not_set({key, "nonsense"});
    EXPECT_EQ(failure.subject(), key);
    EXPECT_NE(failure.message().find(choice), std::string::npos) << failure.message();
    EXPECT_NE(failure.message().find("nonsense"), std::string::npos) << failure.message();
  }
}

TEST(Options, AnUnknownKeyNamesTheNearest) {
  for (const auto& [wrong, nearest] : {std::pair{"train.batchsize", "train.batch_size"},
                                       {"train.learning_rate", "train."},
                                       {"train.Lr", "train.lr"},
                                       {"encode.normalise", "encode.normalize"},
                                       {"data.column", "data.columns"},
                                       {"batch_size", "train.batch_size"}}) {
    for (const int32_t type : kTypes) {
      const Failure failure = not_set(some_value(wrong, type));
      EXPECT_EQ(failure.subject(), wrong);
      EXPECT_NE(failure.message().find(nearest), std::string::npos) << failure.message();
    }
  }
  const std::string long_key(100000, 'k');
  EXPECT_LT(not_set({long_key, 1}).message().size(), 1000u);
}

// What can only be judged by the machine, the model or the data still names the option.
TEST(Options, AValueThatIsRefusedLaterNamesItsOption) {
  for (const auto& [key, value] : {std::pair{"runtime.device", "tpu"}, {"runtime.precision", "bf16"}}) {
    const Config config = make_config({{key, value}});
    Runtime none;
    const Failure failure =
        refused(HONE_EINVAL, [&](hone_error** e) { return hone_runtime_create(config, none.place(), e); });
    EXPECT_EQ(failure.subject(), key) << failure.message();
  }
  const Runtime runtime = make_runtime();
  const Config other = make_config({{"runtime.isa", "avx2"}});  // the process computes with the best already
  Runtime second;
  const Failure decided =
      refused(HONE_EINVAL, [&](hone_error** e) { return hone_runtime_create(other, second.place(), e); });
  EXPECT_EQ(decided.subject(), "runtime.isa") << decided.message();
  const Model model = load_model(runtime);
  const Dataset dataset = read_pairs(runtime);
  const Config config = make_config({{"train.max_seq_length", 1000}});
  Trainer none;
  const Failure failure = refused(HONE_EINVAL, [&](hone_error** error) {
    return hone_trainer_create(model, dataset, nullptr, config, none.place(), error);
  });
  EXPECT_EQ(failure.subject(), "train.max_seq_length") << failure.message();
}

TEST(Options, ARefusedValueLeavesTheFormer) {
  const Config config = make_config({{"train.steps", 3}});
  refused(HONE_EINVAL,
          [&](hone_error** error) { return hone_config_set_int(config, "train.steps", -1, error); });
  const Runtime runtime = make_runtime();
  const Model model = load_model(runtime);
  const Dataset dataset = read_pairs(runtime);
  Trainer trainer;
  ASSERT_EQ(hone_trainer_create(model, dataset, nullptr, config, trainer.place(), nullptr), HONE_OK);
  hone_progress progress = sized<hone_progress>();
  ASSERT_EQ(hone_trainer_step(trainer, &progress, nullptr), HONE_OK);
  EXPECT_EQ(progress.steps_total, 3u);
}

TEST(Options, WhatReadsAConfigTakesACopy) {
  Config config = make_config({{"train.steps", 3}});
  const Runtime runtime = make_runtime();
  const Model model = load_model(runtime);
  const Dataset dataset = read_pairs(runtime);
  Trainer trainer;
  ASSERT_EQ(hone_trainer_create(model, dataset, nullptr, config, trainer.place(), nullptr), HONE_OK);
  ASSERT_EQ(hone_config_set_int(config, "train.steps", 5, nullptr), HONE_OK);
  config.reset();
  hone_progress progress = sized<hone_progress>();
  ASSERT_EQ(hone_trainer_step(trainer, &progress, nullptr), HONE_OK);
  EXPECT_EQ(progress.steps_total, 3u);
}

TEST(Options, OneConfigMayServeAll) {
  const Config all = make_config(small_settings({{"runtime.threads", 2}, {"encode.normalize", true}}));
  Runtime runtime;
  ASSERT_EQ(hone_runtime_create(all, runtime.place(), nullptr), HONE_OK);
  Dataset dataset;
  ASSERT_EQ(hone_dataset_read(runtime, kPairsFile.c_str(), all, dataset.place(), nullptr), HONE_OK);
  const Model model = load_model(runtime);
  Buffer scores;
  ASSERT_EQ(hone_model_evaluate(model, dataset, all, scores.place(), nullptr), HONE_OK);
  Trainer trainer;
  EXPECT_EQ(hone_trainer_create(model, dataset, nullptr, all, trainer.place(), nullptr), HONE_OK);
}

// What hone losses --json prints, whole and in its order.
TEST(Options, LossesAreThoseOfTheTable) {
  Buffer buffer;
  Failure failure;
  require(hone_losses(buffer.place(), failure.place()), failure);
  const auto listed = nlohmann::json::parse(text_of(buffer));
  const auto table = loss::loss_table();
  ASSERT_EQ(listed.size(), table.size());
  for (size_t i = 0; i < table.size(); ++i) {
    nlohmann::json options = nlohmann::json::array();
    for (const config::OptionInfo& o : table[i].options)
      options.push_back(
          {{"name", o.name()}, {"default", o.default_value}, {"range", o.range}, {"help", o.help}});
    const nlohmann::json expected = {
        {"name", table[i].name},        {"columns", table[i].columns()},
        {"use", table[i].use},          {"formula", table[i].formula},
        {"source", table[i].source},    {"in_batch_negatives", table[i].in_batch},
        {"options", std::move(options)}};
    EXPECT_EQ(listed[i], expected);
  }
}

// Whoever offers the list for choosing offers nothing that is no loss. (Rows may lack what it wants.)
TEST(Options, EveryLossOfTheListIsKnownToATrainer) {
  const Runtime runtime = make_runtime(1);
  const Model model = load_model(runtime);
  const Dataset pairs = read_pairs(runtime);
  const auto created = [&](const std::string& name) {
    Trainer trainer;
    return hone_trainer_create(model, pairs, nullptr, make_config({{"train.loss", name}}), trainer.place(),
                               nullptr);
  };
  Buffer buffer;
  ASSERT_EQ(hone_losses(buffer.place(), nullptr), HONE_OK);
  for (const auto& loss : nlohmann::json::parse(text_of(buffer))) {
    EXPECT_NE(created(loss.at("name")), HONE_EINVAL) << loss.at("name");
  }
  EXPECT_EQ(created("cosine"), HONE_OK);
  EXPECT_EQ(created("poetry"), HONE_EINVAL);
}

}  // namespace

}  // namespace hone::testing
