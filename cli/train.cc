// hone train
#include <csignal>
#include <fstream>
#include <iostream>

#include "base/file.h"
#include "command.h"
#include "progress.h"
#include "train/trainer.h"

namespace hone::cli {

namespace {

volatile std::sig_atomic_t stop_asked = 0;
void ask_to_stop(int) {
  stop_asked = 1;
}

// --log: one JSON object per step. A resumed run keeps the lines of the steps it builds on.
class StepLog {
 public:
  StepLog(const std::string& path, int64_t keep_steps) {
    if (path.empty()) return;
    std::string kept;
    if (keep_steps > 0) {
      std::ifstream old(path);
      for (std::string line; std::getline(old, line);) {
        const auto j = nlohmann::json::parse(line, nullptr, false);
        if (j.is_object() && j.contains("step") && j["step"].is_number_integer() &&
            j["step"].get<int64_t>() <= keep_steps)
          kept += line + '\n';
      }
    }
    out_.open(path, std::ios::trunc);
    out_ << kept << std::flush;
    if (!out_) fail("log: cannot write ", path);
    path_ = path;
  }
  void add(const train::StepReport& r) {
    if (path_.empty()) return;
    const nlohmann::ordered_json j = {{"step", r.step},        {"loss", r.loss},
                                      {"lr", r.learning_rate}, {"grad_norm", r.grad_norm},
                                      {"tokens", r.tokens},    {"seconds", r.seconds}};
    out_ << j.dump() << '\n' << std::flush;
    if (!out_) fail("log: cannot write ", path_);
  }

 private:
  std::string path_;
  std::ofstream out_;
};

cxxopts::Options describe() {
  cxxopts::Options options = make_options("train",
                                          "Fine-tunes a sentence-embedding model on labelled pairs.\n\n"
                                          "The data has columns sentence1, sentence2 and score (or label), "
                                          "found by name; .jsonl, .csv and .tsv, each also .gz.");
  options.add_options("Input and output")("model", "Folder of the model to start from",
                                          cxxopts::value<std::string>(), "DIR")(
      "data", "Training pairs", cxxopts::value<std::string>(), "FILE")(
      "out", "Folder to write the tuned model to; checkpoints lie in DIR/checkpoint",
      cxxopts::value<std::string>(), "DIR")("columns", "Names of the file's columns, as role=name,...",
                                            cxxopts::value<std::string>(), "LIST")(
      "eval", "Pairs to evaluate on; the best evaluated step is kept", cxxopts::value<std::string>(), "FILE")(
      "metric", "What 'best' means", cxxopts::value<std::string>()->default_value("spearman_cosine"), "NAME")(
      "log", "Write one JSON object per step", cxxopts::value<std::string>()->default_value(""),
      "FILE.jsonl")("resume", "Go on from DIR/checkpoint")("overwrite", "Replace DIR")(
      "json", "Print the result as JSON");
  options.add_options("Training")("loss", "cosine: MSE of the vectors' cosine and the label",
                                  cxxopts::value<std::string>()->default_value("cosine"), "NAME")(
      "epochs", "Passes over the data", cxxopts::value<double>()->default_value("3"), "N")(
      "steps", "Steps, instead of epochs", cxxopts::value<int64_t>(), "N")(
      "batch-size", "Pairs per step", cxxopts::value<int64_t>()->default_value("32"), "N")(
      "lr", "Highest learning rate", cxxopts::value<double>()->default_value("5e-5"), "X")(
      "warmup-ratio", "Share of the steps in which the rate rises",
      cxxopts::value<double>()->default_value("0"),
      "X")("schedule", "linear, constant or cosine, after the warm-up",
           cxxopts::value<std::string>()->default_value("linear"), "NAME")(
      "weight-decay", "Decoupled; not for bias and LayerNorm", cxxopts::value<double>()->default_value("0"),
      "X")("max-grad-norm", "Clip the gradient to this length (0: never)",
           cxxopts::value<double>()->default_value("1"),
           "X")("dropout", "Instead of the model's own", cxxopts::value<double>(), "P")(
      "label-scale", "Divide labels by this (default: read off the data)", cxxopts::value<double>(), "X")(
      "max-seq-length", "Tokens a text is cut to (default: the model's)", cxxopts::value<int32_t>(), "N")(
      "seed", "Of the order of rows and of dropout", cxxopts::value<uint64_t>()->default_value("42"), "N")(
      "no-shuffle", "Keep the order of the file")(
      "eval-steps", "Evaluate every N steps (default: each epoch)", cxxopts::value<int64_t>(), "N")(
      "checkpoint-steps", "Keep a checkpoint every N steps (0: only when interrupted)",
      cxxopts::value<int64_t>()->default_value("500"), "N");
  return options;
}

train::TrainOptions read_options(const cxxopts::ParseResult& p) {
  if (p["loss"].as<std::string>() != "cosine") {
    fail_usage("loss: \"", excerpt(p["loss"].as<std::string>()), "\" found, cosine expected");
  }
  if (p.count("steps") != 0 && p.count("epochs") != 0)
    fail_usage("options --steps and --epochs exclude each other");
  if (p.count("resume") != 0 && p.count("overwrite") != 0)
    fail_usage("options --resume and --overwrite exclude each other");
  auto positive = [&](const char* name, auto value) {
    if (!(value > 0)) fail_usage(name, ": ", value, " found, a number above 0 expected");
    return value;
  };
  train::TrainOptions o;
  o.epochs = p["epochs"].as<double>();
  if (p.count("steps") != 0) o.steps = positive("steps", p["steps"].as<int64_t>());
  o.batch_size = p["batch-size"].as<int64_t>();
  o.learning_rate = p["lr"].as<double>();
  o.warmup_ratio = p["warmup-ratio"].as<double>();
  o.schedule = train::parse_schedule(p["schedule"].as<std::string>());
  o.weight_decay = p["weight-decay"].as<double>();
  o.max_grad_norm = p["max-grad-norm"].as<double>();
  if (p.count("dropout") != 0) {
    o.dropout = p["dropout"].as<double>();
    if (!(o.dropout >= 0)) fail_usage("dropout: ", o.dropout, " found, 0 to below 1 expected");
  }
  if (p.count("label-scale") != 0) o.label_scale = positive("label-scale", p["label-scale"].as<double>());
  if (p.count("max-seq-length") != 0)
    o.max_seq_length = positive("max-seq-length", p["max-seq-length"].as<int32_t>());
  o.seed = p["seed"].as<uint64_t>();
  o.shuffle = p.count("no-shuffle") == 0;
  if (p.count("eval-steps") != 0) o.eval_steps = positive("eval-steps", p["eval-steps"].as<int64_t>());
  o.checkpoint_steps = p["checkpoint-steps"].as<int64_t>();
  o.metric = p["metric"].as<std::string>();
  return o;
}

double metric_of(const train::EvalReport& report, const std::string& name) {
  for (const auto& [key, value] : report.metrics) {
    if (key == name) return value;
  }
  return 0;
}

nlohmann::ordered_json report_json(const train::EvalReport& report) {
  nlohmann::ordered_json j = {{"step", report.step}};
  for (const auto& [name, value] : report.metrics) j[name] = json_number(value);
  j["spearman_cosine_95"] = {json_number(report.low), json_number(report.high)};
  return j;
}

}  // namespace

int train(int argc, char** argv) {
  cxxopts::Options options = describe();
  cxxopts::ParseResult p;
  static constexpr const char* kRequired[] = {"model", "data", "out"};
  if (parse(options, argc, argv, kRequired, p)) return kOk;
  const train::TrainOptions o = read_options(p);
  const auto engine = make_engine(p);
  const auto columns = read_columns(p, train::pair_role_names());
  const auto model = model::load_model(p["model"].as<std::string>());
  data::Table table = data::read_table(p["data"].as<std::string>(), train::pair_roles(columns));
  std::optional<data::Table> eval;
  if (p.count("eval") != 0) eval = data::read_table(p["eval"].as<std::string>(), train::pair_roles(columns));
  const auto existing = p.count("resume") != 0      ? train::OnExisting::resume
                        : p.count("overwrite") != 0 ? train::OnExisting::overwrite
                                                    : train::OnExisting::refuse;
  const fs::path out = p["out"].as<std::string>();

  train::Trainer trainer(model, engine, std::move(table), std::move(eval), o);
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
  train::TrainResult result;
  {
    Progress progress("steps", quiet(p));
    std::optional<StepLog> log;
    train::TrainCallbacks callbacks;
    callbacks.begin = [&] {
      progress.line(cat("engine: ", engine->describe()));
      if (trainer.label_scale() != 1) {
        progress.line(cat("labels are divided by ", trainer.label_scale(),
                          o.label_scale > 0 ? "" : " (read off the data; --label-scale sets another)"));
      }
    };
    callbacks.note = [&](const std::string& text) { progress.line(text); };
    callbacks.estimate = [&](const train::Estimate& e) {
      progress.line(cat("estimate: ", duration(e.seconds), ", ",
                        static_cast<int64_t>(static_cast<double>(e.bytes) / 1e6), " MB"));
    };
    callbacks.step = [&](const train::StepReport& r) {
      if (!log) log.emplace(p["log"].as<std::string>(), r.step - 1);
      log->add(r);
      progress.update(r.step, r.steps_total, cat("loss ", number(r.loss, 4)));
    };
    callbacks.evaluation = [&](const train::EvalReport& r) {
      progress.line(cat(r.step == 0 ? "before training" : cat("step ", r.step), ": ", o.metric, " ",
                        number(metric_of(r, o.metric), 4), r.best && r.step > 0 ? " (best so far)" : ""));
    };
    callbacks.stop = [] { return stop_asked != 0; };
    result = trainer.run(out, existing, callbacks);
  }
  if (result.interrupted) {
    std::cerr << "hone: interrupted after step " << result.steps << "; checkpoint kept in "
              << (out / "checkpoint").string() << ", go on with --resume\n";
    return kInterrupted;
  }
  const bool worse = result.before && result.after &&
                     metric_of(*result.after, o.metric) < metric_of(*result.before, o.metric);
  if (p.count("json") != 0) {
    nlohmann::ordered_json j = {
        {"out", out.string()},           {"steps", result.steps},
        {"kept_step", result.kept_step}, {"already_finished", result.already_finished},
        {"seconds", result.seconds},     {"peak_megabytes", peak_megabytes()}};
    if (result.before) j["before"] = report_json(*result.before);
    if (result.after) j["after"] = report_json(*result.after);
    std::cout << j.dump(2) << '\n';
  } else if (!quiet(p) && !result.already_finished) {
    std::cerr << cat("trained ", result.steps, " steps in ", duration(result.seconds), ", peak memory ",
                     static_cast<int64_t>(peak_megabytes()), " MB; model in ", out.string())
              << '\n';
  }
  if (worse && !quiet(p)) {
    std::cerr << "warning: the tuned model scores below the base model on " << o.metric << " ("
              << number(metric_of(*result.after, o.metric), 4) << " after, "
              << number(metric_of(*result.before, o.metric), 4) << " before)\n";
  }
  return kOk;
}

}  // namespace hone::cli
