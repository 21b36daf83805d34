// hone eval
#include <algorithm>
#include <iostream>
#include <optional>

#include "base/file.h"
#include "command.h"
#include "encode/encoder.h"
#include "eval/comparison.h"
#include "eval/evaluation.h"
#include "eval/retrieval.h"
#include "eval/task_columns.h"
#include "eval_report.h"
#include "progress.h"

namespace hone::cli {

namespace {

constexpr const char* kRetrieval = "retrieval";
constexpr const char* kTables = "sts, binary, triplet, pairs or mse";

// Options that only some tasks know.
constexpr struct {
  const char *option, *tasks;
} kOptionTasks[] = {{"margin", "triplet"},
                    {"columns", kTables},
                    {"per-row", "sts, binary, triplet or mse"},
                    {"corpus", kRetrieval},
                    {"queries", kRetrieval},
                    {"qrels", kRetrieval},
                    {"split", kRetrieval},
                    {"per-query", "pairs or retrieval"},
                    {"similarity", "sts, binary, triplet, pairs or retrieval"}};

void check_options(const Arguments& arguments, const std::string& task) {
  for (const auto& [option, tasks] : kOptionTasks) {
    if (arguments.given(option) && std::string_view(tasks).find(task) == std::string_view::npos)
      fail_usage("option --", option, " is for --task ", tasks, ", found ", task);
  }
  const bool files = arguments.given("corpus") || arguments.given("queries") || arguments.given("qrels");
  if (files && arguments.given("data"))
    fail_usage("options --data and --corpus, --queries, --qrels exclude each other");
  if (files && arguments.given("split")) fail_usage("option --split is for a folder (--data)");
  if (!files && !arguments.given("data")) {
    fail_usage("option --data is missing", task == kRetrieval ? " (or --corpus, --queries and --qrels)" : "",
               "; see hone eval --help");
  }
  for (const char* option : {"corpus", "queries", "qrels"}) {
    if (files && !arguments.given(option))
      fail_usage("option --", option, " is missing; see hone eval --help");
  }
}

// --task, or what suits the data.
std::string task_of(const Arguments& arguments) {
  if (arguments.given("task")) return arguments.configured().text("eval.task");
  if (arguments.given("data"))
    return eval::task_for(arguments.path("data"), read_columns(arguments, eval::known_roles("")));
  for (const char* option : {"corpus", "queries", "qrels"}) {
    if (arguments.given(option)) return kRetrieval;
  }
  fail_usage("option --data is missing; see hone eval --help");
}

eval::RetrievalFiles retrieval_files(const Arguments& arguments) {
  if (arguments.given("data"))
    return eval::find_retrieval_files(arguments.path("data"), arguments.configured().text("eval.split"));
  return {arguments.path("corpus"), arguments.path("queries"), arguments.path("qrels")};
}

// The file of --per-row or --per-query, found to be writable before hours are spent.
std::unique_ptr<StagedFile> lines_file(const Arguments& arguments, const std::vector<fs::path>& inputs) {
  for (const char* option : {"per-row", "per-query"}) {
    if (!arguments.given(option)) continue;
    check_no_model_file(arguments, option);
    const fs::path path = arguments.path(option);
    for (const fs::path& input : inputs) {
      std::error_code absent;
      if (fs::equivalent(path, input, absent))
        fail_usage(option, ": \"", excerpt(path.string()), "\" is a file that is read");
    }
    return std::make_unique<StagedFile>(path);
  }
  return nullptr;
}

// Reads the data, then binds it to each model; nothing of its texts is kept.
std::unique_ptr<StagedFile> prepare(const Arguments& arguments, const std::string& task,
                                    const std::shared_ptr<compute::Engine>& engine,
                                    std::vector<Scored>& models) {
  eval::Options options = eval::evaluation_options(arguments.configured());
  const auto load = [&] {
    for (Scored& m : models) m.model = load_model(arguments, m.folder);
    if (models.size() > 1) options = eval::comparison_options(options, task, *models[0].model);
  };
  if (task == kRetrieval) {
    const eval::RetrievalFiles files = retrieval_files(arguments);
    auto lines = lines_file(arguments, {files.corpus, files.queries, files.qrels});
    const eval::RetrievalData data = eval::read_retrieval(files);
    load();
    for (Scored& m : models) m.evaluation = eval::make_retrieval(data, *m.model, engine, options);
    return lines;
  }
  const fs::path file = arguments.path("data");
  auto lines = lines_file(arguments, {file});
  const data::Table table = data::read_table(
      file,
      eval::task_reading(task, data::column_names(file), read_columns(arguments, eval::known_roles(task))));
  load();
  for (Scored& m : models) m.evaluation = eval::make_evaluation(task, table, *m.model, engine, options);
  return lines;
}

void run(std::vector<Scored>& models, const std::shared_ptr<compute::Engine>& engine, bool quiet, bool json,
         StagedFile* lines) {
  Progress progress("texts", quiet);
  size_t before = 0, encoded = 0;
  for (size_t i = 0; i < models.size(); ++i) {
    encode::Encoder encoder(models[i].model, engine);
    eval::RunOptions options;
    options.intervals = json;
    options.progress = [&](size_t done, size_t total) {
      encoded = total;
      progress.update(before + done, before + total * (models.size() - i));
    };
    if (i == 0 && lines != nullptr) {
      options.each = [&](const nlohmann::ordered_json& line) { lines->write(line.dump() + "\n"); };
    }
    models[i].result = models[i].evaluation->run(encoder, options);
    before += encoded;
  }
}

}  // namespace

int eval(int argc, char** argv) {
  Arguments arguments("eval",
                      "Scores a model. Tasks and the columns they read (.jsonl, .csv, .tsv, also .gz):\n"
                      "  sts        sentence1, sentence2, score: does similarity follow the scores?\n"
                      "  binary     sentence1, sentence2, score 0 or 1: do they tell pairs apart?\n"
                      "  triplet    anchor, positive, negative: is the positive text nearer?\n"
                      "  pairs      anchor, positive: is it found among all positives of the file?\n"
                      "  retrieval  corpus, queries and qrels as in BEIR: what is found first?\n"
                      "  mse        text, vector: how far are vectors from given ones?\n"
                      "For retrieval every relevant passage (score above 0) and its query must be\n"
                      "in the files.",
                      {"model"});
  arguments.add("", {{"model", "DIR", "Folder of the model"},
                     {"data", "PATH", "File of rows; for retrieval a folder in BEIR's layout"},
                     {"compare", "DIR", "Folder of a second model to score on the same data"}});
  arguments.add("", {"eval.task", "eval.similarity", "eval.prompts", "encode.dim", "data.columns"});
  arguments.add("", {{"per-row", "FILE", "Write the similarities of each row (JSONL)"},
                     {"json", nullptr, "Print the result as JSON"}});
  arguments.add("Triplet", {"eval.margin"});
  arguments.add("Retrieval",
                {{"corpus", "FILE", "Passages, with _id, text and perhaps title"},
                 {"queries", "FILE", "Queries, with _id and text"},
                 {"qrels", "FILE",
                  "Which passage answers which query: query-id, corpus-id and score (above 0: relevant)"}});
  arguments.add("Retrieval", {"eval.split"});
  arguments.add("Retrieval and pairs",
                {{"per-query", "FILE", "Write each query's metrics and best passages (JSONL)"}});
  add_device(arguments);
  if (!arguments.parse(argc, argv)) return kOk;
  const std::string task = task_of(arguments);
  check_options(arguments, task);
  const auto engine = make_engine(arguments);
  std::vector<Scored> models(arguments.given("compare") ? 2 : 1);
  models[0].folder = arguments.path("model");
  if (models.size() > 1) models[1].folder = arguments.path("compare");
  const auto lines = prepare(arguments, task, engine, models);
  if (!arguments.given("quiet")) {
    for (const std::string& warning : models[0].evaluation->warnings())
      std::cerr << "warning: " << warning << '\n';
  }
  run(models, engine, arguments.given("quiet"), arguments.given("json"), lines.get());
  if (lines) lines->commit();

  const Scored& first = models[0];
  std::optional<eval::PairedDifference> difference;
  if (models.size() > 1) difference = eval::compare(*first.evaluation, first.result, models[1].result);
  if (arguments.given("json")) {
    auto j =
        scores_json(first, arguments.given("data") ? arguments.text("data") : first.evaluation->source());
    if (difference) j["compare"] = comparison_json(first, models[1], *difference);
    std::cout << j.dump(2) << '\n';
  } else {
    print_scores(first, !arguments.given("task"));
    if (difference) print_comparison(first, models[1], *difference);
  }
  return kOk;
}

}  // namespace hone::cli
