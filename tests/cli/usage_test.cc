// What was typed wrongly: exit code 2, one line that names the option, nothing done.
#include <sstream>

#include "tests/cli/program.h"

namespace hone::cli {
namespace {

const Strings kCommands{"train", "encode", "eval", "nearest", "info", "losses", "options"};

TEST(Help, tells_version_and_options) {
  EXPECT_TRUE(hone({"--version"}).out.starts_with("hone 0."));
  EXPECT_EQ(hone({"--help"}).code, 0);
  for (const std::string& command : kCommands) {
    EXPECT_NE(hone({"--help"}).out.find("  " + command + " "), std::string::npos) << command;
    const Result r = hone({command, "--help"});
    EXPECT_EQ(r.code, 0);
    EXPECT_TRUE(r.err.empty()) << r.err;
    const bool none = command == "info" || command == "losses" || command == "options";
    const std::string required = none ? " [OPTION...]" : " --model DIR ";
    EXPECT_NE(r.out.find("Usage:\n  hone " + command + required), std::string::npos) << r.out;
    EXPECT_NE(r.out.find("--threads N"), std::string::npos) << r.out;
    EXPECT_EQ(hone({command, "-h"}).out, r.out);
  }
}

TEST(Help, fits_a_terminal_and_shows_no_empty_defaults) {
  for (const std::string& command : kCommands) {
    std::istringstream help(hone({command, "--help"}).out);
    for (std::string line; std::getline(help, line);) {
      EXPECT_LE(line.size(), 80U) << line;
      EXPECT_EQ(line.find("\"\""), std::string::npos) << line;
    }
  }
}

TEST(Usage, of_commands_and_options) {
  EXPECT_EQ(hone({}).code, 2);
  expect_line(hone({"fly"}), 2, "\"fly\" is not a command; see hone --help");
  expect_line(hone({"a\nb"}), 2, "\"a?b\" is not a command; see hone --help");
  expect_line(hone({"trian"}), 2, "\"trian\" is not a command; did you mean train?; see hone --help");
  const Result los = hone({"train", "--los", "mnr"});
  expect_error(los, 2, "; did you mean --loss?; see hone train --help");
  expect_error(hone({"train", "--batchsize=4"}), 2, "; did you mean --batch-size?; see hone train --help");
  EXPECT_EQ(hone({"train", "--poetry"}).err.find("did you mean"), std::string::npos);
  expect_line(hone({"encode"}), 2, "option --model is missing; see hone encode --help");
  expect_error(hone({"info", "--modl", "x"}), 2, "modl");
  expect_error(hone({"info", "--model"}), 2, "model");
  expect_line(hone({"info", "--model", kModel, "stray"}), 2,
              "\"stray\" is not an option; see hone info --help");
  expect_error(hone({"info", "-\n-"}), 2, "see hone info --help");
  expect_line(hone({"info", "--model", kModel, "--json=no"}), 2, "json: \"no\" found, no value expected");
  expect_line(hone({"eval", "--model", kModel, "--data", kPairs, "--data", kPairs}), 2,
              "option --data found 2 times, once expected; see hone eval --help");
  expect_line(hone({"info", "--model="}), 2, "model: \"\" found, the name of a file or folder expected");
  expect_line(hone({"eval", "--model", kModel, "--data", kPairs, "--task", "poetry"}), 2,
              "task: \"poetry\" found, sts, binary, triplet, pairs, retrieval or mse expected");
  expect_error(hone({"encode", "--model", kModel, "--input", kPairs, "--out", "x.bin"}), 2,
               ".npy, .safetensors or .jsonl expected");
}

TEST(Usage, takes_arguments_of_any_length_and_content) {
  const std::string longest(120'000, 'a');  // the kernel allows 128 KiB
  TempFolder folder;
  folder.write("c.txt", "one\ntwo\n");
  const std::string corpus = (folder / "c.txt").string();
  for (const std::string& query : {longest, std::string("two\nlines")}) {
    const Result r = hone({"nearest", "--model", kModel, "--corpus", corpus, "--query=" + query, "--top=1"});
    EXPECT_EQ(r.code, 0) << r.err;
  }
  for (const std::string& front : {"", "-", "--"})
    EXPECT_EQ(hone({"info", front + longest}).code, 2) << front;
  expect_error(hone({"info", "--model", (folder / "no\nthing").string()}), 1, "no?thing");
}

TEST(Usage, of_training) {
  TempFolder folder;
  auto wrong = [&](const Strings& more) { return hone(train(folder / "o", more)); };
  for (const auto& [typed, meant] : {std::pair{"--loss=cosin", "cosine"},
                                     {"--schedule=lniear", "linear"},
                                     {"--loss-options=matroyshka=8", "matryoshka"},
                                     {"--columns=sentense1=a", "sentence1"},
                                     {"--sampler=no-duplicate", "no-duplicates"}}) {
    expect_error(wrong({typed}), 2, std::string("; did you mean ") + meant + "?");
  }
  expect_line(
      wrong({"--loss", "poetry"}), 2,
      "loss: \"poetry\" found, one of cosine, cosent, angle, mnr, contrastive, online-contrastive, triplet, "
      "softmax, mse, margin-mse, kl expected");
  expect_line(
      wrong({"--loss-options", "scale=2"}), 2,
      "loss-options: \"scale\" is no option of the loss cosine, which has matryoshka, matryoshka_weights, "
      "matryoshka_per_batch");
  expect_line(wrong({"--loss", "mnr", "--loss-options", "scale=0"}), 2,
              "loss-options: scale: \"0\" found, a number above 0 expected");
  expect_line(wrong({"--loss", "mnr", "--loss-options", "directions=dq"}), 2,
              "loss-options: directions: qd must be among them: it holds the positives");
  expect_line(wrong({"--loss", "mnr", "--loss-options", "symmetric"}), 2,
              "loss-options: \"symmetric\" found, name=value expected");
  expect_line(wrong({"--loss-options", "matryoshka=33"}), 2,
              "loss-options: matryoshka: 33 found, whole numbers from 1 to 32 expected");
  expect_error(wrong({"--loss", "triplet"}), 1, "no column \"negative\"");
  expect_line(wrong({"--memory", "2X"}), 2, "memory: \"2X\" found, bytes expected, as 2G or 800M");
  expect_error(wrong({"--memory", "1M"}), 2, "memory: 1 MB found, at least ");
  expect_line(wrong({"--mask-similarity", "0.9"}), 2,
              "mask-similarity: the loss cosine has no negatives of other rows to mask");
  expect_line(wrong({"--freeze", "embeddings", "--rates", "word_embeddings=1e-3"}), 2,
              "rates: \"word_embeddings=1e-3\" found, but one of its patterns fits only what --freeze "
              "\"embeddings\" leaves alone: it would do nothing");
  expect_error(wrong({"--loss", "mnr", "--loss-options", "hardness=hard_negatives,hardness_strength=5"}), 2,
               "loss-options: hardness: hard_negatives found, but the data name no negatives");
  for (const char* memory : {"0", "-1G", "nan", "inf", "1e999G", "2 G", "2g", "G", "999K", "1e16"})
    expect_line(wrong({"--memory=" + std::string(memory)}), 2,
                "memory: \"" + std::string(memory) + "\" found, bytes expected, as 2G or 800M");
  const std::string deep = std::string(50'000, '(') + "a" + std::string(50'000, ')');
  expect_line(wrong({"--freeze", deep}), 2, "freeze: 100001 characters found, at most 1000 expected");
  expect_line(wrong({"--rates", deep + "=1"}), 2, "rates: 100001 characters found, at most 1000 expected");
  expect_error(wrong({"--freeze", "("}), 2, "freeze: \"(\" found, a regular expression expected");
  expect_error(wrong({"--freeze", "poetry"}), 2, "freeze: \"poetry\" fits no tensor of the model");
  expect_error(wrong({"--freeze", "."}), 2, "freeze: \".\" leaves no tensor of the model to train");
  expect_error(wrong({"--rates", "head=1e-3"}), 2, "rates: \"head\" fits no tensor of the model, which has ");
  expect_line(wrong({"--rates", "embeddings"}), 2,
              "rates: \"embeddings\" found, REGEX=RATE with a rate from 0 to below 10 expected");
  expect_line(wrong({"--patience", "2"}), 2,
              "patience: found without data to evaluate on, which tells when there is no gain");
  expect_error(wrong({"--sampler", "best"}), 2, "random or no-duplicates");
  expect_error(wrong({"--schedule", "steep"}), 2, "linear, constant or cosine");
  expect_error(wrong({"--eval", kPairs, "--metric", "accuracy"}), 2, "spearman_cosine");
  for (const char* option : {"--task=sts", "--similarity=dot", "--margin=1", "--split=dev", "--metric=x",
                             "--eval-steps=1", "--eval-share=0.5", "--min-gain=1"}) {
    const std::string name = std::string(option).substr(0, std::string(option).find('='));
    expect_line(wrong({option}), 2, "option " + name + " is for --eval or --hold-out, which are missing");
  }
  expect_line(wrong({"--vector-cache", (folder / "kept").string()}), 2,
              "option --vector-cache is for --mask-similarity, which is missing");
  expect_line(wrong({"--eval", kPairs, "--margin", "1"}), 2,
              "option --margin is for --task triplet, found sts");
  expect_line(wrong({"--eval", kPairs, "--task", "mse", "--similarity", "dot"}), 2,
              "option --similarity is for --task sts, binary, triplet, pairs or retrieval, found mse");
  expect_line(wrong({"--eval", kPairs, "--split", "dev"}), 2,
              "option --split is for --task retrieval, found sts");
  expect_line(wrong({"--eval", kPairs, "--hold-out", "0.1"}), 2,
              "options --eval and --hold-out exclude each other");
  expect_line(wrong({"--hold-out", "0.1", "--margin", "1"}), 2,
              "option --margin is for --task triplet, found sts");
  expect_line(wrong({"--hold-out", "0.1", "--task", "retrieval"}), 2,
              "task: \"retrieval\" found, sts, binary, triplet, pairs or mse expected for a table of rows");
  expect_line(wrong({"--hold-out", "0.001"}), 2,
              "hold-out: 0.001 of the 120 rows of " + kPairs +
                  " leaves 0 to evaluate on and 120 to train on, at least 2 of each expected (another share, "
                  "or other "
                  "data to evaluate on)");
  expect_line(wrong({"--epochs", "1", "--steps", "1"}), 2, "options --steps and --epochs exclude each other");
  expect_line(wrong({"--resume", "--overwrite"}), 2, "options --resume and --overwrite exclude each other");
  expect_error(wrong({"--columns", "sentence1"}), 2, "role=name");
  expect_line(wrong({"--columns="}), 2, "columns: \"\" found, role=name,role=name expected");
  for (const char* option : {"loss", "loss-options", "memory", "freeze", "rates", "vector-cache"})
    expect_error(wrong({"--" + std::string(option) + "="}), 2, std::string(option) + ": \"\" found, ");
  EXPECT_TRUE(folder.names().empty());
}

// --- numbers ---

struct Number {
  const char *option, *typed, *message;
};

class Numbers : public ::testing::TestWithParam<Number> {};

TEST_P(Numbers, must_be_whole_and_in_range) {
  const auto [option, typed, message] = GetParam();
  TempFolder folder;
  const std::string name = option;
  expect_line(hone(train(folder / "o", {"--" + name + "=" + typed})), 2, name + ": " + message);
  EXPECT_TRUE(folder.names().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Real, Numbers,
    ::testing::Values(Number{"lr", "fast", "\"fast\" found, a number expected"},
                      Number{"lr", "", "\"\" found, a number expected"},
                      Number{"lr", "2e-5x", "\"2e-5x\" found, a number expected"},
                      Number{"lr", " 1", "\" 1\" found, a number expected"},
                      Number{"lr", "0x1", "\"0x1\" found, a number expected"},
                      Number{"lr", "nan", "\"nan\" found, a finite number expected"},
                      Number{"lr", "-inf", "\"-inf\" found, a finite number expected"},
                      Number{"lr", "1e999", "\"1e999\" found, a number that fits into a double expected"},
                      Number{"lr", "1e-999", "\"1e-999\" found, a number that fits into a double expected"},
                      Number{"lr", "-1", "\"-1\" found, 0 to below 10 expected"},
                      Number{"epochs", "1,5", "\"1,5\" found, a number expected"},
                      Number{"epochs", "0", "\"0\" found, a number above 0, at most 1000000 expected"},
                      Number{"warmup-ratio", "1.5", "\"1.5\" found, 0 to 1 expected"},
                      Number{"weight-decay", "1%", "\"1%\" found, a number expected"},
                      Number{"max-grad-norm", "-2", "\"-2\" found, 0 (off) or more expected"},
                      Number{"dropout", "-0.1", "\"-0.1\" found, 0 to below 1 expected"},
                      Number{"dropout", "1", "\"1\" found, 0 to below 1 expected"},
                      Number{"label-scale", "0", "\"0\" found, a number above 0 expected"}));

INSTANTIATE_TEST_SUITE_P(
    Integer, Numbers,
    ::testing::Values(
        Number{"steps", "1e", "\"1e\" found, a whole number expected"},
        Number{"steps", "1.0", "\"1.0\" found, a whole number expected"},
        Number{"steps", "0x10", "\"0x10\" found, a whole number expected"},
        Number{"steps", "-", "\"-\" found, a whole number expected"},
        Number{"steps", "", "\"\" found, a whole number expected"},
        Number{"steps", "9223372036854775808", "\"9223372036854775808\" found, 0 to 1000000000 expected"},
        Number{"steps", "-9223372036854775809", "\"-9223372036854775809\" found, 0 to 1000000000 expected"},
        Number{"seed", "-1", "\"-1\" found, 0 to 9223372036854775807 expected"},
        Number{"seed", "9223372036854775808",
               "\"9223372036854775808\" found, 0 to 9223372036854775807 expected"},
        Number{"batch-size", "70000", "\"70000\" found, 1 to 65536 expected"},
        Number{"max-seq-length", "3000000000", "\"3000000000\" found, 1 to 1000000000 expected"},
        Number{"eval-steps", "0", "\"0\" found, 1 to 1000000000 expected"},
        Number{"checkpoint-steps", "-1", "\"-1\" found, 0 to 1000000000 expected"},
        Number{"threads", "-3", "\"-3\" found, 0 to 4096 expected"},
        Number{"threads", "5000", "\"5000\" found, 0 to 4096 expected"}));

TEST(Numbers, at_the_edge_are_taken) {
  TempFolder folder;
  const Result r = hone(train(folder / "o", {"--lr", "2.5e-5", "--epochs", ".5", "--max-grad-norm", "0",
                                             "--seed", "9223372036854775807"}));
  EXPECT_EQ(r.code, 0) << r.err;
  const std::string card = folder.read("o/README.md");
  for (const char* row : {"| epochs | 0.5 |", "| lr | 2.5e-05 |", "| seed | 9223372036854775807 |"})
    EXPECT_NE(card.find(row), std::string::npos) << card;
}

TEST(Numbers, of_other_commands) {
  TempFolder folder;
  folder.write("c.txt", "one\n");
  expect_line(hone({"nearest", "--model", kModel, "--corpus", (folder / "c.txt").string(), "--query", "x",
                    "--top", "0"}),
              2, "top: \"0\" found, 1 or more expected");
}

}  // namespace
}  // namespace hone::cli
