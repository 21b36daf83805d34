#include "search/nearest_texts.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "search/nearest.h"

namespace hone::search {

namespace {

constexpr size_t kChunkFloats = size_t{4} << 20;  // of vectors of the corpus held at once

// Where each different text stands first.
std::vector<size_t> first_places(std::span<const std::string> corpus) {
  std::vector<size_t> first;
  std::unordered_set<std::string_view> seen;
  for (size_t i = 0; i < corpus.size(); ++i) {
    if (seen.insert(corpus[i]).second) first.push_back(i);
  }
  return first;
}

}  // namespace

NearestOptions nearest_options(const config::Options& options) {
  NearestOptions made;
  made.dim = encode::encode_options(options).dim;
  made.prompts = encode::parse_prompt_use(options.text("search.prompts"));
  return made;
}

encode::PromptedTexts nearest_prompts(const model::SentenceModel& model, encode::PromptUse use) {
  return {{"query", encode::prompt_for(model, encode::Role::query, use)},
          {"corpus", encode::prompt_for(model, encode::Role::document, use)}};
}

std::vector<std::vector<Hit>> nearest_texts(std::span<const std::string> queries,
                                            std::span<const std::string> corpus,
                                            const model::SentenceModel& model, compute::Engine& engine,
                                            encode::Encoder& encoder, const NearestOptions& options) {
  const std::vector<size_t> first = first_places(corpus);
  const encode::PromptedTexts prompts = nearest_prompts(model, options.prompts);
  encode::EncodeOptions encoding;
  encoding.dim = options.dim;
  encoding.normalize = model.similarity == "cosine";
  encoding.prompt = prompts[0].second;
  const std::vector<float> asked = encoder.encode(queries, encoding);
  const int32_t width = encoder.dim(encoding);
  // No more can be found than there are: the best of each query take no room beyond that.
  const auto most = std::max<int64_t>(1, std::min(options.top, static_cast<int64_t>(first.size())));
  Nearest nearest(asked, width, options.top < 1 ? options.top : most, nearness_of(model.similarity));
  encoding.prompt = prompts[1].second;
  const size_t chunk = std::max<size_t>(1, kChunkFloats / static_cast<size_t>(width));
  std::vector<std::string> texts;
  for (size_t begin = 0; begin < first.size(); begin += chunk) {
    texts.clear();
    for (size_t i = begin; i < std::min(first.size(), begin + chunk); ++i) texts.push_back(corpus[first[i]]);
    encoding.progress = [&](size_t done, size_t) {
      if (options.progress) options.progress(begin + done, first.size());
    };
    nearest.add(encoder.encode(texts, encoding), engine);
  }
  std::vector<std::vector<Hit>> found = nearest.take();
  for (auto& hits : found) {
    for (Hit& hit : hits) hit.index = static_cast<int64_t>(first[static_cast<size_t>(hit.index)]);
  }
  return found;
}

}  // namespace hone::search
