// --freeze and --rates: what is not to be trained keeps its bits, the rest is trained as without them.
#include "train/tensor_rules.h"

#include <gtest/gtest.h>

#include <set>

#include "loss/head.h"
#include "tests/base/temp_folder.h"
#include "tests/train/small_data.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using model::SentenceModel;
using testing::kModels;
using testing::message_of;

using Tensors = std::map<std::string, std::vector<float>>;

Tensors tensors_of(const SentenceModel& model) {
  Tensors all;
  for (const model::HostTensor& t : model.tensors) all[t.name] = {t.data, t.data + t.size};
  return all;
}

// One step changes every tensor by its own gradient alone: nothing is clipped.
TrainOptions one_step() {
  TrainOptions o;
  o.steps = 1;
  o.batch_size = 8;
  o.learning_rate = 0x1p-10;
  o.max_grad_norm = 0;
  o.dropout = 0;
  o.weight_decay = 0.5;
  return o;
}

Trainer trainer_of(const char* model, const TrainOptions& options,
                   const fs::path& data = kModels / "pairs.jsonl") {
  data::ReadOptions roles = testing::pair_roles();
  roles.max_rows = 32;
  return {model::load_model(kModels / model), compute::test_engine(2), data::read_table(data, roles), nullptr,
          options};
}

Tensors trained(const char* model, const TrainOptions& options) {
  Trainer trainer = trainer_of(model, options);
  for (int64_t step = 0; step < options.steps; ++step) trainer.step();
  return tensors_of(*trainer.tuned());
}

// As a pattern that fits this name alone.
std::string exactly(const std::string& name) {
  std::string pattern = "^";
  for (char c : name) pattern += c == '.' ? std::string("\\.") : std::string(1, c);
  return pattern + "$";
}

// The names of tensors that differ.
std::set<std::string> changed(const Tensors& a, const Tensors& b) {
  std::set<std::string> names;
  for (const auto& [name, values] : a) {
    if (b.at(name) != values) names.insert(name);
  }
  return names;
}

// Each tensor of a model with a dense layer, one at a time.
TEST(Freeze, a_tensor_alone_keeps_its_bits_and_all_others_are_trained_as_without) {
  const Tensors base = tensors_of(*model::load_model(kModels / "dense-tanh"));
  const Tensors free = trained("dense-tanh", one_step());
  ASSERT_EQ(changed(base, free).size(), base.size()) << "every tensor moves where none is frozen";
  for (const auto& [name, values] : base) {
    TrainOptions options = one_step();
    options.freeze = exactly(name);
    EXPECT_EQ(changed(trained("dense-tanh", options), free), std::set<std::string>{name});
  }
}

TEST(Freeze, tensors_keep_their_bits_through_a_run_and_in_the_saved_model) {
  testing::TempFolder folder;
  TrainOptions options = testing::small_options();
  options.freeze = "embeddings|layer\\.0";
  testing::train_small(folder / "out", options);
  const Tensors base = tensors_of(*model::load_model(kModels / "mean-gelu"));
  const Tensors tuned = tensors_of(*model::load_model(folder / "out"));
  const std::set<std::string> moved = changed(base, tuned);
  size_t frozen = 0;
  for (const auto& [name, values] : base) {
    const bool is_frozen = name.starts_with("embeddings.") || name.starts_with("encoder.layer.0.");
    EXPECT_NE(moved.contains(name), is_frozen) << name;
    if (is_frozen) ++frozen;
  }
  EXPECT_GT(frozen, 16U);
  EXPECT_GT(moved.size(), 10U);
}

// Searching every way to match would take longer than anyone waits.
TEST(Freeze, a_pattern_that_can_match_in_many_ways_is_searched_in_no_time) {
  for (const char* pattern : {"(\\w+\\.?)*bias2", "(.*)+bias2", "(a|a|b)*(.*.*.*)*$x"}) {
    TrainOptions options = one_step();
    options.freeze = pattern;
    testing::expect_part(message_of<UsageError>([&] { trainer_of("mean-gelu", options); }),
                         "fits no tensor of the model");
  }
  TrainOptions options = one_step();
  options.freeze = "(l)ayer\\1";  // what only such a search could find
  testing::expect_part(message_of<UsageError>([&] { trainer_of("mean-gelu", options); }),
                       "a regular expression expected");
}

// Half of a power of two: the same bits as a run with that rate.
TEST(Rates, are_factors_of_the_rate_for_the_tensors_they_name) {
  const Tensors base = tensors_of(*model::load_model(kModels / "mean-gelu"));
  TrainOptions half = one_step(), mixed = one_step();
  half.learning_rate = 0x1p-11;
  mixed.rates = "layer\\.1=0.00048828125;word_embeddings=0";
  const Tensors whole = trained("mean-gelu", one_step()), slow = trained("mean-gelu", half),
                found = trained("mean-gelu", mixed);
  ASSERT_EQ(changed(whole, slow).size(), base.size());
  for (const auto& [name, values] : found) {
    const bool stays = name.find("word_embeddings") != std::string::npos;
    const bool is_slow = name.find("layer.1") != std::string::npos;
    EXPECT_EQ(values, (stays ? base : is_slow ? slow : whole).at(name)) << name;
  }
}

TEST(Rates, of_several_the_first_that_fits_holds) {
  TrainOptions half = one_step(), options = one_step();
  half.learning_rate = 0x1p-11;
  options.rates = "query=0.00048828125;layer|embeddings=0;";
  const Tensors base = tensors_of(*model::load_model(kModels / "mean-gelu")),
                slow = trained("mean-gelu", half);
  for (const auto& [name, values] : trained("mean-gelu", options)) {
    const bool query = name.find("query") != std::string::npos;
    EXPECT_EQ(values, (query ? slow : base).at(name)) << name;
  }
}

// The rate of the schedule is what is multiplied, in every step.
TEST(Rates, follow_the_schedule_of_lr) {
  TrainOptions half = one_step(), options = one_step();
  for (TrainOptions* o : {&half, &options}) {
    o->steps = 6;
    o->warmup_ratio = 0.4;
    o->schedule = ScheduleKind::cosine;
  }
  half.learning_rate = 0x1p-11;
  options.rates = "embeddings|layer=0.00048828125";
  EXPECT_TRUE(changed(trained("mean-gelu", half), trained("mean-gelu", options)).empty());
}

std::string refusal(const std::string& freeze, const std::string& rates, double lr = 1e-3,
                    const std::vector<loss::Head>& heads = {}) {
  const auto model = model::load_model(kModels / "mean-gelu");
  return message_of<UsageError>([&] { TensorRules(freeze, rates, lr, *model, heads); });
}

TEST(TensorRules, that_fit_are_taken) {
  for (const char* freeze : {"", "embeddings", "^encoder\\.layer\\.[01]", "bias$|LayerNorm"})
    EXPECT_EQ(refusal(freeze, ""), "no error") << freeze;
  for (const char* rates : {"", "embeddings=0", "layer=1e-3;", "a=9.99;b=1", "layer.(0|1)=2e-5;query=0.5"})
    EXPECT_EQ(refusal("", rates), "no error") << rates;
}

TEST(TensorRules, that_fit_no_tensor_are_refused) {
  const std::string has = "fits no tensor of the model, which has embeddings.";
  for (const char* pattern : {"layer\\.7", "Embeddings", "^weight", "layer.0=1"})
    EXPECT_TRUE(refusal(pattern, "").starts_with(cat("freeze: \"", pattern, "\" ", has))) << pattern;
  EXPECT_TRUE(refusal("", "layer=1e-3;head=1e-2").starts_with("rates: \"head\" " + has));
}

TEST(TensorRules, of_heads_are_taken_where_the_loss_has_them) {
  const auto heads = loss::linear_head(3, 4, 5);
  const std::string none = ", ..., and no head of the loss, which has none";
  for (const char* pattern : {"head", "^head\\.weight$", "d\\.bias"}) {
    EXPECT_EQ(refusal(pattern, "", 1e-3, heads), "no error") << pattern;
    EXPECT_EQ(refusal("", cat(pattern, "=1e-2"), 1e-3, heads), "no error") << pattern;
    EXPECT_TRUE(refusal(pattern, "").ends_with(none)) << refusal(pattern, "");
    EXPECT_TRUE(refusal("", cat(pattern, "=1e-2")).ends_with(none)) << pattern;
  }
  const std::string has = ", ..., and no head of the loss, which has head.weight, head.bias";
  for (const char* pattern : {"heads", "^bias", "head.weights"}) {
    EXPECT_TRUE(refusal(pattern, "", 1e-3, heads).ends_with(has)) << refusal(pattern, "", 1e-3, heads);
    EXPECT_TRUE(refusal("", cat("head=1;", pattern, "=1e-2"), 1e-3, heads).ends_with(has)) << pattern;
  }
}

TEST(TensorRules, that_are_no_regular_expressions_are_refused) {
  for (const char* pattern : {"(", "layer[", "*", "a{2", "\\"}) {
    const std::string expected = cat("\"", pattern, "\" found, a regular expression expected (");
    EXPECT_TRUE(refusal(pattern, "").starts_with("freeze: " + expected)) << refusal(pattern, "");
    EXPECT_TRUE(refusal("", cat("query=0;", pattern, "=1")).starts_with("rates: " + expected)) << pattern;
  }
}

TEST(TensorRules, with_rates_that_cannot_be_are_refused_with_the_piece) {
  for (const char* piece : {"layer", "=1e-3", "layer=", "layer=fast", "layer=-1e-3", "layer=10", "layer=nan",
                            "layer=inf", "layer=1e-3x", "layer= 1", "="})
    EXPECT_EQ(refusal("", cat("query=1e-3;", piece, ";bias=0")),
              cat("rates: \"", piece, "\" found, REGEX=RATE with a rate from 0 to below 10 expected"));
  EXPECT_TRUE(refusal("", "query=0;;bias=0").starts_with("rates: \"\" found"));
  EXPECT_EQ(refusal("", "query=1e-3", 0),
            "rates: lr is 0, so there is nothing that other rates could follow");
}

TEST(TensorRules, that_leave_nothing_to_train_are_refused) {
  for (const auto& heads : {std::vector<loss::Head>(), loss::linear_head(3, 4, 5)}) {
    EXPECT_EQ(refusal(".", "", 1e-3, heads), "freeze: \".\" leaves no tensor of the model to train");
    EXPECT_EQ(refusal("embeddings|layer", "", 1e-3, heads),
              "freeze: \"embeddings|layer\" leaves no tensor of the model to train");
  }
}

TEST(TensorRules, are_refused_before_a_run_begins) {
  TrainOptions options = one_step();
  options.freeze = "pooler";
  EXPECT_TRUE(
      message_of<UsageError>([&] { trainer_of("mean-gelu", options); }).starts_with("freeze: \"pooler\""));
}

}  // namespace
}  // namespace hone::train
