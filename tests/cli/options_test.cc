// Every option that hone train and hone eval describe: a value that is taken, and one that is refused in one
// line before anything is written. And the list of hone options.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/cli/program.h"
#include "tests/cli/small_data.h"

namespace hone::cli {
namespace {

using Json = nlohmann::json;

// In values "@" stands for the folder of the test.
struct Case {
  std::string command, option;
  Strings good;  // all of it: what goes with the option, too
  std::string bad;
  int code;
  std::string message;
  Strings with = {};  // goes with the bad value
};

constexpr const char* kFlag = "yes";  // what no flag takes

Case flag(const std::string& command, const std::string& option, const Strings& with = {}) {
  Strings good = with;
  good.push_back("--" + option);
  return {command, option, good, kFlag, 2, option + ": \"yes\" found, no value expected", with};
}
Case value(const std::string& command, const std::string& option, const std::string& good,
           const std::string& bad, const std::string& expected, const Strings& with = {}) {
  Strings all = with;
  all.push_back("--" + option + "=" + good);
  return {command, option, all, bad, 2, option + ": \"" + bad + "\" found, " + expected + " expected", with};
}

const Strings kEvaluated{"--eval", "@/binary.tsv"};
const Strings kMasked{"--loss", "mnr", "--mask-similarity", "0.9"};
const Strings kBeir{"--corpus", "@/beir/corpus.jsonl",   "--queries", "@/beir/queries.jsonl",
                    "--qrels",  "@/beir/qrels/test.tsv", "--task",    "retrieval"};

Strings without(Strings all, const std::string& option) {
  const auto at = std::find(all.begin(), all.end(), "--" + option);
  all.erase(at, at + 2);
  return all;
}

std::vector<Case> train_cases() {
  const auto t = [](auto... more) { return value("train", more...); };
  const std::string whole = "a whole number", count = "0 to 1000000000",
                    name = "the name of a file or folder";
  return {
      {"train", "model", {}, "@/none", 1, "@/none"},
      {"train", "data", {}, "", 2, "data: \"\" found, " + name + " expected"},
      {"train", "eval", kEvaluated, "@/none.tsv", 1, "cannot read @/none.tsv: No such file or directory"},
      {"train", "out", {}, "", 2, "out: \"\" found, " + name + " expected"},
      {"train",
       "log",
       {"--log", "@/log"},
       "@/none/log",
       1,
       "log: cannot write @/none/log: No such file or directory"},
      flag("train", "resume"),
      flag("train", "overwrite"),
      flag("train", "json"),
      {"train",
       "columns",
       {"--columns", "sentence1=sentence2,sentence2=sentence1"},
       "sentence1",
       2,
       "--columns: found \"sentence1\", expected role=name"},
      {"train", "loss", {"--loss", "cosent"}, "poetry", 2, "loss: \"poetry\" found, one of cosine, "},
      {"train",
       "loss-options",
       {"--loss-options", "matryoshka=16"},
       "matryoshka",
       2,
       "loss-options: \"matryoshka\" found, name=value expected"},
      t("epochs", "0.5", "0", "a number above 0, at most 1000000"),
      t("steps", "2", "-1", count),
      t("batch-size", "3", "0", "1 to 65536"),
      t("accumulate", "2", "0", "1 to 65536"),
      t("memory", "1G", "2X", "bytes"),
      t("sampler", "no-duplicates", "best", "random or no-duplicates"),
      t("mask-similarity", "0.9", "1.5", "a number above -1, at most 1", Strings{"--loss", "mnr"}),
      {"train",
       "vector-cache",
       {"--loss", "mnr", "--mask-similarity", "0.9", "--vector-cache", "@/kept"},
       "@/binary.tsv/kept",
       1,
       "cannot write @/binary.tsv/kept: Not a directory",
       kMasked},
      t("lr", "1e-4", "10", "0 to below 10"),
      t("warmup-ratio", "0.5", "1.5", "0 to 1"),
      t("schedule", "cosine", "steep", "linear, constant or cosine"),
      t("weight-decay", "0.01", "1", "0 to below 1"),
      t("max-grad-norm", "0", "-1", "0 (off) or more"),
      t("dropout", "0", "1", "0 to below 1"),
      t("freeze", "embeddings", "[a", "a regular expression"),
      t("rates", "embeddings=1e-6;layer\\.0=0", "embeddings=10", "REGEX=RATE with a rate from 0 to below 10"),
      t("label-scale", "2", "0", "a number above 0"),
      t("prompts", "none", "query", "none, default or roles"),
      t("eval-prompts", "none", "query", "roles, default or none", kEvaluated),
      t("max-seq-length", "16", "0", "1 to 1000000000"),
      t("seed", "7", "-1", "0 to 9223372036854775807"),
      flag("train", "no-shuffle"),
      t("max-minutes", "5", "-1", "0 (no end) or more"),
      t("hold-out", "0.5", "1", "0 to below 1"),
      t("task", "binary", "poetry", "sts, binary, triplet, pairs, retrieval or mse", kEvaluated),
      t("similarity", "dot", "jaccard", "model, cosine, dot, euclidean or manhattan", kEvaluated),
      t("margin", "0.1", "-1", "0 or more", Strings{"--eval", "@/triplet.tsv", "--task", "triplet"}),
      {"train",
       "split",
       {"--eval", "@/beir", "--task", "retrieval", "--split", "dev"},
       "a/b",
       2,
       "split: \"a/b\" found, the name of a split expected",
       {"--eval", "@/beir", "--task", "retrieval"}},
      t("dim", "8", "0", "1 to the width of the model's vectors", kEvaluated),
      t("metric", "pearson_dot", "accuracy",
        "one of spearman_cosine, pearson_cosine, pearson_dot, spearman_dot, "
        "pearson_euclidean, spearman_euclidean, pearson_manhattan, spearman_manhattan, pearson_max, "
        "spearman_max",
        kEvaluated),
      t("eval-steps", "1", "0", "1 to 1000000000", kEvaluated),
      t("eval-share", "0.5", "0", "above 0, at most 1", kEvaluated),
      t("patience", "1", "-1", count, kEvaluated),
      t("min-gain", "0.01", "-1", "0 or more", kEvaluated),
      t("checkpoint-steps", "1", "1.5", whole),
      t("checkpoint-minutes", "1", "-1", "0 (never) or more"),
      t("device", "cpu", "gpu", "cpu, cuda, cuda:N or torch-cpu"),
      t("precision", "fp32", "fp8", "fp32 or bf16"),
      t("isa", "best", "sse", "best, avx512 or avx2"),
      t("weights", "read", "copied", "mapped or read"),
      t("threads", "1", "-1", "0 to 4096"),
      flag("train", "quiet"),
  };
}

std::vector<Case> eval_cases() {
  const auto e = [](auto... more) { return value("eval", more...); };
  const Strings binary{"--data", "@/binary.tsv"}, triplet{"--data", "@/triplet.tsv", "--task", "triplet"},
      beir{"--data", "@/beir", "--task", "retrieval"};
  const auto file = [](const std::string& option) {
    return Case{"eval", option, kBeir, "@/none", 1, "@/none", without(kBeir, option)};
  };
  return {
      {"eval", "model", binary, "@/none", 1, "@/none", binary},
      {"eval", "data", binary, "@/none.tsv", 1, "cannot read @/none.tsv: No such file or directory"},
      {"eval", "compare", {"--data", "@/binary.tsv", "--compare", kModel}, "@/none", 1, "@/none", binary},
      e("task", "triplet", "poetry", "sts, binary, triplet, pairs, retrieval or mse",
        Strings{"--data", "@/triplet.tsv"}),
      e("similarity", "dot", "jaccard", "model, cosine, dot, euclidean or manhattan", binary),
      e("prompts", "none", "query", "roles, default or none", binary),
      e("dim", "32", "-1", "1 to the width of the model's vectors", binary),
      {"eval",
       "columns",
       {"--data", "@/binary.tsv", "--columns", "score=score"},
       "text=score",
       2,
       "--columns: no role \"text\" here, the roles are sentence1, sentence2, score",
       {"--data", "@/binary.tsv", "--task", "sts"}},
      {"eval",
       "per-row",
       {"--data", "@/binary.tsv", "--per-row", "@/rows"},
       "@/none/rows",
       1,
       "cannot write @/none/rows: No such file or directory",
       binary},
      flag("eval", "json", binary),
      e("margin", "0.1", "nan", "a finite number", triplet),
      file("corpus"),
      file("queries"),
      file("qrels"),
      {"eval",
       "split",
       {"--data", "@/beir", "--task", "retrieval", "--split", "dev"},
       "train",
       1,
       "@/beir: has no qrels/train.tsv, qrels_train.tsv, ",
       beir},
      {"eval",
       "per-query",
       {"--data", "@/beir", "--task", "retrieval", "--per-query", "@/queries"},
       "@/none/q",
       1,
       "cannot write @/none/q: No such file or directory",
       beir},
      e("device", "cpu", "gpu", "cpu, cuda, cuda:N or torch-cpu", binary),
      e("precision", "fp32", "fp8", "fp32 or bf16", binary),
      e("isa", "best", "sse", "best, avx512 or avx2", binary),
      e("weights", "read", "copied", "mapped or read", binary),
      e("threads", "1", "-1", "0 to 4096", binary),
      flag("eval", "quiet", binary),
  };
}

std::vector<Case> cases() {
  std::vector<Case> all = train_cases(), more = eval_cases();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

class EveryOption : public ::testing::TestWithParam<Case> {
 protected:
  EveryOption() {
    folder.write("binary.tsv", kBinaryRows);
    folder.write("triplet.tsv", kTripletRows);
    write_beir(folder, "beir");
  }
  std::string filled(std::string text) const {
    for (size_t at = 0; (at = text.find("@/", at)) != text.npos;) text.replace(at, 1, folder.path().string());
    return text;
  }
  // What the command cannot be without, but for the option that is looked at, and then `more`.
  Strings command(const Strings& more) const {
    const auto& c = GetParam();
    Strings all{c.command};
    const auto usually = [&](const std::string& option, const std::string& given) {
      const bool there = std::any_of(more.begin(), more.end(), [&](const std::string& m) {
        return m == "--" + option || m.starts_with("--" + option + "=");
      });
      if (!there) all.insert(all.end(), {"--" + option, filled(given)});
    };
    usually("model", kModel);
    if (c.command == "train") {
      usually("data", "@/binary.tsv");
      usually("out", "@/out");
      if (c.option != "epochs") usually("steps", "2");
    }
    for (const std::string& m : more) all.push_back(filled(m));
    return all;
  }
  TempFolder folder;
};

TEST_P(EveryOption, takes_a_good_value) {
  const auto& c = GetParam();
  const Result r = hone(command(c.good));
  EXPECT_EQ(r.code, 0) << r.err;
  if (c.command == "train") EXPECT_TRUE(fs::exists(folder / "out" / "model.safetensors"));
}

TEST_P(EveryOption, refuses_a_bad_value_in_one_line_and_leaves_nothing) {
  const auto& c = GetParam();
  Strings more = c.with;
  more.push_back("--" + c.option + "=" + c.bad);
  const auto before = folder.names();
  expect_error(hone(command(more)), c.code, filled(c.message));
  EXPECT_EQ(folder.names(), before);
}

INSTANTIATE_TEST_SUITE_P(Options, EveryOption, ::testing::ValuesIn(cases()), [](const auto& test) {
  std::string name = test.param.command + "_" + test.param.option;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// The long options of a command's help.
std::set<std::string> described(const std::string& command) {
  std::set<std::string> all;
  std::istringstream help(hone({command, "--help"}).out);
  for (std::string line; std::getline(help, line);) {
    const size_t at = line.find("--");
    if (at > 6 || at == line.npos) continue;
    all.insert(line.substr(at + 2, line.find(' ', at) - at - 2));
  }
  return all;
}

TEST(Options, all_have_their_cases_here) {
  for (const std::string& command : {"train", "eval"}) {
    std::set<std::string> here{"help"};
    for (const Case& c : cases()) {
      if (c.command == command) here.insert(c.option);
    }
    EXPECT_EQ(described(command), here);
  }
}

TEST(Options, of_a_program_are_those_of_the_commands) {
  const Json list = Json::parse(hone({"options", "--json"}).out);
  const Result text = hone({"options"});
  EXPECT_EQ(text.code, 0);
  EXPECT_TRUE(text.err.empty()) << text.err;
  std::set<std::string> flags;
  for (const std::string& command : {"train", "eval", "encode", "nearest"}) flags.merge(described(command));
  const std::set<std::string> in_programs_alone{"save.overwrite", "train.out", "train.existing"};
  for (const Json& option : list) {
    const std::string key = option.at("name"), help = option.at("help"), range = option.at("range"),
                      default_value = option.at("default");
    EXPECT_NE(
        ("\n" + text.out)
            .find("\n" + key + " (" + option.at("type").get<std::string>() + ", " + range +
                  (default_value.empty() ? "" : "; default " + default_value) + ")\n    " + help + "\n"),
        std::string::npos)
        << key;
    std::string flag = key.substr(key.find('.') + 1);
    std::replace(flag.begin(), flag.end(), '_', '-');
    if (!in_programs_alone.contains(key)) EXPECT_TRUE(flags.contains(flag)) << key;
  }
  EXPECT_GT(list.size(), 40U);
}

}  // namespace
}  // namespace hone::cli
