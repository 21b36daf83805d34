// hone eval
#include <iostream>

#include "command.h"
#include "encode/encoder.h"
#include "eval/sts.h"
#include "train/pair_data.h"

namespace hone::cli {

namespace {

eval::StsScores score(const std::string& folder, const std::shared_ptr<compute::Engine>& engine,
                      const data::Table& table) {
  encode::Encoder encoder(model::load_model(folder), engine);
  const auto a = encoder.encode(table.text("sentence1")), b = encoder.encode(table.text("sentence2"));
  return eval::sts_scores(a, b, encoder.dim(), table.number("score"), true);
}

nlohmann::ordered_json scores_json(const eval::StsScores& scores) {
  nlohmann::ordered_json j;
  for (const auto& [name, value] : scores.metrics) j[name] = json_number(value);
  j["spearman_cosine_95"] = {json_number(scores.spearman_cosine_interval.low),
                             json_number(scores.spearman_cosine_interval.high)};
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
  cxxopts::Options options = make_options(
      "eval", "Scores a model on labelled pairs: correlation of the vectors' similarity with the labels.");
  options.add_options()("model", "Folder of the model", cxxopts::value<std::string>(), "DIR")(
      "data", "Pairs with columns sentence1, sentence2 and score (or label)", cxxopts::value<std::string>(),
      "FILE")("task", "sts: semantic textual similarity", cxxopts::value<std::string>()->default_value("sts"),
              "NAME")("columns", "Names of the file's columns, as role=name,...",
                      cxxopts::value<std::string>()->default_value(""),
                      "LIST")("compare", "A second model: prints its scores too, and the paired difference",
                              cxxopts::value<std::string>(), "DIR")("json", "Print the result as JSON");
  cxxopts::ParseResult p;
  static constexpr const char* kRequired[] = {"model", "data"};
  if (parse(options, argc, argv, kRequired, p)) return kOk;
  if (p["task"].as<std::string>() != "sts")
    fail_usage("task: \"", excerpt(p["task"].as<std::string>()), "\" found, sts expected");
  const auto engine = make_engine(p);
  const auto columns = read_columns(p, train::pair_role_names());
  const std::string folder = p["model"].as<std::string>(), file = p["data"].as<std::string>();
  const data::Table table = data::read_table(file, train::pair_roles(columns));
  const auto scores = score(folder, engine, table);
  nlohmann::ordered_json j = {
      {"model", folder}, {"data", file}, {"pairs", table.rows}, {"scores", scores_json(scores)}};
  const bool json = p.count("json") != 0;
  if (!json) print(cat(folder, " on ", file, " (", table.rows, " pairs)"), scores);
  if (p.count("compare") != 0) {
    const std::string other = p["compare"].as<std::string>();
    const auto others = score(other, engine, table);
    const auto d = eval::spearman_difference(others.cosine, scores.cosine, table.number("score"));
    j["compare"] = {{"model", other},
                    {"scores", scores_json(others)},
                    {"spearman_cosine_difference", json_number(d.difference)},
                    {"difference_95", {json_number(d.interval.low), json_number(d.interval.high)}},
                    {"share_better", json_number(d.share_better)}};
    if (!json) {
      print(cat(other, " on the same pairs"), others);
      std::cout << "difference of spearman_cosine, " << folder << " minus " << other << ": "
                << (d.difference >= 0 ? "+" : "") << number(d.difference, 4) << "  ["
                << number(d.interval.low, 4) << ", " << number(d.interval.high, 4)
                << "] 95 % interval; better in " << number(100 * d.share_better, 1) << " % of resamples\n";
    }
  }
  if (json) std::cout << j.dump(2) << '\n';
  return kOk;
}

}  // namespace hone::cli
