// hone eval
#include <iostream>
#include <optional>

#include "command.h"
#include "encode/encoder.h"
#include "eval/scores_json.h"
#include "eval/sts.h"
#include "progress.h"
#include "train/data_roles.h"

namespace hone::cli {

namespace {

// `encoded` texts of `total` were encoded before, by another model.
eval::StsScores score(const fs::path& folder, const std::shared_ptr<compute::Engine>& engine,
                      const data::Table& table, Progress& progress, size_t encoded, size_t total) {
  encode::Encoder encoder(model::load_model(folder), engine);
  auto vectors = [&](const char* role) {
    encode::EncodeOptions options;
    options.progress = [&](size_t done, size_t) { progress.update(encoded + done, total); };
    auto all = encoder.encode(table.text(role), options);
    encoded += table.rows;
    return all;
  };
  const auto a = vectors("sentence1"), b = vectors("sentence2");
  return eval::sts_scores(a, b, encoder.dim(), table.number("score"), true);
}

nlohmann::ordered_json scores_json(const eval::StsScores& scores) {
  nlohmann::ordered_json j;
  eval::add_scores(j, scores.metrics, scores.spearman_cosine_interval);
  return j;
}

void print(const std::string& title, const eval::StsScores& scores) {
  std::cout << title << '\n';
  for (const auto& [name, value] : scores.metrics) {
    std::cout << "  " << name << std::string(20 - std::min<size_t>(19, name.size()), ' ') << number(value, 4);
    if (name == "spearman_cosine") {
      std::cout << "  [" << number(scores.spearman_cosine_interval.low, 4) << ", "
                << number(scores.spearman_cosine_interval.high, 4) << "] 95 % interval";
    }
    std::cout << '\n';
  }
}

}  // namespace

int eval(int argc, char** argv) {
  Arguments arguments("eval",
                      "Scores a model on labelled pairs: how the similarity of the vectors correlates\n"
                      "with the labels.\n\n"
                      "The pairs are .jsonl, .csv or .tsv, each also .gz, with columns sentence1,\n"
                      "sentence2 and score (or label) in any order.",
                      {"model", "data"});
  arguments.add("", {{"model", "DIR", "Folder of the model"},
                     {"data", "FILE", "Pairs to score on"},
                     {"compare", "DIR", "Folder of a second model, scored on the same pairs"},
                     {"task", "NAME", "sts: semantic textual similarity", "sts"},
                     {"json", nullptr, "Print the result as JSON"}});
  arguments.add("", {"data.columns"});
  add_device(arguments);
  if (!arguments.parse(argc, argv)) return kOk;
  if (arguments.text("task") != "sts")
    fail_usage("task: \"", excerpt(arguments.text("task")), "\" found, sts expected");
  const auto engine = make_engine(arguments);
  const auto columns = read_columns(arguments, train::all_roles());
  const fs::path folder = arguments.path("model"), file = arguments.path("data");
  std::optional<fs::path> other;
  if (arguments.given("compare")) other = arguments.path("compare");
  const data::Table table =
      data::read_table(file, train::roles_of(loss::find_loss("cosine"), data::column_names(file), columns));

  eval::StsScores scores, others;
  {
    Progress progress("texts", arguments.given("quiet"));
    const size_t each = 2 * table.rows, total = other ? 2 * each : each;
    scores = score(folder, engine, table, progress, 0, total);
    if (other) others = score(*other, engine, table, progress, each, total);
  }
  const bool json = arguments.given("json");
  nlohmann::ordered_json j = {{"model", folder.string()},
                              {"data", file.string()},
                              {"pairs", table.rows},
                              {"scores", scores_json(scores)}};
  if (!json) print(cat(folder, " on ", file, " (", table.rows, " pairs)"), scores);
  if (other) {
    const auto d = eval::spearman_difference(others.cosine, scores.cosine, table.number("score"));
    j["compare"] = {
        {"model", other->string()},
        {"scores", scores_json(others)},
        {"spearman_cosine_difference", eval::json_number(d.difference)},
        {"difference_95", {eval::json_number(d.interval.low), eval::json_number(d.interval.high)}},
        {"share_better", eval::json_number(d.share_better)}};
    if (!json) {
      print(cat(*other, " on the same pairs"), others);
      std::cout << cat("difference of spearman_cosine, ", folder, " minus ", *other, ": ",
                       d.difference >= 0 ? "+" : "", number(d.difference, 4), "  [",
                       number(d.interval.low, 4), ", ", number(d.interval.high, 4),
                       "] 95 % interval; better in ", number(100 * d.share_better, 1), " % of resamples\n");
    }
  }
  if (json) std::cout << j.dump(2) << '\n';
  return kOk;
}

}  // namespace hone::cli
