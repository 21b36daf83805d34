// hone nearest
#include <iostream>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "command.h"
#include "encode/encoder.h"
#include "progress.h"
#include "search/topk.h"

namespace hone::cli {
namespace {

struct Corpus {
  std::vector<std::string> texts;  // each once
  std::vector<size_t> first;       // where in the file it stands first, from 0
};

Corpus distinct(std::vector<std::string> all) {
  Corpus corpus;
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!seen.insert(all[i]).second) continue;
    corpus.texts.push_back(std::move(all[i]));
    corpus.first.push_back(i);
  }
  return corpus;
}

}  // namespace

int nearest(int argc, char** argv) {
  cxxopts::Options options = make_options(
      "nearest",
      "Finds the texts of a corpus nearest to a query, by cosine. A text that is repeated counts once.");
  options.add_options()("model", "Folder of the model", cxxopts::value<std::string>(), "DIR")(
      "corpus", ".txt (a text a line), .jsonl, .csv or .tsv, each also .gz", cxxopts::value<std::string>(),
      "FILE")("column", "Column that holds the texts (default: text)",
              cxxopts::value<std::string>()->default_value(""),
              "NAME")("query", "The query", cxxopts::value<std::string>(), "TEXT")(
      "top", "How many", cxxopts::value<int>()->default_value("5"), "N")("json", "Print the result as JSON");
  cxxopts::ParseResult p;
  static constexpr const char* kRequired[] = {"model", "corpus", "query"};
  if (parse(options, argc, argv, kRequired, p)) return kOk;
  const int top = p["top"].as<int>();
  if (top < 1) fail_usage("top: ", top, " found, 1 or more expected");
  const std::string query = p["query"].as<std::string>();
  if (!text::valid_utf8(query)) fail_usage("query: is not valid UTF-8");
  const auto engine = make_engine(p);
  const Corpus corpus = distinct(read_texts(p["corpus"].as<std::string>(), p["column"].as<std::string>()));
  encode::Encoder encoder(model::load_model(p["model"].as<std::string>()), engine);
  encode::EncodeOptions normalized;
  normalized.normalize = true;
  const auto asked = encoder.encode(std::span(&query, 1), normalized);
  std::vector<float> vectors;
  {
    Progress progress("texts", quiet(p));
    normalized.progress = [&](size_t done, size_t total) {
      progress.update(static_cast<int64_t>(done), static_cast<int64_t>(total));
    };
    vectors = encoder.encode(corpus.texts, normalized);
  }
  const auto found = search::top_k(asked, vectors, encoder.dim(), top);
  nlohmann::ordered_json j = nlohmann::ordered_json::array();
  for (const auto& hit : found.at(0)) {
    const auto at = static_cast<size_t>(hit.index);
    if (p.count("json") != 0) {
      j.push_back({{"index", corpus.first[at]}, {"score", hit.score}, {"text", corpus.texts[at]}});
    } else {
      std::cout << number(static_cast<double>(hit.score), 4) << "  " << corpus.texts[at] << '\n';
    }
  }
  if (p.count("json") != 0) std::cout << j.dump(2) << '\n';
  return kOk;
}

}  // namespace hone::cli
