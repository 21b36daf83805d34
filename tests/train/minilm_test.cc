// Thirty steps of all-MiniLM-L6-v2 on the STS benchmark beside the reference's
// (bench/reference/parity_training.py).
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "tests/base/temp_folder.h"
#include "tests/compute/test_engine.h"
#include "tests/places.h"
#include "tests/reference_data.h"
#include "tests/train/small_run.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

constexpr size_t kTexts = 64, kDim = 384;

double number(const model::SafetensorsFile& file, const char* name, size_t i) {
  return static_cast<double>(file.floats(*file.find(name)).data[i]);
}

TEST(MiniLm, thirty_steps_equal_the_references) {
  const fs::path model = hone::testing::minilm();
  const fs::path train_file = hone::testing::data_file("stsb/train.en.tsv.gz"),
                 test_file = hone::testing::data_file("stsb/test.en.tsv.gz");
  const char* what = "thirty steps of MiniLM are not compared with the reference";
  if (model.empty()) GTEST_SKIP() << hone::testing::kNoMiniLm << what;
  if (train_file.empty() || test_file.empty()) GTEST_SKIP() << hone::testing::kNoData << what;
  const auto fixture =
      model::SafetensorsFile::open(fs::path(testing::kFixtures) / "minilm" / "training.safetensors");
  data::ReadOptions first_rows = testing::pair_roles();
  first_rows.max_rows = 960;
  TrainOptions o;
  o.steps = 30;
  o.learning_rate = 2e-5;
  o.warmup_ratio = 0.1;
  o.dropout = 0;
  o.shuffle = false;
  o.label_scale = 5;
  Trainer trainer(model::load_model(model), compute::test_engine(2), data::read_table(train_file, first_rows),
                  nullptr, o);
  size_t steps = 0;
  TrainCallbacks callbacks;
  callbacks.step = [&](const StepReport& r) {
    EXPECT_NEAR(r.loss / number(*fixture, "loss", steps), 1, 1e-5) << "step " << r.step;
    EXPECT_NEAR(r.grad_norm / number(*fixture, "grad_norm", steps), 1, 1e-4) << "step " << r.step;
    EXPECT_NEAR(r.learning_rate, number(*fixture, "lr", steps), 1e-11) << "step " << r.step;
    ++steps;
  };
  hone::testing::TempFolder folder;
  trainer.run(folder / "out", OnExisting::refuse, callbacks);
  EXPECT_EQ(steps, 30U);

  data::ReadOptions texts = testing::pair_roles();
  texts.max_rows = kTexts;
  const auto table = data::read_table(test_file, texts);
  encode::Encoder encoder(model::load_model(folder / "out"), compute::test_engine(2));
  encode::EncodeOptions unit;
  unit.normalize = true;
  const auto found = encoder.encode(table.text("sentence1"), unit);
  const auto expected = fixture->floats(*fixture->find("vectors"));
  ASSERT_EQ(found.size(), kTexts * kDim);
  for (size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], expected.data[i], 1e-5) << "text " << i / kDim;
}

}  // namespace
}  // namespace hone::train
