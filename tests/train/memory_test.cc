// --memory: what may be written for it, and what it does to a run.
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>

#include "tests/base/temp_folder.h"
#include "tests/compute/late_engine.h"
#include "tests/train/small_run.h"
#include "train/estimate.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using testing::message_of;
using testing::small_options;
using testing::TempFolder;

constexpr size_t kMega = 1000000;

TEST(Memory, is_written_as_bytes_or_in_mega_and_giga) {
  const std::pair<const char*, size_t> cases[] = {
      {"2G", 2000000000},   {"2GB", 2000000000}, {"512M", 512000000},           {"512MB", 512000000},
      {"1.5G", 1500000000}, {"0.5G", 500000000}, {".25G", 250000000},           {"1M", 1000000},
      {"1000000", 1000000}, {"1e9", 1000000000}, {"1000000G", 1000000000000000}};
  for (const auto& [text, bytes] : cases) EXPECT_EQ(parse_memory(text), bytes) << text;
}

TEST(Memory, that_cannot_be_is_refused_in_one_line) {
  for (const char* text :
       {"",     "G",   "2 G", " 2G",  "2T",  "2g",    "2K",       "2GiB",  "-1G", "0",    "0G",  "999999",
        "0.5M", "two", "nan", "nanG", "inf", "1e400", "1000001G", "0x10M", "+2G", "2,5G", "2G,", "1.5.5G"})
    EXPECT_EQ(message_of<UsageError>([&] { parse_memory(text); }),
              cat("memory: \"", text, "\" found, bytes expected, as 2G or 800M"));
  EXPECT_TRUE(message_of([] { parse_memory("2\nG"); }).starts_with("memory: \"2?G\" found"));
}

// Batches of all rows, so that they are larger than what the least memory holds.
TrainOptions large_batches() {
  TrainOptions o = small_options();
  o.steps = 4;
  o.batch_size = 120;
  o.checkpoint_steps = 0;
  return o;
}

Trainer trainer_with(size_t memory, TrainOptions options = large_batches()) {
  options.memory = memory;
  return testing::small_trainer(options, 2, false);
}

std::string micro_batches(const Trainer& trainer) {
  for (const auto& [name, value] : trainer.identity()) {
    if (name == "micro-batches") return value;
  }
  return "no such name";
}

// As the refusal of too little tells it, in bytes.
size_t least_memory(const TrainOptions& options = large_batches()) {
  const std::string message = message_of<UsageError>([&] { trainer_with(kMega, options); });
  EXPECT_TRUE(message.starts_with("memory: 1 MB found, at least ")) << message;
  EXPECT_TRUE(message.ends_with(" MB expected for this model and data")) << message;
  size_t megabytes = 0;
  const char* number = message.c_str() + std::string_view("memory: 1 MB found, at least ").size();
  std::from_chars(number, message.c_str() + message.size(), megabytes);
  return megabytes * kMega;
}

TEST(Memory, too_small_for_one_text_is_refused_with_what_is_needed) {
  const size_t least = least_memory();
  EXPECT_EQ(message_of([&] { trainer_with(least); }), "no error");
  EXPECT_TRUE(
      message_of([&] {
        trainer_with(least - kMega);
      }).starts_with(cat("memory: ", least / kMega - 1, " MB found, at least ", least / kMega, " MB")));
}

TEST(Memory, that_holds_a_batch_leaves_it_whole) {
  EXPECT_EQ(micro_batches(trainer_with(1000 * kMega)), "whole batches");
  EXPECT_EQ(micro_batches(trainer_with(0)), "whole batches") << "three quarters of the machine's";
}

// Cut or not: the loss and gradient of each step, with dropout, and the weights at the end.
TEST(Memory, that_cuts_batches_changes_nothing_but_rounding) {
  Trainer whole = trainer_with(0), cut = trainer_with(least_memory());
  ASSERT_TRUE(micro_batches(cut).starts_with("of ")) << micro_batches(cut);
  for (int step = 0; step < 4; ++step) {
    const StepReport a = whole.step(), b = cut.step();
    EXPECT_EQ(a.tokens, b.tokens);
    EXPECT_NEAR(b.loss / a.loss, 1, 1e-5) << "step " << step + 1;
    EXPECT_NEAR(b.grad_norm / a.grad_norm, 1, 1e-4) << "step " << step + 1;
  }
  double difference = 0, size = 0;
  const auto a = whole.tuned(), b = cut.tuned();
  for (size_t t = 0; t < a->tensors.size(); ++t) {
    // No gradient but of rounding, which AdamW makes a whole step of.
    if (a->tensors[t].name.ends_with("key.bias")) continue;
    for (size_t i = 0; i < a->tensors[t].size; ++i) {
      const double x = static_cast<double>(a->tensors[t].data[i]),
                   y = static_cast<double>(b->tensors[t].data[i]);
      difference += (x - y) * (x - y);
      size += x * x;
    }
  }
  EXPECT_LT(std::sqrt(difference / size), 1e-5);
  EXPECT_GT(difference, 0) << "sums of other pieces round otherwise";
}

// On a device with memory of its own that is what counts, whatever the host has.
TEST(Memory, is_a_devices_where_it_has_its_own) {
  auto trainer_on = [](uint64_t device, size_t memory) {
    compute::LateOptions late;
    late.memory = device;
    TrainOptions options = large_batches();
    options.memory = memory;
    return testing::small_trainer(std::make_shared<compute::LateEngine>(compute::test_engine(2), late),
                                  options, false);
  };
  const auto model = model::load_model(testing::kModels / "mean-gelu");
  const size_t weights = estimate_device_bytes(*model, {});
  const size_t needed = weights + 300 * device_bytes_per_token(*model);
  const uint64_t large = uint64_t{80} << 30, small = (needed + 2) / 3 * 4;
  EXPECT_EQ(micro_batches(trainer_on(large, 0)), "whole batches");
  EXPECT_EQ(micro_batches(trainer_on(large, needed)), "of 300 tokens");
  EXPECT_EQ(micro_batches(trainer_on(small, 0)), "of 300 tokens") << "in three quarters of it";
  EXPECT_EQ(micro_batches(trainer_on(small, 1000 * kMega)), "whole batches") << "what is given decides";
  testing::expect_part(message_of<UsageError>([&] { trainer_on(weights, 0); }),
                       "memory: 0 MB found, at least 1 MB expected");
}

TEST(Memory, may_not_change_the_pieces_of_a_run_that_is_resumed) {
  TempFolder folder;
  trainer_with(0).run(folder / "out", OnExisting::refuse, testing::stopping_after(2));
  const std::string message =
      message_of([&] { trainer_with(least_memory()).run(folder / "out", OnExisting::resume, {}); });
  testing::expect_part(message, "micro-batches was whole batches and is now of ");
}

}  // namespace
}  // namespace hone::train
