// hone train
#include <malloc.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <optional>

#include "command.h"
#include "eval/retrieval.h"
#include "eval/scores_json.h"
#include "eval/task_columns.h"
#include "progress.h"
#include "step_log.h"
#include "train/data_roles.h"
#include "train/out_folder.h"
#include "train/trainer.h"

namespace hone::cli {

namespace {

volatile std::sig_atomic_t stop_asked = 0;

// The first signal asks for a checkpoint. A second one ends the process in the ordinary way: a checkpoint or
// model that is being written is staged, so nothing breaks.
void ask_to_stop(int) {
  stop_asked = 1;
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

void declare(Arguments& arguments) {
  arguments.add(
      "Input and output",
      {{"model", "DIR", "Folder of the model to start from"},
       {"data", "FILE", "Rows to train on; several files (--data A --data B) make one", nullptr, true},
       {"eval", "PATH", "Rows to evaluate on; the best step's weights are kept"},
       {"out", "DIR", "Folder for the tuned model and, until then, checkpoints"},
       {"log", "FILE", "Write one line of JSON per step"},
       {"resume", nullptr, "Go on from the checkpoint in --out, also of a run that a limit ended"},
       {"overwrite", nullptr, "Replace the run in --out; other files there stay"},
       {"json", nullptr, "Print the result as JSON"}});
  arguments.add("Input and output", {"data.columns"});
  arguments.add("Training", {"train.loss",
                             "train.loss_options",
                             "train.epochs",
                             "train.steps",
                             "train.batch_size",
                             "train.accumulate",
                             "train.memory",
                             "train.sampler",
                             "train.mask_similarity",
                             "train.vector_cache",
                             "train.lr",
                             "train.warmup_ratio",
                             "train.schedule",
                             "train.weight_decay",
                             "train.max_grad_norm",
                             "train.dropout",
                             "train.freeze",
                             "train.rates",
                             "train.label_scale",
                             "train.max_seq_length",
                             "train.prompts",
                             "train.seed",
                             "train.no_shuffle",
                             "train.max_minutes"});
  arguments.add("Evaluation and checkpoint",
                {"train.hold_out", "eval.task", "eval.similarity", "eval.margin", "eval.split",
                 "eval.prompts", "encode.dim", "train.metric", "train.eval_steps", "train.eval_share",
                 "train.patience", "train.min_gain", "train.checkpoint_steps", "train.checkpoint_minutes"});
  add_device(arguments);
}

// Options that only some tasks know.
void check_task(const Arguments& a, const std::string& task) {
  for (const auto& [option, tasks] : {std::pair{"margin", "triplet"},
                                      {"split", "retrieval"},
                                      {"similarity", "sts, binary, triplet, pairs or retrieval"}}) {
    if (a.given(option) && std::string_view(tasks).find(task) == std::string_view::npos)
      fail_usage("option --", option, " is for --task ", tasks, ", found ", task);
  }
}

// An option that would do nothing is a mistake.
void check_needed(const Arguments& a) {
  constexpr const char* kOfEvaluation[] = {"task",   "similarity", "margin",     "split",    "dim",
                                           "metric", "eval-steps", "eval-share", "min-gain", "eval-prompts"};
  if (a.given("eval") && a.given("hold-out")) fail_usage("options --eval and --hold-out exclude each other");
  for (const char* option : kOfEvaluation) {
    if (a.given(option) && !a.given("eval") && !a.given("hold-out"))
      fail_usage("option --", option, " is for --eval or --hold-out, which are missing");
  }
  if (a.given("vector-cache") && !a.given("mask-similarity"))
    fail_usage("option --vector-cache is for --mask-similarity, which is missing");
  if (a.given("task")) check_task(a, a.text("task"));
}

train::TrainOptions read_options(const Arguments& a) {
  if (a.given("steps") && a.given("epochs")) fail_usage("options --steps and --epochs exclude each other");
  if (a.given("resume") && a.given("overwrite"))
    fail_usage("options --resume and --overwrite exclude each other");
  train::TrainOptions options = train::train_options(a.configured());
  check_needed(a);
  return options;
}

void check_log(const Arguments& arguments) {
  check_output(arguments, "log", {"data", "eval"});
  const fs::path log = arguments.path("log");
  auto outside = [&](const char* option, const char* why) {
    if (lies_in(log, arguments.path(option))) {
      fail_usage("log: \"", excerpt(arguments.text("log")), "\" found, a file outside of --", option,
                 " expected: ", why);
    }
  };
  outside("out", "the tuned model replaces that folder as a whole");
  if (arguments.given("eval")) outside("eval", "what lies there is read");
}

// --eval, for the task of --task or the one that suits what is there.
train::MakeEvaluation read_evaluation(const Arguments& arguments,
                                      const std::shared_ptr<compute::Engine>& engine,
                                      const std::map<std::string, std::string>& columns) {
  if (!arguments.given("eval")) return nullptr;
  const config::Options given = arguments.configured();
  const eval::Options options = eval::evaluation_options(given);
  const fs::path path = arguments.path("eval");
  const std::string task = arguments.given("task") ? arguments.text("task") : eval::task_for(path, columns);
  check_task(arguments, task);
  if (task == "retrieval") {
    const auto data = std::make_shared<const eval::RetrievalData>(
        eval::read_retrieval(eval::find_retrieval_files(path, given.text("eval.split"))));
    return [data, engine, options](const model::SentenceModel& model) {
      return eval::make_retrieval(*data, model, engine, options);
    };
  }
  const data::ReadOptions read = eval::task_reading(task, data::column_names(path), columns);
  return train::evaluation_of(task, data::read_table(path, read), engine, options);
}

nlohmann::ordered_json report_json(const train::EvalReport& report) {
  nlohmann::ordered_json j = {{"step", report.step}};
  eval::add_scores(j, report.metrics, {report.low, report.high}, report.intervals);
  return j;
}

}  // namespace

int train(int argc, char** argv) {
  Arguments arguments("train",
                      "Fine-tunes a sentence-embedding model.\n\n"
                      "The data are .jsonl, .csv or .tsv, each also .gz, with columns in any order:\n"
                      "sentence1, sentence2 and score; anchor and positive, maybe with negatives; or\n"
                      "others, for losses that hone losses lists.",
                      {"model", "data", "out"});
  declare(arguments);
  if (!arguments.parse(argc, argv)) return kOk;
  const train::TrainOptions o = read_options(arguments);
  const fs::path folder = arguments.path("model"), out = arguments.path("out");
  const std::vector<fs::path> files = arguments.paths("data");
  const auto columns = read_columns(arguments, train::all_roles());
  const bool quiet = arguments.given("quiet");
  if (arguments.given("log")) check_log(arguments);
  const auto engine = compute::create_engine(device_options(arguments));
  std::optional<StepLog> log;
  if (arguments.given("log")) log.emplace(arguments.path("log"));
  const auto model = load_model(arguments, folder);
  train::FileRows rows(files, o.loss, columns, o.hold_out > 0 ? o.task : "");
  train::MakeEvaluation evaluation = read_evaluation(arguments, engine, columns);
  const auto existing = arguments.given("resume")      ? train::OnExisting::resume
                        : arguments.given("overwrite") ? train::OnExisting::overwrite
                                                       : train::OnExisting::refuse;

  train::Trainer trainer(model, engine, std::move(rows), std::move(evaluation), o);
  malloc_trim(0);  // the texts are gone, and their memory is for activations
  if (trainer.held_out()) check_task(arguments, trainer.held_out()->task);
  const std::string metric = trainer.metric();
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
  train::TrainResult result;
  {
    Progress progress("steps", quiet);
    train::TrainCallbacks callbacks;
    callbacks.begin = [&] {
      for (const std::string& line : trainer.introduction()) progress.line(line);
    };
    callbacks.note = [&](const std::string& text) { progress.line(text); };
    callbacks.estimate = [&](const train::Estimate& e) {
      progress.line(cat("estimate: ", duration(e.seconds), ", ",
                        static_cast<int64_t>(static_cast<double>(e.bytes) / 1e6), " MB"));
    };
    callbacks.step = [&](const train::StepReport& r) {
      if (log) log->add(r);
      progress.update(r.step, r.steps_total, cat("loss ", number(r.loss, 4)));
    };
    callbacks.evaluation = [&](const train::EvalReport& r) {
      progress.line(cat(r.step == 0 ? "before training" : cat("step ", r.step), ": ", metric, " ",
                        number(r.value(metric), 4), r.best && r.step > 0 ? " (best so far)" : ""));
    };
    callbacks.stop = [] { return stop_asked != 0; };
    result = trainer.run(out, existing, callbacks);
  }
  if (result.interrupted && result.steps == 0) {
    std::cerr << "hone: interrupted before step 1; nothing is kept\n";
    return kInterrupted;
  }
  if (result.interrupted) {
    std::cerr << "hone: interrupted after step " << result.steps << "; checkpoint kept in "
              << (out / "checkpoint").string() << " (" << train::shown_bytes(result.checkpoint_bytes)
              << "), go on with --resume\n";
    return kInterrupted;
  }
  if (arguments.given("json")) {
    nlohmann::ordered_json j = {
        {"out", out.string()},           {"steps", result.steps},
        {"kept_step", result.kept_step}, {"already_finished", result.already_finished},
        {"seconds", result.seconds},     {"peak_megabytes", peak_megabytes()}};
    if (result.before) j["before"] = report_json(*result.before);
    if (result.after) j["after"] = report_json(*result.after);
    if (!result.ended_early.empty()) j["ended_early"] = result.ended_early;
    j["checkpoint_bytes"] = result.checkpoint_bytes;
    if (result.verdict) j["verdict"] = result.verdict->json();
    j.update(result.beforehand());
    std::cout << j.dump(2) << '\n';
  } else if (!quiet && !result.already_finished) {
    std::cerr << cat("trained ", result.steps, " steps in ", duration(result.seconds),
                     result.ended_early.empty() ? "" : cat(", ended ", result.ended_early), ", peak memory ",
                     static_cast<int64_t>(peak_megabytes()), " MB; model in ", out.string())
              << '\n';
  }
  // Quiet or not, nobody gets a model that is worse without being told.
  if (!quiet || result.below())
    std::cerr << (result.below() ? "warning: " : "") << result.verdict_text() << '\n';
  return kOk;
}

}  // namespace hone::cli
