// hone nearest
#include <iostream>
#include <string>
#include <vector>

#include "command.h"
#include "encode/encoder.h"
#include "progress.h"
#include "search/nearest_texts.h"

namespace hone::cli {

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
  arguments.add("", {"encode.column", "search.prompts", "encode.dim"});
  add_device(arguments);
  if (!arguments.parse(argc, argv)) return kOk;
  const auto top = arguments.integer<int64_t>("top", 1);
  const std::string query = arguments.text("query");
  if (!text::valid_utf8(query)) fail_usage("query: is not valid UTF-8");
  const auto engine = make_engine(arguments);
  const fs::path folder = arguments.path("model");
  const std::vector<std::string> corpus = read_texts(arguments, arguments.path("corpus"));
  const auto model = load_model(arguments, folder);
  search::NearestOptions options = search::nearest_options(arguments.configured());
  options.top = top;
  model->vector_dim(options.dim);  // throws
  const bool quiet = arguments.given("quiet");
  if (!quiet && encode::has_prompts(*model))
    std::cerr << "prompts: " << encode::prompts_line(search::nearest_prompts(*model, options.prompts))
              << '\n';
  encode::Encoder encoder(model, engine);
  std::vector<std::vector<search::Hit>> found;
  {
    Progress progress("texts", quiet);
    options.progress = [&](size_t done, size_t total) { progress.update(done, total); };
    found = search::nearest_texts(std::span(&query, 1), corpus, *model, *engine, encoder, options);
  }
  nlohmann::ordered_json j = nlohmann::ordered_json::array();
  for (const auto& hit : found.at(0)) {
    const auto at = static_cast<size_t>(hit.index);
    if (arguments.given("json")) {
      j.push_back({{"index", at}, {"score", hit.score}, {"text", corpus[at]}});
    } else {
      std::cout << number(static_cast<double>(hit.score), 4) << "  " << corpus[at] << '\n';
    }
  }
  if (arguments.given("json")) std::cout << j.dump(2) << '\n';
  return kOk;
}

}  // namespace hone::cli
