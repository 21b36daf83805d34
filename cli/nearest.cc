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
  Arguments arguments("nearest",
                      "Finds the texts of a corpus nearest to a query, by the model's similarity\n"
                      "(cosine, dot, or a negated distance); a repeated text counts once.",
                      {"model", "corpus", "query"});
  arguments.add("", {{"model", "DIR", "Folder of the model"},
                     {"corpus", "FILE", "Texts: .txt (one a line), .jsonl, .csv or .tsv, also .gz"},
                     {"query", "TEXT", "What to look for"},
                     {"top", "N", "How many texts to print", "5"},
                     {"json", nullptr, "Print the result as JSON"}});
  arguments.add("", {"encode.column", "encode.dim"});
  add_device(arguments);
  if (!arguments.parse(argc, argv)) return kOk;
  const auto top = arguments.integer<int64_t>("top", 1);
  const std::string query = arguments.text("query");
  if (!text::valid_utf8(query)) fail_usage("query: is not valid UTF-8");
  const auto engine = make_engine(arguments);
  const fs::path folder = arguments.path("model");
  const Corpus corpus = distinct(read_texts(arguments, arguments.path("corpus")));
  const auto model = model::load_model(folder);
  encode::Encoder encoder(model, engine);
  encode::EncodeOptions options = encode::encode_options(arguments.configured());
  options.normalize = model->similarity == "cosine";
  const auto asked = encoder.encode(std::span(&query, 1), options);
  std::vector<float> vectors;
  {
    Progress progress("texts", arguments.given("quiet"));
    options.progress = [&](size_t done, size_t total) { progress.update(done, total); };
    vectors = encoder.encode(corpus.texts, options);
  }
  const auto found =
      search::top_k(asked, vectors, encoder.dim(options), top, search::nearness_of(model->similarity));
  nlohmann::ordered_json j = nlohmann::ordered_json::array();
  for (const auto& hit : found.at(0)) {
    const auto at = static_cast<size_t>(hit.index);
    if (arguments.given("json")) {
      j.push_back({{"index", corpus.first[at]}, {"score", hit.score}, {"text", corpus.texts[at]}});
    } else {
      std::cout << number(static_cast<double>(hit.score), 4) << "  " << corpus.texts[at] << '\n';
    }
  }
  if (arguments.given("json")) std::cout << j.dump(2) << '\n';
  return kOk;
}

}  // namespace hone::cli
