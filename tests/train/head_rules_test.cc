// --freeze and --rates of what is trained of a loss itself: its head alone is changed by them.
#include <gtest/gtest.h>

#include "loss/head.h"
#include "tests/base/temp_folder.h"
#include "tests/train/loss_cases.h"
#include "tests/train/small_run.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using testing::message_of;
using Tensors = std::map<std::string, std::vector<float>>;

struct HeadCase {
  std::string name, loss, options, data;
  int64_t outputs, inputs;
};

void PrintTo(const HeadCase& c, std::ostream* out) {
  *out << c.name;
}

// Rates are halved by powers of two, so that the same bits are expected.
constexpr double kRate = 0x1p-10;
constexpr const char* kHalf = "0.00048828125";

class HeadRules : public ::testing::TestWithParam<HeadCase> {
 protected:
  // Nothing is clipped, so that a head has no other way to change the model's next step than its values.
  TrainOptions options() const {
    TrainOptions o;
    o.steps = 4;
    o.loss = GetParam().loss;
    o.loss_options = GetParam().options;
    o.batch_size = 8;
    o.learning_rate = kRate;
    o.schedule = ScheduleKind::constant;
    o.max_grad_norm = 0;
    o.dropout = 0;
    o.weight_decay = 0.5;
    o.checkpoint_steps = 0;
    return o;
  }
  Trainer trainer(const TrainOptions& o) const {
    testing::LossCase rows;
    rows.loss = GetParam().loss;
    rows.data = GetParam().data;
    return {model::load_model(testing::kModels / "mean-gelu"), compute::test_engine(2),
            testing::loss_rows(rows), nullptr, o};
  }
  struct State {
    Tensors model, heads;
  };
  // What the checkpoint after step `last` holds.
  State after(int64_t last, const TrainOptions& o) const {
    testing::TempFolder folder;
    EXPECT_TRUE(
        trainer(o).run(folder / "out", OnExisting::refuse, testing::stopping_after(last)).interrupted);
    const fs::path checkpoint = folder / "out" / "checkpoint";
    State state;
    const auto model = model::load_model(checkpoint);
    for (const auto& t : model->tensors) state.model[t.name] = {t.data, t.data + t.size};
    const auto file = model::SafetensorsFile::open(checkpoint / "training.safetensors");
    for (const auto& entry : file->entries()) {
      if (!entry.name.starts_with("value.")) continue;
      const auto values = file->floats(entry);
      state.heads[entry.name.substr(6)] = {values.data, values.data + values.size};
    }
    return state;
  }
  State after(int64_t last, const std::string& freeze, const std::string& rates) const {
    TrainOptions o = options();
    o.freeze = freeze;
    o.rates = rates;
    return after(last, o);
  }
  Tensors begun() const {
    Tensors heads;
    for (const loss::Head& head : loss::linear_head(GetParam().outputs, GetParam().inputs, options().seed))
      heads[head.name] = head.values;
    return heads;
  }
};

TEST_P(HeadRules, a_rate_changes_the_head_and_only_it) {
  TrainOptions half = options();
  half.learning_rate = kRate / 2;
  const State usual = after(1, options()), slow = after(1, half), found = after(1, "", cat("head=", kHalf));
  ASSERT_NE(usual.heads, slow.heads);
  ASSERT_NE(usual.model, slow.model);
  EXPECT_EQ(found.heads, slow.heads);
  EXPECT_EQ(found.model, usual.model);
}

TEST_P(HeadRules, rates_hold_for_weight_and_bias_apart_and_the_first_that_fits) {
  TrainOptions half = options();
  half.learning_rate = kRate / 2;
  const State usual = after(1, options()), slow = after(1, half),
              found = after(1, "", cat("^head\\.bias=", kHalf, ";head=0"));
  EXPECT_EQ(found.heads.at("head.weight"), begun().at("head.weight"));
  EXPECT_EQ(found.heads.at("head.bias"), slow.heads.at("head.bias"));
  EXPECT_EQ(found.model, usual.model);
}

TEST_P(HeadRules, rates_of_the_model_leave_the_head_alone) {
  const State usual = after(1, options()), found = after(1, "", "embeddings|encoder=0");
  EXPECT_EQ(found.heads, usual.heads);
  EXPECT_NE(found.model, usual.model);
}

TEST_P(HeadRules, a_frozen_head_stays_as_it_was_begun) {
  const State free = after(3, options()), still = after(3, "", "head=0"), frozen = after(3, "head", "");
  EXPECT_EQ(still.heads, begun());
  EXPECT_TRUE(frozen.heads.empty()) << "not trained, so not in the checkpoint";
  EXPECT_EQ(frozen.model, still.model) << "each step has met the head as it was begun";
  EXPECT_NE(frozen.model, free.model);
  EXPECT_EQ(after(1, "head", "").model, after(1, options()).model) << "the first step meets no other";
}

TEST_P(HeadRules, a_part_of_a_head_is_frozen_alone) {
  const State found = after(3, "head\\.weight", ""), still = after(3, "", "head\\.weight=0");
  ASSERT_EQ(found.heads.size(), 1U);
  EXPECT_NE(found.heads.at("head.bias"), begun().at("head.bias"));
  EXPECT_EQ(found.heads.at("head.bias"), still.heads.at("head.bias"));
  EXPECT_EQ(found.model, still.model);
}

TEST_P(HeadRules, a_frozen_head_has_no_part_in_the_norm_of_the_gradient) {
  TrainOptions o = options();
  const double whole = trainer(o).step().grad_norm;
  o.freeze = "head\\.bias";
  const double without_bias = trainer(o).step().grad_norm;
  o.freeze = "head";
  const double without = trainer(o).step().grad_norm;
  EXPECT_GT(whole, without_bias);
  EXPECT_GT(without_bias, without);
  EXPECT_GT(without, 0);
}

TEST_P(HeadRules, that_fit_nothing_are_refused_before_a_run_begins) {
  TrainOptions o = options();
  for (std::string TrainOptions::*option : {&TrainOptions::freeze, &TrainOptions::rates}) {
    o = options();
    o.*option = option == &TrainOptions::rates ? "classifier=1e-3" : "classifier";
    testing::expect_part(message_of<UsageError>([&] { trainer(o); }),
                         "\"classifier\" fits no tensor of the model, which has embeddings.");
    testing::expect_part(message_of<UsageError>([&] { trainer(o); }),
                         "and no head of the loss, which has head.weight, head.bias");
  }
}

INSTANTIATE_TEST_SUITE_P(Of, HeadRules,
                         ::testing::Values(HeadCase{"softmax", "softmax", "", "classes.jsonl", 3, 96},
                                           HeadCase{"projection", "mse", "projection=true",
                                                    "vectors-24.jsonl", 24, 32}),
                         [](const auto& c) { return c.param.name; });

// mse without a projection, and a loss that never has a head.
TEST(HeadRulesWithoutHeads, are_refused) {
  for (const auto& [loss, data] : {std::pair("mse", "vectors.jsonl"), std::pair("cosine", "scored.jsonl")}) {
    testing::LossCase rows;
    rows.loss = loss;
    rows.data = data;
    TrainOptions o;
    o.loss = loss;
    o.rates = "head=1e-3";
    testing::expect_part(message_of<UsageError>([&] {
                           Trainer(model::load_model(testing::kModels / "mean-gelu"), compute::test_engine(1),
                                   testing::loss_rows(rows), nullptr, o);
                         }),
                         "and no head of the loss, which has none");
  }
}

}  // namespace
}  // namespace hone::train
